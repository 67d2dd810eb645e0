// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/kernel_image.h"

#include <algorithm>
#include <string_view>

#include "kexec/decompress.h"
#include "kexec/file_signature.h"
#include "kexec/pe_image.h"
#include "kexec/uki.h"
#include "kexec/zboot.h"

namespace kdumpkit {
namespace {

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

std::string_view ElfTypeName(uint16_t type) {
  if (type == 1) return "an ELF object file, such as a kernel module";
  if (type == 4) return "a memory dump (ELF core file)";
  return "an ELF file";
}

// An ELF file names its byte order at offset 5, its type at 16 and its machine at 18.
std::string ElfDescription(ByteView head) {
  ByteReader ident(head, ByteOrder::kLittle, "ELF header");
  bool big = ident.U8(5).value_or(1) == 2;
  ByteReader reader(head, big ? ByteOrder::kBig : ByteOrder::kLittle, "ELF header");
  Result<uint16_t> type = reader.U16(16);
  Result<uint16_t> machine = reader.U16(18);
  return type && machine ? fmt::format("{} ({})", ElfTypeName(*type), ElfMachineName(*machine))
                         : "the beginning of an ELF file";
}

void Describe(KernelImage& image, ImageKind kind, std::string description) {
  image.kind = kind;
  image.description = std::move(description);
}

void DescribeBzImage(KernelImage& image) {
  const BzImage& header = *image.bzimage;
  Describe(
      image, ImageKind::kBzImage,
      fmt::format("a {}Linux bzImage, boot protocol {}.{:02}", header.Is64Bit() ? "" : "32-bit ",
                  header.protocol >> 8, header.protocol & 0xff));
}

void DescribeEfiProgram(const PeImage& pe, ByteView head, KernelImage& image) {
  constexpr uint16_t kWindowsGui = 2;
  constexpr uint16_t kWindowsConsole = 3;
  std::string machine = PeMachineName(pe.machine);
  if (IsUnifiedImage(pe)) {
    Describe(image, ImageKind::kUnifiedImage, DescribeUnifiedImage(pe, head));
  } else if (IsZbootImage(head)) {
    Describe(image, ImageKind::kZboot, "an EFI zboot kernel (compressed)");
  } else if (pe.subsystem == kWindowsGui || pe.subsystem == kWindowsConsole) {
    Describe(image, ImageKind::kEfiProgram, fmt::format("a Windows program ({})", machine));
  } else {
    Describe(image, ImageKind::kEfiProgram,
             fmt::format("an EFI program ({}) without a kernel's boot header", machine));
  }
}

std::string CompressedDescription(Compression compression) {
  std::string_view name = CompressionName(compression);
  bool spoken_vowel = name == "xz" || name == "lz4" || name == "lzma";
  return fmt::format("{} {} file", spoken_vowel ? "an" : "a", name);
}

void DescribeOther(ByteView head, KernelImage& image) {
  if (head.empty()) {
    Describe(image, ImageKind::kEmpty, "an empty file");
  } else if (HasBytes(head, 0,
                      "\x7f"
                      "ELF")) {
    Describe(image, ImageKind::kElf, ElfDescription(head));
  } else if (IsZero(head)) {
    Describe(image, ImageKind::kZeros, "a file of zero bytes");
  } else if (std::optional<Compression> compression = DetectCompression(head)) {
    Describe(image, ImageKind::kCompressed, CompressedDescription(*compression));
  } else if (const FileSignature* signature = FindFileSignature(head)) {
    Describe(image, signature->kind, signature->description);
  } else if (IsText(head)) {
    Describe(image, ImageKind::kText, "a text file");
  } else {
    Describe(image, ImageKind::kUnknown, "a file of unknown type");
  }
}

// What to do about a file that the machine's kernel does not take. `wanted` is what it takes: "a
// 64-bit x86 bzImage".
std::string Advice(ImageKind kind, std::string_view wanted) {
  switch (kind) {
    case ImageKind::kElf:
      return fmt::format(
          "bare ELF kernels are loaded by kexec_load, on x86_64; give {} (/boot/vmlinuz-...)",
          wanted);
    case ImageKind::kCompressed:
      return fmt::format("decompress it, or give {} (/boot/vmlinuz-...)", wanted);
    case ImageKind::kInitramfs:
      return fmt::format("give it with --initrd, and {} as the kernel", wanted);
    case ImageKind::kZeros:
    case ImageKind::kEmpty:
      return "a copy or an installation may have been interrupted: install the kernel again";
    default:
      return fmt::format("{} is wanted (/boot/vmlinuz-...)", wanted);
  }
}

Error Incomplete(const KernelImage& image, std::string_view path, uint64_t wanted,
                 std::string_view header) {
  return Truncated(
      "'{}' is incomplete: {} bytes of the {} its {} announces; install the kernel again", path,
      image.file_size, wanted, header);
}

Status CheckBzImage(const KernelImage& image, std::string_view path) {
  if (image.kind != ImageKind::kBzImage)
    return Unsupported("'{}' is {}: {}", path, image.description,
                       Advice(image.kind, "a 64-bit x86 bzImage"));
  const BzImage& header = *image.bzimage;
  if (!header.Is64Bit())
    return Unsupported(
        "'{}' is {} without a 64-bit entry above 4 GiB: boot protocol 2.12 or later of a 64-bit "
        "kernel is wanted",
        path, image.description);
  if (image.file_size < header.file_size)
    return Incomplete(image, path, header.file_size, "boot header");
  if (header.init_size == 0)
    return Malformed("'{}' has a damaged boot header: init_size is 0", path);
  return {};
}

// What Linux arch/arm64/kernel/kexec_image.c looks at, and completeness.
Status CheckArm64Image(const KernelImage& image, std::string_view path) {
  if (image.kind != ImageKind::kArm64Image)
    return Unsupported("'{}' is {}: {}", path, image.description,
                       Advice(image.kind, "an arm64 Image"));
  const Arm64Image& header = *image.arm64;
  if (header.IsBigEndian())
    return Unsupported("'{}' is {}: a little-endian one is wanted", path, image.description);
  if (header.image_size == 0)
    return Unsupported("'{}' is {} without image_size: one of Linux 3.17 or later is wanted", path,
                       image.description);
  if (image.file_size < header.file_size)
    return Incomplete(image, path, header.file_size, "EFI section table");
  return {};
}

}  // namespace

KernelImage DetectKernelImage(ByteView head, uint64_t file_size) {
  KernelImage image;
  image.file_size = file_size;
  image.bzimage = ParseBzImage(head);
  std::optional<PeImage> pe = ParsePeImage(head);
  if (pe) image.is_signed = pe->IsSigned(file_size);
  // A bzImage with an EFI stub and an arm64 Image are EFI programs too.
  if (image.bzimage) {
    DescribeBzImage(image);
  } else if ((image.arm64 = ParseArm64Image(head))) {
    Describe(image, ImageKind::kArm64Image,
             image.arm64->IsBigEndian() ? "a big-endian arm64 kernel (Image)"
                                        : "an arm64 kernel (Image)");
  } else if (pe) {
    DescribeEfiProgram(*pe, head, image);
  } else {
    DescribeOther(head, image);
  }
  return image;
}

Status CheckLoadable(const KernelImage& image, std::string_view path, std::string_view machine) {
  if (machine == "x86_64") return CheckBzImage(image, path);
  if (machine == "aarch64") return CheckArm64Image(image, path);
  return Unsupported("this version loads kernels on x86_64 and aarch64 only, this machine is {}",
                     machine);
}

}  // namespace kdumpkit
