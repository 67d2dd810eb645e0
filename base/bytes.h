// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes of foreign machines: loads and stores of either byte order, bounded readers and writers.
// The only place where memory is reinterpreted.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kdumpkit {

using ByteView = std::span<const std::byte>;
using ByteSpan = std::span<std::byte>;
using ByteBuffer = std::vector<std::byte>;

enum class ByteOrder : uint8_t { kLittle, kBig };

inline constexpr ByteOrder kHostOrder =
    std::endian::native == std::endian::little ? ByteOrder::kLittle : ByteOrder::kBig;

template <std::unsigned_integral T>
constexpr T SwapBytes(T value) {
  if constexpr (sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(value));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(value));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(value));
}

// The caller guarantees sizeof(T) readable bytes at `data`.
template <std::unsigned_integral T>
T LoadUnchecked(const std::byte* data, ByteOrder order) {
  T value;
  std::memcpy(&value, data, sizeof(T));
  return order == kHostOrder ? value : SwapBytes(value);
}

template <std::unsigned_integral T>
void StoreUnchecked(std::byte* data, T value, ByteOrder order) {
  if (order != kHostOrder) value = SwapBytes(value);
  std::memcpy(data, &value, sizeof(T));
}

// True when every byte is zero.
bool IsZero(ByteView bytes);

// Two lower-case hexadecimal digits a byte.
std::string HexText(ByteView bytes);

inline ByteView AsBytes(std::string_view text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}
inline std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline const char* AsChars(const std::byte* bytes) { return reinterpret_cast<const char*>(bytes); }
inline char* AsChars(std::byte* bytes) { return reinterpret_cast<char*>(bytes); }
inline const unsigned char* AsUnsigned(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}
inline unsigned char* AsUnsigned(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}

// Reads fields at given offsets of a byte view; every access is bounded, and an error names the
// object and the offset. `bytes` must outlive the reader.
class ByteReader {
 public:
  // `origin` is added to offsets in error messages only (where the view starts in its file).
  ByteReader(ByteView bytes, ByteOrder order, std::string object, uint64_t origin = 0)
      : bytes_(bytes), order_(order), object_(std::move(object)), origin_(origin) {}

  size_t size() const { return bytes_.size(); }
  ByteOrder order() const { return order_; }

  template <std::unsigned_integral T>
  Result<T> Load(uint64_t offset) const {
    if (!Has(offset, sizeof(T))) return OutOfBounds(offset, sizeof(T));
    return LoadUnchecked<T>(bytes_.data() + offset, order_);
  }
  Result<uint8_t> U8(uint64_t offset) const { return Load<uint8_t>(offset); }
  Result<uint16_t> U16(uint64_t offset) const { return Load<uint16_t>(offset); }
  Result<uint32_t> U32(uint64_t offset) const { return Load<uint32_t>(offset); }
  Result<uint64_t> U64(uint64_t offset) const { return Load<uint64_t>(offset); }
  Result<ByteView> Bytes(uint64_t offset, uint64_t size) const;

 private:
  bool Has(uint64_t offset, uint64_t size) const {
    return offset <= bytes_.size() && size <= bytes_.size() - offset;
  }
  Error OutOfBounds(uint64_t offset, uint64_t size) const;

  ByteView bytes_;
  ByteOrder order_;
  std::string object_;
  uint64_t origin_;
};

// Appends fields of a given byte order to a growing buffer.
class ByteWriter {
 public:
  explicit ByteWriter(ByteOrder order) : order_(order) {}

  template <std::unsigned_integral T>
  void Put(T value) {
    size_t at = buffer_.size();
    buffer_.resize(at + sizeof(T));
    StoreUnchecked(buffer_.data() + at, value, order_);
  }
  void PutBytes(ByteView bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }
  // Exactly `width` bytes: the text cut or padded with NUL, its last byte always NUL.
  void PutText(std::string_view text, size_t width);
  void PadTo(size_t size) { buffer_.resize(std::max(size, buffer_.size())); }
  size_t size() const { return buffer_.size(); }
  ByteBuffer Take() && { return std::move(buffer_); }

 private:
  ByteOrder order_;
  ByteBuffer buffer_;
};

}  // namespace kdumpkit
