// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/codec.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

namespace kdumpkit {
namespace {

constexpr size_t kPage = 4096;

ByteBuffer CompressiblePage(size_t size = kPage) {
  ByteBuffer page(size);
  for (size_t i = 0; i < size; ++i) page[i] = static_cast<std::byte>(i / 7 % 11 * (i % 3));
  return page;
}

ByteBuffer RandomPage(size_t size = kPage) {
  std::mt19937 random(1);
  ByteBuffer page(size);
  for (std::byte& byte : page) byte = static_cast<std::byte>(random());
  return page;
}

std::unique_ptr<Compressor> Make(Codec codec, size_t page_size = kPage) {
  auto compressor = Compressor::Make(codec, page_size);
  CHECK(compressor.has_value());
  return std::move(*compressor);
}

ByteBuffer Compressed(Codec codec, ByteView page) {
  auto compressor = Make(codec, page.size());
  ByteBuffer out(compressor->bound());
  out.resize(compressor->Compress(page, out));
  return out;
}

class EveryCodec : public testing::TestWithParam<Codec> {};

INSTANTIATE_TEST_SUITE_P(Codecs, EveryCodec,
                         testing::Values(Codec::kZlib, Codec::kLzo, Codec::kSnappy, Codec::kZstd),
                         [](const auto& codec) { return std::string(CodecName(codec.param)); });

TEST_P(EveryCodec, RoundTrips) {
  for (size_t size : {kPage, size_t{16384}, size_t{65536}}) {
    ByteBuffer page = CompressiblePage(size);
    ByteBuffer data = Compressed(GetParam(), page);
    ASSERT_GT(data.size(), 0u);
    EXPECT_LT(data.size(), size);
    ByteBuffer back(size);
    ASSERT_TRUE(Decompress(CodecFlag(GetParam()), data, back));
    EXPECT_EQ(back, page);
  }
}

TEST_P(EveryCodec, SameBytesEveryTime) {
  auto compressor = Make(GetParam());
  ByteBuffer first(compressor->bound()), second(compressor->bound());
  ByteBuffer page = CompressiblePage();
  size_t size = compressor->Compress(page, first);
  compressor->Compress(RandomPage(), second);
  second.assign(second.size(), std::byte{0xff});
  EXPECT_EQ(compressor->Compress(page, second), size);
  first.resize(size);
  second.resize(size);
  EXPECT_EQ(first, second);
}

TEST_P(EveryCodec, PageThatDoesNotShrinkIsRaw) {
  EXPECT_EQ(Compressed(GetParam(), RandomPage()).size(), 0u);
}

TEST_P(EveryCodec, StaysWithinBound) {
  // Pages around the point where compression stops to pay; guards behind the promised bound.
  for (size_t random_bytes = 3800; random_bytes <= kPage; random_bytes += 8) {
    ByteBuffer page = RandomPage();
    std::fill(page.begin() + static_cast<ptrdiff_t>(random_bytes), page.end(), std::byte{0});
    auto compressor = Make(GetParam());
    ByteBuffer out(compressor->bound() + 64, std::byte{0xa5});
    size_t size = compressor->Compress(page, ByteSpan(out).first(compressor->bound()));
    EXPECT_LT(size, kPage);
    for (size_t i = compressor->bound(); i < out.size(); ++i) ASSERT_EQ(out[i], std::byte{0xa5});
  }
}

TEST_P(EveryCodec, EveryPrefixIsMalformed) {
  ByteBuffer data = Compressed(GetParam(), CompressiblePage());
  ByteBuffer out(kPage);
  Decompressor decompressor;
  for (size_t size = 0; size < data.size(); ++size) {
    // A copy of exactly this size lets a sanitizer see reads behind it.
    ByteBuffer prefix(data.begin(), data.begin() + static_cast<ptrdiff_t>(size));
    Status status = decompressor.Decompress(CodecFlag(GetParam()), prefix, out);
    ASSERT_FALSE(status) << size;
    EXPECT_EQ(status.error().kind(), ErrorKind::kMalformed);
  }
}

TEST_P(EveryCodec, DamagedBytesNeverWriteBeyondThePage) {
  ByteBuffer data = Compressed(GetParam(), CompressiblePage());
  ByteBuffer out(kPage);
  Decompressor decompressor;
  for (size_t i = 0; i < data.size(); ++i) {
    ByteBuffer damaged = data;
    damaged[i] ^= std::byte{0x55};
    (void)decompressor.Decompress(CodecFlag(GetParam()), damaged, out).has_value();
  }
}

TEST_P(EveryCodec, PageOfAnotherSizeIsMalformed) {
  ByteBuffer data = Compressed(GetParam(), CompressiblePage());
  for (size_t size : {kPage - 1, kPage + 1, 2 * kPage}) {
    ByteBuffer out(size);
    EXPECT_FALSE(Decompress(CodecFlag(GetParam()), data, out)) << size;
  }
}

TEST(Codec, ZlibReadsWhatWeWrite) {
  ByteBuffer page = CompressiblePage();
  ByteBuffer data = Compressed(Codec::kZlib, page);
  ByteBuffer back(kPage);
  uLongf size = kPage;
  ASSERT_EQ(uncompress(AsUnsigned(back.data()), &size, AsUnsigned(data.data()), data.size()), Z_OK);
  EXPECT_EQ(back, page);
}

TEST(Codec, NoneStoresEveryPageRaw) {
  auto compressor = Make(Codec::kNone);
  EXPECT_EQ(compressor->bound(), 0u);
  EXPECT_EQ(compressor->Compress(CompressiblePage(), {}), 0u);
}

TEST(Codec, RawPageIsCopied) {
  ByteBuffer page = RandomPage(), out(kPage);
  ASSERT_TRUE(Decompress(0, page, out));
  EXPECT_EQ(out, page);
}

TEST(Codec, RawPageOfAnotherSizeIsMalformed) {
  ByteBuffer out(kPage);
  EXPECT_FALSE(Decompress(0, ByteBuffer(kPage - 1), out));
  EXPECT_FALSE(Decompress(0, ByteBuffer(), out));
}

TEST(Codec, FlagsOfNoOrSeveralCodecsAreMalformed) {
  ByteBuffer out(kPage);
  for (uint32_t flags : {0x3u, 0x8u, 0x10u, 0x21u, 0x40u, 0xffffffffu})
    EXPECT_FALSE(Decompress(flags, ByteBuffer(16), out)) << flags;
}

TEST(Codec, FlagsAreThoseOfTheFormat) {
  EXPECT_EQ(CodecFlag(Codec::kNone), 0u);
  EXPECT_EQ(CodecFlag(Codec::kZlib), 0x1u);
  EXPECT_EQ(CodecFlag(Codec::kLzo), 0x2u);
  EXPECT_EQ(CodecFlag(Codec::kSnappy), 0x4u);
  EXPECT_EQ(CodecFlag(Codec::kZstd), 0x20u);
}

}  // namespace
}  // namespace kdumpkit
