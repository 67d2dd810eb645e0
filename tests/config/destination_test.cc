// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/destination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

using testing::HasSubstr;
using Kind = Destination::Kind;

Destination Read(const std::vector<std::string>& words) {
  Result<Destination> destination = ParseDestination(words);
  EXPECT_TRUE(destination.has_value()) << words[0] << ": " << destination.error().message();
  return destination ? *destination : Destination{};
}
std::string Refused(const std::vector<std::string>& words) {
  Result<Destination> destination = ParseDestination(words);
  EXPECT_FALSE(destination.has_value()) << words[0];
  return destination ? "" : destination.error().message();
}
Destination Target(std::string_view directive, const std::string& value) {
  Result<Destination> destination = ParseFedoraTarget(directive, value);
  EXPECT_TRUE(destination.has_value()) << value << ": " << destination.error().message();
  return destination ? *destination : Destination{};
}

TEST(Destination, Folder) {
  Destination destination = Read({"/var//crash/"});
  EXPECT_EQ(destination.kind, Kind::kFolder);
  EXPECT_EQ(destination.path, "/var/crash");
  EXPECT_EQ(Read({"file:///var/my%20crash"}).path, "/var/my crash");
  EXPECT_THAT(Refused({"file://host/x"}), HasSubstr("file:///var/crash"));
  EXPECT_THAT(Refused({"/var/../etc"}), HasSubstr("'..'"));
}

TEST(Destination, Device) {
  Destination destination = Read({"UUID=12-ab:/dumps"});
  EXPECT_EQ(destination.kind, Kind::kDevice);
  EXPECT_EQ(destination.source, "UUID=12-ab");
  EXPECT_EQ(destination.path, "/dumps");
  for (std::string source : {"LABEL=/boot", "PARTUUID=1", "PARTLABEL=x y", "/dev/vg/lv"})
    EXPECT_EQ(Read({source}).source, source);
  EXPECT_EQ(Read({"/dev/vda1"}).path, "");
}

TEST(Destination, DeviceNamesMayHaveColons) {
  Destination destination = Read({"/dev/disk/by-path/pci-0000:00:1f.2-ata-1:/d"});
  EXPECT_EQ(destination.source, "/dev/disk/by-path/pci-0000:00:1f.2-ata-1");
  EXPECT_EQ(destination.path, "/d");
}

TEST(Destination, DeviceOptions) {
  Destination destination = Read({"/dev/vda1:/d", "fstype=xfs", "options=noatime,nodev"});
  EXPECT_EQ(destination.fs_type, "xfs");
  EXPECT_EQ(destination.mount_options, "noatime,nodev");
  EXPECT_THAT(Refused({"/dev/vda1", "noatime"}), HasSubstr("fstype=TYPE and options=LIST"));
  EXPECT_THAT(Refused({"/dev/vda1", "fstype="}), HasSubstr("'fstype='"));
  EXPECT_THAT(Refused({"/var/crash", "/mnt"}), HasSubstr("lines of their own"));
  EXPECT_THAT(Refused({"nfs://h/e", "fstype=nfs4"}), HasSubstr("only a device"));
  EXPECT_THAT(Refused({"ssh://u@h/e", "options=ro"}), HasSubstr("not mounted"));
}

TEST(Destination, Nfs) {
  Destination destination = Read({"nfs://files.example.com/export/dumps"});
  EXPECT_EQ(destination.kind, Kind::kNfs);
  EXPECT_EQ(destination.host, "files.example.com");
  EXPECT_EQ(destination.source, "/export/dumps");
  EXPECT_EQ(destination.path, "/");
  EXPECT_EQ(Read({"nfs://h/export:/dumps"}).source, "/export");
  EXPECT_EQ(Read({"nfs://h/export:/dumps"}).path, "/dumps");
  EXPECT_EQ(Read({"nfs://[2001:db8::1]/e"}).host, "2001:db8::1");
  EXPECT_EQ(Read({"nfs://h/e", "options=vers=4.2"}).mount_options, "vers=4.2");
  EXPECT_THAT(Refused({"nfs://h"}), HasSubstr("nfs://host/export"));
  EXPECT_THAT(Refused({"nfs:///e"}), HasSubstr("not the name of a host"));
  EXPECT_THAT(Refused({"nfs://h:2049/e"}), HasSubstr("options=port=2049"));
}

