// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/purgatory_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "kexec/purgatory/arguments.h"
#include "kexec/purgatory/built_image.h"

namespace kdumpkit {
namespace {

using purgatory::Arguments;

Arguments ArgumentsOf(const PurgatoryImage& image) {
  Arguments arguments;
  std::memcpy(&arguments, image.bytes.data(), sizeof(arguments));
  return arguments;
}

class MakePurgatoryTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!purgatory::X86Image()) GTEST_SKIP() << "built without purgatory";
  }
};

TEST_F(MakePurgatoryTest, CarriesWhatItWasTold) {
  PurgatoryOptions options;
  options.entry = 0x42ce00200;
  options.boot_params = 0x42ef52000;
  options.backup_source = PhysRange{PhysAddr(0x1000), 0x9e000};
  options.backup_destination = PhysAddr(0x42ef61000);
  options.regions = {{"boot parameters", AsBytes("abc"), PhysAddr(0x42ef52000)}};
  options.serial_port = 0x2f8;
  options.reset_seconds = -3;
  Arguments arguments = ArgumentsOf(MakePurgatory(options).value());
  EXPECT_EQ(arguments.magic, purgatory::kMagic);
  EXPECT_EQ(arguments.entry, 0x42ce00200u);
  EXPECT_EQ(arguments.boot_params, 0x42ef52000u);
  EXPECT_EQ(arguments.backup_source, 0x1000u);
  EXPECT_EQ(arguments.backup_destination, 0x42ef61000u);
  EXPECT_EQ(arguments.backup_size, 0x9e000u);
  EXPECT_EQ(arguments.serial_port, 0x2f8u);
  EXPECT_EQ(arguments.reset_seconds, -3);
  ASSERT_EQ(arguments.region_count, 1u);
  EXPECT_EQ(arguments.regions[0].address, 0x42ef52000u);
  EXPECT_EQ(arguments.regions[0].size, 3u);
  EXPECT_STREQ(arguments.regions[0].name, "boot parameters");
  EXPECT_EQ(arguments.regions[0].digest, Sha256Of(AsUnsigned(AsBytes("abc").data()), 3));
  EXPECT_EQ(arguments.digest, purgatory::DigestOf(arguments));
}

TEST_F(MakePurgatoryTest, ImageIsWholePagesAndHoldsItsEntry) {
  PurgatoryImage image = MakePurgatory({}).value();
  EXPECT_EQ(image.memory_size % 4096, 0u);
  EXPECT_GE(image.memory_size, image.bytes.size());
  EXPECT_LE(image.memory_size, 0x8000u) << "it has grown: is that meant?";
  EXPECT_GE(image.entry_offset, sizeof(Arguments));
  EXPECT_LT(image.entry_offset, image.bytes.size());
}

// Only the arguments differ between two images.
TEST_F(MakePurgatoryTest, CodeIsNeverChanged) {
  PurgatoryOptions options;
  options.entry = UINT64_MAX;
  options.serial_port = 0x3f8;
  ByteBuffer a = MakePurgatory({}).value().bytes;
  ByteBuffer b = MakePurgatory(options).value().bytes;
  EXPECT_TRUE(std::equal(a.begin() + sizeof(Arguments), a.end(), b.begin() + sizeof(Arguments)));
}

TEST_F(MakePurgatoryTest, LongNamesAreCut) {
  PurgatoryOptions options;
  options.regions = {{std::string(100, 'n'), {}, PhysAddr(0)}};
  Arguments arguments = ArgumentsOf(MakePurgatory(options).value());
  EXPECT_EQ(std::string(arguments.regions[0].name), std::string(31, 'n'));
}

TEST_F(MakePurgatoryTest, SixteenRegionsNotSeventeen) {
  PurgatoryOptions options;
  options.regions.assign(16, {"x", AsBytes("x"), PhysAddr(4096)});
  EXPECT_EQ(ArgumentsOf(MakePurgatory(options).value()).region_count, 16u);
  options.regions.push_back(options.regions.front());
  Result<PurgatoryImage> image = MakePurgatory(options);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().message(), "purgatory checks at most 16 segments, not 17");
}

TEST_F(MakePurgatoryTest, RegionBeyondAllAddresses) {
  PurgatoryOptions options;
  options.regions = {{"initrd", AsBytes("four"), PhysAddr(UINT64_MAX - 2)}};
  Result<PurgatoryImage> image = MakePurgatory(options);
  ASSERT_FALSE(image);
  EXPECT_THAT(image.error().message(), testing::HasSubstr("segment 'initrd'"));
}

TEST_F(MakePurgatoryTest, BackupOntoItself) {
  PurgatoryOptions options;
  options.backup_source = PhysRange{PhysAddr(0x1000), 0x2000};
  for (uint64_t destination : {0x0001u, 0x1000u, 0x2fffu}) {
    options.backup_destination = PhysAddr(destination);
    EXPECT_FALSE(MakePurgatory(options)) << destination;
  }
  for (uint64_t destination : {0x3000u, 0x10000u}) {
    options.backup_destination = PhysAddr(destination);
    EXPECT_TRUE(MakePurgatory(options)) << destination;
  }
  options.backup_destination = PhysAddr(UINT64_MAX - 0x1000);
  EXPECT_FALSE(MakePurgatory(options));
}

TEST(MakePurgatory, NeedsAMachineThatCanCompileIt) {
  Result<PurgatoryImage> image = MakePurgatory({});
  EXPECT_EQ(image.has_value(), purgatory::X86Image().has_value());
  if (!image) {
    EXPECT_EQ(image.error().kind(), ErrorKind::kUnsupported);
  }
}

}  // namespace
}  // namespace kdumpkit
