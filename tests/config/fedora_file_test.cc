// SPDX-License-Identifier: GPL-2.0-or-later
// A Fedora or RHEL kdump.conf works unchanged. The files here have every directive of theirs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/parse.h"
#include "tests/config/parsing.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = Destination::Kind;

Config Good(std::string_view text) {
  ParsedConfig reading = Parse(text);
  EXPECT_THAT(ProblemLines(reading), IsEmpty()) << text;
  return reading.config;
}
Destination OnlyDestination(std::string_view text) {
  Config config = Good(text);
  EXPECT_THAT(config.destinations, SizeIs(1));
  return config.destinations[0];
}

// What is not commented out in the file as it is shipped, x86_64 and s390x.
TEST(FedoraFile, AsShipped) {
  Config config = Good(
      "# comments\n#raw /dev/vg/lv_kdump\n#ext4 LABEL=/boot\n"
      "auto_reset_crashkernel yes\npath /var/crash\n"
      "core_collector makedumpfile -l --message-level 7 -d 31\n#core_collector scp\n");
  Config defaults;
  defaults.destinations = {Destination{.path = "/var/crash"}};
  EXPECT_EQ(config, defaults);
  EXPECT_EQ(Good("core_collector makedumpfile -c --message-level 7 -d 31\n").compression,
            DumpCompression::kZlib);
}

TEST(FedoraFile, EveryDirectiveAtOnce) {
  Config config = Good(R"(
auto_reset_crashkernel no
nfs my.server.com:/export/tmp
sshkey /root/.ssh/kdump_key
path /dumps
core_collector makedumpfile -p --message-level 23 -d 17 --num-threads=8
kdump_post /var/crash/scripts/kdump-post.sh
kdump_pre /var/crash/scripts/kdump-pre.sh
kdump_emergency /var/crash/scripts/emergency.sh
extra_bins /usr/bin/lftp /usr/bin/strace
extra_modules gfs2 e1000
failure_action dump_to_rootfs
final_action poweroff
force_rebuild 1
force_no_rebuild 0
dracut_args --omit-drivers "cfg80211 snd" --add-drivers "ext2 ext3"
fence_kdump_args -p 7410 -f auto -c 0 -i 10
fence_kdump_nodes node1 node2
)");
  Config expected;
  expected.destinations = {Destination{
      .kind = Kind::kNfs, .source = "/export/tmp", .host = "my.server.com", .path = "/dumps"}};
  expected.path = "/dumps";
  expected.auto_reset_crashkernel = false;
  expected.ssh_identities = {"/root/.ssh/kdump_key"};
  expected.level = 17;
  expected.compression = DumpCompression::kSnappy;
  expected.threads = 8;
  expected.message_level = 23;
  expected.post_hook = "/var/crash/scripts/kdump-post.sh";
  expected.pre_hook = "/var/crash/scripts/kdump-pre.sh";
  expected.emergency_hook = "/var/crash/scripts/emergency.sh";
  expected.extra_bins = {"/usr/bin/lftp", "/usr/bin/strace"};
  expected.extra_modules = {"gfs2", "e1000"};
  expected.failure_action = FailureAction::kDumpToRootfs;
  expected.final_action = EndAction::kPowerOff;
  expected.force_rebuild = true;
  expected.dracut_args = {"--omit-drivers", "cfg80211 snd", "--add-drivers", "ext2 ext3"};
  expected.fence_args = {"-p", "7410", "-f", "auto", "-c", "0", "-i", "10"};
  expected.fence_nodes = {"node1", "node2"};
  EXPECT_EQ(config, expected);
}

TEST(FedoraFile, Targets) {
  for (std::string_view fs : {"ext2", "ext3", "ext4", "xfs", "btrfs", "minix"}) {
    Destination device = OnlyDestination(std::string(fs) + " /dev/vg/lv_kdump\npath /d\n");
    EXPECT_EQ(device, (Destination{.kind = Kind::kDevice,
                                   .source = "/dev/vg/lv_kdump",
                                   .path = "/d",
                                   .fs_type = std::string(fs)}));
  }
  EXPECT_EQ(OnlyDestination("ext4 LABEL=/boot\n").source, "LABEL=/boot");
  EXPECT_EQ(OnlyDestination("ext4 UUID=03138356-5e61-4ab3-b58e-27507ac41937\n").path, "/var/crash");
  EXPECT_EQ(OnlyDestination("ext4 UUID=\"0313\"\n").source, "UUID=0313");
  EXPECT_EQ(OnlyDestination("virtiofs myfs\n").kind, Kind::kVirtiofs);
  EXPECT_EQ(OnlyDestination("nfs [2001:db8::1:2:3:4]:/export/tmp\n").host, "2001:db8::1:2:3:4");
  Destination ssh = OnlyDestination("ssh user@2001:db8::1:2:3:4\n");
  EXPECT_EQ(ssh.user, "user");
  EXPECT_EQ(ssh.path, "/var/crash");
}

