// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/kernel_image.h"

#include <gtest/gtest.h>

#include "kexec/pe_image.h"
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
  std::string file = MakeBzImage(fields) + std::string(1472, 's');
  EXPECT_TRUE(Detect(file).is_signed);
  EXPECT_EQ(WhyNot(file), "loadable");
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

TEST(KernelImage, ElfNamesItsMachineAndTheMissingSystemCall) {
  EXPECT_EQ(WhyNot(MakeElf(62)),
            "'F' is an ELF file (x86_64): a bare ELF kernel needs the kexec_load system call, "
            "which this version does not have yet: give the bzImage of that kernel "
            "(arch/x86/boot/bzImage, /boot/vmlinuz-...)");
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
  std::string file = MakeEfiProgram({".text", ".data"}, "zimg");
  EXPECT_EQ(Detect(file).kind, ImageKind::kZboot);
  EXPECT_EQ(WhyNot(file),
            "'F' is an EFI zboot kernel (compressed): a 64-bit x86 bzImage is wanted "
            "(/boot/vmlinuz-...)");
}

TEST(KernelImage, UnifiedKernelImage) {
  std::string file = MakeEfiProgram({".osrel", ".cmdline", ".initrd", ".linux"}, "", true);
  EXPECT_EQ(Detect(file).kind, ImageKind::kUnifiedImage);
  EXPECT_TRUE(Detect(file).is_signed);
  EXPECT_EQ(WhyNot(file),
            "'F' is a unified kernel image (UKI): give the bzImage it was made from "
            "(/boot/vmlinuz-... or /usr/lib/modules/.../vmlinuz), and its initramfs with --initrd");
}

TEST(KernelImage, OtherEfiProgram) {
  EXPECT_EQ(Detect(MakeEfiProgram({".text"})).description,
            "an EFI program without a kernel's boot header");
}

TEST(KernelImage, CompressedFilesAreNamed) {
  const std::pair<std::string, const char*> kFiles[] = {
      {"\x1f\x8b\x08\x00"s, "a gzip file"},
      {"\xfd"
       "7zXZ\0\0\4"s,
       "an xz file"},
      {"\x28\xb5\x2f\xfd\x04"s, "a zstd file"},
      {"BZh91AY"s, "a bzip2 file"},
      {"\x04\x22\x4d\x18\x64"s, "an lz4 file"},
      {"\x02\x21\x4c\x18\x01"s, "an lz4 file"},
      {"]\0\0\x80\0"s, "an lzma file"},
      {"\x89LZO\0\r\n\x1a\n"s, "an lzop file"},
  };
  for (const auto& [bytes, name] : kFiles) {
    EXPECT_EQ(Detect(bytes).description, name);
    EXPECT_EQ(WhyNot(bytes), fmt::format("'F' is {}: decompress it, or give the bzImage itself "
                                         "(/boot/vmlinuz-...)",
                                         name));
  }
}

TEST(KernelImage, InitramfsInPlaceOfTheKernel) {
  EXPECT_EQ(WhyNot("070701000000"),
            "'F' is a cpio archive (an initramfs): give it with --initrd, and a bzImage as the "
            "kernel");
}

TEST(KernelImage, OtherKernels) {
  std::string arm64(64, '\0');
  arm64.replace(56, 4, "ARM\x64");
  EXPECT_EQ(Detect(arm64).description, "an arm64 kernel (Image)");
  EXPECT_EQ(Detect("\x27\x05\x19\x56\x01").description, "a U-Boot image");
}

TEST(KernelImage, OtherMachines) {
  EXPECT_EQ(WhyNot(MakeBzImage(), "aarch64"),
            "this version loads kernels on x86_64 only, this machine is aarch64");
}

// A prefix of a good file is never loadable, and never reads past its end (sanitizers watch).
TEST(KernelImage, SurvivesEveryPrefix) {
  for (const std::string& file : {MakeBzImage(), MakeEfiProgram({".linux"}), MakeElf(62)}) {
    for (size_t size = 0; size < file.size(); ++size) {
      std::vector<char> prefix(file.begin(), file.begin() + static_cast<ptrdiff_t>(size));
      std::string_view text(prefix.data(), prefix.size());
      KernelImage image = DetectKernelImage(AsBytes(text), size);
      EXPECT_FALSE(CheckLoadable(image, "F", "x86_64")) << size;
    }
  }
}

TEST(KernelImage, SurvivesEveryDamagedByte) {
  for (std::string file : {MakeBzImage(), MakeEfiProgram({".linux"}), MakeElf(62)}) {
    for (size_t at = 0; at < std::min<size_t>(file.size(), 0x500); ++at) {
      for (char bad : {'\0', '\xff', static_cast<char>(file[at] ^ 0x80)}) {
        char good = std::exchange(file[at], bad);
        EXPECT_FALSE(Detect(file).description.empty());
        file[at] = good;
      }
    }
  }
}

TEST(PeImage, SectionsAndSignature) {
  PeImage image = ParsePeImage(AsBytes(MakeEfiProgram({".text", "12345678"}, "", true))).value();
  EXPECT_EQ(image.machine, 0x8664);
  EXPECT_TRUE(image.is_signed);
  EXPECT_EQ(image.sections, (std::vector<std::string>{".text", "12345678"}));
}

TEST(PeImage, SectionTableBeyondTheBytesIsCut) {
  std::string file = MakeEfiProgram({".text", ".linux"});
  file.resize(file.size() - 40);
  EXPECT_EQ(ParsePeImage(AsBytes(file))->sections, (std::vector<std::string>{".text"}));
}

TEST(PeImage, HeaderOffsetBeyondTheFile) {
  std::string file = MakeEfiProgram({".text"});
  file.replace(0x3c, 4, "\xfe\xff\xff\xff");
  EXPECT_FALSE(ParsePeImage(AsBytes(file)));
}

}  // namespace
}  // namespace kdumpkit
