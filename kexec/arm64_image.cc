// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/arm64_image.h"

#include "kexec/pe_image.h"

namespace kdumpkit {
namespace {

constexpr uint32_t kMagic = 0x644d5241;  // "ARM\x64"

Result<Arm64Image> Parse(const ByteReader& reader) {
  if (TRY(reader.U32(56)) != kMagic) return Malformed("no 'ARM\\x64'");
  Arm64Image image;
  image.text_offset = TRY(reader.U64(8));
  image.image_size = TRY(reader.U64(16));
  image.flags = TRY(reader.U64(24));
  TRY(reader.U32(60));
  return image;
}

}  // namespace

uint64_t Arm64Image::PageSize() const {
  uint64_t code = (flags >> 1) & 3;  // 1: 4 KiB, 2: 16 KiB, 3: 64 KiB
  return code == 0 ? 0 : uint64_t{1024} << (2 * code);
}

std::optional<Arm64Image> ParseArm64Image(ByteView head) {
  Result<Arm64Image> image = Parse(ByteReader(head, ByteOrder::kLittle, "arm64 Image"));
  if (!image) return std::nullopt;
  // The header itself has the size in memory only; the EFI stub's section table knows the file.
  if (std::optional<PeImage> pe = ParsePeImage(head)) image->file_size = pe->SectionsEnd();
  return *image;
}

}  // namespace kdumpkit
