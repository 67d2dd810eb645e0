// SPDX-License-Identifier: GPL-2.0-or-later
#include <libdeflate.h>
#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>

#include "dumpfile/codec.h"

namespace kdumpkit {

// Made when a page of the codec is first met.
struct Decompressor::Contexts {
  libdeflate_decompressor* deflate = nullptr;
  ZSTD_DCtx* zstd = nullptr;

  ~Contexts() {
    libdeflate_free_decompressor(deflate);
    ZSTD_freeDCtx(zstd);
  }
};

namespace {

Status BadPage(Codec codec) { return Malformed("{} page does not decompress", CodecName(codec)); }

Status OutOfMemory(Codec codec) {
  return SystemError(ENOMEM, fmt::format("cannot set up {} decompression", CodecName(codec)));
}

Status CopyRaw(ByteView data, ByteSpan out) {
  if (data.size() != out.size())
    return Malformed("raw page has {} bytes instead of {}", data.size(), out.size());
  std::copy(data.begin(), data.end(), out.begin());
  return {};
}

Status DecompressZlib(libdeflate_decompressor*& context, ByteView data, ByteSpan out) {
  if (context == nullptr) context = libdeflate_alloc_decompressor();
  if (context == nullptr) return OutOfMemory(Codec::kZlib);
  // Without a place for the size the library insists on exactly out.size() bytes.
  libdeflate_result result = libdeflate_zlib_decompress(context, data.data(), data.size(),
                                                        out.data(), out.size(), nullptr);
  return result == LIBDEFLATE_SUCCESS ? Status() : BadPage(Codec::kZlib);
}

Status DecompressLzo(ByteView data, ByteSpan out) {
  lzo_uint size = out.size();
  int error = lzo1x_decompress_safe(AsUnsigned(data.data()), data.size(), AsUnsigned(out.data()),
                                    &size, nullptr);
  return error == LZO_E_OK && size == out.size() ? Status() : BadPage(Codec::kLzo);
}

Status DecompressSnappy(ByteView data, ByteSpan out) {
  size_t size = out.size();
  snappy_status status =
      snappy_uncompress(AsChars(data.data()), data.size(), AsChars(out.data()), &size);
  return status == SNAPPY_OK && size == out.size() ? Status() : BadPage(Codec::kSnappy);
}

Status DecompressZstd(ZSTD_DCtx*& context, ByteView data, ByteSpan out) {
  if (context == nullptr) context = ZSTD_createDCtx();
  if (context == nullptr) return OutOfMemory(Codec::kZstd);
  size_t size = ZSTD_decompressDCtx(context, out.data(), out.size(), data.data(), data.size());
  return size == out.size() ? Status() : BadPage(Codec::kZstd);  // An error is a huge size.
}

}  // namespace

Decompressor::Decompressor() : contexts_(std::make_unique<Contexts>()) {}
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;
Decompressor::~Decompressor() = default;

Status Decompressor::Decompress(uint32_t flags, ByteView data, ByteSpan out) {
  switch (flags) {
    case 0:
      return CopyRaw(data, out);
    case 0x1:
      return DecompressZlib(contexts_->deflate, data, out);
    case 0x2:
      return DecompressLzo(data, out);
    case 0x4:
      return DecompressSnappy(data, out);
    case 0x20:
      return DecompressZstd(contexts_->zstd, data, out);
    default:
      return Malformed("page flags {:#x} name no codec", flags);
  }
}

Status Decompress(uint32_t flags, ByteView data, ByteSpan out) {
  return Decompressor().Decompress(flags, data, out);
}

}  // namespace kdumpkit
