// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kdumpctl/live_fixture.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using Kind = Destination::Kind;

constexpr const char kScsi[] = "/sys/devices/pci0000:00/0000:00:04.0/host0/target0:0:0/0:0:0:0";

class ResolveTest : public testing::Test {
 protected:
  Result<ResolvedDestination> Find(const std::vector<std::string>& words) {
    Result<Destination> destination = ParseDestination(words);
    EXPECT_TRUE(destination.has_value());
    EXPECT_TRUE(SetDefaultPath(*destination, "/var/crash").has_value());
    return ResolveDestination(*destination, machine_->root(), system_);
  }
  ResolvedDestination Get(const std::vector<std::string>& words) {
    Result<ResolvedDestination> found = Find(words);
    EXPECT_TRUE(found.has_value()) << found.error().message();
    return found ? *found : ResolvedDestination();
  }
  void AddDisk(const std::string& name, const std::string& number) {
    machine_->Device("/sys/devices/pci0000:00/0000:00:04.0", "virtio_pci");
    machine_->Device(kScsi, "sd_mod", "scsi:t-0x00");
    machine_->Block(fmt::format("{}/block/{}", kScsi, name), number);
  }
  // A device of device mapper or md on sda.
  void AddVirtual(const std::string& name, const std::string& number) {
    AddDisk("sda", "8:0");
    machine_->Block("/sys/devices/virtual/block/" + name, number);
    machine_->Link(fmt::format("/sys/devices/virtual/block/{}/slaves/sda", name),
                   std::string(kScsi) + "/block/sda");
  }

  std::optional<Machine> machine_{std::in_place};
  FakeLiveSystem system_;
};

TEST_F(ResolveTest, FolderOfTheRootFileSystem) {
  machine_->Folder("/var/crash");
  ResolvedDestination found = Get({"/var/crash"});
  EXPECT_EQ(found.capture.kind, Kind::kDevice);
  EXPECT_EQ(found.capture.source, "UUID=r00t");
  EXPECT_EQ(found.capture.path, "/var/crash");
  EXPECT_EQ(found.capture.fs_type, "ext4");
  EXPECT_EQ(found.folder, "/var/crash");
  EXPECT_EQ(found.mounted, "/");
  EXPECT_EQ(found.not_small, "");
  EXPECT_THAT(found.drivers.modules, ElementsAre("virtio_blk", "virtio_pci"));
  EXPECT_THAT(found.modules, IsSupersetOf({"ext4"}));
}

TEST_F(ResolveTest, FolderThatIsNotThereYet) {
  EXPECT_EQ(Get({"/srv/dumps/x"}).capture.path, "/srv/dumps/x");
}

TEST_F(ResolveTest, FolderBehindALink) {
  machine_->Folder("/data/crash");
  machine_->Link("/var/crash", "/data/crash");
  EXPECT_EQ(Get({"/var/crash"}).capture.path, "/data/crash");
  EXPECT_EQ(Get({"/var/crash/deeper"}).capture.path, "/data/crash/deeper");
}

TEST_F(ResolveTest, TheDeepestAndLastMountCounts) {
  AddDisk("sda", "8:0");
  machine_->Mount("254:1", "/", "/var", "ext4", "/dev/vda1");
  machine_->Mount("8:0", "/", "/var", "xfs", "/dev/sda");
  machine_->Mount("254:1", "/", "/variety", "ext4", "/dev/vda1");
  system_.contents["sda"] = {"xfs", "x-uuid"};
  ResolvedDestination found = Get({"/var/crash"});
  EXPECT_EQ(found.capture.source, "UUID=x-uuid");
  EXPECT_EQ(found.capture.path, "/crash");
  EXPECT_EQ(found.capture.fs_type, "xfs");
  EXPECT_THAT(found.drivers.modules, ElementsAre("sd_mod", "virtio_pci"));
}

TEST_F(ResolveTest, BindMount) {
  machine_->Mount("254:1", "/srv/all/crash", "/var/crash", "ext4", "/dev/vda1");
  EXPECT_EQ(Get({"/var/crash/a"}).capture.path, "/srv/all/crash/a");
  EXPECT_EQ(Get({"/var/crash"}).capture.path, "/srv/all/crash");
}