TEST(Destination, Ssh) {
  Destination destination = Read({"ssh://kdump@crashes.example.com:2222/srv/dumps"});
  EXPECT_EQ(destination.kind, Kind::kSsh);
  EXPECT_EQ(destination.user, "kdump");
  EXPECT_EQ(destination.host, "crashes.example.com");
  EXPECT_EQ(destination.port, 2222);
  EXPECT_EQ(destination.path, "/srv/dumps");
  EXPECT_EQ(Read({"ssh://u@h"}).path, "");
  EXPECT_EQ(Read({"ssh://u@h/~/dumps"}).path, "dumps");
  EXPECT_EQ(Read({"ssh://u@h/a%20b%25"}).path, "/a b%");
  EXPECT_EQ(Read({"ssh://h/d"}).user, "");
  EXPECT_EQ(Read({"ssh://u@[fe80::1]:22/d"}).host, "fe80::1");
}

// What would become an option of ssh or mount, and what is no address at all.
TEST(Destination, BadHostsAndUsersAreRefused) {
  EXPECT_THAT(Refused({"ssh://u@-oProxyCommand=x/d"}), HasSubstr("not the name of a host"));
  EXPECT_THAT(Refused({"ssh://-l@h/d"}), HasSubstr("'-l' is not the name of a user"));
  EXPECT_THAT(Refused({"ssh://u:secret@h/d"}), HasSubstr("a password cannot be given"));
  EXPECT_THAT(Refused({"ssh://u@h:0/d"}), HasSubstr("port '0'"));
  EXPECT_THAT(Refused({"ssh://u@h:70000/d"}), HasSubstr("from 1 to 65535"));
  for (std::string host : {"[", "[]", "[::1", "[::1]x", "[h]", "a b", ""})
    Refused({"ssh://u@" + host + "/d"});
}

TEST(Destination, VirtiofsAndRaw) {
  EXPECT_EQ(Read({"virtiofs:tag:/d"}).source, "tag");
  EXPECT_EQ(Read({"virtiofs:tag:/d"}).path, "/d");
  EXPECT_THAT(Refused({"virtiofs:"}), HasSubstr("the tag"));
  Destination raw = Read({"raw:/dev/disk/by-id/virtio-dump"});
  EXPECT_TRUE(raw.IsRaw());
  EXPECT_EQ(raw.source, "/dev/disk/by-id/virtio-dump");
  EXPECT_THAT(Refused({"raw:vda"}), HasSubstr("is not a device"));
  EXPECT_THAT(Refused({"raw:/dev/vda:/x"}), HasSubstr("no folders"));
}

TEST(Destination, WhatIsNotSupportedSaysWhatIs) {
  EXPECT_THAT(Refused({"sftp://u@h/d"}), HasSubstr("ssh://"));
  EXPECT_THAT(Refused({"ftp://h/d"}), HasSubstr("use ssh or nfs"));
  EXPECT_THAT(Refused({"cifs://h/d"}), HasSubstr("use ssh or nfs"));
}

TEST(Destination, WhatWasMeant) {
  EXPECT_THAT(Refused({"shs://u@h/d"}), HasSubstr("did you mean 'ssh:'?"));
  EXPECT_THAT(Refused({"NFS://h/d"}), HasSubstr("did you mean 'nfs:'?"));
  EXPECT_THAT(Refused({"user@host"}), HasSubstr("did you mean 'ssh://user@host'?"));
  EXPECT_THAT(Refused({"host:/export"}), HasSubstr("did you mean 'nfs://host/export'?"));
  EXPECT_THAT(Refused({"vda1"}), HasSubstr("write a folder"));
}

