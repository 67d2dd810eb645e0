// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/kernel_image.h"

#include <algorithm>
#include <string_view>

#include "kexec/pe_image.h"

namespace kdumpkit {
namespace {

using namespace std::string_view_literals;

// Kinds that a few bytes at a fixed place give away.
struct Magic {
  uint64_t offset;
  std::string_view bytes;
  ImageKind kind;
  const char* description;
};
constexpr Magic kMagics[] = {
    {0, "\x1f\x8b"sv, ImageKind::kCompressed, "a gzip file"},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     ImageKind::kCompressed, "an xz file"},
    {0, "\x28\xb5\x2f\xfd"sv, ImageKind::kCompressed, "a zstd file"},
    {0, "BZh"sv, ImageKind::kCompressed, "a bzip2 file"},
    {0, "\x04\x22\x4d\x18"sv, ImageKind::kCompressed, "an lz4 file"},
    {0, "\x02\x21\x4c\x18"sv, ImageKind::kCompressed, "an lz4 file"},
    {0, "\x89LZO\0\r\n\x1a\n"sv, ImageKind::kCompressed, "an lzop file"},
    {0, "]\0\0"sv, ImageKind::kCompressed, "an lzma file"},
    {0, "070701"sv, ImageKind::kInitramfs, "a cpio archive (an initramfs)"},
    {0, "070702"sv, ImageKind::kInitramfs, "a cpio archive (an initramfs)"},
    {0, "\x27\x05\x19\x56"sv, ImageKind::kUnknown, "a U-Boot image"},
    // Linux Documentation/arch/arm64/booting.rst: "ARM\x64" at offset 56.
    {56, "ARM\x64"sv, ImageKind::kArm64Image, "an arm64 kernel (Image)"},
};

bool Has(ByteView head, uint64_t offset, std::string_view bytes) {
  return head.size() >= offset && AsText(head.subspan(offset)).starts_with(bytes);
}

bool IsText(ByteView head) {
  std::string_view text = AsText(head.first(std::min<size_t>(head.size(), 512)));
  return std::all_of(text.begin(), text.end(), [](char c) {
    unsigned char u = static_cast<unsigned char>(c);
    return (u >= 0x20 && u != 0x7f) || c == '\n' || c == '\r' || c == '\t';
  });
}

std::string ElfMachineName(uint16_t machine) {
  switch (machine) {
    case 3:
      return "i386";
    case 21:
      return "ppc64";
    case 22:
      return "s390";
    case 62:
      return "x86_64";
    case 183:
      return "aarch64";
    case 243:
      return "riscv";
    case 258:
      return "loongarch";
    default:
      return fmt::format("machine {}", machine);
  }
}

// An ELF file names its byte order at offset 5 and its machine at offset 18.
std::string ElfDescription(ByteView head) {
  ByteReader ident(head, ByteOrder::kLittle, "ELF header");
  bool big = ident.U8(5).value_or(1) == 2;
  ByteReader reader(head, big ? ByteOrder::kBig : ByteOrder::kLittle, "ELF header");
  Result<uint16_t> machine = reader.U16(18);
  return machine ? fmt::format("an ELF file ({})", ElfMachineName(*machine))
                 : "the beginning of an ELF file";
}

void DescribeBzImage(KernelImage& image) {
  const BzImage& header = *image.bzimage;
  image.kind = ImageKind::kBzImage;
  image.description =
      fmt::format("a {}Linux bzImage, boot protocol {}.{:02}", header.Is64Bit() ? "" : "32-bit ",
                  header.protocol >> 8, header.protocol & 0xff);
}

void DescribeEfiProgram(const PeImage& pe, ByteView head, KernelImage& image) {
  auto has_section = [&](std::string_view name) {
    return std::find(pe.sections.begin(), pe.sections.end(), name) != pe.sections.end();
  };
  if (has_section(".linux")) {
    image.kind = ImageKind::kUnifiedImage;
    image.description = "a unified kernel image (UKI)";
  } else if (Has(head, 4, "zimg")) {
    // include/linux/pe.h of Linux 6.1: "zimg" at offset 4 of an EFI zboot image.
    image.kind = ImageKind::kZboot;
    image.description = "an EFI zboot kernel (compressed)";
  } else {
    image.kind = ImageKind::kEfiProgram;
    image.description = "an EFI program without a kernel's boot header";
  }
}

bool DetectByMagic(ByteView head, KernelImage& image) {
  for (const Magic& magic : kMagics) {
    if (!Has(head, magic.offset, magic.bytes)) continue;
    image.kind = magic.kind;
    image.description = magic.description;
    return true;
  }
  return false;
}

void DetectOther(ByteView head, KernelImage& image) {
  if (head.empty()) {
    image.kind = ImageKind::kEmpty;
    image.description = "an empty file";
  } else if (Has(head, 0,
                 "\x7f"
                 "ELF")) {
    image.kind = ImageKind::kElf;
    image.description = ElfDescription(head);
  } else if (IsZero(head)) {
    image.kind = ImageKind::kZeros;
    image.description = "a file of zero bytes";
  } else if (!DetectByMagic(head, image)) {
    bool text = IsText(head);
    image.kind = text ? ImageKind::kText : ImageKind::kUnknown;
    image.description = text ? "a text file" : "a file of unknown type";
  }
}

// What to do about a file that is no bzImage.
std::string_view Advice(ImageKind kind) {
  switch (kind) {
    case ImageKind::kElf:
      return "a bare ELF kernel needs the kexec_load system call, which this version does not have "
             "yet: give the bzImage of that kernel (arch/x86/boot/bzImage, /boot/vmlinuz-...)";
    case ImageKind::kUnifiedImage:
      return "give the bzImage it was made from (/boot/vmlinuz-... or "
             "/usr/lib/modules/.../vmlinuz), and its initramfs with --initrd";
    case ImageKind::kCompressed:
      return "decompress it, or give the bzImage itself (/boot/vmlinuz-...)";
    case ImageKind::kInitramfs:
      return "give it with --initrd, and a bzImage as the kernel";
    case ImageKind::kZeros:
    case ImageKind::kEmpty:
      return "a copy or an installation may have been interrupted: install the kernel again";
    default:
      return "a 64-bit x86 bzImage is wanted (/boot/vmlinuz-...)";
  }
}

}  // namespace

