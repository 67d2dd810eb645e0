// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <zstd.h>

#include <memory>

namespace kdumpkit {
namespace {

using testing::HasSubstr;

ByteBuffer Sample(size_t size) {
  ByteBuffer bytes(size);
  uint32_t state = 1;
  for (size_t i = 0; i < size; ++i) {
    state = state * 1664525 + 1013904223;
    bytes[i] = static_cast<std::byte>(i % 3 == 0 ? state >> 24 : i / 100);
  }
  return bytes;
}

ByteBuffer Xz(ByteView data) {
  ByteBuffer out(lzma_stream_buffer_bound(data.size()));
  size_t size = 0;
  CHECK(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, nullptr, AsUnsigned(data.data()), data.size(),
                                AsUnsigned(out.data()), &size, out.size()) == LZMA_OK);
  out.resize(size);
  return out;
}

// A packed file's ending, and the packing.
struct Packing {
  const char* name;
  ByteBuffer (*pack)(ByteView);
};

ByteBuffer Gzip(ByteView data) { return CompressImage(data, ImageCompression::kGzip).value(); }
ByteBuffer Zstd(ByteView data) { return CompressImage(data, ImageCompression::kZstd).value(); }

class CodecTest : public testing::TestWithParam<Packing> {};

// Sizes around the steps in which the output grows (1 MiB, then 2 MiB).
TEST_P(CodecTest, RoundTrip) {
  constexpr size_t kMiB = size_t{1} << 20;
  for (size_t size : {size_t{0}, size_t{1}, size_t{5000}, kMiB - 1, kMiB, kMiB + 1, 3 * kMiB}) {
    ByteBuffer sample = Sample(size);
    Result<ByteBuffer> unpacked = UnpackModule(GetParam().pack(sample), GetParam().name);
    ASSERT_TRUE(unpacked) << size;
    EXPECT_EQ(*unpacked, sample) << size;
  }
}
TEST_P(CodecTest, EveryPrefixIsAnError) {
  ByteBuffer packed = GetParam().pack(Sample(500));
  for (size_t size = 0; size < packed.size(); ++size)
    EXPECT_FALSE(UnpackModule(ByteView(packed).first(size), GetParam().name)) << size;
}
TEST_P(CodecTest, SurvivesEveryChangedByte) {
  ByteBuffer packed = GetParam().pack(Sample(500));
  for (std::byte& byte : packed) {
    std::byte good = std::exchange(byte, ~byte);
    (void)UnpackModule(packed, GetParam().name);
    byte = good;
  }
}
TEST_P(CodecTest, LimitIsKept) {
  ByteBuffer packed = GetParam().pack(Sample(5000));
  EXPECT_TRUE(UnpackModule(packed, GetParam().name, 5000));
  EXPECT_FALSE(UnpackModule(packed, GetParam().name, 4999));
}

// What the kernel unpacks with has to fit beside the image in the memory reserved for a crash.
TEST(ImageCodec, ZstdNeedsLittleMemoryToUnpack) {
  constexpr int kWindowLog = 17;
  ByteBuffer packed = Zstd(Sample(size_t{5} << 20));
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  ASSERT_EQ(ZSTD_isError(ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kWindowLog)),
            0U);
  ByteBuffer room(size_t{1} << 20);
  ZSTD_outBuffer out = {room.data(), room.size(), 0};
  ZSTD_inBuffer in = {packed.data(), packed.size(), 0};
  size_t status = ZSTD_decompressStream(context.get(), &out, &in);
  EXPECT_EQ(ZSTD_isError(status), 0U) << ZSTD_getErrorName(status);
}

INSTANTIATE_TEST_SUITE_P(Codec, CodecTest,
                         testing::Values(Packing{"a.ko.gz", Gzip}, Packing{"a.ko.xz", Xz},
                                         Packing{"a.ko.zst", Zstd}),
                         [](const auto& test) {
                           std::string name = test.param.name;
                           return name.substr(name.rfind('.') + 1);
                         });

TEST(Codec, PlainModuleStaysAsItIs) {
  ByteBuffer sample = Sample(100);
  EXPECT_EQ(UnpackModule(sample, "a.ko").value(), sample);
}
TEST(Codec, NoCompression) {
  ByteBuffer sample = Sample(100);
  EXPECT_EQ(CompressImage(sample, ImageCompression::kNone).value(), sample);
}
TEST(Codec, ErrorNamesTheFile) {
  EXPECT_THAT(UnpackModule({}, "ext4.ko.xz").error().message(), HasSubstr("ext4.ko.xz: damaged"));
}

}  // namespace
}  // namespace kdumpkit
