// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/file_signature.h"

#include <algorithm>
#include <iterator>

namespace kdumpkit {
namespace {

using namespace std::string_view_literals;

// The first that fits counts: what several others contain stands behind them. Compressed files that
// can be unpacked are DetectCompression()'s.
constexpr FileSignature kSignatures[] = {
    {0, "\x89LZO\0\r\n\x1a\n"sv, ImageKind::kCompressed, "an lzop file"},
    {0, "\x1f\x9d"sv, ImageKind::kCompressed, "a compress (.Z) file"},
    {0, "LZIP\1"sv, ImageKind::kCompressed, "an lzip file"},
    {0, "070701"sv, ImageKind::kInitramfs, "a cpio archive (an initramfs)"},
    {0, "070702"sv, ImageKind::kInitramfs, "a cpio archive (an initramfs)"},
    {0, "070707"sv, ImageKind::kUnknown, "a cpio archive of a format that Linux does not take"},
    {0, "\xc7\x71"sv, ImageKind::kUnknown, "a cpio archive of a format that Linux does not take"},
    // Kernels of other machines. Linux Documentation/arch/riscv/boot-image-header.rst,
    // arch/arm/boot/compressed/head.S, arch/s390/include/asm/setup.h (EP_STRING).
    {56, "RSC\5"sv, ImageKind::kUnknown, "a riscv kernel (Image)"},
    {0x24, "\x18\x28\x6f\x01"sv, ImageKind::kUnknown, "a 32-bit arm kernel (zImage)"},
    {0x10008, "S390EP"sv, ImageKind::kUnknown, "an s390 kernel"},
    {0, "\x27\x05\x19\x56"sv, ImageKind::kUnknown, "a U-Boot image"},
    {0, "\xd0\x0d\xfe\xed"sv, ImageKind::kUnknown, "a device tree blob (or U-Boot FIT image)"},
    {0, "ANDROID!"sv, ImageKind::kUnknown, "an Android boot image"},
    // Packages and archives.
    {0, "!<arch>\ndebian"sv, ImageKind::kUnknown, "a Debian package"},
    {0, "!<arch>\n"sv, ImageKind::kUnknown, "an ar archive (a static library)"},
    {0, "\xed\xab\xee\xdb"sv, ImageKind::kUnknown, "an RPM package"},
    {257, "ustar"sv, ImageKind::kUnknown, "a tar archive"},
    {0, "PK\3\4"sv, ImageKind::kUnknown, "a zip archive"},
    {0, "7z\xbc\xaf\x27\x1c"sv, ImageKind::kUnknown, "a 7z archive"},
    // Dumps.
    {0, "KDUMP   "sv, ImageKind::kUnknown, "a crash dump (kdump-compressed)"},
    {0, "makedumpfile\0"sv, ImageKind::kUnknown, "a crash dump (flattened)"},
    // File systems and disks.
    {0, "hsqs"sv, ImageKind::kUnknown, "a squashfs file system"},
    {0, "XFSB"sv, ImageKind::kUnknown, "an XFS file system"},
    {1024, "\xe2\xe1\xf5\xe0"sv, ImageKind::kUnknown, "an EROFS file system"},
    {1080, "\x53\xef"sv, ImageKind::kUnknown, "an ext2, ext3 or ext4 file system"},
    {54, "FAT"sv, ImageKind::kUnknown, "a FAT file system"},
    {82, "FAT32"sv, ImageKind::kUnknown, "a FAT file system"},
    {0, "QFI\xfb"sv, ImageKind::kUnknown, "a QCOW disk image"},
    {512, "EFI PART"sv, ImageKind::kUnknown, "a disk image with partitions"},
    {32769, "CD001"sv, ImageKind::kUnknown, "an ISO 9660 image (a CD)"},
    {510, "\x55\xaa"sv, ImageKind::kUnknown, "a boot sector or a disk image"},
};

}  // namespace

bool HasBytes(ByteView head, uint64_t offset, std::string_view bytes) {
  return head.size() >= offset && AsText(head.subspan(offset)).starts_with(bytes);
}

const FileSignature* FindFileSignature(ByteView head) {
  const auto* found =
      std::find_if(std::begin(kSignatures), std::end(kSignatures),
                   [&](const FileSignature& s) { return HasBytes(head, s.offset, s.bytes); });
  return found == std::end(kSignatures) ? nullptr : found;
}

}  // namespace kdumpkit