TEST_F(ResolveTest, SubvolumeOfBtrfs) {
  AddDisk("sda", "8:0");
  machine_->Link("/dev/disk/by-uuid/b", "/dev/sda");
  machine_->Mount("0:33", "/@var", "/var", "btrfs", "/dev/sda");
  ResolvedDestination found = Get({"/var/crash"});
  EXPECT_EQ(found.capture.source, "UUID=b");
  EXPECT_EQ(found.capture.path, "/@var/crash");
  EXPECT_EQ(found.capture.mount_options, "subvol=/");
  EXPECT_EQ(found.not_small, "");
  machine_->Folder("/sys/fs/btrfs/b/devices/sda");
  machine_->Folder("/sys/fs/btrfs/b/devices/sdb");
  EXPECT_EQ(Get({"/var/crash"}).not_small, "it is a btrfs of several devices");
}

TEST_F(ResolveTest, EscapedBlanksOfMountPoints) {
  machine_->Mount("254:1", "/", "/my\\040dumps", "ext4", "/dev/vda1");
  EXPECT_EQ(Get({"/my dumps/a"}).capture.path, "/a");
}

TEST_F(ResolveTest, NfsThatIsMounted) {
  machine_->Mount("0:50", "/sub", "/mnt", "nfs4", "[fe80::1]:/export/x",
                  "rw,vers=4.2,proto=tcp,sec=sys,addr=fe80::1");
  ResolvedDestination found = Get({"/mnt/d"});
  EXPECT_EQ(found.capture.kind, Kind::kNfs);
  EXPECT_EQ(found.capture.host, "fe80::1");
  EXPECT_EQ(found.capture.source, "/export/x");
  EXPECT_EQ(found.capture.path, "/sub/d");
  EXPECT_EQ(found.capture.mount_options, "vers=4.2");
  EXPECT_THAT(found.modules, ElementsAre("nfs", "nfsv4"));
  EXPECT_TRUE(found.NeedsNetwork());
}

TEST_F(ResolveTest, NfsWithKerberosIsRefused) {
  machine_->Mount("0:50", "/", "/mnt", "nfs4", "h:/e", "rw,vers=4.2,sec=krb5p");
  EXPECT_THAT(Find({"/mnt"}).error().message(), HasSubstr("sec=krb5p"));
}

TEST_F(ResolveTest, VirtiofsThatIsMounted) {
  machine_->Device("/sys/devices/pci0000:00/0000:00:05.0", "virtio_pci");
  machine_->Device("/sys/devices/pci0000:00/0000:00:05.0/virtio7", "virtiofs");
  machine_->Link("/sys/bus/virtio/drivers/virtiofs/virtio7",
                 "/sys/devices/pci0000:00/0000:00:05.0/virtio7");
  machine_->Mount("0:51", "/", "/share", "virtiofs", "tag");
  ResolvedDestination found = Get({"/share/d"});
  EXPECT_EQ(found.capture.kind, Kind::kVirtiofs);
  EXPECT_EQ(found.capture.source, "tag");
  EXPECT_EQ(found.capture.path, "/d");
  EXPECT_THAT(found.drivers.modules, ElementsAre("virtio_pci", "virtiofs"));
}

TEST_F(ResolveTest, MemoryIsNoPlaceForDumps) {
  machine_->Mount("0:40", "/", "/tmp", "tmpfs", "tmpfs");
  EXPECT_THAT(Find({"/tmp/d"}).error().message(), HasSubstr("no capture kernel can write to"));
}

TEST_F(ResolveTest, DeviceByTagsAndNames) {
  AddDisk("sda", "8:0");
  system_.contents["sda"] = {"ext4", "u-u"};
  system_.tags["LABEL=crash"] = "/dev/sda";
  machine_->Link("/dev/disk/by-id/ata-x", "/dev/sda");
  for (const char* name : {"LABEL=crash", "/dev/sda", "/dev/disk/by-id/ata-x"}) {
    ResolvedDestination found = Get({std::string(name) + ":/d"});
    EXPECT_EQ(found.capture.source, "UUID=u-u") << name;
    EXPECT_EQ(found.capture.fs_type, "ext4");
    EXPECT_EQ(found.folder, "");
  }
  EXPECT_THAT(Find({"UUID=no:/d"}).error().message(), HasSubstr("no device has UUID=no"));
  EXPECT_THAT(Find({"/dev/sdx:/d"}).error().message(), HasSubstr("there is no '/dev/sdx'"));
}

TEST_F(ResolveTest, DeviceThatIsMounted) {
  AddDisk("sda", "8:0");
  machine_->Mount("8:0", "/", "/crash", "vfat", "/dev/sda");
  ResolvedDestination found = Get({"/dev/sda:/d"});
  EXPECT_EQ(found.folder, "/crash/d");
  EXPECT_EQ(found.capture.fs_type, "vfat");
  EXPECT_THAT(found.modules, IsSupersetOf({"vfat", "nls_cp437"}));
}

