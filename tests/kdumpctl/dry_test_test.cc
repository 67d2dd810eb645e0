// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/dry_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "kdumpctl/json_read.h"
#include "tests/kdumpctl/live_fixture.h"

namespace kdumpkit {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::ordered_json;

constexpr const char kReport[] = "/run/kdump/dry-report";

class DryTestTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "root only";
    system_.paths = {{"kdump-capture", "/bin/true"}, {"kdump-filter", "/bin/true"}};
    machine_.Folder("/var/crash");
    manifest_ = {{"format", 1},
                 {"outcome", "complete"},
                 {"reason", ""},
                 {"files",
                  {{{"name", "vmcore-dmesg.txt"}, {"size", 99}, {"verified", "yes"}},
                   {{"name", "vmcore"}, {"size", 2000}, {"verified", "sample"}}}},
                 {"destinations", {{{"uri", "UUID=r00t:/var/crash"}, {"outcome", "used"}}}}};
    system_.apart = [this](const ApartProgram& program) {
      ++runs_;
      program_ = program;
      program.show("kdump: half a ");
      program.show("line\nanother\n");
      machine_.Write(kReport, manifest_.dump());
      return end_;
    };
  }
  int Run(const std::vector<std::string>& arguments) {
    char* texts[2] = {};
    size_t sizes[2] = {};
    std::FILE* out = open_memstream(&texts[0], &sizes[0]);
    std::FILE* err = open_memstream(&texts[1], &sizes[1]);
    int status = RunKdumpctl(arguments, machine_.root(), system_, out, err);
    std::fclose(out);
    std::fclose(err);
    out_ = texts[0];
    std::free(texts[0]);
    std::free(texts[1]);
    return status;
  }

  Machine machine_;
  FakeLiveSystem system_;
  Json manifest_;
  ExitState end_;
  ApartProgram program_;
  int runs_ = 0;
  std::string out_;
};

TEST_F(DryTestTest, TellsEachStep) {
  ASSERT_EQ(Run({"rebuild"}), kExitOk);
  EXPECT_EQ(Run({"test", "--dry"}), kExitOk);
  EXPECT_THAT(program_.argv, ElementsAre("/init"));
  EXPECT_THAT(out_, HasSubstr("image: '/var/lib/kdump/initramfs-6.1.0-test.img'"));
  EXPECT_THAT(out_, HasSubstr("destination: UUID=r00t:/var/crash, which is '/var/crash' here"));
  EXPECT_THAT(out_, HasSubstr("    kdump: half a line\n    another\n"));
  EXPECT_THAT(out_, HasSubstr("capture: came to its end"));
  EXPECT_THAT(out_, HasSubstr("at UUID=r00t:/var/crash: complete, 'vmcore-dmesg.txt' of 99 bytes, "
                              "read back and verified, 'vmcore' of 2.0 KiB, read back"));
  EXPECT_THAT(out_, AllOf(HasSubstr("the dump arrived and is whole"), HasSubstr("not tested: "),
                          Not(HasSubstr("FAILED"))));
  EXPECT_FALSE(std::filesystem::exists(machine_.File(kReport)));
  EXPECT_EQ(machine_.Read("/sys/kernel/kexec_crash_loaded"), "0\n");
}

TEST_F(DryTestTest, ExitStatusIsZeroForAVerifiedDumpOnly) {
  const struct {
    const char* what;
    std::function<void()> change;
  } kCases[] = {
      {"partial", [&] { manifest_["outcome"] = "partial"; }},
      {"log only", [&] { manifest_["outcome"] = "dmesg-only"; }},
      {"not verified", [&] { manifest_["files"][1]["verified"] = "no"; }},
      {"nowhere", [&] { manifest_["destinations"][0]["outcome"] = "failed"; }},
      {"no manifest", [&] { manifest_ = nullptr; }},
      {"no success", [&] { end_.status = 1; }},
      {"killed", [&] { end_ = {.status = 0, .signal = 9, .timed_out = true}; }},
      {"no namespaces", [&] { system_.apart = nullptr; }},
  };
  ASSERT_EQ(Run({"rebuild"}), kExitOk);
  for (const auto& row : kCases) {
    SetUp();
    end_ = {};
    row.change();
    EXPECT_EQ(Run({"test", "--dry", "--json"}), kExitFailed) << row.what;
    Json json = Json::parse(out_);
    EXPECT_EQ(json["ok"], false) << row.what;
    EXPECT_THAT(json["steps"].dump(), HasSubstr("\"ok\":false")) << row.what;
  }
}

TEST_F(DryTestTest, AnEarlierDestinationThatFailedIsTold) {
  ASSERT_EQ(Run({"rebuild"}), kExitOk);
  Json failed = {{"uri", "ssh://a/b"}, {"outcome", "failed"}, {"reason", "no route"}};
  manifest_["destinations"] = Json::array({failed, manifest_["destinations"][0]});
  EXPECT_EQ(Run({"test", "--dry"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("FAILED  destination: ssh://a/b: no route\n"));
}

TEST_F(DryTestTest, OnlyTheImageThatACrashWouldMeet) {
  EXPECT_EQ(Run({"test", "--dry"}), kExitFailed);
  EXPECT_THAT(out_, HasSubstr("there is no capture image yet"));
  ASSERT_EQ(Run({"rebuild"}), kExitOk);
  machine_.Write("/etc/kdump.conf", "level 17\n");
  EXPECT_EQ(Run({"test", "--dry"}), kExitFailed);
  EXPECT_THAT(out_, HasSubstr("the capture image is stale ('/etc/kdump.conf' in it"));
  EXPECT_EQ(runs_, 0);
}

TEST_F(DryTestTest, KeepIsForDryRuns) { EXPECT_EQ(Run({"test", "--keep"}), kExitUsage); }

}  // namespace
}  // namespace kdumpkit