KernelImage DetectKernelImage(ByteView head, uint64_t file_size) {
  KernelImage image;
  image.file_size = file_size;
  image.bzimage = ParseBzImage(head);
  std::optional<PeImage> pe = ParsePeImage(head);
  if (pe) image.is_signed = pe->is_signed;
  // A bzImage with an EFI stub and an arm64 Image are EFI programs too.
  if (image.bzimage) {
    DescribeBzImage(image);
  } else if (pe && !Has(head, 56, "ARM\x64")) {
    DescribeEfiProgram(*pe, head, image);
  } else {
    DetectOther(head, image);
  }
  return image;
}

Status CheckLoadable(const KernelImage& image, std::string_view path, std::string_view machine) {
  if (machine != "x86_64")
    return Unsupported("this version loads kernels on x86_64 only, this machine is {}", machine);
  if (image.kind != ImageKind::kBzImage)
    return Unsupported("'{}' is {}: {}", path, image.description, Advice(image.kind));
  const BzImage& header = *image.bzimage;
  if (!header.Is64Bit())
    return Unsupported(
        "'{}' is {} without a 64-bit entry above 4 GiB: boot protocol 2.12 or later of a 64-bit "
        "kernel is wanted",
        path, image.description);
  if (image.file_size < header.file_size)
    return Truncated(
        "'{}' is incomplete: {} bytes of the {} its boot header announces; install "
        "the kernel again",
        path, image.file_size, header.file_size);
  if (header.init_size == 0)
    return Malformed("'{}' has a damaged boot header: init_size is 0", path);
  return {};
}

}  // namespace kdumpkit