TEST_F(ResolveTest, DeviceWithoutFileSystem) {
  AddDisk("sda", "8:0");
  EXPECT_THAT(Find({"/dev/sda:/d"}).error().message(), HasSubstr("say fstype=TYPE"));
}

TEST_F(ResolveTest, RawDevice) {
  AddDisk("sda", "8:0");
  EXPECT_EQ(Get({"raw:/dev/sda"}).capture.source, "/dev/sda");
  machine_->Link("/dev/disk/by-partuuid/p", "/dev/vda1");
  EXPECT_EQ(Get({"raw:/dev/vda1"}).capture.source, "PARTUUID=p");
}

TEST_F(ResolveTest, WhatTheSmallImageCannotBringUp) {
  const struct {
    const char* name;
    const char* file;
    const char* text;
    const char* reason;
  } kCases[] = {
      {"dm-0", "dm/uuid", "LVM-abc\n", "it is on LVM"},
      {"dm-1", "dm/uuid", "CRYPT-PLAIN-x\n", "it is encrypted, and not by LUKS"},
      {"dm-2", "dm/uuid", "mpath-36\n", "it is on multipath"},
      {"dm-3", "dm/uuid", "part1-mpath-36\n", "it is on multipath"},
      {"dm-4", "dm/uuid", "\n", "it is on device mapper"},
      {"md0", "md/level", "raid1\n", "it is on software RAID (md)"},
      {"bcache0", "x", "", "it is on bcache"},
      {"nbd0", "x", "", "it is on a network block device"},
  };
  for (const auto& row : kCases) {
    machine_.emplace();
    AddVirtual(row.name, "253:0");
    machine_->Write(fmt::format("/sys/devices/virtual/block/{}/{}", row.name, row.file), row.text);
    machine_->Mount("253:0", "/", "/crash", "ext4", "/dev/mapper/x");
    ResolvedDestination found = Get({"/crash"});
    EXPECT_EQ(found.not_small, row.reason);
    EXPECT_THAT(found.drivers.modules, IsSupersetOf({"sd_mod"}));
  }
}

constexpr const char kVolumeUuid[] = "01234567-89ab-cdef-0123-456789abcdef";
constexpr const char kCrypt[] = "/sys/devices/virtual/block/dm-0";

// A file system on LUKS on a disk.
class LuksTest : public ResolveTest {
 protected:
  LuksTest() {
    AddVirtual("dm-0", "253:0");
    machine_->Write(fmt::format("{}/dm/uuid", kCrypt),
                    "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-secret\n");
    machine_->Write(fmt::format("{}/dm/name", kCrypt), "secret\n");
    machine_->Mount("253:0", "/", "/crash", "ext4", "/dev/mapper/secret");
    system_.answers["dmsetup table secret"] =
        "0 167936 crypt aes-xts-plain64 :64:logon:cryptsetup:0123-d0 0 8:1 32768 1 "
        "allow_discards\n";
  }
  void MakeKernelAble() { machine_->Folder("/sys/kernel/config/crash_dm_crypt_keys"); }
};

TEST_F(LuksTest, KernelThatHandsOverNoKeys) {
  ResolvedDestination found = Get({"/crash"});
  EXPECT_THAT(found.unreachable, HasSubstr("CONFIG_CRASH_DM_CRYPT"));
  EXPECT_THAT(found.unreachable, HasSubstr("choose a partition that is not encrypted"));
}

TEST_F(LuksTest, OpensByTheHandedKey) {
  MakeKernelAble();
  ResolvedDestination found = Get({"/crash"});
  EXPECT_EQ(found.unreachable, "");
  EXPECT_EQ(found.not_small, "");
  ASSERT_EQ(found.volumes.size(), 1u);
  EXPECT_EQ(
      VolumeLine(found.volumes[0]),
      fmt::format("{} secret 167936 aes-xts-plain64 64 0 32768 allow_discards\n", kVolumeUuid));
}

