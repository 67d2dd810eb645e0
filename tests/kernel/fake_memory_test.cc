// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/fake_memory.h"

#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

TEST(FakeMemory, ReadsBackWhatWasWrittenAcrossChunks) {
  FakeMemory memory;
  memory.AddRange(PhysAddr(0x1000), 0x3000);
  memory.Put<uint64_t>(PhysAddr(0x1ffc), 0x1122334455667788);
  uint64_t value = 0;
  ByteBuffer bytes(8);
  ASSERT_TRUE(ReadPhysical(*memory.NewReader(), PhysAddr(0x1ffc), bytes));
  value = LoadUnchecked<uint64_t>(bytes.data(), ByteOrder::kLittle);
  EXPECT_EQ(value, 0x1122334455667788u);
}

TEST(FakeMemory, BytesBeyondARangeAreZeroAndWhollyOutsideIsAnError) {
  FakeMemory memory;
  memory.AddRange(PhysAddr(0), 0x9fc00);
  auto reader = memory.NewReader();
  ASSERT_TRUE(reader->View(PhysAddr(0x9f000), 0x1000));
  EXPECT_EQ(reader->View(PhysAddr(0xa0000), 0x1000).error().kind(), ErrorKind::kMalformed);
}

TEST(FakeMemory, TouchingRangesBecomeOne) {
  FakeMemory memory;
  memory.AddRange(PhysAddr(0x2000), 0x1000);
  memory.AddRange(PhysAddr(0x1000), 0x1000);
  ASSERT_EQ(memory.ranges().size(), 1u);
  EXPECT_EQ(memory.ranges()[0], (PhysRange{PhysAddr(0x1000), 0x2000}));
}

TEST(FaultyMemory, FailsOnlyWhereItWasTold) {
  FakeMemory memory;
  memory.AddRange(PhysAddr(0), 0x4000);
  FaultyMemory faulty(memory);
  faulty.Fail(PhysAddr(0x1000), 0x1000);
  auto reader = faulty.NewReader();
  EXPECT_TRUE(reader->View(PhysAddr(0), 0x1000));
  EXPECT_TRUE(reader->View(PhysAddr(0x2000), 0x1000));
  Result<ByteView> view = reader->View(PhysAddr(0xfff), 2);
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().kind(), ErrorKind::kSystem);
  EXPECT_EQ(view.error().error_number(), EIO);
}

}  // namespace
}  // namespace kdumpkit
