// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/capture/fake_system.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class HooksTest : public testing::Test {
 protected:
  void Add(const std::string& path, const std::string& body, mode_t mode = 0755) {
    std::string file = dir_.Write("root" + path, "#!/bin/sh\n" + body + "\n");
    CHECK(chmod(file.c_str(), mode) == 0);
  }
  std::vector<HookRun> Run(HookKind kind, const std::string& configured, int status = 0,
                           seconds limit = seconds(60)) {
    RootDir root = RootDir::Open(dir_.File("root")).value();
    return RunHooks(kind, configured, root, {"KDUMP_STATUS=saved", "KDUMP_FILE=/a b"}, status,
                    limit, log_, watchdog_);
  }
  std::vector<std::string> Order(HookKind kind, const std::string& configured) {
    std::vector<std::string> names;
    for (const HookRun& run : Run(kind, configured)) names.push_back(run.program);
    return names;
  }

  TempDir dir_;
  std::string keep_ = dir_.Write("root/keep", "");
  FakeConsole console_{dir_.File("console")};
  CaptureLog log_{console_.fd(), [] { return milliseconds(0); }};
  Watchdog watchdog_{[](const std::string&) {}};
};

TEST_F(HooksTest, NoneAtAll) { EXPECT_THAT(Run(HookKind::kPre, ""), IsEmpty()); }

// As Fedora has it: the configured one is outermost.
TEST_F(HooksTest, Order) {
  Add("/usr/bin/mine", "exit 0");
  for (const char* folder : {"pre.d", "post.d", "emergency.d"})
    for (const char* name : {"20-b", "10-a"})
      Add(std::string("/etc/kdump/") + folder + "/" + name, "exit 0");
  EXPECT_THAT(Order(HookKind::kPre, "/usr/bin/mine"),
              ElementsAre("/usr/bin/mine", "/etc/kdump/pre.d/10-a", "/etc/kdump/pre.d/20-b"));
  EXPECT_THAT(Order(HookKind::kPost, "/usr/bin/mine"),
              ElementsAre("/etc/kdump/post.d/10-a", "/etc/kdump/post.d/20-b", "/usr/bin/mine"));
  EXPECT_THAT(
      Order(HookKind::kEmergency, "/usr/bin/mine"),
      ElementsAre("/etc/kdump/emergency.d/10-a", "/etc/kdump/emergency.d/20-b", "/usr/bin/mine"));
}

TEST_F(HooksTest, WhatIsNoProgramIsPassedOver) {
  Add("/etc/kdump/pre.d/README", "exit 1", 0644);
  Add("/etc/kdump/pre.d/folder/x", "exit 1");
  Add("/etc/kdump/pre.d/real", "exit 0");
  ASSERT_EQ(symlink("real", dir_.File("root/etc/kdump/pre.d/zlink").c_str()), 0);
  EXPECT_THAT(Order(HookKind::kPre, ""),
              ElementsAre("/etc/kdump/pre.d/real", "/etc/kdump/pre.d/zlink"));
}

TEST_F(HooksTest, ArgumentsEnvironmentAndOutput) {
  Add("/hook", "echo \"$# [$1] $KDUMP_STATUS $KDUMP_FILE $PATH\"; echo error >&2");
  Run(HookKind::kPost, "/hook", 3);
  EXPECT_THAT(console_.text(), HasSubstr("running: /hook\n1 [3] saved /a b /"));
  EXPECT_THAT(console_.text(), HasSubstr("\nerror\n"));
  Run(HookKind::kPre, "/hook");
  EXPECT_THAT(console_.text(), HasSubstr("\n0 [] saved /a b"));
  Run(HookKind::kEmergency, "/hook", 1);
  EXPECT_THAT(console_.text(), Not(HasSubstr("[1]")));
}

TEST_F(HooksTest, OneThatFailsDoesNotStopTheOthers) {
  Add("/mine", "exit 7");
  Add("/etc/kdump/pre.d/a", "kill -9 $$");
  Add("/etc/kdump/pre.d/b", "echo still here");
  std::vector<HookRun> runs = Run(HookKind::kPre, "/mine");
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[0].failure, "exit status 7");
  EXPECT_EQ(runs[1].failure, "killed by signal 9 (Killed)");
  EXPECT_EQ(runs[2].failure, "");
  EXPECT_TRUE(console_.Shows("still here"));
  EXPECT_TRUE(console_.Shows("hook '/mine' failed: exit status 7"));
}

TEST_F(HooksTest, MissingProgram) {
  std::vector<HookRun> runs = Run(HookKind::kPre, "/none");
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_THAT(runs[0].failure, HasSubstr("No such file or directory"));
}

TEST_F(HooksTest, OneThatHangsIsKilled) {
  Add("/mine", "sleep 1000 & sleep 1000");
  std::vector<HookRun> runs = Run(HookKind::kPre, "/mine", 0, seconds(1));
  EXPECT_EQ(runs[0].failure, "timed out and was killed");
}

}  // namespace
}  // namespace kdumpkit
