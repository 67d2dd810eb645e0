// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/ssh_target.h"

#include <gmock/gmock.h>

#include "capture/dump.h"
#include "tests/capture/capture_fixture.h"
#include "tests/capture/stub_ssh.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SshTargetTest : public CaptureFixture {
 protected:
  Result<std::unique_ptr<Target>> Open(const std::string& path = "dumps") {
    return SshTarget::Open(ssh_.access(), path, std::chrono::seconds(10), context_);
  }
  std::unique_ptr<Target> Opened() {
    std::unique_ptr<Target> target = std::move(*Open());
    CHECK(target->MakeFolder("d").has_value());
    return target;
  }
  bool Has(const std::string& name) { return Exists("server/dumps/d/" + name); }

  StubSsh ssh_{dir_};
};

TEST_F(SshTargetTest, AccessFollowsTheConfiguration) {
  config_.ssh_identities = {"/a", "/b"};
  config_.ssh_host_keys = {"ssh-ed25519 AAAA"};
  Destination destination{.user = "u", .host = "h", .port = 22};
  SshAccess access = SshTarget::AccessOf(destination, config_);
  EXPECT_EQ(access.Describe(), "ssh://u@h:22");
  EXPECT_THAT(access.identities, ElementsAre("/a", "/b"));
  EXPECT_THAT(access.host_keys, ElementsAre("ssh-ed25519 AAAA"));
  EXPECT_EQ(access.connect_timeout, config_.connect_timeout);
}
TEST_F(SshTargetTest, SaysWhereThingsAre) {
  EXPECT_EQ(Opened()->Describe("vmcore.flat"), "ssh://kdump@server/~/dumps/d/vmcore.flat");
  std::unique_ptr<Target> target = std::move(*Open("/srv/x"));
  EXPECT_EQ(target->Describe(""), "ssh://kdump@server/srv/x/");
}
TEST_F(SshTargetTest, FolderThatIsThereIsLeftAlone) {
  Opened();
  std::unique_ptr<Target> second = Opened();
  EXPECT_THAT(second->Describe(""), HasSubstr("/d-2/"));
  EXPECT_THAT(second->DumpNames(), ElementsAre("d", "d-2"));
}
TEST_F(SshTargetTest, KnowsTheRoom) { EXPECT_GT(Opened()->Room()->value_or(0), 0u); }
TEST_F(SshTargetTest, FileIsVerifiedAndNamed) {
  std::unique_ptr<Target> target = Opened();
  Result<StoredFile> file = StoreText(*target, "one", std::string(300'000, 'x'));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->verified, Verified::kYes);
  EXPECT_EQ(ssh_.Contents("dumps/d/one").size(), 300'000u);
  EXPECT_FALSE(Has("one-incomplete"));
}
TEST_F(SshTargetTest, DamageOnTheWayIsSeen) {
  std::unique_ptr<Target> target = Opened();
  ASSERT_TRUE(target->Begin("one"));
  ASSERT_TRUE(target->Write(AsBytes("abc")));
  Result<Verified> ended = target->End({3, std::string(64, '0')});
  EXPECT_THAT(ended.error().message(), HasSubstr("other digest"));
  EXPECT_FALSE(Has("one"));
  EXPECT_TRUE(Has("one-incomplete"));
  ASSERT_TRUE(target->Begin("two"));
  EXPECT_THAT(target->End({3, ""}).error().message(), HasSubstr("has 0 bytes on the server, 3"));
}
TEST_F(SshTargetTest, ServerWithoutSha256sumIsReadBack) {
  std::unique_ptr<Target> target = Opened();
  ssh_.SetBody("cd '" + dir_.File("server") +
               "'; case \"$*\" in *sha256sum*) echo none; exit;; esac; exec /bin/sh -c \"$*\"");
  EXPECT_EQ(StoreText(*target, "one", "abc")->verified, Verified::kYes);
  EXPECT_THAT(ssh_.runs(), testing::Contains(HasSubstr(" cat ./dumps/d/one-incomplete")));
}
TEST_F(SshTargetTest, FirstTryIsKeptUntilThereIsAWholeFile) {
  std::unique_ptr<Target> target = Opened();
  ASSERT_TRUE(target->Begin("one"));
  ASSERT_TRUE(target->Write(AsBytes("half")));
  target->Abandon();
  target->SetAside("one");
  EXPECT_EQ(ssh_.Contents("dumps/d/one-incomplete-1"), "half");
  ASSERT_TRUE(StoreText(*target, "one", "whole"));
  target->DropAside("one");
  EXPECT_FALSE(Has("one-incomplete-1"));
  EXPECT_TRUE(Has("one"));
}
TEST_F(SshTargetTest, ServerThatIsDownIsAskedAgain) {
  ssh_.SetBody("echo 'ssh: connect to host server port 22: Connection refused' >&2; exit 255");
  EXPECT_THAT(Open().error().message(), HasSubstr("Connection refused"));
  EXPECT_EQ(ssh_.runs().size(), 5u);
  EXPECT_THAT(console_.text(), HasSubstr("Connection refused, trying again"));
}
TEST_F(SshTargetTest, ServerWithAnotherKeyIsAskedOnce) {
  ssh_.SetBody("echo 'Host key verification failed.' >&2; exit 255");
  EXPECT_THAT(Open().error().message(), HasSubstr("nothing was sent"));
  EXPECT_EQ(ssh_.runs().size(), 1u);
}
TEST_F(SshTargetTest, WholeDump) {
  filter_.SetBody(kWorkingFilter);
  std::unique_ptr<Target> target = Opened();
  DumpResult result = Dumper(context_).SaveVmcore(*target, {});
  EXPECT_EQ(result.state, DumpState::kComplete) << result.reason;
  EXPECT_EQ(ssh_.Contents("dumps/d/vmcore.flat").size(), 5048u);
}

}  // namespace
}  // namespace kdumpkit
