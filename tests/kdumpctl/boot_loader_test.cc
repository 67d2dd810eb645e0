// SPDX-License-Identifier: GPL-2.0-or-later
// reset-crashkernel, on the configuration that each boot loader and distribution has.
#include "kdumpctl/boot_loader.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/kdumpctl/kdumpctl_fixture.h"
#include "tests/kdumpctl/live_fixture.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kEntryA[] = "boot/loader/entries/0123-6.1.0.conf";
constexpr char kEntryB[] = "boot/loader/entries/0123-6.2.0.conf";

class BootLoader : public KdumpctlFixture {
 protected:
  int Reset(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "reset-crashkernel");
    Capture out;
    Capture err;
    Result<RootDir> root = RootDir::Open(dir_.path());
    int status = RunKdumpctl(arguments, *root, system_, out.file(), err.file());
    out_ = out.text();
    err_ = err.text();
    return status;
  }
  void Program(const std::string& name, int status = 0, const std::string& err = "") {
    system_.paths[name] = "/usr/sbin/" + name;
    system_.programs[name] = [status, err](const std::vector<std::string>&) {
      return ProgramResult{{.status = status}, "", err};
    };
  }
  std::string Text(const std::string& path) {
    return RootDir::Open(dir_.path())->ReadText(path).value_or("(none)");
  }
  void Debian() {
    dir_.Write("boot/grub/grub.cfg", "");
    dir_.Write("etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n");
    dir_.Write("etc/default/grub.d/x.cfg", "");
    Program("update-grub");
  }
  void Entries(const std::string& options = "root=UUID=a ro") {
    dir_.Write(kEntryA, "title A\nversion 6.1.0\nlinux /vmlinuz-6.1.0\noptions " + options + "\n");
    dir_.Write(kEntryB, "title B\nversion 6.2.0\nlinux /vmlinuz-6.2.0\noptions " + options + "\n");
  }

  FakeLiveSystem system_;
};

TEST_F(BootLoader, Debian) {
  Debian();
  EXPECT_EQ(Reset({"128M"}), kExitOk);
  EXPECT_THAT(Text("etc/default/grub.d/kdumpkit.cfg"),
              HasSubstr("\"$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=128M\"\n"));
  EXPECT_EQ(Text("etc/default/grub"), "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n");
  EXPECT_THAT(system_.runs, ElementsAre("update-grub"));
  EXPECT_THAT(out_, HasSubstr("create '/etc/default/grub.d/kdumpkit.cfg'\n"));
  EXPECT_THAT(out_, HasSubstr("crashkernel=128M holds from the next boot on\n"));
  EXPECT_EQ(Reset({"128M"}), kExitOk);
  EXPECT_EQ(out_, "crashkernel=128M is configured already\n");
  EXPECT_EQ(system_.runs.size(), 1u);
}

