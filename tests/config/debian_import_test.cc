// SPDX-License-Identifier: GPL-2.0-or-later
#include <fstream>
#include <iterator>

#include "tests/config/importing.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> Debian(std::string_view text) { return Imported(ImportDebian, text); }

TEST(DebianImport, AsInstalled) {
  EXPECT_THAT(
      Debian("# kdump-tools configuration\nUSE_KDUMP=1\n"
             "KDUMP_KERNEL=/var/lib/kdump/vmlinuz\nKDUMP_INITRD=/var/lib/kdump/initrd.img\n"
             "KDUMP_COREDIR=\"/var/crash\"\n#KDUMP_NUM_DUMPS=\n#SSH=\"<user at server>\"\n"),
      ElementsAre("path /var/crash"));
}

// Debian's own file, on a machine that has the package.
TEST(DebianImport, FileOfThisMachine) {
  for (const char* path : {"/etc/default/kdump-tools", "/usr/share/kdump-tools/kdump-tools.conf"}) {
    std::ifstream file(path);
    if (!file) continue;
    std::string text{std::istreambuf_iterator<char>(file), {}};
    Import result = ImportDebian(path, text);
    EXPECT_TRUE(Parse(result.text).ok()) << result.text;
    EXPECT_THAT(SettingLines(result.text), testing::Contains(testing::StartsWith("path ")));
    return;
  }
  GTEST_SKIP() << "kdump-tools is not installed";
}

TEST(DebianImport, EverySetting) {
  EXPECT_THAT(Debian(R"(
USE_KDUMP=1
KDUMP_KERNEL=/boot/vmlinuz-kdump
KDUMP_COREDIR="/srv/crash dumps"
KDUMP_FAIL_CMD="reboot -f"
KDUMP_DUMP_DMESG=1
KDUMP_NUM_DUMPS=5
KDUMP_COMPRESSION=none
MAKEDUMP_ARGS="-c -d 17"
KDUMP_KEXEC_ARGS="--args-linux -s"
KDUMP_CMDLINE="root=/dev/vda1 ro"
KDUMP_CMDLINE_APPEND="reset_devices systemd.unit=kdump-tools-dump.service nr_cpus=2 irqpoll"
HOSTTAG=hostname
)"),
              ElementsAre("kernel_image /boot/vmlinuz-kdump", "path \"/srv/crash dumps\"",
                          "failure_action reboot", "keep_count 5", "level 17", "compression zlib",
                          "kexec_args --args-linux -s", "command_line root=/dev/vda1 ro", "cpus 2",
                          "command_line_append reset_devices irqpoll", "host_tag hostname"));
}

TEST(DebianImport, Ssh) {
  EXPECT_THAT(
      Debian("SSH=\"kdump@h\"\nSSH_KEY=/root/k\nSSH_KDUMP_RETRY=16\nKDUMP_COREDIR=/srv\n"),
      ElementsAre("destination ssh://kdump@h/srv", "sshkey /root/k", "network_timeout 48s"));
  EXPECT_THAT(Debian("SSH=h\n"), ElementsAre("destination ssh://root@h/var/crash"));
}

TEST(DebianImport, Nfs) {
  EXPECT_THAT(Debian("NFS=\"h:/export/crash\"\nNFS_TIMEO=\"600\"\nNFS_RETRANS=3\n"
                     "NFS_MOUNT_RETRY=4\nKDUMP_COREDIR=/var/crash\n"),
              ElementsAre("destination nfs://h/export/crash options=timeo=600,retrans=3"));
}

TEST(DebianImport, SeveralServersAreNoted) {
  Import result = ImportDebian("f", "SSH=u@h\nNFS=h:/e\n");
  EXPECT_THAT(SettingLines(result.text),
              ElementsAre("destination ssh://u@h/var/crash", "destination nfs://h/e"));
  EXPECT_THAT(result.text, HasSubstr("here the first one that succeeds"));
}

TEST(DebianImport, LastAssignmentCounts) {
  EXPECT_THAT(Debian("KDUMP_NUM_DUMPS=5\nKDUMP_NUM_DUMPS=7\n"), ElementsAre("keep_count 7"));
  EXPECT_THAT(Debian("KDUMP_NUM_DUMPS=5\nKDUMP_NUM_DUMPS=\n"), IsEmpty());
}