TEST(FedoraFile, RawTargetDoesNotUsePath) {
  Destination raw = OnlyDestination("raw /dev/vg/lv_kdump\npath /var/crash\n");
  EXPECT_EQ(raw, (Destination{.kind = Kind::kRaw, .source = "/dev/vg/lv_kdump"}));
}

TEST(FedoraFile, TargetInDracutArguments) {
  Destination device =
      OnlyDestination("dracut_args --mount \"/dev/vda2 /kdump xfs defaults\"\npath /d\n");
  EXPECT_EQ(device, (Destination{.kind = Kind::kDevice,
                                 .source = "/dev/vda2",
                                 .path = "/d",
                                 .fs_type = "xfs",
                                 .mount_options = "defaults"}));
  EXPECT_EQ(OnlyDestination("dracut_args --mount=\"h:/e /mnt nfs4\"\n").kind, Kind::kNfs);
  EXPECT_THAT(ProblemLines(Parse("dracut_args --mount \"a b\" --mount \"c d\"\n")),
              ElementsAre(HasSubstr("more than one --mount")));
  EXPECT_THAT(ProblemLines(Parse("dracut_args --mount \"/dev/a /b\"\nnfs h:/e\n")),
              ElementsAre(HasSubstr("2: error: 'nfs h:/e' is a second destination, the first is "
                                    "'dracut_args' in line 1")));
  EXPECT_THAT(ProblemLines(Parse("nfs h:/e\ndracut_args --mount \"/dev/a /b\"\n")),
              ElementsAre(HasSubstr("the first is 'nfs' in line 1")));
}

TEST(FedoraFile, ValueInQuotes) {
  EXPECT_EQ(Good("path \"/var/crash\"\n").path, "/var/crash");
  EXPECT_EQ(Good("core_collector \"makedumpfile -c -d 17\"\n").level, 17u);
  EXPECT_THAT(Good("extra_bins \"/bin/a /bin/b\"\n").extra_bins, ElementsAre("/bin/a", "/bin/b"));
  EXPECT_THAT(Good("dracut_args \"--omit 'a b' --x\"\n").dracut_args,
              ElementsAre("--omit", "a b", "--x"));
}

TEST(FedoraFile, CommentsBehindValues) {
  EXPECT_EQ(Good("path /var/crash # here\n").path, "/var/crash");
  EXPECT_EQ(Good("  path   /var/crash   #here\n").path, "/var/crash");
  EXPECT_THAT(Good("extra_modules gfs2 # e1000\n").extra_modules, ElementsAre("gfs2"));
}

TEST(FedoraFile, OtherCollectors) {
  EXPECT_THAT(Good("core_collector cp --sparse=always\n").collector,
              ElementsAre("cp", "--sparse=always"));
  EXPECT_THAT(Good("core_collector cat\nraw /dev/vda\n").collector, ElementsAre("cat"));
  EXPECT_THAT(Good("core_collector scp\nssh u@h\n").collector, ElementsAre("scp"));
  EXPECT_THAT(Good("core_collector makedumpfile -E -d 31\n").collector,
              ElementsAre("makedumpfile", "-E", "-d", "31"));
  EXPECT_EQ(Good("core_collector cp\n").level, Config().level);
}

TEST(FedoraFile, FlattenedForServersAndRawDevices) {
  EXPECT_TRUE(Good("ssh u@h\ncore_collector makedumpfile -F -l -d 31\n").flattened);
  EXPECT_TRUE(Good("raw /dev/vda\ncore_collector makedumpfile -F -l -d 31\n").flattened);
  EXPECT_THAT(ProblemLines(Parse("core_collector makedumpfile -F -l -d 31\n")),
              ElementsAre(HasSubstr("1: warning: the dump file will be flattened")));
}

TEST(FedoraFile, CollectorBesideWhatItStandsFor) {
  EXPECT_THAT(
      ProblemLines(Parse("core_collector makedumpfile -l -d 31\nlevel 1\n")),
      ElementsAre(HasSubstr("2: error: 'level 1' conflicts with core_collector in line 1")));
  EXPECT_THAT(
      ProblemLines(Parse("level 1\ncore_collector makedumpfile -l -d 31\n")),
      ElementsAre(HasSubstr("2: error: 'core_collector makedumpfile -l -d 31' conflicts with "
                            "'level' in line 1")));
  // It says nothing of threads.
  EXPECT_EQ(Good("core_collector makedumpfile -l -d 31\nthreads 4\n").threads, 4u);
  EXPECT_FALSE(Parse("core_collector makedumpfile --num-threads 2\nthreads 4\n").ok());
}

TEST(FedoraFile, WhatFedoraRefusesIsRefused) {
  for (std::string_view text :
       {"path\n", "path /a\npath /a\n", "nfs h:/e\nraw /dev/vda\n", "final_action shoot\n",
        "failure_action continue\n", "force_rebuild 2\n", "force_rebuild 1\nforce_no_rebuild 1\n",
        "ssh host\n", "net h:/e\n", "unknown 1\n"})
    EXPECT_FALSE(Parse(text).ok()) << text;
}

}  // namespace
}  // namespace kdumpkit