TEST_F(BootLoader, DebianWithValuesOfOthers) {
  Debian();
  dir_.Write("etc/default/grub.d/kdump-tools.cfg",
             "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=384M-:128M\"\n");
  dir_.Write("etc/default/grub.d/zz.cfg", "GRUB_CMDLINE_LINUX=\"crashkernel=1G\"\n");
  EXPECT_EQ(Reset({"128M", "--dry-run"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("would create '/etc/default/grub.d/kdumpkit.cfg'\n"));
  EXPECT_THAT(out_, HasSubstr("would run 'update-grub'\n"));
  EXPECT_THAT(out_, HasSubstr("'/etc/default/grub.d/kdump-tools.cfg' has crashkernel=384M-:128M, "
                              "too; the one of kdumpkit is read later"));
  EXPECT_THAT(out_, HasSubstr("'/etc/default/grub.d/zz.cfg' has crashkernel=1G, too; it is read "
                              "later and counts; remove it"));
  EXPECT_EQ(Text("etc/default/grub.d/kdumpkit.cfg"), "(none)");
  EXPECT_THAT(system_.runs, IsEmpty());
}

TEST_F(BootLoader, DebianHasNoEntriesToChoose) {
  Debian();
  EXPECT_EQ(Reset({"128M", "--kernel=DEFAULT"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("use --kernel=ALL"));
}

TEST_F(BootLoader, FedoraWithEntries) {
  dir_.Write("etc/default/grub", "GRUB_CMDLINE_LINUX=\"rhgb crashkernel=1G\"\n");
  dir_.Write("boot/grub2/grub.cfg", "");
  dir_.Write("etc/kernel/cmdline", "root=UUID=a ro\n");
  Entries("root=UUID=a ro $tuned_params");
  Program("grubby");
  EXPECT_EQ(Reset({"256M"}), kExitOk);
  EXPECT_EQ(Text("etc/default/grub"), "GRUB_CMDLINE_LINUX=\"rhgb crashkernel=256M\"\n");
  EXPECT_EQ(Text("etc/kernel/cmdline"), "root=UUID=a ro crashkernel=256M\n");
  EXPECT_THAT(Text(kEntryA), HasSubstr("options root=UUID=a ro $tuned_params crashkernel=256M\n"));
  EXPECT_THAT(Text(kEntryB), HasSubstr("crashkernel=256M\n"));
  EXPECT_THAT(system_.runs, IsEmpty());
}

TEST_F(BootLoader, FedoraOneKernel) {
  Entries();
  for (const char* kernel : {"/boot/vmlinuz-6.2.0", "/vmlinuz-6.2.0", "6.2.0"}) {
    Entries();
    EXPECT_EQ(Reset({std::string("--kernel=") + kernel, "256M"}), kExitOk) << err_;
    EXPECT_THAT(Text(kEntryA), testing::Not(HasSubstr("crashkernel"))) << kernel;
    EXPECT_THAT(Text(kEntryB), HasSubstr("crashkernel=256M\n")) << kernel;
  }
  EXPECT_EQ(Reset({"--kernel=6.3.0", "256M"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("no entry of the boot loader is for the kernel '6.3.0'"));
}

TEST_F(BootLoader, DefaultEntry) {
  Entries();
  EXPECT_EQ(Reset({"--kernel=DEFAULT", "256M"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("cannot be told"));
  dir_.Write("boot/grub2/grubenv", "# GRUB Environment Block\nsaved_entry=0123-6.1.0\n####");
  EXPECT_EQ(Reset({"--kernel=DEFAULT", "256M"}), kExitOk) << err_;
  EXPECT_THAT(Text(kEntryA), HasSubstr("crashkernel=256M\n"));
  EXPECT_THAT(Text(kEntryB), testing::Not(HasSubstr("crashkernel")));
}

TEST_F(BootLoader, EntriesOfGrubby) {
  Entries("$kernelopts");
  dir_.Write("boot/vmlinuz-6.1.0", "");
  Program("grubby");
  EXPECT_EQ(Reset({"512M,high", "72M,low"}), kExitOk);
  EXPECT_THAT(system_.runs,
              ElementsAre("grubby --update-kernel=/boot/vmlinuz-6.1.0 --remove-args=crashkernel "
                          "--args=crashkernel=512M,high crashkernel=72M,low",
                          HasSubstr("--update-kernel=/vmlinuz-6.2.0")));
  EXPECT_THAT(Text(kEntryA), HasSubstr("options $kernelopts\n"));
}

TEST_F(BootLoader, GrubWithoutEntries) {
  dir_.Write("etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"a\"\nGRUB_CMDLINE_LINUX=\"\"\n");
  dir_.Write("boot/grub2/grub.cfg", "");
  Program("grub2-mkconfig", 1, "one\nno disk\n");
  EXPECT_EQ(Reset({"256M"}), kExitFailed);
  EXPECT_THAT(Text("etc/default/grub"), HasSubstr("GRUB_CMDLINE_LINUX=\"crashkernel=256M\"\n"));
  EXPECT_THAT(system_.runs, ElementsAre("grub2-mkconfig -o /boot/grub2/grub.cfg"));
  EXPECT_THAT(err_, HasSubstr("'grub2-mkconfig -o /boot/grub2/grub.cfg': exit status 1: no disk; "
                              "the files are changed, run it again by hand"));
}

TEST_F(BootLoader, SystemdBoot) {
  dir_.Write("efi/loader/entries/a.conf", "title A\nlinux /a/linux\noptions ro\n");
  dir_.Write("efi/loader/loader.conf", "timeout 3\ndefault a*\n");
  dir_.Write("etc/kernel/cmdline", "ro\n");
  EXPECT_EQ(Reset({"256M"}), kExitOk);
  EXPECT_THAT(Text("efi/loader/entries/a.conf"), HasSubstr("options ro crashkernel=256M\n"));
  EXPECT_EQ(Text("etc/kernel/cmdline"), "ro crashkernel=256M\n");
  EXPECT_EQ(Reset({"--kernel=DEFAULT", "128M"}), kExitOk);
  EXPECT_THAT(Text("efi/loader/entries/a.conf"), HasSubstr("crashkernel=128M\n"));
  EXPECT_EQ(Text("etc/kernel/cmdline"), "ro crashkernel=256M\n");
}

TEST_F(BootLoader, UnifiedImages) {
  dir_.Write("etc/kernel/cmdline", "ro\n");
  dir_.Write("efi/EFI/Linux/0123-6.1.0.efi", "");
  dir_.Write("usr/lib/modules/6.1.0/vmlinuz", "");
  EXPECT_EQ(Reset({"256M", "--dry-run"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("'/efi/EFI/Linux/0123-6.1.0.efi' has its command line inside"));
  Program("kernel-install");
  EXPECT_EQ(Reset({"256M"}), kExitOk);
  EXPECT_THAT(system_.runs, ElementsAre("kernel-install add 6.1.0 /usr/lib/modules/6.1.0/vmlinuz"));
}

TEST_F(BootLoader, Zipl) {
  Entries();
  dir_.Write("etc/zipl.conf", "");
  Program("zipl");
  EXPECT_EQ(Reset({"256M"}), kExitOk);
  EXPECT_THAT(system_.runs, ElementsAre("zipl"));
}

TEST_F(BootLoader, NoneIsKnown) {
  EXPECT_EQ(Reset({"256M"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("put crashkernel=256M on the kernel's command line by hand"));
}

TEST_F(BootLoader, FilesKeepTheirPermissionsAndLinks) {
  dir_.Write("etc/real-cmdline", "ro\n");
  std::filesystem::create_directories(dir_.File("etc/kernel"));
  std::filesystem::create_symlink("../real-cmdline", dir_.File("etc/kernel/cmdline"));
  ASSERT_EQ(chmod(dir_.File("etc/real-cmdline").c_str(), 0640), 0);
  EXPECT_EQ(Reset({"256M"}), kExitOk);
  EXPECT_EQ(Text("etc/real-cmdline"), "ro crashkernel=256M\n");
  EXPECT_TRUE(std::filesystem::is_symlink(dir_.File("etc/kernel/cmdline")));
  struct stat info = {};
  ASSERT_EQ(stat(dir_.File("etc/real-cmdline").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
}

TEST_F(BootLoader, BadValues) {
  Debian();
  EXPECT_EQ(Reset({"256M\"; rm -rf /"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("values of crashkernel= are wanted"));
  EXPECT_EQ(Text("etc/default/grub.d/kdumpkit.cfg"), "(none)");
}

TEST_F(BootLoader, ValueOfTheConfiguration) {
  Debian();
  dir_.Write("etc/kdump.conf", "crashkernel 333M\n");
  EXPECT_EQ(Reset({}), kExitOk);
  EXPECT_THAT(Text("etc/default/grub.d/kdumpkit.cfg"), HasSubstr("crashkernel=333M"));
}

TEST_F(BootLoader, AfterAnUpdateOnlyOurOwnValuesAreChanged) {
  Entries("ro crashkernel=777M");
  EXPECT_EQ(Reset({"--after-update", "256M"}), kExitOk);
  EXPECT_EQ(out_, "nothing is changed: crashkernel=777M was not set by kdumpctl\n");
  EXPECT_THAT(Text(kEntryA), HasSubstr("crashkernel=777M"));
  EXPECT_EQ(Reset({"128M"}), kExitOk);  // asked for
  EXPECT_EQ(Reset({"--after-update", "256M"}), kExitOk);
  EXPECT_THAT(Text(kEntryA), HasSubstr("crashkernel=256M"));
  dir_.Write("etc/kdump.conf", "auto_reset_crashkernel no\n");
  EXPECT_EQ(Reset({"--after-update", "64M"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("auto_reset_crashkernel is 'no'"));
  Entries("ro");
  dir_.Write("etc/kdump.conf", "");
  EXPECT_EQ(Reset({"--after-update", "64M"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("no crashkernel= is configured"));
}

TEST_F(BootLoader, Json) {
  Debian();
  EXPECT_EQ(Reset({"--json", "--dry-run", "256M"}), kExitOk);
  nlohmann::json json = nlohmann::json::parse(out_, nullptr, false);
  EXPECT_EQ(json["values"], nlohmann::json({"256M"}));
  EXPECT_EQ(json["files"][0]["path"], "/etc/default/grub.d/kdumpkit.cfg");
  EXPECT_EQ(json["files"][0]["created"], true);
  EXPECT_EQ(json["commands"][0][0], "update-grub");
}

}  // namespace
}  // namespace kdumpkit