TEST(DebianImport, MakedumpfileWithMore) {
  EXPECT_THAT(Debian("MAKEDUMP_ARGS='-F -E -d 31'\n"),
              ElementsAre("core_collector makedumpfile -E -d 31"));
  EXPECT_THAT(Debian("MAKEDUMP_ARGS='-F -c -d 31 --message-level 1 --num-threads 2'\n"),
              ElementsAre("level 31", "compression zlib", "threads 2", "message_level 1"));
  EXPECT_THAT(NotImported(ImportDebian, "MAKEDUMP_ARGS='-d 99'\n"), HasSubstr("from 0 to 31"));
}

TEST(DebianImport, Notes) {
  EXPECT_THAT(Noted(ImportDebian, "USE_KDUMP=0\n"), HasSubstr("systemctl disable kdump"));
  EXPECT_THAT(Noted(ImportDebian, "KDUMP_DUMP_DMESG=0\n"), HasSubstr("the log is saved always"));
  EXPECT_THAT(Noted(ImportDebian, "KDUMP_COMPRESSION=xz\n"), HasSubstr("compression zstd"));
  EXPECT_THAT(Noted(ImportDebian, "KDUMP_INITRD=/x\n"), HasSubstr("builds the capture image"));
}

TEST(DebianImport, CommandsAreNotTranslated) {
  EXPECT_THAT(
      NotImported(ImportDebian, "KDUMP_FAIL_CMD=\"echo 'FAILED.'; /bin/bash; reboot -f\"\n"),
      HasSubstr("f:1: error: 'KDUMP_FAIL_CMD=echo 'FAILED.'; /bin/bash; reboot -f (line 1)' is not "
                "imported: commands are not run; write failure_action"));
  EXPECT_THAT(
      NotImported(ImportDebian, "\nKDUMP_COREDIR=\"$(mktemp -d)\"\n"),
      HasSubstr("f:2: error: 'KDUMP_COREDIR=\"$(mktemp -d)\"': a command would have to be run"));
}

TEST(DebianImport, BadValuesAreRefused) {
  EXPECT_THAT(NotImported(ImportDebian, "KDUMP_NUM_DUMPS=many\n"), HasSubstr("a whole number"));
  EXPECT_THAT(NotImported(ImportDebian, "HOSTTAG=both\n"), HasSubstr("allowed are ip, hostname"));
  EXPECT_THAT(NotImported(ImportDebian, "SSH=u@-x\n"), HasSubstr("not the name of a host"));
  EXPECT_THAT(NotImported(ImportDebian, "NFS=nothing\n"), HasSubstr("write host:/export"));
  EXPECT_THAT(NotImported(ImportDebian, "FTP=h:/x\n"), HasSubstr("FTP is not supported"));
  EXPECT_THAT(NotImported(ImportDebian, "SSH_KDUMP_RETRY=x\n"), HasSubstr("number of attempts"));
  EXPECT_THAT(NotImported(ImportDebian, "KDUMP_COREDIR='/a\nb'\n"),
              HasSubstr("control characters"));
  EXPECT_THAT(NotImported(ImportDebian, "KDUMP_CMDLINE='a \"b'\n"), HasSubstr("is not closed"));
}

TEST(DebianImport, UnknownVariablesAreRefused) {
  EXPECT_EQ(NotImported(ImportDebian, "KDUMP_NUM_DUMP=5\n"),
            "f:1: error: 'KDUMP_NUM_DUMP=5 (line 1)' is not imported: it is no variable of this "
            "distribution; did you mean 'KDUMP_NUM_DUMPS'?");
  EXPECT_THAT(NotImported(ImportDebian, "FOO=5\n"), HasSubstr("is it the right file?"));
}

// Two variables for one directive.
TEST(DebianImport, SecondSettingIsRefused) {
  EXPECT_THAT(
      NotImported(ImportDebian, "KDUMP_CMDLINE='a nr_cpus=1'\nKDUMP_CMDLINE_APPEND='nr_cpus=2'\n"),
      HasSubstr("'cpus' stands in line"));
}

TEST(DebianImport, PasswordsAreNotCopied) {
  Import result = ImportDebian("f", "FTP=h:/x\nFTP_USER=u\nFTP_PASSWORD=tiger\n");
  EXPECT_THAT(result.text, Not(HasSubstr("tiger")));
  EXPECT_THAT(result.text, HasSubstr("# FTP_PASSWORD (line 3): FTP is not supported"));
  for (const Problem& problem : result.problems)
    EXPECT_THAT(FormatProblem(problem), Not(HasSubstr("tiger")));
}

}  // namespace
}  // namespace kdumpkit
