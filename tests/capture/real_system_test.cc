// SPDX-License-Identifier: GPL-2.0-or-later
// What of the real system can be tested without privilege.
#include "capture/real_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

// An ext4 superblock as far as libblkid looks at it; Documentation/filesystems/ext4/super.rst.
std::string Ext4Image() {
  constexpr size_t kSuper = 1024;
  std::string image(1 << 20, '\0');
  image.replace(kSuper + 0x38, 2, "\x53\xef");           // s_magic
  image[kSuper + 0x4c] = 1;                              // s_rev_level: has features
  image[kSuper + 0x60] = 0x40;                           // s_feature_incompat: extents
  image.replace(kSuper + 0x68, 16, "0123456789abcdef");  // s_uuid
  image.replace(kSuper + 0x78, 5, "crash");              // s_volume_name
  return image;
}

TEST(RealSystem, ProbeFindsTypeUuidAndLabel) {
  TempDir dir;
  Result<FileSystemId> id = RealSystem().Probe(dir.Write("image", Ext4Image()));
  ASSERT_TRUE(id);
  EXPECT_EQ(id->type, "ext4");
  EXPECT_EQ(id->uuid, "30313233-3435-3637-3839-616263646566");
  EXPECT_EQ(id->label, "crash");
}
TEST(RealSystem, ProbeOfNothingKnown) {
  TempDir dir;
  Result<FileSystemId> id = RealSystem().Probe(dir.Write("image", std::string(1 << 20, 'x')));
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().kind(), ErrorKind::kUnsupported);
}
TEST(RealSystem, ProbeOfMissingDevice) {
  TempDir dir;
  Result<FileSystemId> id = RealSystem().Probe(dir.File("none"));
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().kind(), ErrorKind::kSystem);
}
TEST(RealSystem, MountPoints) {
  TempDir dir;
  EXPECT_TRUE(RealSystem().IsMountPoint("/proc").value_or(false));
  EXPECT_FALSE(RealSystem().IsMountPoint("/proc/self").value_or(true));
  EXPECT_FALSE(RealSystem().IsMountPoint(dir.path()).value_or(true));
  EXPECT_FALSE(RealSystem().IsMountPoint(dir.File("none")));
}
TEST(RealSystem, FreeBytes) {
  TempDir dir;
  EXPECT_GT(RealSystem().FreeBytes(dir.path()).value_or(0), 0u);
  EXPECT_FALSE(RealSystem().FreeBytes(dir.File("none")));
}
TEST(RealSystem, SyncFileSystem) {
  TempDir dir;
  EXPECT_TRUE(RealSystem().SyncFileSystem(dir.path()));
  EXPECT_FALSE(RealSystem().SyncFileSystem(dir.File("none")));
}
TEST(RealSystem, ErrorsNameTheObject) {
  TempDir dir;
  std::string none = dir.File("none");
  EXPECT_THAT(RealSystem().Mount({"/dev/none", none, "ext4"}).error().message(), HasSubstr(none));
  EXPECT_THAT(RealSystem().Unmount(none, 0).error().message(), HasSubstr(none));
  EXPECT_THAT(RealSystem().LoadModule(none, "").error().message(), HasSubstr(none));
}
TEST(RealSystem, TimeGrows) {
  RealSystem system;
  auto before = system.Uptime();
  system.Sleep(std::chrono::milliseconds(5));
  EXPECT_GE(system.Uptime() - before, std::chrono::milliseconds(4));
  EXPECT_GT(system.WallClock(), 1700000000);
}

}  // namespace
}  // namespace kdumpkit
