// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/unpackers.h"

#include <bzlib.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <memory>

#include "kexec/text.h"

namespace kdumpkit {
namespace {

constexpr size_t kFirstRoom = size_t{64} << 10;
// zlib and libbz2 count in 32 bits.
constexpr size_t kMaxRoom = size_t{1} << 30;
// Of the input, so that the offset in an error is near the fault: some decoders do not tell how far
// they came.
constexpr size_t kInputStep = size_t{16} << 10;
// zlib: 15 bits of window, and 16 for a gzip header.
constexpr int kGzipWindow = 15 + 16;
// For the dictionary. Linux packs its kernels with 64 MiB or 128 MiB.
constexpr uint64_t kLzmaMemory = uint64_t{256} << 20;
// lz4's legacy format cuts its input into blocks of this size, the last one is smaller.
constexpr size_t kLegacyBlock = size_t{8} << 20;

// What one call of a decoder did.
struct Step {
  size_t used = 0;  // of the input, bytes
  size_t made = 0;  // of the room, bytes
  bool ended = false;
  const char* fault = nullptr;  // a reason to stop
  ErrorKind fault_kind = ErrorKind::kMalformed;
};

Error Fault(std::string_view format, size_t at, const Step& step) {
  return Error(step.fault_kind,
               fmt::format("cannot unpack {} data at offset {:#x}: {}", format, at, step.fault));
}

// Calls the decoder until its stream ends. A decoder that is given room and gets nowhere wants
// input that is not there.
template <typename Decode>
Result<size_t> RunDecoder(std::string_view format, ByteView data, size_t at, UnpackedBytes& out,
                          Decode decode) {
  for (;;) {
    ByteSpan room = TRY(out.Room());
    ByteView input = data.subspan(at, std::min(data.size() - at, kInputStep));
    Step step = decode(input, room.first(std::min(room.size(), kMaxRoom)));
    at += step.used;
    out.Commit(step.made);
    if (step.fault != nullptr) return Fault(format, at, step);
    if (step.ended) return at;
    if (step.used == 0 && step.made == 0)
      return Truncated("{} data ends too early, at offset {:#x}", format, at);
  }
}

Step StepOf(lzma_ret status) {
  switch (status) {
    case LZMA_OK:
    case LZMA_BUF_ERROR:
      return {};
    case LZMA_STREAM_END:
      return {.ended = true};
    case LZMA_MEMLIMIT_ERROR:
    case LZMA_MEM_ERROR:
      return {.fault = "its dictionary takes more than 256 MiB",
              .fault_kind = ErrorKind::kUnsupported};
    case LZMA_OPTIONS_ERROR:
      return {.fault = "it uses a filter that liblzma does not have",
              .fault_kind = ErrorKind::kUnsupported};
    default:
      return {.fault = "damaged"};
  }
}

Result<size_t> RunLzma(std::string_view format, ByteView data, size_t at, UnpackedBytes& out,
                       lzma_ret (*init)(lzma_stream*)) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (init(&stream) != LZMA_OK) return Unsupported("liblzma cannot unpack {}", format);
  std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> end(&stream, lzma_end);
  return RunDecoder(format, data, at, out, [&](ByteView in, ByteSpan room) {
    stream.next_in = AsUnsigned(in.data());
    stream.avail_in = in.size();
    stream.next_out = AsUnsigned(room.data());
    stream.avail_out = room.size();
    Step step = StepOf(lzma_code(&stream, LZMA_RUN));
    step.used = in.size() - stream.avail_in;
    step.made = room.size() - stream.avail_out;
    return step;
  });
}

Step StepOfZlib(int status, const char* message) {
  if (status == Z_STREAM_END) return {.ended = true};
  if (status == Z_OK || status == Z_BUF_ERROR) return {};
  return {.fault = message != nullptr ? message : "damaged"};
}

Step StepOfZstd(size_t status) {
  if (ZSTD_isError(status) == 0) return {.ended = status == 0};
  bool window = ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge;
  return {.fault = ZSTD_getErrorName(status),
          .fault_kind = window ? ErrorKind::kUnsupported : ErrorKind::kMalformed};
}

// One block of lz4's legacy format in `data`, or why there is none.
struct LegacyBlock {
  enum class State { kBlock, kNotABlock, kCut };
  State state = State::kNotABlock;
  ByteView data;
};

// `total` is the size of all blocks before, unpacked: the build of Linux appends it to the last one
// (scripts/Makefile.lib, "size_append"), where the next block's size would stand.
LegacyBlock FindLegacyBlock(ByteView data, size_t at, size_t total) {
  using State = LegacyBlock::State;
  Result<uint32_t> size = ByteReader(data, ByteOrder::kLittle, "lz4").U32(at);
  if (!size) return {at == data.size() ? State::kNotABlock : State::kCut, {}};
  if (*size == 0 || *size > LZ4_COMPRESSBOUND(kLegacyBlock)) return {};
  ByteView rest = data.subspan(at + 4);
  if (*size <= rest.size()) return {State::kBlock, rest.first(*size)};
  return {rest.empty() && *size == total ? State::kNotABlock : State::kCut, {}};
}

// Unpacks a block; returns its size.
Result<size_t> AppendLegacyBlock(ByteView block, size_t at, UnpackedBytes& out) {
  // A byte of a length stands for 255 at most. Not filled with zeros: LZ4 tells what it wrote.
  size_t room = std::min(kLegacyBlock, block.size() * 255);
  auto unpacked = std::make_unique_for_overwrite<std::byte[]>(room);
  int made = LZ4_decompress_safe(AsChars(block.data()), AsChars(unpacked.get()),
                                 static_cast<int>(block.size()), static_cast<int>(room));
  if (made < 0) return Malformed("cannot unpack lz4 data at offset {:#x}: damaged", at);
  size_t size = static_cast<size_t>(made);
  TRY(out.Append(ByteView(unpacked.get(), size)));
  return size;
}

}  // namespace

