// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/kexec/packer.h"

#include <bzlib.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "kexec/unpackers.h"

namespace kdumpkit {
namespace {

// More than any of the encoders makes of `size` bytes.
std::string Room(size_t size) { return std::string(size + size / 8 + 1024, '\0'); }

const unsigned char* In(std::string_view text) { return AsUnsigned(AsBytes(text).data()); }
unsigned char* Out(std::string& text) {
  return AsUnsigned(std::as_writable_bytes(std::span(text)).data());
}

std::string PackGzip(std::string_view contents) {
  std::string out = Room(contents.size());
  z_stream stream = {};
  CHECK(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = const_cast<Bytef*>(In(contents));
  stream.avail_in = static_cast<uInt>(contents.size());
  stream.next_out = Out(out);
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string PackXz(std::string_view contents) {
  std::string out = Room(contents.size());
  size_t size = 0;
  CHECK(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, nullptr, In(contents), contents.size(),
                                Out(out), &size, out.size()) == LZMA_OK);
  out.resize(size);
  return out;
}

std::string PackLzma(std::string_view contents) {
  std::string out = Room(contents.size());
  lzma_options_lzma options = {};
  CHECK(lzma_lzma_preset(&options, 1) == 0);
  lzma_stream stream = LZMA_STREAM_INIT;
  CHECK(lzma_alone_encoder(&stream, &options) == LZMA_OK);
  stream.next_in = In(contents);
  stream.avail_in = contents.size();
  stream.next_out = Out(out);
  stream.avail_out = out.size();
  CHECK(lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END);
  out.resize(stream.total_out);
  lzma_end(&stream);
  return out;
}

std::string PackZstd(std::string_view contents) {
  std::string out = Room(contents.size());
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  out.resize(ZSTD_compress2(context, out.data(), out.size(), contents.data(), contents.size()));
  ZSTD_freeCCtx(context);
  return out;
}

std::string PackBzip2(std::string_view contents) {
  std::string out = Room(contents.size());
  unsigned size = static_cast<unsigned>(out.size());
  CHECK(BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(contents.data()),
                                 static_cast<unsigned>(contents.size()), 9, 0, 0) == BZ_OK);
  out.resize(size);
  return out;
}

std::string PackLz4(std::string_view contents) {
  LZ4F_preferences_t preferences = {};
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  std::string out(LZ4F_compressFrameBound(contents.size(), &preferences), '\0');
  out.resize(
      LZ4F_compressFrame(out.data(), out.size(), contents.data(), contents.size(), &preferences));
  return out;
}

std::string PackLz4Legacy(std::string_view contents) {
  constexpr size_t kBlock = size_t{8} << 20;
  std::string out(kLz4LegacyMagic);
  for (size_t at = 0; at < contents.size(); at += kBlock) {
    std::string_view block = contents.substr(at, kBlock);
    std::string packed = Room(block.size());
    int size = LZ4_compress_default(block.data(), packed.data(), static_cast<int>(block.size()),
                                    static_cast<int>(packed.size()));
    ByteWriter header(ByteOrder::kLittle);
    header.Put(static_cast<uint32_t>(size));
    out += AsText(std::move(header).Take());
    out += packed.substr(0, static_cast<size_t>(size));
  }
  return out;
}

}  // namespace

std::string Pack(Compression compression, std::string_view contents) {
  switch (compression) {
    case Compression::kGzip:
      return PackGzip(contents);
    case Compression::kXz:
      return PackXz(contents);
    case Compression::kZstd:
      return PackZstd(contents);
    case Compression::kBzip2:
      return PackBzip2(contents);
    case Compression::kLz4:
      return PackLz4(contents);
    case Compression::kLz4Legacy:
      return PackLz4Legacy(contents);
    case Compression::kLzma:
      return PackLzma(contents);
  }
  CHECK(false);
}

}  // namespace kdumpkit
