// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/kernel_image.h"

#include <gtest/gtest.h>

#include "tests/kexec/image_builder.h"

namespace kdumpkit {
namespace {

using namespace std::string_literals;

KernelImage Detect(const std::string& file) {
  return DetectKernelImage(AsBytes(file), file.size());
}

std::string WhyNot(const std::string& file, std::string_view machine = "x86_64") {
  Status status = CheckLoadable(Detect(file), "F", machine);
  return status ? "loadable" : status.error().message();
}

TEST(BzImage, EveryFieldIsRead) {
  BzImageFields fields;
  fields.command_line_size = 4095;
  fields.init_size = 0x3f97000;
  BzImage image = ParseBzImage(AsBytes(MakeBzImage(fields))).value();
  EXPECT_EQ(image.protocol, 0x020f);
  EXPECT_EQ(image.loadflags, 1);
  EXPECT_EQ(image.xloadflags, 0x7f);
  EXPECT_EQ(image.file_size, 4 * 512u + 64 * 16u);
  EXPECT_EQ(image.command_line_size, 4095u);
  EXPECT_EQ(image.kernel_alignment, 0x200000u);
  EXPECT_EQ(image.init_size, 0x3f97000u);
  EXPECT_EQ(image.version, "6.1.0-50-amd64 (maker@host) #1 SMP");
  EXPECT_TRUE(image.Is64Bit());
}

TEST(BzImage, NoSetupSectorsMeansFour) {
  BzImageFields fields;
  fields.setup_sectors = 0;
  EXPECT_EQ(ParseBzImage(AsBytes(MakeBzImage(fields)))->file_size, 5 * 512u + 64 * 16u);
}

TEST(BzImage, OldProtocolsLackFields) {
  BzImageFields fields;
  fields.protocol = 0x0205;
  BzImage image = ParseBzImage(AsBytes(MakeBzImage(fields))).value();
  EXPECT_EQ(image.command_line_size, 255u);
  EXPECT_EQ(image.init_size, 0u);
  EXPECT_EQ(image.xloadflags, 0);
}

TEST(BzImage, VersionEndsAtTheFirstUnprintableByte) {
  BzImageFields fields;
  fields.version = "6.1\x1b[2J";
  EXPECT_EQ(ParseBzImage(AsBytes(MakeBzImage(fields)))->version, "6.1");
}

TEST(KernelImage, BzImageIsLoadable) {
  KernelImage image = Detect(MakeBzImage());
  EXPECT_EQ(image.kind, ImageKind::kBzImage);
  EXPECT_EQ(image.description, "a Linux bzImage, boot protocol 2.15");
  EXPECT_FALSE(image.is_signed);
  EXPECT_EQ(WhyNot(MakeBzImage()), "loadable");
}

TEST(KernelImage, BzImageWithoutEfiStub) {
  BzImageFields fields;
  fields.efi_stub = false;
  EXPECT_EQ(WhyNot(MakeBzImage(fields)), "loadable");
}

TEST(KernelImage, BytesAfterThePayloadAreASignature) {
  BzImageFields fields;
  fields.is_signed = true;
  std::string file = MakeBzImage(fields);
  EXPECT_TRUE(Detect(file).is_signed);
  EXPECT_EQ(WhyNot(file), "loadable");
}

TEST(KernelImage, SignatureThatIsCutIsNone) {
  std::string file = MakeBzImage({.is_signed = true});
  file.pop_back();
  EXPECT_FALSE(Detect(file).is_signed);
}

TEST(KernelImage, TruncatedBzImage) {
  std::string file = MakeBzImage();
  file.pop_back();
  EXPECT_EQ(WhyNot(file),
            "'F' is incomplete: 3071 bytes of the 3072 its boot header announces; install the "
            "kernel again");
}

TEST(KernelImage, OldBootProtocol) {
  BzImageFields fields;
  fields.protocol = 0x020b;
  EXPECT_EQ(WhyNot(MakeBzImage(fields)),
            "'F' is a 32-bit Linux bzImage, boot protocol 2.11 without a 64-bit entry above 4 GiB: "
            "boot protocol 2.12 or later of a 64-bit kernel is wanted");
}

TEST(KernelImage, EachMissing64BitFlagIsRefused) {
  for (uint16_t flags : {uint16_t{0x7e}, uint16_t{0x7d}, uint16_t{0}}) {
    BzImageFields fields;
    fields.xloadflags = flags;
    EXPECT_NE(WhyNot(MakeBzImage(fields)), "loadable") << flags;
  }
  BzImageFields fields;
  fields.loadflags = 0;
  EXPECT_NE(WhyNot(MakeBzImage(fields)), "loadable");
}

TEST(KernelImage, DamagedInitSize) {
  BzImageFields fields;
  fields.init_size = 0;
  EXPECT_EQ(WhyNot(MakeBzImage(fields)), "'F' has a damaged boot header: init_size is 0");
}

TEST(KernelImage, DamagedMagicsMakeItAnotherFile) {
  BzImageFields fields;
  fields.magic = "HdrX";
  EXPECT_EQ(Detect(MakeBzImage(fields)).kind, ImageKind::kEfiProgram);
  fields = {};
  fields.boot_flag = 0xaa54;
  EXPECT_EQ(Detect(MakeBzImage(fields)).kind, ImageKind::kEfiProgram);
}

TEST(KernelImage, TextFile) {
  EXPECT_EQ(WhyNot("#!/bin/sh\necho hello\n"),
            "'F' is a text file: a 64-bit x86 bzImage is wanted (/boot/vmlinuz-...)");
  EXPECT_EQ(Detect(std::string(4096, 'x')).kind, ImageKind::kText);
  EXPECT_EQ(Detect("twenty bytes of text").kind, ImageKind::kText);
}

TEST(KernelImage, EmptyFile) {
  EXPECT_EQ(WhyNot(""),
            "'F' is an empty file: a copy or an installation may have been interrupted: install "
            "the kernel again");
}

// kexec-tools took 13 zero bytes for LZMA.
TEST(KernelImage, ZeroFile) {
  EXPECT_EQ(WhyNot(std::string(13, '\0')),
            "'F' is a file of zero bytes: a copy or an installation may have been interrupted: "
            "install the kernel again");
  EXPECT_EQ(Detect(std::string(1, '\0')).kind, ImageKind::kZeros);
}

TEST(KernelImage, UnknownBytes) {
  EXPECT_EQ(WhyNot("\x01\x02\x03\x04"),
            "'F' is a file of unknown type: a 64-bit x86 bzImage is wanted (/boot/vmlinuz-...)");
}

TEST(KernelImage, ElfNamesItsMachineAndTheOtherSystemCall) {
  EXPECT_EQ(WhyNot(MakeElf(62)),
            "'F' is an ELF file (x86_64): bare ELF kernels are loaded by kexec_load, on x86_64; "
            "give a 64-bit x86 bzImage (/boot/vmlinuz-...)");
  EXPECT_EQ(Detect(MakeElf(22, true)).description, "an ELF file (s390)");
  EXPECT_EQ(Detect(MakeElf(21, true)).description, "an ELF file (ppc64)");
  EXPECT_EQ(Detect(MakeElf(21)).description, "an ELF file (ppc64)");
  EXPECT_EQ(Detect(MakeElf(183)).description, "an ELF file (aarch64)");
  EXPECT_EQ(Detect(MakeElf(243)).description, "an ELF file (riscv)");
  EXPECT_EQ(Detect(MakeElf(258)).description, "an ELF file (loongarch)");
  EXPECT_EQ(Detect(MakeElf(3)).description, "an ELF file (i386)");
  EXPECT_EQ(Detect(MakeElf(999)).description, "an ELF file (machine 999)");
  EXPECT_EQ(Detect("\x7f"
                   "ELF")
                .description,
            "the beginning of an ELF file");
}

TEST(KernelImage, ZbootImage) {
  std::string file = MakeEfiHeader({".text", ".data"}, "zimg");
  EXPECT_EQ(Detect(file).kind, ImageKind::kZboot);
  EXPECT_EQ(WhyNot(file),
            "'F' is an EFI zboot kernel (compressed): a 64-bit x86 bzImage is wanted "
            "(/boot/vmlinuz-...)");
}

TEST(KernelImage, UnifiedKernelImage) {
  std::string file = MakeEfiHeader({".osrel", ".cmdline", ".initrd", ".linux"}, "", true);
  EXPECT_EQ(Detect(file).kind, ImageKind::kUnifiedImage);
  EXPECT_TRUE(Detect(file).is_signed);
}

TEST(KernelImage, OtherEfiProgram) {
  EXPECT_EQ(Detect(MakeEfiHeader({".text"})).description,
            "an EFI program (x86_64) without a kernel's boot header");
  EXPECT_EQ(Detect(MakeEfiProgram({}, {.machine = 0xaa64})).description,
            "an EFI program (aarch64) without a kernel's boot header");
  EXPECT_EQ(Detect(MakeEfiProgram({}, {.subsystem = 2})).description, "a Windows program (x86_64)");
  EXPECT_EQ(Detect(MakeEfiProgram({}, {.machine = 0x14c, .subsystem = 3, .pe32_plus = false}))
                .description,
            "a Windows program (i386)");
}

TEST(KernelImage, CompressedFilesAreNamed) {
  const std::pair<std::string, const char*> kFiles[] = {
      {"\x1f\x8b\x08\x00"s, "a gzip file"},
      {"\xfd"
       "7zXZ\0\0\4"s,
       "an xz file"},
      {"\x28\xb5\x2f\xfd\x04"s, "a zstd file"},
      {"BZh91AY&SY"s, "a bzip2 file"},
      {"\x04\x22\x4d\x18\x64"s, "an lz4 file"},
      {"\x02\x21\x4c\x18\x01"s, "an lz4 file"},
      {"]\0\0\x80\0"s + std::string(8, '\xff') + "\0\0"s, "an lzma file"},
      {"\x89LZO\0\r\n\x1a\n"s, "an lzop file"},
  };
  for (const auto& [bytes, name] : kFiles) {
    EXPECT_EQ(Detect(bytes).description, name);
    EXPECT_EQ(WhyNot(bytes), fmt::format("'F' is {}: decompress it, or give a 64-bit x86 bzImage "
                                         "(/boot/vmlinuz-...)",
                                         name));
  }
}

TEST(KernelImage, InitramfsInPlaceOfTheKernel) {
  EXPECT_EQ(
      WhyNot("070701000000"),
      "'F' is a cpio archive (an initramfs): give it with --initrd, and a 64-bit x86 bzImage as "
      "the kernel");
}

// Bytes at their places in a file that is otherwise not recognised.
std::string FileWith(size_t offset, std::string_view bytes) {
  std::string file(offset + bytes.size() + 100, '\x01');
  file.replace(offset, bytes.size(), bytes);
  return file;
}

TEST(KernelImage, FilesGivenInPlaceOfAKernelAreNamed) {
  const std::tuple<size_t, std::string, const char*> kFiles[] = {
      {0, "\x1f\x9d\x90"s, "a compress (.Z) file"},
      {0, "LZIP\1", "an lzip file"},
      {0, "070707", "a cpio archive of a format that Linux does not take"},
      {56, "RSC\5", "a riscv kernel (Image)"},
      {0x24, "\x18\x28\x6f\x01", "a 32-bit arm kernel (zImage)"},
      {0x10008, "S390EP", "an s390 kernel"},
      {0, "\x27\x05\x19\x56", "a U-Boot image"},
      {0, "\xd0\x0d\xfe\xed", "a device tree blob (or U-Boot FIT image)"},
      {0, "ANDROID!", "an Android boot image"},
      {0, "!<arch>\ndebian-binary   ", "a Debian package"},
      {0, "!<arch>\n/   ", "an ar archive (a static library)"},
      {0, "\xed\xab\xee\xdb", "an RPM package"},
      {257, "ustar", "a tar archive"},
      {0, "PK\3\4", "a zip archive"},
      {0, "7z\xbc\xaf\x27\x1c", "a 7z archive"},
      {0, "KDUMP   ", "a crash dump (kdump-compressed)"},
      {0, "makedumpfile\0"s, "a crash dump (flattened)"},
      {0, "hsqs", "a squashfs file system"},
      {0, "XFSB", "an XFS file system"},
      {1024, "\xe2\xe1\xf5\xe0", "an EROFS file system"},
      {1080, "\x53\xef", "an ext2, ext3 or ext4 file system"},
      {54, "FAT16", "a FAT file system"},
      {82, "FAT32", "a FAT file system"},
      {0, "QFI\xfb", "a QCOW disk image"},
      {512, "EFI PART", "a disk image with partitions"},
      {32769, "CD001", "an ISO 9660 image (a CD)"},
      {510, "\x55\xaa", "a boot sector or a disk image"},
      {0, "\x02", "a file of unknown type"},
  };
  for (const auto& [offset, bytes, name] : kFiles) {
    std::string file = FileWith(offset, bytes);
    EXPECT_EQ(Detect(file).description, name);
    // Not a byte of them may be missing.
    EXPECT_TRUE(bytes.size() == 1 || Detect(file.substr(0, offset + 1)).description != name);
    EXPECT_NE(WhyNot(file), "loadable");
  }
}

TEST(KernelImage, ElfFilesThatAreNoPrograms) {
  EXPECT_EQ(Detect(MakeElfKernel({.type = 1})).description,
            "an ELF object file, such as a kernel module (x86_64)");
  EXPECT_EQ(Detect(MakeElfKernel({.type = 4})).description,
            "a memory dump (ELF core file) (x86_64)");
}

TEST(Arm64Image, EveryFieldIsRead) {
  Arm64ImageFields fields;
  fields.text_offset = 0x80000;
  fields.image_size = 0x2345000;
  fields.flags = 0x0c;
  Arm64Image image = *Detect(MakeArm64Image(fields)).arm64;
  EXPECT_EQ(image.text_offset, 0x80000u);
  EXPECT_EQ(image.image_size, 0x2345000u);
  EXPECT_EQ(image.PageSize(), 16384u);
  EXPECT_FALSE(image.IsBigEndian());
  EXPECT_EQ(image.file_size, MakeArm64Image(fields).size());
}

TEST(Arm64Image, PageSizes) {
  for (auto [flags, size] : {std::pair{0x8u, 0u}, {0xau, 4096u}, {0xcu, 16384u}, {0xeu, 65536u}})
    EXPECT_EQ(ParseArm64Image(AsBytes(MakeArm64Image({.flags = flags})))->PageSize(), size);
}

TEST(Arm64Image, IsLoadableOnItsMachineOnly) {
  EXPECT_EQ(Detect(MakeArm64Image()).description, "an arm64 kernel (Image)");
  EXPECT_EQ(WhyNot(MakeArm64Image(), "aarch64"), "loadable");
  EXPECT_EQ(WhyNot(MakeArm64Image({.efi_stub = false}), "aarch64"), "loadable");
  EXPECT_EQ(WhyNot(MakeArm64Image()),
            "'F' is an arm64 kernel (Image): a 64-bit x86 bzImage is wanted (/boot/vmlinuz-...)");
}

TEST(Arm64Image, BigEndianIsRefused) {
  EXPECT_EQ(WhyNot(MakeArm64Image({.flags = 0x0b}), "aarch64"),
            "'F' is a big-endian arm64 kernel (Image): a little-endian one is wanted");
}

TEST(Arm64Image, BeforeLinux317) {
  EXPECT_EQ(WhyNot(MakeArm64Image({.image_size = 0}), "aarch64"),
            "'F' is an arm64 kernel (Image) without image_size: one of Linux 3.17 or later is "
            "wanted");
}

TEST(Arm64Image, TruncatedIsRefused) {
  std::string file = MakeArm64Image();
  file.pop_back();
  EXPECT_EQ(WhyNot(file, "aarch64"),
            "'F' is incomplete: 2559 bytes of the 2560 its EFI section table announces; install "
            "the kernel again");
}

TEST(KernelImage, OtherMachines) {
  EXPECT_EQ(WhyNot(MakeBzImage(), "aarch64"),
            "'F' is a Linux bzImage, boot protocol 2.15: an arm64 Image is wanted "
            "(/boot/vmlinuz-...)");
  EXPECT_EQ(WhyNot(MakeBzImage(), "riscv64"),
            "this version loads kernels on x86_64 and aarch64 only, this machine is riscv64");
}

// A prefix of a good file is never loadable, and never reads past its end (sanitizers watch).
TEST(KernelImage, SurvivesEveryPrefix) {
  for (const std::string& file :
       {MakeBzImage(), MakeEfiHeader({".linux"}), MakeElf(62), MakeArm64Image()}) {
    for (size_t size = 0; size < file.size(); ++size) {
      std::vector<char> prefix(file.begin(), file.begin() + static_cast<ptrdiff_t>(size));
      std::string_view text(prefix.data(), prefix.size());
      KernelImage image = DetectKernelImage(AsBytes(text), size);
      EXPECT_FALSE(CheckLoadable(image, "F", "x86_64")) << size;
      // Where the section table is cut nothing tells how long an arm64 Image is.
      bool tells_size = size >= EfiSectionHeaderOffset(2);
      EXPECT_TRUE(!tells_size || !CheckLoadable(image, "F", "aarch64")) << size;
    }
  }
}

TEST(KernelImage, SurvivesEveryDamagedByte) {
  for (std::string file :
       {MakeBzImage(), MakeEfiHeader({".linux"}), MakeElf(62), MakeArm64Image()}) {
    for (size_t at = 0; at < std::min<size_t>(file.size(), 0x500); ++at) {
      for (char bad : {'\0', '\xff', static_cast<char>(file[at] ^ 0x80)}) {
        char good = std::exchange(file[at], bad);
        EXPECT_FALSE(Detect(file).description.empty());
        file[at] = good;
      }
    }
  }
}

}  // namespace
}  // namespace kdumpkit
