// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/pe_image.h"

#include <gtest/gtest.h>

#include "tests/kexec/image_builder.h"

namespace kdumpkit {
namespace {

std::vector<std::string> Names(const PeImage& image) {
  std::vector<std::string> names;
  for (const PeSection& section : image.sections) names.push_back(section.name);
  return names;
}

PeImage ParseOne(const std::string& file) { return ParsePeImage(AsBytes(file)).value(); }

std::string Data(const std::string& file, size_t index) {
  Result<ByteView> data = SectionData(ParseOne(file).sections[index], AsBytes(file));
  return data ? std::string(AsText(*data)) : data.error().message();
}

TEST(PeImage, EveryFieldIsRead) {
  std::string file = MakeEfiProgram({{".text", "code", {}}, {"12345678", "abcdef", 0x1000}},
                                    {.machine = 0xaa64, .subsystem = 3, .is_signed = true});
  PeImage image = ParseOne(file);
  EXPECT_EQ(image.machine, 0xaa64);
  EXPECT_EQ(image.subsystem, 3);
  EXPECT_EQ(image.certificate_size, 1472u);
  EXPECT_EQ(image.certificate_offset + image.certificate_size, file.size());
  EXPECT_EQ(Names(image), (std::vector<std::string>{".text", "12345678"}));
  const PeSection& section = image.sections[1];
  EXPECT_EQ(section.virtual_size, 0x1000u);
  EXPECT_EQ(section.virtual_address, 0x400u);
  EXPECT_EQ(section.raw_size, 512u);
  EXPECT_EQ(section.raw_offset, 0x400u);
  EXPECT_EQ(image.SectionsEnd(), 0x600u);
}

TEST(PeImage, ThirtyTwoBits) {
  PeImage image = ParseOne(MakeEfiProgram(
      {{".text", "code", {}}}, {.machine = 0x14c, .pe32_plus = false, .is_signed = true}));
  EXPECT_EQ(image.certificate_size, 1472u);
  EXPECT_EQ(PeMachineName(image.machine), "i386");
}

TEST(PeImage, DataAreTheSmallerOfBothSizes) {
  std::string file = MakeEfiProgram({{".short", "abcdef", 3}, {".long", "abcdef", 9000}});
  EXPECT_EQ(Data(file, 0), "abc");
  EXPECT_EQ(Data(file, 1), "abcdef" + std::string(506, '\0'));
}

TEST(PeImage, SectionBeyondTheFile) {
  std::string file = MakeEfiProgram({{".text", std::string(600, 'x'), {}}});
  file.resize(file.size() - 500);
  EXPECT_EQ(Data(file, 0),
            "section '.text': 600 bytes at offset 0x200 lie beyond its end at 0x40c");
}

TEST(PeImage, SectionThatWrapsAround) {
  std::string file = MakeEfiProgram({{".text", "abc", {}}});
  file.replace(EfiSectionHeaderOffset(0) + 8, 16, std::string(16, '\xff'));
  EXPECT_EQ(Data(file, 0),
            "section '.text': 4294967295 bytes at offset 0xffffffff lie beyond its end at 0x400");
}

TEST(PeImage, SignatureMustLieInTheFile) {
  std::string file = MakeEfiProgram({{".text", "abc", {}}}, {.is_signed = true});
  EXPECT_TRUE(ParseOne(file).IsSigned(file.size()));
  EXPECT_FALSE(ParseOne(file).IsSigned(file.size() - 1));
  EXPECT_FALSE(ParseOne(file).IsSigned(100));
  EXPECT_FALSE(ParseOne(MakeEfiProgram({{".text", "abc", {}}})).IsSigned(file.size()));
}

TEST(PeImage, SectionTableBeyondTheBytesIsCut) {
  std::string file = MakeEfiHeader({".text", ".linux"});
  file.resize(EfiSectionHeaderOffset(2) - 1);
  EXPECT_EQ(Names(ParseOne(file)), (std::vector<std::string>{".text"}));
}

TEST(PeImage, HeaderOffsetBeyondTheFile) {
  std::string file = MakeEfiHeader({".text"});
  file.replace(0x3c, 4, "\xfe\xff\xff\xff");
  EXPECT_FALSE(ParsePeImage(AsBytes(file)));
}

TEST(PeImage, MachinesAreSpelledAsUnameDoes) {
  EXPECT_EQ(PeMachineName(0x8664), "x86_64");
  EXPECT_EQ(PeMachineName(0xaa64), "aarch64");
  EXPECT_EQ(PeMachineName(0x1c2), "arm");
  EXPECT_EQ(PeMachineName(0x5064), "riscv64");
  EXPECT_EQ(PeMachineName(0x6264), "loongarch64");
  EXPECT_EQ(PeMachineName(0xebc), "machine 0xebc");
}

}  // namespace
}  // namespace kdumpkit
