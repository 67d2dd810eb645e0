// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/decompress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/kexec/packer.h"

namespace kdumpkit {
namespace {

using namespace std::string_literals;
using testing::AnyOf;
using testing::HasSubstr;

constexpr size_t kLegacyBlock = size_t{8} << 20;

// Text that packs to about half, different at every place.
std::string SomeBytes(size_t size) {
  std::minstd_rand random(1);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>('a' + random() % 16);
  return text;
}

std::string Unpack(std::string_view data, Compression compression,
                   size_t limit = kMaxUnpackedSize) {
  Result<ByteBuffer> bytes = Decompress(AsBytes(data), compression, limit);
  return bytes ? std::string(AsText(*bytes)) : bytes.error().message();
}

class EachCompression : public testing::TestWithParam<Compression> {
 protected:
  // lzma has neither a check sum nor a mark that shows a stream with its end cut off in every case;
  // a legacy lz4 file may end behind every block.
  bool HasChecksum() const {
    return GetParam() != Compression::kLzma && GetParam() != Compression::kLz4Legacy;
  }
};

TEST_P(EachCompression, IsDetectedAndUnpacked) {
  for (size_t size : {size_t{1}, size_t{1000}, size_t{300000}}) {
    std::string contents = SomeBytes(size);
    std::string packed = Pack(GetParam(), contents);
    EXPECT_EQ(DetectCompression(AsBytes(packed)), GetParam());
    EXPECT_TRUE(Unpack(packed, GetParam()) == contents) << size;
  }
}

TEST_P(EachCompression, EveryPrefixIsAnError) {
  std::string packed = Pack(GetParam(), SomeBytes(2000));
  for (size_t size = 14; size < packed.size(); ++size) {
    std::vector<char> prefix(packed.begin(), packed.begin() + static_cast<ptrdiff_t>(size));
    Result<ByteBuffer> bytes =
        Decompress(AsBytes(std::string_view(prefix.data(), size)), GetParam());
    ASSERT_FALSE(bytes) << size;
    EXPECT_EQ(bytes.error().kind(), ErrorKind::kTruncated) << size;
    EXPECT_THAT(bytes.error().message(), HasSubstr("data ends too early, ")) << size;
  }
}

TEST_P(EachCompression, TruncatedInputTellsWhere) {
  std::string packed = Pack(GetParam(), SomeBytes(2000));
  packed.pop_back();
  std::string name(CompressionName(GetParam()));
  EXPECT_THAT(Unpack(packed, GetParam()),
              AnyOf(fmt::format("{} data ends too early, at offset {:#x}", name, packed.size()),
                    // The legacy format states the size of a block before it.
                    "lz4 data ends too early, in the block at offset 0x4"));
}

TEST_P(EachCompression, EveryDamagedByteIsSurvived) {
  std::string contents = SomeBytes(2000);
  std::string packed = Pack(GetParam(), contents);
  int unnoticed = 0;
  for (size_t at = 0; at < packed.size(); ++at) {
    for (char bad : {'\0', '\xff', static_cast<char>(packed[at] ^ 0x10)}) {
      char good = std::exchange(packed[at], bad);
      Result<ByteBuffer> bytes = Decompress(AsBytes(packed), GetParam(), 100000);
      if (bytes && AsText(*bytes) != contents) ++unnoticed;
      EXPECT_TRUE(bytes || !bytes.error().message().empty());
      packed[at] = good;
    }
  }
  EXPECT_TRUE(unnoticed == 0 || !HasChecksum()) << unnoticed;
}

TEST_P(EachCompression, LimitIsExact) {
  std::string contents = SomeBytes(100000);
  std::string packed = Pack(GetParam(), contents);
  EXPECT_TRUE(Unpack(packed, GetParam(), contents.size()) == contents);
  Result<ByteBuffer> bytes = Decompress(AsBytes(packed), GetParam(), contents.size() - 1);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(bytes.error().message(), "it unpacks to more than 98 KiB, the most that is taken");
}

TEST_P(EachCompression, BombIsRefused) {
  std::string packed = Pack(GetParam(), std::string(20u << 20, '\0'));
  EXPECT_EQ(Unpack(packed, GetParam(), 1u << 20),
            "it unpacks to more than 1 MiB, the most that is taken");
}

TEST_P(EachCompression, BytesBehindTheStreamAreIgnored) {
  std::string contents = SomeBytes(2000);
  std::string packed = Pack(GetParam(), contents);
  for (const std::string& tail : {"\0"s, std::string(511, '\0'), "\xd0\x07\0\0"s,
                                  "~Module signature appended~\n"s, std::string(3, '\xff')})
    EXPECT_TRUE(Unpack(packed + tail, GetParam()) == contents) << tail.size();
}

INSTANTIATE_TEST_SUITE_P(Decompress, EachCompression, testing::ValuesIn(kAllCompressions),
                         [](const testing::TestParamInfo<Compression>& which) {
                           std::string name(CompressionName(which.param));
                           return which.param == Compression::kLz4Legacy ? name + "Legacy" : name;
                         });

TEST(Decompress, StreamsBehindEachOtherAreOneFile) {
  for (Compression compression : kAllCompressions) {
    if (compression == Compression::kLzma) continue;
    std::string packed = Pack(compression, "one ");
    EXPECT_EQ(Unpack(packed + Pack(compression, "two"), compression), "one two");
    EXPECT_EQ(Unpack(packed + std::string(8, '\0') + Pack(compression, "two"), compression),
              "one two");
  }
}

TEST(Decompress, ADamagedSecondStreamIsAnError) {
  std::string first = Pack(Compression::kGzip, "one");
  std::string second = Pack(Compression::kGzip, "two");
  second.back() ^= 1;
  EXPECT_EQ(Unpack(first + second, Compression::kGzip),
            fmt::format("cannot unpack gzip data at offset {:#x}: incorrect length check",
                        first.size() + second.size()));
}

TEST(Decompress, DamageIsNamedWithItsOffset) {
  std::string packed = Pack(Compression::kZstd, SomeBytes(2000));
  packed.back() ^= 1;
  packed[0x20] ^= 0x55;
  EXPECT_THAT(Unpack(packed, Compression::kZstd),
              HasSubstr("cannot unpack zstd data at offset 0x"));
}

TEST(Decompress, GzipHeaderWithEveryField) {
  std::string packed = Pack(Compression::kGzip, "contents");
  // FEXTRA, FNAME and FCOMMENT of RFC 1952.
  packed[3] = 0x1c;
  packed.insert(10, "\3\0xyzname\0comment\0"s);
  EXPECT_EQ(Unpack(packed, Compression::kGzip), "contents");
}

TEST(Decompress, DictionaryThatIsTooLargeIsNotAllocated) {
  std::string packed = Pack(Compression::kLzma, "contents");
  packed.replace(1, 4, "\0\0\0\x40"s);  // 1 GiB
  Result<ByteBuffer> bytes = Decompress(AsBytes(packed), Compression::kLzma);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(bytes.error().message(),
            "cannot unpack lzma data at offset 0xd: its dictionary takes more than 256 MiB");
}

TEST(Decompress, ZstdWindowThatIsTooLargeIsNotAllocated) {
  // Frame header of RFC 8878: no content size, window of 2^(10 + 31) bytes.
  std::string frame = "\x28\xb5\x2f\xfd\x00\xf8"s + std::string(20, '\1');
  Result<ByteBuffer> bytes = Decompress(AsBytes(frame), Compression::kZstd);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(bytes.error().message(), HasSubstr("cannot unpack zstd data at offset 0x"));
}

// What a header promises is not what is allocated: the size of an lzma file is a lie here.
TEST(Decompress, PromisedSizeIsNotBelieved) {
  std::string packed = Pack(Compression::kLzma, "contents");
  packed.replace(5, 8, "\0\0\0\0\x3f\0\0\0"s);
  EXPECT_THAT(Unpack(packed, Compression::kLzma), HasSubstr("lzma data"));
}

TEST(Lz4Legacy, SeveralBlocks) {
  std::string contents = SomeBytes(2 * kLegacyBlock + 17);
  EXPECT_TRUE(Unpack(Pack(Compression::kLz4Legacy, contents), Compression::kLz4Legacy) == contents);
}

// The build of Linux appends the size of the contents, which looks like the size of a block.
TEST(Lz4Legacy, AppendedSizeIsNoBlock) {
  std::string contents = SomeBytes(kLegacyBlock);
  std::string packed = Pack(Compression::kLz4Legacy, contents);
  EXPECT_TRUE(Unpack(packed + "\0\0\x80\0"s, Compression::kLz4Legacy) == contents);
  EXPECT_EQ(Unpack(packed + "\1\0\x80\0"s, Compression::kLz4Legacy),
            fmt::format("lz4 data ends too early, in the block at offset {:#x}", packed.size()));
}

TEST(DetectCompression, ThirteenZeroBytesAreNoLzma) {
  EXPECT_FALSE(DetectCompression(AsBytes(std::string(13, '\0'))));
  EXPECT_FALSE(DetectCompression(AsBytes(std::string(4096, '\0'))));
}

TEST(DetectCompression, EachFieldOfTheLzmaHeaderCounts) {
  // As "lzma -9" writes it: lc=3 lp=0 pb=2, 64 MiB dictionary, unknown size.
  const std::string good = "\x5d\0\0\0\x04"s + std::string(8, '\xff') + "\0rest"s;
  ASSERT_EQ(DetectCompression(AsBytes(good)), Compression::kLzma);
  auto with = [&](size_t at, std::string_view bytes) {
    return DetectCompression(AsBytes(std::string(good).replace(at, bytes.size(), bytes)));
  };
  EXPECT_TRUE(with(1, "\0\0\0\x06"s));  // 2^n + 2^(n-1)
  EXPECT_TRUE(with(1, "\xff\xff\xff\xff"));
  EXPECT_TRUE(with(5, "\1\0\0\0\0\0\0\0"s));
  EXPECT_FALSE(with(0, "\xe1"));         // properties above 224
  EXPECT_FALSE(with(0, "\x08"));         // lc 8, lp 0
  EXPECT_FALSE(with(0, "\x2c"));         // lc 8, lp 4
  EXPECT_FALSE(with(1, "\0\x08\0\0"s));  // 2 KiB
  EXPECT_FALSE(with(1, "\0\0\0\x05"s));
  EXPECT_FALSE(with(1, "\0\0\0\0"s));
  EXPECT_FALSE(with(5, std::string(8, '\0')));
  EXPECT_FALSE(with(5, "\0\0\0\0\x40\0\0\0"s));  // 256 GiB
  EXPECT_FALSE(with(13, "\1"));
  EXPECT_FALSE(DetectCompression(AsBytes(good.substr(0, 13))));
}

TEST(DetectCompression, TextIsNoBzip2) {
  EXPECT_FALSE(DetectCompression(AsBytes("BZhello world"s)));
  EXPECT_FALSE(DetectCompression(AsBytes("BZh91AY"s)));
  EXPECT_TRUE(DetectCompression(AsBytes("BZh91AY&SY"s)));
  EXPECT_TRUE(DetectCompression(AsBytes("BZh1\x17\x72\x45\x38\x50\x90"s)));  // empty
}

TEST(DetectCompression, PrefixesOfMagicNumbersAreNone) {
  for (Compression compression : kAllCompressions) {
    std::string packed = Pack(compression, "contents");
    for (size_t size = 0; size < 3; ++size)
      EXPECT_FALSE(DetectCompression(AsBytes(packed).first(size)));
  }
}

}  // namespace
}  // namespace kdumpkit
