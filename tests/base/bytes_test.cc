// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/bytes.h"

#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

TEST(Bytes, LoadsBothByteOrders) {
  ByteBuffer bytes = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  EXPECT_EQ(LoadUnchecked<uint32_t>(bytes.data(), ByteOrder::kLittle), 0x04030201u);
  EXPECT_EQ(LoadUnchecked<uint32_t>(bytes.data(), ByteOrder::kBig), 0x01020304u);
}

TEST(Bytes, IsZeroSeesEveryByte) {
  for (size_t size : {size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{4096}}) {
    ByteBuffer bytes(size);
    EXPECT_TRUE(IsZero(bytes));
    for (size_t i = 0; i < size; ++i) {
      bytes[i] = std::byte{0x80};
      EXPECT_FALSE(IsZero(bytes)) << size << " " << i;
      bytes[i] = std::byte{0};
    }
  }
}

TEST(ByteReader, BoundsAreExact) {
  ByteBuffer bytes(8);
  ByteReader reader(bytes, ByteOrder::kLittle, "'x'", 0x1000);
  EXPECT_TRUE(reader.U64(0));
  EXPECT_TRUE(reader.U8(7));
  EXPECT_FALSE(reader.U64(1));
  EXPECT_FALSE(reader.U8(8));
  EXPECT_FALSE(reader.U32(UINT64_MAX));
  EXPECT_FALSE(reader.Bytes(4, UINT64_MAX));
  EXPECT_EQ(reader.U64(1).error().kind(), ErrorKind::kTruncated);
  EXPECT_EQ(reader.U64(1).error().message(),
            "'x': 8 bytes at offset 0x1001 lie beyond its end at 0x1008");
}

TEST(ByteWriter, PutsWhatAReaderReads) {
  for (ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
    ByteWriter writer(order);
    writer.Put(uint16_t{0x1234});
    writer.Put(uint64_t{0xfedcba9876543210});
    writer.PutText("abcdef", 4);
    ByteBuffer bytes = std::move(writer).Take();
    ByteReader reader(bytes, order, "buffer");
    EXPECT_EQ(reader.U16(0).value(), 0x1234);
    EXPECT_EQ(reader.U64(2).value(), 0xfedcba9876543210);
    EXPECT_EQ(AsText(reader.Bytes(10, 4).value()), std::string_view("abc\0", 4));
  }
}

TEST(HexText, TwoDigitsAByte) {
  EXPECT_EQ(HexText({}), "");
  EXPECT_EQ(HexText(AsBytes(std::string_view("\x00\x7f\x80\xff\x0a", 5))), "007f80ff0a");
}

}  // namespace
}  // namespace kdumpkit
