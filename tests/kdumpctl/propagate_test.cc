// SPDX-License-Identifier: GPL-2.0-or-later
// propagate, with programs of our own for ssh-keygen and ssh-copy-id.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>

#include "tests/kdumpctl/kdumpctl_fixture.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;
using testing::Not;

// ssh-keygen makes files for -f, and finds what known_hosts has for -F; each writes down its words.
constexpr char kKeygen[] = R"(#!/bin/sh
echo "ssh-keygen $*" >> "$KDUMP_TEST_LOG"
if [ "$1" = -F ]; then exec grep -q -F "$2" "$4"; fi
while [ "$1" != -f ]; do shift; done
echo key > "$2"; echo key > "$2.pub"
)";
constexpr char kCopyId[] = R"(#!/bin/sh
echo "ssh-copy-id $*" >> "$KDUMP_TEST_LOG"
echo "ssh-copy-id talks"
test -n "$KDUMP_TEST_RECORDS" && echo "$KDUMP_TEST_RECORDS ssh-ed25519 AAAA" >> "${4#*=}"
exit "$KDUMP_TEST_STATUS"
)";

class Propagate : public KdumpctlFixture {
 protected:
  Propagate() {
    Script("ssh-keygen", kKeygen);
    Script("ssh-copy-id", kCopyId);
    setenv("PATH", (dir_.File("bin") + ":/usr/bin:/bin").c_str(), 1);
    setenv("KDUMP_TEST_LOG", dir_.File("log").c_str(), 1);
    setenv("KDUMP_TEST_STATUS", "0", 1);
    setenv("KDUMP_TEST_RECORDS", "", 1);
    dir_.Write("etc/kdump.conf", "destination ssh://kdump@srv/dumps\nsshkey /root/.ssh/id\n");
    dir_.Write("root/.ssh/known_hosts", "srv ssh-ed25519 AAAA\n");
  }
  ~Propagate() override { setenv("PATH", path_.c_str(), 1); }
  void Script(const std::string& name, const char* text) {
    ASSERT_EQ(chmod(dir_.Write("bin/" + name, text).c_str(), 0755), 0);
  }
  std::string Log() { return RootDir::Open(dir_.path())->ReadText("log").value_or(""); }

  std::string path_ = std::getenv("PATH");
};

TEST_F(Propagate, MakesTheKeyAndBringsIt) {
  EXPECT_EQ(Run({"propagate"}), kExitOk) << err_;
  EXPECT_EQ(out_, "made the key '/root/.ssh/id'\n'kdump@srv' takes the key\n");
  std::string key = dir_.File("root/.ssh/id");
  EXPECT_THAT(Log(), HasSubstr("-t ed25519 -N  -C kdump@localhost -f " + key + "\n"));
  EXPECT_THAT(Log(), HasSubstr("ssh-copy-id -i " + key +
                               ".pub -o UserKnownHostsFile=" + dir_.File("root/.ssh/known_hosts") +
                               " -o StrictHostKeyChecking=ask kdump@srv\n"));
}

TEST_F(Propagate, AKeyThatIsThereStays) {
  dir_.Write("root/.ssh/id", "mine");
  nlohmann::json json = RunJson({"propagate", "--json"}, kExitOk);
  EXPECT_EQ(json["created"], false);
  EXPECT_EQ(json["servers"][0]["server"], "kdump@srv");
  EXPECT_EQ(json["servers"][0]["host_key"], "known");
  EXPECT_THAT(Log(), Not(HasSubstr("ed25519")));
}

TEST_F(Propagate, PortsAndRecordedHostKeys) {
  dir_.Write("etc/kdump.conf", "destination ssh://kdump@other:2222/dumps\nsshkey /root/.ssh/id\n");
  setenv("KDUMP_TEST_RECORDS", "[other]:2222", 1);
  EXPECT_EQ(Run({"propagate"}), kExitOk) << err_;
  EXPECT_THAT(out_, HasSubstr("the host key of 'kdump@other' was recorded in "
                              "'/root/.ssh/known_hosts'; compare it"));
  EXPECT_THAT(Log(), HasSubstr("-p 2222 kdump@other\n"));
}

TEST_F(Propagate, UnknownHostKey) {
  dir_.Write("root/.ssh/known_hosts", "");
  EXPECT_EQ(Run({"propagate"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("the host key of 'srv' is not in '/root/.ssh/known_hosts'"));
}

TEST_F(Propagate, AServerThatRefusesIsSaidAndTheNextOneIsTried) {
  dir_.Write("etc/kdump.conf",
             "destination ssh://a@srv/d\ndestination ssh://b@srv/d\nsshkey /root/.ssh/id\n");
  setenv("KDUMP_TEST_STATUS", "5", 1);
  EXPECT_EQ(Run({"propagate"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("a@srv': exit status 5\n"));
  EXPECT_THAT(err_, HasSubstr("b@srv': exit status 5\n"));
}

TEST_F(Propagate, WithoutServers) {
  dir_.Write("etc/kdump.conf", "path /var/crash\n");
  EXPECT_EQ(Run({"propagate"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("no destination of kdump.conf is an ssh server"));
}

}  // namespace
}  // namespace kdumpkit
