// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/recover.h"

#include <fcntl.h>
#include <gmock/gmock.h>

#include "capture/raw_area.h"
#include "capture/raw_target.h"
#include "tests/capture/capture_fixture.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RecoverTest : public CaptureFixture {
 protected:
  RecoverTest() {
    dir_.Write("dev/vdb", std::string(4 << 20, 'x'));
    system_.devices[dir_.File("dev/vdb")] = {};
    // -R OUTPUT: what comes in, in capitals.
    filter_.SetBody("tr a-z A-Z >\"$out\"");
  }
  // What a capture leaves behind.
  void Capture(bool complete = true) {
    Destination destination{.kind = Destination::Kind::kRaw, .source = "/dev/vdb"};
    std::unique_ptr<Target> target = std::move(*RawTarget::Open(destination, context_));
    ASSERT_TRUE(target->MakeFolder("db1-2023"));
    ASSERT_TRUE(StoreText(*target, "vmcore-dmesg.txt", "log"));
    ASSERT_TRUE(target->Begin("vmcore.flat"));
    ASSERT_TRUE(target->Write(AsBytes("half")));
    target->Abandon();
    if (!complete) return;
    ASSERT_TRUE(StoreText(*target, "vmcore.flat", "dump"));
    ASSERT_TRUE(target->Close());
  }
  Result<Recovered> Recover() {
    return RecoverDump({"/dev/vdb", dir_.File("crash"), filter_.path()}, root_, system_);
  }
  bool IsFree() {
    UniqueFd fd = *OpenFile(dir_.File("dev/vdb"), 0);
    return !ReadRawHeader(fd.get());
  }
};

TEST_F(RecoverTest, MakesFiles) {
  Capture();
  Result<Recovered> recovered = Recover();
  ASSERT_TRUE(recovered);
  EXPECT_EQ(recovered->folder, dir_.File("crash/db1-2023"));
  EXPECT_THAT(recovered->problems, ElementsAre("'vmcore.flat' ends early"));
  EXPECT_EQ(Content("crash/db1-2023/vmcore-dmesg.txt"), "log");
  EXPECT_EQ(Content("crash/db1-2023/vmcore"), "DUMP");
  EXPECT_EQ(Content("crash/db1-2023/vmcore.flat-incomplete"), "half");
  EXPECT_TRUE(IsFree());
}
TEST_F(RecoverTest, KilledCapture) {
  Capture(false);
  EXPECT_THAT(Recover()->problems,
              ElementsAre("'vmcore.flat' ends early", "the capture did not come to its end"));
}
TEST_F(RecoverTest, FolderOfThatNameIsLeftAlone) {
  dir_.Write("crash/db1-2023/vmcore", "another");
  Capture();
  EXPECT_EQ(Recover()->folder, dir_.File("crash/db1-2023-2"));
  EXPECT_EQ(Content("crash/db1-2023/vmcore"), "another");
}
TEST_F(RecoverTest, NothingThere) {
  Result<Recovered> recovered = Recover();
  ASSERT_TRUE(recovered);
  EXPECT_EQ(recovered->folder, "");
  EXPECT_FALSE(Exists("crash"));
  EXPECT_EQ(Content("dev/vdb"), std::string(4 << 20, 'x'));
}
TEST_F(RecoverTest, DamageIsSaid) {
  Capture();
  UniqueFd fd = *OpenFile(dir_.File("dev/vdb"), O_RDWR);
  ASSERT_TRUE(WriteFullyAt(fd.get(), FileOffset(4096), AsBytes("LOG")));
  EXPECT_THAT(Recover()->problems[0], HasSubstr("'vmcore-dmesg.txt' is not what was written"));
  EXPECT_EQ(Content("crash/db1-2023/vmcore-dmesg.txt"), "LOG");
}
TEST_F(RecoverTest, FilterThatFailsLeavesTheStream) {
  Capture();
  filter_.SetBody("exit 1");
  EXPECT_THAT(Recover()->problems[1], HasSubstr("exit status 1); it is kept as it is"));
  EXPECT_EQ(Content("crash/db1-2023/vmcore.flat"), "dump");
}
TEST_F(RecoverTest, WhatCannotBeWrittenStaysOnTheDevice) {
  Capture();
  dir_.Write("crash", "a file where the folder would be");
  EXPECT_FALSE(Recover());
  EXPECT_FALSE(IsFree());
}
TEST_F(RecoverTest, DamagedHeaderIsNotCleared) {
  Capture();
  UniqueFd fd = *OpenFile(dir_.File("dev/vdb"), O_RDWR);
  ASSERT_TRUE(WriteFullyAt(fd.get(), FileOffset(30), AsBytes("X")));
  EXPECT_THAT(Recover().error().message(), HasSubstr("header is damaged"));
  EXPECT_THAT(Content("dev/vdb"), testing::StartsWith("KDUMPKIT RAW 1"));
}

}  // namespace
}  // namespace kdumpkit
