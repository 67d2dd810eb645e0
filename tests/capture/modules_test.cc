// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/modules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/capture/fake_system.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ModuleName, IsSpelledAsTheKernelDoes) {
  EXPECT_EQ(ModuleName("/lib/modules/6.1/kernel/drivers/virtio-blk.ko"), "virtio_blk");
  EXPECT_EQ(ModuleName("ext4.ko.xz"), "ext4");
}

TEST(ModuleParameters, OfThatModuleOnly) {
  EXPECT_EQ(ModuleParameters("ahci", "quiet ahci.mode=1 xahci.mode=2 libata.force=3"), "mode=1");
}
TEST(ModuleParameters, SeveralAndFlags) {
  EXPECT_EQ(ModuleParameters("a_b", "a-b.x=1 a_b.flag"), "x=1 flag");
}
TEST(ModuleParameters, BlanksAreQuoted) {
  EXPECT_EQ(ModuleParameters("m", "m.text=\"two words\""), "\"text=two words\"");
}
TEST(ModuleParameters, DotInAValueIsNoModule) {
  EXPECT_EQ(ModuleParameters("root", "root=nfs.example"), "");
}

class ModulesTest : public testing::Test {
 protected:
  size_t Load(std::string_view command_line = "") {
    return LoadListedModules(root_, command_line, system_, log_);
  }
  TempDir dir_;
  RootDir root_ = *RootDir::Open(dir_.path());
  FakeSystem system_;
  FakeConsole console_{dir_.File("console")};
  CaptureLog log_{console_.fd(), [this] { return system_.Uptime(); }};
};

TEST_F(ModulesTest, NoListLoadsNothing) {
  EXPECT_EQ(Load(), 0u);
  EXPECT_EQ(console_.text(), "");
}
TEST_F(ModulesTest, LoadsInOrderWithParameters) {
  dir_.Write("etc/kdumpkit/modules", "/m/virtio.ko\n/m/virtio-blk.ko\n");
  EXPECT_EQ(Load("virtio_blk.queues=1"), 2u);
  EXPECT_THAT(system_.calls,
              ElementsAre(fmt::format("module {} ", dir_.File("m/virtio.ko")),
                          fmt::format("module {} queues=1", dir_.File("m/virtio-blk.ko"))));
}
TEST_F(ModulesTest, FailedModuleIsReportedAndSkipped) {
  dir_.Write("etc/kdumpkit/modules", "/m/a.ko\n/m/b.ko");
  system_.module_errors[dir_.File("m/a.ko")] = ENOEXEC;
  EXPECT_EQ(Load(), 1u);
  EXPECT_THAT(console_.text(), HasSubstr("a.ko': Exec format error, ignoring"));
  EXPECT_EQ(system_.CallsOf("module").size(), 2u);
}

}  // namespace
}  // namespace kdumpkit
