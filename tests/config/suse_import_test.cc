// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/config/importing.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> Suse(std::string_view text) { return Imported(ImportSuse, text); }

// Every variable with its default.
TEST(SuseImport, Defaults) {
  EXPECT_THAT(
      Suse(R"(
## Path:        System/Kernel/Kdump
KDUMP_CRASHKERNEL="auto"
KDUMP_UPDATE_BOOTLOADER="true"
KDUMP_KERNELVER=""
KDUMP_CPUS=32
KDUMP_COMMANDLINE=""
KDUMP_COMMANDLINE_APPEND=""
KDUMP_AUTO_RESIZE="false"
KDUMP_FADUMP="false"
KDUMP_FADUMP_SHELL="false"
FADUMP_COMMANDLINE_APPEND="numa=off cma=0"
KEXEC_OPTIONS=""
MAKEDUMPFILE_OPTIONS=""
KDUMP_IMMEDIATE_REBOOT="true"
KDUMP_TRANSFER=""
KDUMP_SAVEDIR="/var/crash"
KDUMP_KEEP_OLD_DUMPS=0
KDUMP_FREE_DISK_SIZE=64
KDUMP_VERBOSE=0
KDUMP_DUMPLEVEL=31
KDUMP_DUMPFORMAT="compressed"
KDUMP_CONTINUE_ON_ERROR="true"
KDUMP_REQUIRED_PROGRAMS=""
KDUMP_PRESCRIPT=""
KDUMP_POSTSCRIPT=""
KDUMP_NETCONFIG="auto"
KDUMP_NET_TIMEOUT=30
KDUMP_SMTP_SERVER=""
KDUMP_SMTP_USER=""
KDUMP_SMTP_PASSWORD=""
KDUMP_NOTIFICATION_TO=""
KDUMP_NOTIFICATION_CC=""
KDUMP_HOST_KEY=""
KDUMP_SSH_IDENTITY=""
)"),
      ElementsAre("crashkernel auto", "auto_reset_crashkernel true", "cpus 32",
                  "final_action reboot", "path /var/crash", "keep_count all", "min_free 64M",
                  "level 31", "compression zlib", "failure_action reboot", "network_timeout 30"));
}

TEST(SuseImport, EverySetting) {
  EXPECT_THAT(
      Suse(R"(
KDUMP_CRASHKERNEL="crashkernel=72M,low crashkernel=300M,high"
KDUMP_KERNELVER="6.3.1-2-default"
KDUMP_CPUS=0
KDUMP_COMMANDLINE="root=/dev/vda"
KDUMP_COMMANDLINE_APPEND="net_delay=20 dyndbg=\"file x.c +p\""
KEXEC_OPTIONS="-a"
KDUMP_IMMEDIATE_REBOOT=no
KDUMP_SAVEDIR="nfs://server/export/var/crash"
KDUMP_KEEP_OLD_DUMPS=3
KDUMP_FREE_DISK_SIZE=0
KDUMP_DUMPLEVEL=1
KDUMP_DUMPFORMAT="zstd"
KDUMP_CONTINUE_ON_ERROR=false
KDUMP_REQUIRED_PROGRAMS="/usr/bin/a /usr/bin/b"
KDUMP_PRESCRIPT=/usr/bin/a
KDUMP_POSTSCRIPT=/usr/bin/b
KDUMP_HOST_KEY="ssh-rsa AAAAB3Nza"
KDUMP_SSH_IDENTITY="id_kdump /root/k"
)"),
      ElementsAre(
          "crashkernel 72M,low 300M,high", "kernel_version 6.3.1-2-default", "cpus all",
          "command_line root=/dev/vda", "command_line_append net_delay=20 'dyndbg=file x.c +p'",
          "kexec_args -a", "final_action shell", "destination nfs://server/export/var/crash",
          "keep_count 4", "min_free 0M", "level 1", "compression zstd", "failure_action shell",
          "extra_bins /usr/bin/a /usr/bin/b", "kdump_pre /usr/bin/a", "kdump_post /usr/bin/b",
          "ssh_host_key \"ssh-rsa AAAAB3Nza\"", "sshkey /root/.ssh/id_kdump", "sshkey /root/k"));
}

TEST(SuseImport, Destinations) {
  EXPECT_THAT(Suse("KDUMP_SAVEDIR=file:///srv/crash\n"),
              ElementsAre("destination file:///srv/crash"));
  EXPECT_THAT(Suse("KDUMP_SAVEDIR=ssh://kdump@h:23/srv\n"),
              ElementsAre("destination ssh://kdump@h:23/srv"));
  EXPECT_THAT(Suse("KDUMP_SAVEDIR=sftp://kdump@h/srv\n"),
              ElementsAre("destination ssh://kdump@h/srv"));
  EXPECT_THAT(NotImported(ImportSuse, "KDUMP_SAVEDIR=cifs://h/s\n"),
              HasSubstr("SMB is not supported"));
  EXPECT_THAT(NotImported(ImportSuse, "KDUMP_SAVEDIR=var\n"), HasSubstr("write a folder"));
}

