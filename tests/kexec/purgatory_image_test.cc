// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/purgatory_image.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/file.h"
#include "base/process.h"
#include "kexec/purgatory/arguments.h"
#include "kexec/purgatory/built_image.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using purgatory::Arguments;

std::string HexDigest(ByteView bytes) {
  std::string text;
  for (std::byte byte : Sha256(bytes)) text += fmt::format("{:02x}", byte);
  return text;
}

// FIPS 180-2, appendix B, and the empty message.
TEST(Sha256, PublishedVectors) {
  EXPECT_EQ(HexDigest({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexDigest(AsBytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexDigest(AsBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(HexDigest(AsBytes(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// Around the lengths where the padding takes another block; digests by Python's hashlib.
TEST(Sha256, EdgesOfTheBlocks) {
  struct Case {
    size_t size;
    const char* digest;
  };
  for (const Case& c : std::initializer_list<Case>{
           {1, "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"},
           {55, "81afe5b788dc2ce138ff83d9b20164db75a94d75d2b2432eea4a0ef605088c72"},
           {56, "2aba54f0ac632420a2b502431408866e40e1d5e430df4cd822642c78ab2eb9c1"},
           {57, "903284efbf9100e8ba1614ec65eacacad125e03f857cae7acbf8b73b23e0fdfe"},
           {63, "733d3d4ee79ee67145bf73da13588f6f235d37414fc64b14a2f00f1762792f5e"},
           {64, "79322907b3e9d013d7dc2c2f256674dbf733045cde01df3539271c6f5605feb8"},
           {65, "d85c007c6eb440f085afa2b84f6f2bce4658b240e9f62cb1364bf0485a57e720"},
           {119, "6c87eedf096b345de205b702e5223b73b447a3207791ded3ea007ba15ed6736e"},
           {120, "42500cf6a1e3936d6b9e0bcfe296d654b63255e525487d3634d0b15fde591c4d"},
           {121, "bfee8850f7dfa42874071a0040ef89a5ac8d70c919224c440bdb63adb65d35e8"},
           {127, "68f6ff710276900c0ffbbc57426f67e00c2e01f0750c7edc25ac06b8ce7a8095"},
           {128, "489d55fea9a73af36b6dd0be7b4117d8e5683386d39544e8a44c99a87f368707"},
           {129, "4e1556b2e9a50a3cc9478f3254727b01065f9ac5d2c3a8b4cd538ae7240bb87d"},
           {1000, "6b0df76627243d095b0c4400cb658b7e804dd03461cc03aee8fc8fe0bcada168"}}) {
    ByteBuffer bytes;
    for (size_t i = 0; i < c.size; ++i) bytes.push_back(static_cast<std::byte>(i * 7 + c.size));
    EXPECT_EQ(HexDigest(bytes), c.digest) << c.size;
  }
}

std::string DigestBySha256sum(const std::string& path, const TempDir& folder) {
  UniqueFd out = OpenFile(folder.File("digest"), O_RDWR | O_CREAT | O_TRUNC, 0600).value();
  ChildProcess child = ChildProcess::Spawn({"sha256sum", path}, {.stdout_fd = out.get()}).value();
  EXPECT_TRUE(child.Wait().value().ok());
  ByteBuffer digest(64);
  EXPECT_TRUE(ReadFullyAt(out.get(), FileOffset(0), digest));
  return std::string(AsText(digest));
}

TEST(Sha256, AsSha256sumHasIt) {
  TempDir folder;
  std::mt19937 random(20240501);
  for (int i = 0; i < 20; ++i) {
    std::string data(random() % 100'000, '\0');
    for (char& c : data) c = static_cast<char>(random());
    EXPECT_EQ(HexDigest(AsBytes(data)), DigestBySha256sum(folder.Write("data", data), folder));
  }
}

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
  EXPECT_EQ(arguments.regions[0].digest, purgatory::Sha256(AsUnsigned(AsBytes("abc").data()), 3));
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
