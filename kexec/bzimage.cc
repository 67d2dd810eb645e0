// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/bzimage.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kSector = 512;
constexpr uint64_t kDefaultSetupSectors = 4;  // what a setup_sects of 0 stands for
constexpr uint16_t kBootFlag = 0xaa55;
constexpr uint32_t kHeaderMagic = 0x53726448;  // "HdrS"
constexpr uint8_t kLoadedHigh = 0x01;
constexpr uint16_t kXlfKernel64 = 0x01;
constexpr uint16_t kXlfAbove4G = 0x02;
constexpr uint16_t kProtocolCommandLineSize = 0x0206;
constexpr uint16_t kProtocolInitSize = 0x020a;
constexpr uint16_t kProtocolXloadflags = 0x020c;
// The limit before the header could tell.
constexpr uint32_t kOldCommandLineSize = 255;

// The text that the version pointer leads to, cut at the first unprintable character.
std::string VersionText(const ByteReader& reader, uint16_t pointer) {
  std::string text;
  if (pointer == 0) return text;
  for (uint64_t at = uint64_t{pointer} + kSector; text.size() < 200; ++at) {
    Result<uint8_t> c = reader.U8(at);
    if (!c || *c < 0x20 || *c > 0x7e) break;
    text += static_cast<char>(*c);
  }
  return text;
}

Result<BzImage> Parse(const ByteReader& reader) {
  if (TRY(reader.U16(0x1fe)) != kBootFlag) return Malformed("no boot flag");
  if (TRY(reader.U32(0x202)) != kHeaderMagic) return Malformed("no 'HdrS'");
  BzImage image;
  image.protocol = TRY(reader.U16(0x206));
  image.loadflags = TRY(reader.U8(0x211));
  uint64_t setup_sectors = TRY(reader.U8(0x1f1));
  if (setup_sectors == 0) setup_sectors = kDefaultSetupSectors;
  // syssize counts the rest in units of 16 bytes; a signature may follow.
  image.file_size = (setup_sectors + 1) * kSector + uint64_t{TRY(reader.U32(0x1f4))} * 16;
  image.command_line_size =
      image.protocol >= kProtocolCommandLineSize ? TRY(reader.U32(0x238)) : kOldCommandLineSize;
  image.kernel_alignment = TRY(reader.U32(0x230));
  if (image.protocol >= kProtocolXloadflags) image.xloadflags = TRY(reader.U16(0x236));
  if (image.protocol >= kProtocolInitSize) image.init_size = TRY(reader.U32(0x260));
  image.version = VersionText(reader, TRY(reader.U16(0x20e)));
  return image;
}

}  // namespace

bool BzImage::Is64Bit() const {
  constexpr uint16_t kNeeded = kXlfKernel64 | kXlfAbove4G;
  return (loadflags & kLoadedHigh) != 0 && (xloadflags & kNeeded) == kNeeded;
}

std::optional<BzImage> ParseBzImage(ByteView head) {
  Result<BzImage> image = Parse(ByteReader(head, ByteOrder::kLittle, "bzImage"));
  if (!image) return std::nullopt;
  return *std::move(image);
}

}  // namespace kdumpkit
