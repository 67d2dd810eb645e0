// SPDX-License-Identifier: GPL-2.0-or-later
// A dry run for real, of the programs that were just built: namespaces, mounts and all. The
// destination is a temporary folder that stands for what an NFS server exports.
#include "kdumpctl/dry_root.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "initramfs/image.h"
#include "initramfs/newc.h"
#include "kdumpctl/json_read.h"
#include "kdumpctl/live_system.h"
#include "kdumpctl/synthetic_vmcore.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Json = nlohmann::ordered_json;

bool NamespacesWork() {
  pid_t child = fork();
  if (child == 0) _exit(unshare(CLONE_NEWNS | CLONE_NEWPID) == 0 ? 0 : 1);
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename());
  return names;
}

class DryRootTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("KDUMP_CAPTURE") == nullptr) GTEST_SKIP() << "KDUMP_CAPTURE is not set";
    if (!NamespacesWork()) GTEST_SKIP() << "no namespaces here (not root?)";
    fs::create_directories(dir_.File("base"));
    fs::create_directories(dir_.File("export/dumps"));
    dir_.Write("report", "");
    plan_.run.places = {{"server:/export", "/dumps"}};
    plan_.folders = {dir_.File("export/dumps")};
    plan_.report = dir_.File("report");
    plan_.command_line = "kdump.test-id=7 quiet";
    plan_.vmcore = SyntheticVmcore("the last line");
  }

  void PutImage(const std::string& config) {
    ImagePlan image;
    image.programs = {{std::getenv("KDUMP_CAPTURE"), "/init"},
                      {std::getenv("KDUMP_FILTER"), "/usr/bin/kdump-filter"}};
    image.texts = {{"/etc/kdump.conf", config}, {"/etc/hosts", "192.0.2.1 server\n"}};
    Result<ImageContent> content = CollectImage(image);
    ASSERT_TRUE(content) << content.error().message();
    plan_.image = *CompressImage(*WriteNewc(content->tree), ImageCompression::kZstd);
  }

  ExitState Run(const std::vector<std::string>& argv = {"/init"}) {
    ApartProgram program;
    program.argv = argv;
    // LeakSanitizer, in a build with it, wants all of /proc, which the dry run does not have.
    program.environment = {"HOME=/", "ASAN_OPTIONS=detect_leaks=0"};
    program.prepare = [this] { return EnterDryRoot(plan_, dir_.File("base")); };
    program.show = [this](std::string_view text) { said_ += text; };
    Result<ExitState> end = MakeLiveSystem()->RunApart(program, std::chrono::seconds(60));
    EXPECT_TRUE(end) << end.error().message();
    return end.value_or(ExitState{.status = -1});
  }
  Json Report() {
    return Json::parse(RootDir::Open(dir_.path())->ReadText("/report").value_or(""));
  }

  TempDir dir_;
  DryRoot plan_;
  std::string said_;
};

constexpr const char kConfig[] = "nfs server:/export\npath /dumps\n";

TEST_F(DryRootTest, TheDumpArrivesAndIsRemovedAgain) {
  PutImage(kConfig);
  EXPECT_TRUE(Run().ok()) << said_;
  EXPECT_THAT(said_, HasSubstr("kdump: dump saved: server:/export:/dumps/kdump-test-7/vmcore"));
  EXPECT_THAT(said_, HasSubstr("the test's folder is removed again"));
  EXPECT_THAT(said_, Not(HasSubstr("rebooting")));
  Json report = Report();
  EXPECT_EQ(report["outcome"], "complete");
  EXPECT_EQ(report["panic"], "no panic, a test by kdumpctl");
  EXPECT_EQ(report["files"][1]["verified"], "sample");
  EXPECT_THAT(NamesIn(dir_.File("export/dumps")), IsEmpty());
  // Nothing is mounted here, and nothing was unpacked outside.
  EXPECT_THAT(NamesIn(dir_.File("base")), IsEmpty());
}

TEST_F(DryRootTest, KeptWhereAskedFor) {
  PutImage(kConfig);
  plan_.run.keep = true;
  EXPECT_TRUE(Run().ok()) << said_;
  ASSERT_THAT(NamesIn(dir_.File("export/dumps")), ElementsAre("kdump-test-7"));
  std::string folder = dir_.File("export/dumps/kdump-test-7");
  EXPECT_EQ(fs::file_size(folder + "/vmcore"), Report()["files"][1]["size"]);
  EXPECT_TRUE(fs::exists(folder + "/manifest.json"));
}

// What would do harm to a running machine.
TEST_F(DryRootTest, NothingElseIsTouched) {
  PutImage(std::string(kConfig) + "kdump_pre /bin/hook\nfinal_action reboot\n");
  plan_.run.places.clear();
  plan_.folders.clear();
  RootDir live = *RootDir::Open();
  std::optional<std::string> panic = live.ReadLine("/proc/sys/kernel/panic");
  std::optional<std::string> mounts = live.ReadLine("/proc/self/mountinfo");
  plan_.run.places = {{"other:/export", "/"}};
  plan_.folders = {dir_.File("export/dumps")};
  plan_.command_line += " kdump.dest=raw:/dev/none kdump.timeout=0";
  EXPECT_EQ(Run().status, 1) << said_;
  EXPECT_THAT(said_, Not(HasSubstr("running: /bin/hook")));
  EXPECT_THAT(said_, HasSubstr("hook '/bin/hook' is not in the image"));
  EXPECT_THAT(NamesIn(dir_.File("export/dumps")), IsEmpty());
  EXPECT_EQ(live.ReadLine("/proc/sys/kernel/panic"), panic);
  EXPECT_EQ(live.ReadLine("/proc/self/mountinfo"), mounts);
}

TEST_F(DryRootTest, AnotherDiskIsNotMounted) {
  fs::path disk;
  for (const std::string& name : RootDir::Open()->List("/sys/class/block"))
    if (disk.empty()) disk = "/dev/" + name;
  if (disk.empty()) GTEST_SKIP() << "no block device here";
  PutImage("");
  plan_.command_line += " kdump.dest=" + disk.string() + " kdump.fstype=ext4 kdump.timeout=0";
  EXPECT_EQ(Run().status, 1) << said_;
  EXPECT_THAT(NamesIn(dir_.File("export/dumps")), IsEmpty());
}

TEST_F(DryRootTest, FailuresAreTold) {
  plan_.image = {};
  EXPECT_EQ(Run().status, 126);
  EXPECT_THAT(said_, HasSubstr("the image cannot be unpacked: there is no file in it"));
  said_.clear();
  PutImage(kConfig);
  EXPECT_EQ(Run({"/none"}).status, 127);
  EXPECT_THAT(said_, HasSubstr("cannot run '/none'"));
}

TEST_F(DryRootTest, OneThatHangsIsKilled) {
  ApartProgram program;
  program.prepare = []() -> Status {
    for (;;) pause();
  };
  program.argv = {"/init"};
  program.show = [](std::string_view) {};
  Result<ExitState> end = MakeLiveSystem()->RunApart(program, std::chrono::milliseconds(200));
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->timed_out);
}

}  // namespace
}  // namespace kdumpkit