TEST_F(LuksTest, MappingsThatAreNotUnderstood) {
  MakeKernelAble();
  for (const char* table :
       {"", "0 8 crypt aes\n", "0 8 linear 8:1 0 x x x\n", "0 8 crypt aes - 0 8:1 0\n",
        "0 8 crypt aes :64:logon:x 0 8:1 0 1 integrity:28:aead\n",
        "0 8 crypt aes 00 0 8:1 0\n8 8 crypt aes 00 0 8:2 0\n"}) {
    system_.answers["dmsetup table secret"] = table;
    EXPECT_NE(Get({"/crash"}).unreachable, "") << table;
  }
  // A key that is no name.
  system_.answers["dmsetup table secret"] =
      "0 8 crypt serpent-cbc-essiv:sha256 00000000000000000000000000000000 0 8:1 4096\n";
  EXPECT_EQ(Get({"/crash"}).volumes[0].mapping, "8 serpent-cbc-essiv:sha256 16 0 4096");
}

TEST_F(LuksTest, BelowLvm) {
  MakeKernelAble();
  machine_->Block("/sys/devices/virtual/block/dm-1", "253:1");
  machine_->Link("/sys/devices/virtual/block/dm-1/slaves/dm-0", kCrypt);
  machine_->Write("/sys/devices/virtual/block/dm-1/dm/uuid", "LVM-abc\n");
  machine_->Mount("253:1", "/", "/crash", "ext4", "/dev/mapper/lv");
  ResolvedDestination found = Get({"/crash"});
  EXPECT_EQ(found.not_small, "it is on LVM");
  EXPECT_EQ(found.volumes.size(), 1u);
}

TEST_F(LuksTest, NodesOfMapperAreCalledByName) {
  MakeKernelAble();
  EXPECT_EQ(Get({"raw:/dev/dm-0"}).capture.source, "/dev/mapper/secret");
}

TEST_F(ResolveTest, DisksBehindANetwork) {
  constexpr const char kSession[] = "/sys/devices/platform/host3/session1/target3:0:0/3:0:0:1";
  machine_->Block(std::string(kSession) + "/block/sdb", "8:16");
  machine_->Mount("8:16", "/", "/crash", "ext4", "/dev/sdb");
  EXPECT_EQ(Get({"/crash"}).not_small, "it is on iSCSI");
  EXPECT_THAT(Get({"/crash"}).unreachable, HasSubstr("it is on iSCSI, and the capture kernel has"));
}

TEST_F(ResolveTest, LvmBehindANetwork) {
  constexpr const char kDisk[] =
      "/sys/devices/platform/host3/session1/target3:0:0/3:0:0:1/block/sdb";
  machine_->Block(kDisk, "8:16");
  AddVirtual("dm-7", "253:7");
  machine_->Write("/sys/devices/virtual/block/dm-7/dm/uuid", "LVM-abc\n");
  machine_->Link("/sys/devices/virtual/block/dm-7/slaves/sdb", kDisk);
  machine_->Mount("253:7", "/", "/crash", "ext4", "/dev/mapper/x");
  EXPECT_THAT(Get({"/crash"}).unreachable, HasSubstr("it is on iSCSI"));
}

TEST_F(ResolveTest, NvmeSubsystem) {
  constexpr const char kController[] = "/sys/devices/pci0000:00/0000:00:06.0/nvme/nvme0";
  constexpr const char kSubsystem[] = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0";
  machine_->Device("/sys/devices/pci0000:00/0000:00:06.0", "nvme");
  machine_->Write(std::string(kController) + "/transport", "pcie\n");
  machine_->Block(std::string(kSubsystem) + "/nvme0n1", "259:0");
  machine_->Link(std::string(kSubsystem) + "/nvme0", kController);
  machine_->Mount("259:0", "/", "/crash", "ext4", "/dev/nvme0n1");
  ResolvedDestination found = Get({"/crash"});
  EXPECT_EQ(found.not_small, "");
  EXPECT_THAT(found.drivers.modules, ElementsAre("nvme"));
  machine_->Write(std::string(kController) + "/transport", "tcp\n");
  EXPECT_EQ(Get({"/crash"}).not_small, "it is NVMe over a network");
}

TEST_F(ResolveTest, BuiltInDriversHaveNoModule) {
  machine_->Device("/sys/devices/platform/mmc", "", "of:mmc");
  machine_->Block("/sys/devices/platform/mmc/block/mmcblk0", "179:0");
  machine_->Mount("179:0", "/", "/crash", "ext4", "/dev/mmcblk0");
  ResolvedDestination found = Get({"/crash"});
  EXPECT_THAT(found.drivers.modules, IsEmpty());
  EXPECT_THAT(found.drivers.aliases, ElementsAre("of:mmc"));
}

}  // namespace
}  // namespace kdumpkit
