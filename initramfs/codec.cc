// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/codec.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <memory>

namespace kdumpkit {
namespace {

constexpr int kGzipLevel = 9;
// Above this level zstd takes several times longer for a few per cent.
constexpr int kZstdLevel = 15;
// The kernel needs as much memory as the window has, just when packed and unpacked image are both
// there; what the level would choose for 10 MiB costs 4 MiB more of crashkernel=.
constexpr int kZstdWindowLog = 17;
// zlib: 15 bits of window, and 16 to write (32 to read) a gzip header.
constexpr int kGzipWindow = 15 + 16;
// The dictionary of "xz -9" has 64 MiB.
constexpr uint64_t kXzMemory = uint64_t{256} << 20;
constexpr size_t kFirstStep = size_t{1} << 20;

Result<ByteBuffer> Gzip(ByteView data) {
  z_stream stream = {};
  if (deflateInit2(&stream, kGzipLevel, Z_DEFLATED, kGzipWindow, MAX_MEM_LEVEL,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return Unsupported("zlib cannot compress");
  ByteBuffer out(deflateBound(&stream, data.size()));
  stream.next_in = const_cast<Bytef*>(AsUnsigned(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = AsUnsigned(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) return Unsupported("zlib: compression failed ({})", status);
  return out;
}

Result<ByteBuffer> Zstd(ByteView data) {
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  if (!context) return Unsupported("zstd cannot compress");
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kZstdLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, kZstdWindowLog);
  ByteBuffer out(ZSTD_compressBound(data.size()));
  size_t size = ZSTD_compress2(context.get(), out.data(), out.size(), data.data(), data.size());
  if (ZSTD_isError(size) != 0) return Unsupported("zstd: {}", ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

// Calls `fill` with ever more room behind what is there until it says that it is done. `fill`
// gets the free part and returns how much of it was used, less than all of it only at the end.
template <typename Fill>
Result<ByteBuffer> Grow(size_t limit, Fill fill) {
  ByteBuffer out;
  for (size_t step = kFirstStep;; step *= 2) {
    size_t at = out.size();
    out.resize(at + step);
    size_t used = TRY(fill(ByteSpan(out).subspan(at)));
    out.resize(at + used);
    if (out.size() > limit) return Unsupported("more than {} bytes unpacked", limit);
    if (used < step) return out;
  }
}

Result<ByteBuffer> UnpackGzip(ByteView data, size_t limit) {
  z_stream stream = {};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return Unsupported("zlib cannot unpack");
  std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_in = const_cast<Bytef*>(AsUnsigned(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  return Grow(limit, [&](ByteSpan room) -> Result<size_t> {
    stream.next_out = AsUnsigned(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    int status = inflate(&stream, Z_NO_FLUSH);
    if (status == Z_STREAM_END) return room.size() - stream.avail_out;
    if (status == Z_OK && stream.avail_out == 0) return room.size();
    return Malformed("damaged gzip data");
  });
}

Result<ByteBuffer> UnpackXz(ByteView data, size_t limit) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kXzMemory, 0) != LZMA_OK) return Unsupported("xz cannot unpack");
  std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> end(&stream, lzma_end);
  stream.next_in = AsUnsigned(data.data());
  stream.avail_in = data.size();
  return Grow(limit, [&](ByteSpan room) -> Result<size_t> {
    stream.next_out = AsUnsigned(room.data());
    stream.avail_out = room.size();
    lzma_ret status = lzma_code(&stream, LZMA_FINISH);
    if (status == LZMA_STREAM_END) return room.size() - stream.avail_out;
    if (status == LZMA_OK && stream.avail_out == 0) return room.size();
    return Malformed("damaged xz data");
  });
}

Result<ByteBuffer> UnpackZstd(ByteView data, size_t limit) {
  std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                  ZSTD_freeDStream);
  if (!stream) return Unsupported("zstd cannot unpack");
  ZSTD_inBuffer in = {data.data(), data.size(), 0};
  size_t left = 1;  // 0 at the end of a frame; there may be several
  return Grow(limit, [&](ByteSpan room) -> Result<size_t> {
    ZSTD_outBuffer out = {room.data(), room.size(), 0};
    while (out.pos < out.size && (left != 0 || in.pos < in.size)) {
      size_t before = in.pos + out.pos;
      left = ZSTD_decompressStream(stream.get(), &out, &in);
      if (ZSTD_isError(left) != 0) return Malformed("damaged zstd data");
      if (in.pos + out.pos == before) return Malformed("zstd data ends too early");
    }
    return out.pos;
  });
}

}  // namespace

Result<ByteBuffer> CompressImage(ByteView data, ImageCompression compression) {
  // zlib counts in 32 bits.
  if (data.size() > UINT32_MAX) return Unsupported("an image of more than 4 GiB");
  switch (compression) {
    case ImageCompression::kNone:
      return ByteBuffer(data.begin(), data.end());
    case ImageCompression::kGzip:
      return Gzip(data);
    case ImageCompression::kZstd:
      return Zstd(data);
  }
  CHECK(false);
}

Result<ByteBuffer> UnpackModule(ByteView data, std::string_view name, size_t limit) {
  if (name.ends_with(".gz")) return UnpackGzip(data, limit).In(name);
  if (name.ends_with(".xz")) return UnpackXz(data, limit).In(name);
  if (name.ends_with(".zst")) return UnpackZstd(data, limit).In(name);
  return ByteBuffer(data.begin(), data.end());
}

}  // namespace kdumpkit
