// SPDX-License-Identifier: GPL-2.0-or-later
// Kernels taken out of what is wrapped around them: compression, EFI zboot, unified kernel images.
#include "kexec/kernel_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kexec/image_builder.h"
#include "tests/kexec/packer.h"

namespace kdumpkit {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<KernelFile> Read(std::string_view file, size_t limit = kMaxUnpackedSize) {
  return ReadKernelFile("F", ByteBuffer(AsBytes(file).begin(), AsBytes(file).end()), limit);
}

std::string WhyNot(std::string_view file, size_t limit = kMaxUnpackedSize) {
  Result<KernelFile> read = Read(file, limit);
  return read ? "readable" : read.error().message();
}

std::string Contents(const KernelFile& file) { return std::string(AsText(file.contents)); }

std::string Text(const std::optional<ByteBuffer>& bytes) {
  return bytes ? std::string(AsText(*bytes)) : "absent";
}

std::string Gzip(std::string_view text) { return Pack(Compression::kGzip, text); }

TEST(KernelFile, PlainKernelStaysAsItIs) {
  std::string kernel = MakeBzImage({.is_signed = true});
  KernelFile file = Read(kernel).value();
  EXPECT_EQ(file.path, "F");
  EXPECT_THAT(file.wrappers, IsEmpty());
  EXPECT_FALSE(file.Unwrapped());
  EXPECT_TRUE(Contents(file) == kernel);
  EXPECT_EQ(file.image.kind, ImageKind::kBzImage);
  EXPECT_EQ(file.image.file_size, kernel.size());
  EXPECT_TRUE(file.is_signed);
  EXPECT_FALSE(file.initrd);
  EXPECT_FALSE(file.command_line);
}

TEST(KernelFile, EachCompressionIsTakenOff) {
  std::string kernel = MakeBzImage({.is_signed = true});
  const std::string kDescriptions[] = {"a gzip file", "an xz file",  "a zstd file", "a bzip2 file",
                                       "an lz4 file", "an lz4 file", "an lzma file"};
  for (size_t i = 0; i < std::size(kAllCompressions); ++i) {
    KernelFile file = Read(Pack(kAllCompressions[i], kernel)).value();
    EXPECT_THAT(file.wrappers, ElementsAre(kDescriptions[i]));
    EXPECT_TRUE(file.Unwrapped());
    EXPECT_TRUE(Contents(file) == kernel);
    EXPECT_EQ(file.image.kind, ImageKind::kBzImage);
    EXPECT_FALSE(file.is_signed);
    EXPECT_TRUE(file.image.is_signed);
  }
}

TEST(KernelFile, EveryZbootCompression) {
  const std::pair<Compression, const char*> kTypes[] = {
      {Compression::kGzip, "gzip"},   {Compression::kLz4Legacy, "lz4"},
      {Compression::kLz4, "lz4"},     {Compression::kLzma, "lzma"},
      {Compression::kXz, "xzkern"},   {Compression::kXz, "xz"},
      {Compression::kZstd, "zstd22"}, {Compression::kZstd, "zstd"},
      {Compression::kBzip2, "bzip2"},
  };
  std::string kernel = MakeArm64Image();
  for (const auto& [compression, name] : kTypes) {
    KernelFile file = Read(MakeZbootImage(Pack(compression, kernel), name)).value();
    EXPECT_THAT(file.wrappers, ElementsAre("an EFI zboot kernel (compressed)")) << name;
    EXPECT_TRUE(Contents(file) == kernel) << name;
    EXPECT_EQ(file.image.kind, ImageKind::kArm64Image);
  }
}

TEST(KernelFile, ZbootWithACompressionThatIsNotKnown) {
  EXPECT_EQ(WhyNot(MakeZbootImage("payload", "lzo")),
            "'F': an EFI zboot kernel (compressed): its kernel is packed with 'lzo', which cannot "
            "be unpacked here");
  EXPECT_EQ(WhyNot(MakeZbootImage("payload", "x\x1b[2J")),
            "'F': an EFI zboot kernel (compressed): its kernel is packed with 'x', which cannot be "
            "unpacked here");
}

TEST(KernelFile, ZbootPayloadOfAnotherCompression) {
  EXPECT_EQ(WhyNot(MakeZbootImage(Gzip("kernel"), "zstd22")),
            "'F': an EFI zboot kernel (compressed): its payload at offset 0x200 is not zstd data, "
            "as the header says");
}

TEST(KernelFile, ZbootPayloadBeyondTheFile) {
  std::string file = MakeZbootImage(Gzip("kernel"), "gzip");
  EXPECT_EQ(WhyNot(std::string(file).replace(8, 8, "\xf0\xff\xff\xff\x20\0\0\0"s)),
            "'F': an EFI zboot kernel (compressed): EFI zboot image: 32 bytes at offset 0xfffffff0 "
            "lie beyond its end at 0x400");
  EXPECT_THAT(WhyNot(std::string(file).replace(12, 4, "\xff\xff\xff\xff")),
              HasSubstr("4294967295 bytes at offset 0x200 lie beyond its end"));
}

TEST(KernelFile, ZbootPayloadThatIsCut) {
  std::string packed = Gzip(MakeArm64Image());
  EXPECT_EQ(WhyNot(MakeZbootImage(packed.substr(0, 40), "gzip")),
            "'F': an EFI zboot kernel (compressed): its payload at offset 0x200: gzip data ends "
            "too early, at offset 0x28");
}

// The stub of a UKI with these sections, as ukify writes it.
std::string MakeUki(std::vector<EfiSection> sections) {
  sections.insert(sections.begin(), {".text", "stub", {}});
  return MakeEfiProgram(sections, {.is_signed = true});
}

TEST(UnifiedImage, KernelInitrdAndCommandLine) {
  std::string kernel = MakeBzImage();
  KernelFile file =
      Read(MakeUki({{".osrel", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n", {}},
                    {".cmdline", "root=/dev/vda1 quiet\n", {}},
                    {".uname", "6.1.0-50-amd64", {}},
                    {".initrd", "070701-initrd", {}},
                    {".linux", kernel, {}}}))
          .value();
  EXPECT_THAT(file.wrappers, ElementsAre("a unified kernel image (UKI, Linux 6.1.0-50-amd64, "
                                         "Debian GNU/Linux 12)"));
  EXPECT_TRUE(file.is_signed);
  EXPECT_FALSE(file.image.is_signed);
  EXPECT_TRUE(Contents(file) == kernel);
  EXPECT_EQ(file.command_line, "root=/dev/vda1 quiet");
  EXPECT_EQ(Text(file.initrd), "070701-initrd");
}

TEST(UnifiedImage, KernelIsEnough) {
  KernelFile file = Read(MakeUki({{".linux", MakeBzImage(), {}}})).value();
  EXPECT_THAT(file.wrappers, ElementsAre("a unified kernel image (UKI)"));
  EXPECT_FALSE(file.command_line);
  EXPECT_FALSE(file.initrd);
}

// A signed kernel inside keeps its signature at the end: not a byte more or less than it has.
TEST(UnifiedImage, PaddingOfTheSectionIsNoPartOfTheKernel) {
  std::string kernel = MakeBzImage({.is_signed = true});
  ASSERT_NE(kernel.size() % 512, 0u);
  KernelFile file = Read(MakeUki({{".linux", kernel, {}}})).value();
  EXPECT_TRUE(Contents(file) == kernel);
  EXPECT_TRUE(file.image.is_signed);
}

TEST(UnifiedImage, CommandLineIsOneLineOfText) {
  auto command_line = [](const std::string& text) {
    return Read(MakeUki({{".cmdline", text, {}}, {".linux", MakeBzImage(), {}}}))
        .value()
        .command_line;
  };
  EXPECT_EQ(command_line(" a\nb\tc \n\n"), "a b c");
  EXPECT_EQ(command_line("quiet\0\0\0"s), "quiet");
  EXPECT_EQ(command_line("quiet\0init=/bin/sh"s), "quiet");
  EXPECT_EQ(command_line("name=\xc3\xa4 \x1b\x7f"), "name=\xc3\xa4");
  EXPECT_EQ(command_line("\n"), "");
  EXPECT_EQ(command_line(""), std::nullopt);
}

TEST(UnifiedImage, MicrocodeComesFirst) {
  EXPECT_EQ(Text(Read(MakeUki({{".initrd", "initrd", {}},
                               {".ucode", "ucode", {}},
                               {".linux", MakeBzImage(), {}}}))
                     ->initrd),
            "ucode\0\0\0initrd"s);
  EXPECT_EQ(Text(Read(MakeUki({{".ucode", "ucode", {}}, {".linux", MakeBzImage(), {}}}))->initrd),
            "ucode");
}

TEST(UnifiedImage, FirstOfSeveralSectionsCounts) {
  EXPECT_EQ(Text(Read(MakeUki({{".initrd", "first", {}},
                               {".initrd", "second", {}},
                               {".linux", MakeBzImage(), {}}}))
                     ->initrd),
            "first");
}

TEST(UnifiedImage, FirstProfileStandsBeforeTheBase) {
  KernelFile file = Read(MakeUki({{".cmdline", "base", {}},
                                  {".initrd", "base initrd", {}},
                                  {".linux", MakeBzImage(), {}},
                                  {".profile", "ID=main", {}},
                                  {".cmdline", "first", {}},
                                  {".profile", "ID=reset", {}},
                                  {".cmdline", "second", {}},
                                  {".initrd", "second initrd", {}}}))
                        .value();
  EXPECT_THAT(file.wrappers,
              ElementsAre("a unified kernel image (UKI, the first of its profiles)"));
  EXPECT_EQ(file.command_line, "first");
  EXPECT_EQ(Text(file.initrd), "base initrd");
}

TEST(UnifiedImage, KernelOfAnotherProfileIsNone) {
  EXPECT_EQ(WhyNot(MakeUki({{".profile", "ID=main", {}},
                            {".profile", "ID=reset", {}},
                            {".linux", MakeBzImage(), {}}})),
            "'F': a unified kernel image (UKI, the first of its profiles): its section '.linux' is "
            "empty or not in the first profile");
}

TEST(UnifiedImage, SectionBeyondTheFile) {
  std::string uki = MakeUki({{".linux", MakeBzImage(), {}}, {".initrd", "initrd", {}}});
  std::string file = uki;
  file.replace(EfiSectionHeaderOffset(2) + 20, 4, "\0\0\0\x7f"s);
  EXPECT_EQ(WhyNot(file),
            "'F': a unified kernel image (UKI): section '.initrd': 6 bytes at offset 0x7f000000 "
            "lie beyond its end at 0x17c0");
  file = uki;
  file.replace(EfiSectionHeaderOffset(1) + 8, 12, std::string(12, '\xff'));
  EXPECT_THAT(WhyNot(file), HasSubstr("section '.linux': 4294967295 bytes at offset"));
}

TEST(UnifiedImage, DescriptionIsOneShortLine) {
  std::string uki = MakeUki({{".uname", "6.1\x1b[2J\n" + std::string(500, 'x'), {}},
                             {".osrel", "PRETTY_NAME='A\tB'", {}},
                             {".linux", MakeBzImage(), {}}});
  KernelFile file = Read(uki).value();
  EXPECT_THAT(file.wrappers[0], HasSubstr("(UKI, Linux 6.1 [2J xxx"));
  EXPECT_THAT(file.wrappers[0], HasSubstr("xxx, A B)"));
  EXPECT_LT(file.wrappers[0].size(), 200u);
}

TEST(KernelFile, WrappersInsideEachOther) {
  std::string kernel = MakeArm64Image();
  std::string zboot = MakeZbootImage(Pack(Compression::kZstd, kernel), "zstd22");
  KernelFile file = Read(Gzip(MakeUki({{".linux", zboot, {}}, {".cmdline", "quiet", {}}}))).value();
  EXPECT_THAT(file.wrappers, ElementsAre("a gzip file", "a unified kernel image (UKI)",
                                         "an EFI zboot kernel (compressed)"));
  EXPECT_TRUE(Contents(file) == kernel);
  EXPECT_EQ(file.command_line, "quiet");
  EXPECT_FALSE(file.is_signed);
}

TEST(KernelFile, OuterUnifiedImageCounts) {
  std::string inner =
      MakeUki({{".cmdline", "inner", {}}, {".initrd", "inner", {}}, {".linux", MakeBzImage(), {}}});
  KernelFile file = Read(MakeUki({{".cmdline", "outer", {}}, {".linux", inner, {}}})).value();
  EXPECT_EQ(file.command_line, "outer");
  EXPECT_EQ(Text(file.initrd), "inner");
}

TEST(KernelFile, NestingIsBounded) {
  std::string file = MakeBzImage();
  for (int i = 0; i < 4; ++i) file = Gzip(file);
  EXPECT_EQ(Read(file)->wrappers.size(), 4u);
  EXPECT_EQ(WhyNot(Gzip(file)),
            "'F': a gzip file inside a gzip file inside a gzip file inside a gzip file inside a "
            "gzip file: more than 4 wrappers around the kernel");
}

TEST(KernelFile, UnpackedSizeIsBounded) {
  EXPECT_EQ(WhyNot(Gzip(std::string(2u << 20, 'x')), 1u << 20),
            "'F': a gzip file: it unpacks to more than 1 MiB, the most that is taken");
  EXPECT_THAT(WhyNot(MakeZbootImage(Gzip(std::string(2u << 20, 'x')), "gzip"), 1u << 20),
              HasSubstr("it unpacks to more than 1 MiB"));
}

TEST(KernelFile, DamagedInsideIsNamedWithItsPlace) {
  std::string uki = MakeUki({{".linux", Gzip(MakeBzImage()).substr(0, 50), {}}});
  EXPECT_EQ(WhyNot(uki),
            "'F': a gzip file inside a unified kernel image (UKI): gzip data ends too early, at "
            "offset 0x32");
}

// What is no kernel is described; whether it can be loaded is CheckLoadable's question.
TEST(KernelFile, OtherFilesAreLeftAlone) {
  EXPECT_EQ(Read("")->image.description, "an empty file");
  EXPECT_EQ(Read(std::string(13, '\0'))->image.description, "a file of zero bytes");
  EXPECT_EQ(Read("\x89LZO\0\r\n\x1a\n"s)->image.description, "an lzop file");
  EXPECT_FALSE(Read("\x89LZO\0\r\n\x1a\n"s)->Unwrapped());
  KernelFile file = Read(Gzip("070701000000")).value();
  EXPECT_EQ(file.image.kind, ImageKind::kInitramfs);
  EXPECT_THAT(file.wrappers, ElementsAre("a gzip file"));
}

TEST(KernelFile, EveryPrefixHasAnAnswer) {
  std::string zboot = MakeZbootImage(Pack(Compression::kZstd, MakeArm64Image()), "zstd22");
  std::string uki = MakeUki({{".cmdline", "quiet", {}}, {".linux", Gzip(MakeBzImage()), {}}});
  for (const std::string& file : {zboot, uki, Gzip(uki)}) {
    for (size_t size = 0; size < file.size(); ++size) {
      Result<KernelFile> read = Read(std::string_view(file).substr(0, size));
      EXPECT_TRUE(read ? !read->image.description.empty() : read.error().message().size() > 5);
    }
  }
}

}  // namespace
}  // namespace kdumpkit