Status UnpackedBytes::CheckLimit() const {
  if (size_ <= limit_) return {};
  return Unsupported("it unpacks to more than {}, the most that is taken", SizeText(limit_));
}

Result<ByteSpan> UnpackedBytes::Room() {
  TRY(CheckLimit());
  if (size_ == bytes_.size()) {
    // One byte more than the limit tells a stream that ends there from one that goes on.
    size_t room = std::min(std::max(size_, kFirstRoom), limit_ + 1 - size_);
    bytes_.resize(size_ + room);
  }
  return ByteSpan(bytes_).subspan(size_);
}

Status UnpackedBytes::Append(ByteView bytes) {
  while (!bytes.empty()) {
    ByteSpan room = TRY(Room());
    size_t part = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), part, room.begin());
    Commit(part);
    bytes = bytes.subspan(part);
  }
  return CheckLimit();
}

Result<ByteBuffer> UnpackedBytes::Take() && {
  TRY(CheckLimit());
  bytes_.resize(size_);
  return std::move(bytes_);
}

Result<size_t> UnpackGzip(ByteView data, size_t at, UnpackedBytes& out) {
  z_stream stream = {};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return Unsupported("zlib cannot unpack");
  std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  return RunDecoder("gzip", data, at, out, [&](ByteView in, ByteSpan room) {
    stream.next_in = const_cast<Bytef*>(AsUnsigned(in.data()));
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = AsUnsigned(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    int status = inflate(&stream, Z_NO_FLUSH);
    Step step = StepOfZlib(status, stream.msg);
    step.used = in.size() - stream.avail_in;
    step.made = room.size() - stream.avail_out;
    return step;
  });
}

Result<size_t> UnpackXz(ByteView data, size_t at, UnpackedBytes& out) {
  return RunLzma("xz", data, at, out,
                 [](lzma_stream* stream) { return lzma_stream_decoder(stream, kLzmaMemory, 0); });
}

Result<size_t> UnpackLzma(ByteView data, size_t at, UnpackedBytes& out) {
  return RunLzma("lzma", data, at, out,
                 [](lzma_stream* stream) { return lzma_alone_decoder(stream, kLzmaMemory); });
}

Result<size_t> UnpackZstd(ByteView data, size_t at, UnpackedBytes& out) {
  // Its window is at most 128 MiB (ZSTD_WINDOWLOG_LIMIT_DEFAULT), which is what "zstd -22" takes.
  std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                  ZSTD_freeDStream);
  if (!stream) return Unsupported("zstd cannot unpack");
  return RunDecoder("zstd", data, at, out, [&](ByteView in, ByteSpan room) {
    ZSTD_inBuffer from = {in.data(), in.size(), 0};
    ZSTD_outBuffer to = {room.data(), room.size(), 0};
    Step step = StepOfZstd(ZSTD_decompressStream(stream.get(), &to, &from));
    step.used = from.pos;
    step.made = to.pos;
    return step;
  });
}

Result<size_t> UnpackBzip2(ByteView data, size_t at, UnpackedBytes& out) {
  bz_stream stream = {};
  if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) return Unsupported("libbz2 cannot unpack");
  std::unique_ptr<bz_stream, int (*)(bz_stream*)> end(&stream, BZ2_bzDecompressEnd);
  return RunDecoder("bzip2", data, at, out, [&](ByteView in, ByteSpan room) {
    stream.next_in = const_cast<char*>(AsChars(in.data()));
    stream.avail_in = static_cast<unsigned>(in.size());
    stream.next_out = AsChars(room.data());
    stream.avail_out = static_cast<unsigned>(room.size());
    int status = BZ2_bzDecompress(&stream);
    Step step = {in.size() - stream.avail_in, room.size() - stream.avail_out};
    step.ended = status == BZ_STREAM_END;
    if (status < 0) step.fault = "damaged";
    return step;
  });
}

Result<size_t> UnpackLz4(ByteView data, size_t at, UnpackedBytes& out) {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0)
    return Unsupported("lz4 cannot unpack");
  std::unique_ptr<LZ4F_dctx, size_t (*)(LZ4F_dctx*)> end(context, LZ4F_freeDecompressionContext);
  return RunDecoder("lz4", data, at, out, [&](ByteView in, ByteSpan room) {
    Step step = {in.size(), room.size()};
    size_t status =
        LZ4F_decompress(context, room.data(), &step.made, in.data(), &step.used, nullptr);
    step.ended = status == 0;
    if (LZ4F_isError(status) != 0) step.fault = LZ4F_getErrorName(status);
    return step;
  });
}

// Magic number, then blocks: u32 size, data. Nothing marks the end: it is a block of less than
// 8 MiB, the end of the file, or what cannot be a block.
Result<size_t> UnpackLz4Legacy(ByteView data, size_t at, UnpackedBytes& out) {
  size_t start = out.size();
  at += kLz4LegacyMagic.size();
  for (;;) {
    LegacyBlock block = FindLegacyBlock(data, at, out.size() - start);
    if (block.state == LegacyBlock::State::kNotABlock) return at;
    if (block.state == LegacyBlock::State::kCut)
      return Truncated("lz4 data ends too early, in the block at offset {:#x}", at);
    size_t made = TRY(AppendLegacyBlock(block.data, at, out));
    at += 4 + block.data.size();
    if (made < kLegacyBlock) return at;
  }
}

}  // namespace kdumpkit
