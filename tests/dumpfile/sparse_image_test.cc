// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/dumpfile/sparse_image.h"

#include <gtest/gtest.h>

#include "tests/dumpfile/kdump_image.h"

namespace kdumpkit {
namespace {

TEST(SparseImage, RoundTrips) {
  ByteBuffer image = MakeKdumpImage({});
  ByteBuffer packed = PackImage(image);
  EXPECT_LT(packed.size(), 1024u);
  EXPECT_EQ(ExpandImage(packed), image);
}

TEST(SparseImage, KeepsZerosAtTheEnd) {
  EXPECT_EQ(ExpandImage(PackImage(ByteBuffer(5000))), ByteBuffer(5000));
}

TEST(SparseImage, RecordCutShortIsTakenAsFarAsItGoes) {
  ByteBuffer records{std::byte{1}, std::byte{0}, std::byte{9}, std::byte{7}};
  EXPECT_EQ(ExpandImage(records), (ByteBuffer{std::byte{0}, std::byte{7}}));
}

}  // namespace
}  // namespace kdumpkit
