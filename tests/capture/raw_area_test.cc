// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/raw_area.h"

#include <gmock/gmock.h>

#include "capture/raw_target.h"
#include "tests/capture/capture_fixture.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

RawHeader SomeHeader() {
  RawHeader header;
  header.folder = "db1-2023-11-14-22:13:20";
  header.parts.push_back({"vmcore-dmesg.txt", 4096, 77, true, {std::byte{7}}});
  header.parts.push_back({"vmcore.flat", 8192, uint64_t{1} << 40, false, {}});
  return header;
}

TEST(RawHeader, ReadsWhatWasWritten) {
  RawHeader header = SomeHeader();
  for (bool complete : {false, true}) {
    header.complete = complete;
    ByteBuffer bytes = EncodeRawHeader(header);
    EXPECT_EQ(bytes.size(), kRawHeaderSize);
    EXPECT_EQ(*ParseRawHeader(bytes), header);
  }
}
TEST(RawHeader, LayoutStaysAsItIs) {
  ByteBuffer bytes = EncodeRawHeader(SomeHeader());
  EXPECT_EQ(AsText(ByteView(bytes).first(14)), "KDUMPKIT RAW 1");
  EXPECT_EQ(bytes[16], std::byte{1});
  EXPECT_EQ(bytes[20], std::byte{2});
  EXPECT_EQ(bytes[152], std::byte{'v'});
  EXPECT_EQ(bytes[152 + 32 + 1], std::byte{0x10});
  EXPECT_EQ(bytes[152 + 40], std::byte{77});
  EXPECT_EQ(bytes[152 + 56], std::byte{7});
}
TEST(RawHeader, AnyDamageIsSeen) {
  ByteBuffer bytes = EncodeRawHeader(SomeHeader());
  for (size_t at = 0; at < bytes.size(); ++at) {
    ByteBuffer damaged = bytes;
    damaged[at] ^= std::byte{0x10};
    ASSERT_FALSE(ParseRawHeader(damaged)) << at;
  }
  for (size_t size = 0; size < bytes.size(); size += 13)
    ASSERT_FALSE(ParseRawHeader(ByteView(bytes).first(size))) << size;
}
TEST(RawHeader, NamesCannotLeaveTheFolder) {
  for (const char* name : {"../x", "a/b", ".", ""}) {
    RawHeader header = SomeHeader();
    header.parts[0].name = name;
    EXPECT_FALSE(ParseRawHeader(EncodeRawHeader(header))) << name;
    header = SomeHeader();
    header.folder = name;
    EXPECT_FALSE(ParseRawHeader(EncodeRawHeader(header))) << name;
  }
}
TEST(RawHeader, NextPartBeginsOnABlock) {
  EXPECT_EQ(NextRawOffset({}), 4096u);
  RawHeader header = SomeHeader();
  header.parts.pop_back();
  EXPECT_EQ(NextRawOffset(header), 8192u);
}

class RawTargetTest : public CaptureFixture {
 protected:
  RawTargetTest() {
    config_.device_timeout = std::chrono::seconds(0);
    dir_.Write("dev/vdb", std::string(4 << 20, 'x'));
    system_.devices[dir_.File("dev/vdb")] = {};
  }
  Result<std::unique_ptr<Target>> Open() {
    return RawTarget::Open({.kind = Destination::Kind::kRaw, .source = "/dev/vdb"}, context_);
  }
  Result<RawHeader> Header() {
    UniqueFd fd = *OpenFile(dir_.File("dev/vdb"), 0);
    return ReadRawHeader(fd.get());
  }
};

TEST_F(RawTargetTest, PartsAndTheirHeader) {
  std::unique_ptr<Target> target = std::move(*Open());
  ASSERT_TRUE(target->MakeFolder("d"));
  EXPECT_TRUE(StoreText(*target, "one", "abc"));
  ASSERT_TRUE(target->Begin("two"));
  ASSERT_TRUE(target->Write(AsBytes("half")));
  target->Abandon();
  EXPECT_FALSE(Header()->complete);
  ASSERT_TRUE(target->Close());
  RawHeader header = *Header();
  EXPECT_TRUE(header.complete);
  EXPECT_EQ(header.folder, "d");
  ASSERT_EQ(header.parts.size(), 2u);
  EXPECT_TRUE(header.parts[0].complete);
  EXPECT_EQ(header.parts[0].size, 3u);
  // Of "abc", by FIPS 180-4.
  EXPECT_THAT(HexText(header.parts[0].sha256), testing::StartsWith("ba7816bf8f01cfea"));
  EXPECT_FALSE(header.parts[1].complete);
  EXPECT_EQ(header.parts[1].size, 4u);
  EXPECT_EQ(Content("dev/vdb").substr(8192, 5), "halfx");
}
TEST_F(RawTargetTest, KilledCaptureLeavesTrueHeader) {
  std::unique_ptr<Target> target = std::move(*Open());
  ASSERT_TRUE(target->MakeFolder("d"));
  ASSERT_TRUE(StoreText(*target, "one", "abc"));
  ASSERT_TRUE(target->Begin("two"));
  ASSERT_TRUE(target->Write(AsBytes("half")));
  target.reset();
  EXPECT_FALSE(Header()->complete);
  EXPECT_EQ(Header()->parts[1].size, 0u);
}
TEST_F(RawTargetTest, FileSystemIsNotOverwritten) {
  system_.devices[dir_.File("dev/vdb")] = {"ext4", "aa", ""};
  EXPECT_THAT(Open().error().message(), HasSubstr("it has a file system (ext4)"));
}
TEST_F(RawTargetTest, EarlierDumpIsNotOverwritten) {
  std::unique_ptr<Target> target = std::move(*Open());
  ASSERT_TRUE(target->MakeFolder("d"));
  ASSERT_TRUE(StoreText(*target, "one", "abc"));
  EXPECT_THAT(Open().error().message(), HasSubstr("still has the dump 'd'"));
  EXPECT_THAT(Open().error().message(), HasSubstr("--recover /dev/vdb"));
}
TEST_F(RawTargetTest, EndOfTheDevice) {
  std::unique_ptr<Target> target = std::move(*Open());
  EXPECT_EQ(**target->Room(), (3u << 20) - 4096);
  ASSERT_TRUE(target->MakeFolder("d"));
  ASSERT_TRUE(target->Begin("big"));
  Status written = target->Write(ByteBuffer(4 << 20));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().error_number(), ENOSPC);
  target->Abandon();
}

}  // namespace
}  // namespace kdumpkit
