// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/sha256.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/file.h"
#include "base/process.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

std::string HexDigest(ByteView bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return HexText(hash.Finish());
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

std::string RandomText(std::mt19937& random, size_t size) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST(Sha256, AsSha256sumHasIt) {
  TempDir folder;
  std::mt19937 random(20240501);
  for (int i = 0; i < 20; ++i) {
    std::string data = RandomText(random, random() % 100'000);
    std::string path = folder.Write("data", data);
    std::string digest = DigestBySha256sum(path, folder);
    EXPECT_EQ(HexDigest(AsBytes(data)), digest);
    EXPECT_EQ(Sha256OfFile(path).value(), digest);
  }
}

// Pieces of every length around that of a block, so that each way through Update is taken.
TEST(Sha256, PiecesDoNotMatter) {
  std::mt19937 random(1);
  std::string data = RandomText(random, 5000);
  std::string whole = HexDigest(AsBytes(data));
  for (size_t piece = 1; piece <= 200; ++piece) {
    Sha256 hash;
    for (ByteView left = AsBytes(data); !left.empty();) {
      size_t size = std::min(piece, left.size());
      hash.Update(left.first(size));
      hash.Update({});
      left = left.subspan(size);
    }
    EXPECT_EQ(HexText(hash.Finish()), whole) << piece;
  }
}

TEST(Sha256OfFile, LongerThanOnePiece) {
  TempDir folder;
  std::mt19937 random(2);
  std::string path = folder.Write("data", RandomText(random, 1'000'000));
  EXPECT_EQ(Sha256OfFile(path).value(), DigestBySha256sum(path, folder));
}

TEST(Sha256OfFile, FailuresNameTheFile) {
  TempDir folder;
  Result<std::string> missing = Sha256OfFile(folder.File("none"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().error_number(), ENOENT);
  EXPECT_THAT(missing.error().message(), testing::HasSubstr(folder.File("none")));
  Result<std::string> directory = Sha256OfFile(folder.path());
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().message(), testing::HasSubstr(folder.path()));
}

}  // namespace
}  // namespace kdumpkit