TEST(SuseImport, PasswordsAreNotCopied) {
  for (std::string_view text :
       {"KDUMP_SAVEDIR=ssh://u:tiger@h/s\n", "KDUMP_SAVEDIR=ftp://u:tiger@h/s\n"}) {
    EXPECT_THAT(NotImported(ImportSuse, text), Not(HasSubstr("tiger")));
    EXPECT_THAT(ImportSuse("f", text).text, Not(HasSubstr("tiger")));
  }
  EXPECT_THAT(Noted(ImportSuse, "KDUMP_SMTP_PASSWORD=tiger\n"), Not(HasSubstr("tiger")));
}

TEST(SuseImport, OldDumps) {
  EXPECT_THAT(Suse("KDUMP_KEEP_OLD_DUMPS=-1\n"), ElementsAre("keep_count 1"));
  EXPECT_THAT(NotImported(ImportSuse, "KDUMP_KEEP_OLD_DUMPS=-2\n"), HasSubstr("whole number"));
}

TEST(SuseImport, Kernels) {
  EXPECT_THAT(Suse("KDUMP_KERNELVER=/boot/vmlinuz\n"), ElementsAre("kernel_image /boot/vmlinuz"));
}

TEST(SuseImport, Formats) {
  EXPECT_THAT(Suse("KDUMP_DUMPFORMAT=none\n"), ElementsAre("dmesg_only yes"));
  EXPECT_THAT(Suse("KDUMP_DUMPFORMAT=lzo\n"), ElementsAre("compression lzo"));
  EXPECT_THAT(Suse("KDUMP_DUMPFORMAT=raw\n"), ElementsAre("compression none"));
  EXPECT_THAT(Suse("KDUMP_DUMPLEVEL=17\nKDUMP_DUMPFORMAT=ELF\n"),
              ElementsAre("core_collector makedumpfile -E -d 17"));
  EXPECT_THAT(NotImported(ImportSuse, "KDUMP_DUMPFORMAT=zip\n"), HasSubstr("allowed are none"));
  EXPECT_THAT(NotImported(ImportSuse, "KDUMP_DUMPLEVEL=32\n"), HasSubstr("from 0 to 31"));
}

TEST(SuseImport, MakedumpfileOptionsAreOneCommandWithTheRest) {
  EXPECT_THAT(Suse("KDUMP_DUMPLEVEL=17\nKDUMP_DUMPFORMAT=lzo\nMAKEDUMPFILE_OPTIONS=-X\n"),
              ElementsAre("core_collector makedumpfile -X -d 17 -l"));
  EXPECT_THAT(Suse("MAKEDUMPFILE_OPTIONS='--num-threads 2'\n"),
              ElementsAre("level 31", "compression zlib", "threads 2"));
}

TEST(SuseImport, WhatHasNoEquivalent) {
  for (std::string_view text :
       {"KDUMP_FADUMP=true\n", "KDUMP_AUTO_RESIZE=true\n", "KDUMP_NOTIFICATION_TO=a@b\n",
        "KDUMPTOOL_FLAGS=x\n", "KDUMP_VERBOSE=3\n"})
    Noted(ImportSuse, text);
  EXPECT_THAT(NotImported(ImportSuse, "KDUMP_TRANSFER=/bin/x\n"), HasSubstr("no equivalent"));
  EXPECT_THAT(NotImported(ImportSuse, "KDUMP_HOST_KEY='*'\n"), HasSubstr("never trusted"));
  EXPECT_THAT(NotImported(ImportSuse, "KDUMP_HOST_KEY=AAAAB3Nza\n"), HasSubstr("TYPE BASE64"));
  EXPECT_THAT(NotImported(ImportSuse, "KDUMP_NETCONFIG=eth0:dhcp4\n"), HasSubstr("ip="));
  EXPECT_THAT(NotImported(ImportSuse, "KDUMP_POSTSCRIPT='/bin/x -y'\n"), HasSubstr("in a script"));
  EXPECT_THAT(NotImported(ImportSuse, "KDUMP_POSTSCRIPT='/usr/lib/fence_kdump_send a'\n"),
              HasSubstr("fence_kdump_nodes"));
  EXPECT_THAT(NotImported(ImportSuse, "KDUMP_IMMEDIATE_REBOOT=maybe\n"),
              HasSubstr("true or false"));
}

}  // namespace
}  // namespace kdumpkit