TEST(Destination, FedoraTargets) {
  Destination nfs = Target("nfs", "[2001:db8::1:2:3:4]:/export/tmp");
  EXPECT_EQ(nfs.host, "2001:db8::1:2:3:4");
  EXPECT_EQ(nfs.source, "/export/tmp");
  EXPECT_EQ(nfs.path, "");
  Destination ssh = Target("ssh", "user@2001:db8::1:2:3:4");
  EXPECT_EQ(ssh.user, "user");
  EXPECT_EQ(ssh.host, "2001:db8::1:2:3:4");
  EXPECT_EQ(Target("raw", "/dev/vg/lv_kdump").kind, Kind::kRaw);
  EXPECT_EQ(Target("virtiofs", "myfs").source, "myfs");
  EXPECT_EQ(Target("ext4", "LABEL=/boot").fs_type, "ext4");
  EXPECT_FALSE(ParseFedoraTarget("ssh", "host").has_value());
  EXPECT_FALSE(ParseFedoraTarget("nfs", "host").has_value());
  EXPECT_FALSE(ParseFedoraTarget("xfs", "host:/x").has_value());
  EXPECT_FALSE(ParseFedoraTarget("ext4", "LABEL=a:/b").has_value());
}

TEST(Destination, DracutMount) {
  Destination device = *ParseDracutMount("/dev/vda2 /mnt xfs defaults,noatime 0");
  EXPECT_EQ(device.source, "/dev/vda2");
  EXPECT_EQ(device.fs_type, "xfs");
  EXPECT_EQ(device.mount_options, "defaults,noatime");
  EXPECT_EQ(ParseDracutMount("h:/e /mnt nfs4 vers=4.2")->kind, Kind::kNfs);
  EXPECT_EQ(ParseDracutMount("UUID=1 /mnt auto")->fs_type, "");
  EXPECT_EQ(ParseDracutMount("tag /mnt virtiofs")->kind, Kind::kVirtiofs);
  for (std::string bad : {"", "/dev/vda2", "/dev/vda2 /mnt ssh", "/dev/vda2 /mnt \"a b\"", "\"x"})
    EXPECT_FALSE(ParseDracutMount(bad).has_value()) << bad;
}

TEST(Destination, DefaultPath) {
  Destination mounted = Target("ext4", "/dev/vda");
  EXPECT_TRUE(SetDefaultPath(mounted, "crash").has_value());
  EXPECT_EQ(mounted.path, "/crash");
  Destination ssh = Target("ssh", "u@h");
  EXPECT_TRUE(SetDefaultPath(ssh, "crash").has_value());
  EXPECT_EQ(ssh.path, "crash");
  Destination raw = Target("raw", "/dev/vda");
  EXPECT_TRUE(SetDefaultPath(raw, "crash").has_value());
  EXPECT_EQ(raw.path, "");
  Destination folder;
  EXPECT_FALSE(SetDefaultPath(folder, "crash").has_value());
  Destination named = Read({"nfs://h/e:/d"});
  EXPECT_TRUE(SetDefaultPath(named, "/other").has_value());
  EXPECT_EQ(named.path, "/d");
}

TEST(Destination, WhatIsWrittenIsReadBack) {
  std::vector<Destination> all = {
      Read({"/var/crash"}),
      Read({"file:///dev/shm"}),
      Read({"UUID=1:/d", "fstype=ext4", "options=ro"}),
      Read({"LABEL=a b"}),
      Read({"nfs://h/e"}),
      Read({"nfs://[::1]/:/var/100%25"}),
      Read({"ssh://u@[::1]:22/a b"}),
      Read({"ssh://h/~/x"}),
      Read({"ssh://h/%7E/x"}),
      Read({"virtiofs:t:/d"}),
      Read({"raw:PARTUUID=1"}),
      Target("nfs", "h:/e%20f"),
      Target("ssh", "u@h"),
  };
  for (const Destination& destination : all) {
    std::vector<std::string> words = DestinationWords(destination);
    Destination again = Read(words);
    // An export whose folder is not known yet cannot be told from one that is used as a whole.
    if (destination.kind == Kind::kNfs && destination.path.empty()) again.path.clear();
    EXPECT_EQ(again, destination) << words[0];
  }
}

TEST(Destination, NormalPath) {
  EXPECT_EQ(*NormalPath("/"), "/");
  EXPECT_EQ(*NormalPath("//a///b//"), "/a/b");
  EXPECT_EQ(*NormalPath("a/"), "a");
  EXPECT_EQ(*NormalPath("/a/..b/c.."), "/a/..b/c..");
  for (std::string_view bad : {"", "..", "/..", "a/../b", "../a"})
    EXPECT_FALSE(NormalPath(bad).has_value()) << bad;
}

}  // namespace
}  // namespace kdumpkit
