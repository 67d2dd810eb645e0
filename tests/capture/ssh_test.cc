// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/ssh.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "base/sha256.h"
#include "tests/capture/fake_system.h"
#include "tests/capture/stub_ssh.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr milliseconds kLimit{60'000};

TEST(SshAccess, Describe) {
  SshAccess access;
  access.host = "server";
  EXPECT_EQ(access.Describe(), "ssh://server");
  access.user = "kdump";
  access.port = 2222;
  EXPECT_EQ(access.Describe(), "ssh://kdump@server:2222");
  access.host = "2001:db8::1";
  EXPECT_EQ(access.Describe(), "ssh://kdump@[2001:db8::1]:2222");
}

// Judged by the shell itself: it must give back every word as it was.
TEST(QuoteForShell, ShellReadsItBack) {
  Watchdog watchdog([](const std::string&) {});
  for (const std::string& word : {std::string("plain-word/1.2:3"), std::string(),
                                  std::string("two words"), std::string("it's"), std::string("''"),
                                  std::string("$HOME `id` $(id) \\ \" ; & | < > ( ) *"),
                                  std::string("~"), std::string("a\nb"), std::string("\xc3\xbc"),
                                  std::string("!x"), std::string("#"), std::string("-n")}) {
    CommandRequest request;
    request.argv = {"/bin/sh", "-c", "printf %s " + QuoteForShell(word)};
    if (word == "-n") request.argv[2] = "printf %s -- " + QuoteForShell(word);
    EXPECT_THAT(RunCommand(request, watchdog)->output, testing::EndsWith(word));
  }
}

TEST(QuoteForShell, PlainWordsStayReadable) {
  EXPECT_EQ(QuoteForShell("/srv/dumps/10.0.0.1-2026-05-01-12:00:00/vmcore"),
            "/srv/dumps/10.0.0.1-2026-05-01-12:00:00/vmcore");
  EXPECT_EQ(QuoteForShell("it's"), "'it'\\''s'");
  EXPECT_EQ(QuoteForShell(""), "''");
}

TEST(SshArgv, Everything) {
  SshAccess access;
  access.user = "kdump";
  access.host = "fe80::1%eth0";
  access.port = 2222;
  access.identities = {"/root/.ssh/a", "/root/.ssh/100%"};
  access.known_hosts = "/root/.ssh/known hosts";
  access.connect_timeout = std::chrono::seconds(20);
  EXPECT_THAT(SshArgv(access, {"cat", "a b"}),
              ElementsAre("ssh", "-F", "none", "-T", "-o", "BatchMode=yes", "-o",
                          "StrictHostKeyChecking=yes", "-o", "GlobalKnownHostsFile=/dev/null", "-o",
                          "UpdateHostKeys=no", "-o", "CheckHostIP=no", "-o", "IdentitiesOnly=yes",
                          "-o", "ControlPath=none", "-o", "ConnectionAttempts=1", "-o",
                          "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3", "-o",
                          "UserKnownHostsFile=\"/root/.ssh/known hosts\"", "-o",
                          "ConnectTimeout=20", "-i", "/root/.ssh/a", "-i", "/root/.ssh/100%%", "-p",
                          "2222", "-l", "kdump", "--", "fe80::1%eth0", "cat", "'a b'"));
}

TEST(SshArgv, KeysOfTheConfigurationCountAlone) {
  SshAccess access;
  access.host = "server";
  access.known_hosts = "/root/.ssh/known_hosts";
  access.host_keys = {"ssh-ed25519 AAAA"};
  std::string line = JoinWords(SshArgv(access, {}));
  EXPECT_THAT(line, HasSubstr("UserKnownHostsFile=\"/run/kdumpkit-known-hosts\""));
  EXPECT_THAT(line, Not(HasSubstr("/root/.ssh/known_hosts")));
}

TEST(SshArgv, WithoutAnyKnownKeyNoServerIsTrusted) {
  SshAccess access;
  access.host = "server";
  EXPECT_THAT(JoinWords(SshArgv(access, {})), HasSubstr("UserKnownHostsFile=\"/dev/null\""));
}

// What OpenSSH 9.2 says, as it says it.
TEST(SshFailure, Kinds) {
  SshAccess access;
  access.user = "kdump";
  access.host = "server";
  access.known_hosts = "/kh";
  struct Case {
    ExitState state;
    const char* said;
    int error;
    bool may_pass_away;
    const char* message;
  };
  for (const Case& c : std::initializer_list<Case>{
           {{255},
            "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nOffending ED25519 key "
            "in "
            "/kh:1\r\nHost key for server has changed and you have requested strict checking.\r\n"
            "Host key verification failed.\r\n",
            EKEYREJECTED,
            false,
            "the server's key is not the one in '/kh'; nothing was sent"},
           {{255},
            "No ED25519 host key is known for server and you have requested strict checking.\r\n"
            "Host key verification failed.\r\n",
            EKEYREJECTED,
            false,
            "the server's key is not in '/kh'; nothing was sent"},
           {{255},
            "kdump@server: Permission denied (publickey).\r\n",
            EACCES,
            false,
            "kdump@server: Permission denied (publickey)."},
           {{255},
            "Received disconnect from 10.0.2.2 port 22:2: Too many authentication failures\r\n"
            "Disconnected from 10.0.2.2 port 22\r\n",
            EACCES,
            false,
            "Disconnected from"},
           {{255},
            "ssh: connect to host server port 22: Connection refused\r\n",
            EHOSTUNREACH,
            true,
            "connect to host server port 22: Connection refused"},
           {{255},
            "ssh: connect to host server port 22: Connection timed out\r\n",
            EHOSTUNREACH,
            true,
            "Connection timed out"},
           {{255},
            "ssh: connect to host server port 22: No route to host\r\n",
            EHOSTUNREACH,
            true,
            "No route to host"},
           {{255},
            "ssh: Could not resolve hostname server: Name or service not known\r\n",
            EHOSTUNREACH,
            true,
            "Could not resolve hostname"},
           {{255},
            "Connection timed out during banner exchange\r\nConnection to 10.0.2.2 port 22 "
            "timed out\r\n",
            ETIMEDOUT,
            true,
            "timed out"},
           {{255}, "Timeout, server server not responding.\r\n", ETIMEDOUT, true, "not responding"},
           {{255},
            "kex_exchange_identification: read: Connection reset by peer\r\n"
            "Connection reset by 10.0.2.2 port 22\r\n",
            ECONNRESET,
            true,
            "Connection reset by 10.0.2.2"},
           {{255},
            "Connection to server closed by remote host.\r\n",
            ECONNRESET,
            true,
            "closed by remote host"},
           {{255},
            "client_loop: send disconnect: Broken pipe\r\n",
            ECONNRESET,
            true,
            "Broken pipe"},
           {{255}, "", EHOSTUNREACH, true, "did not say why"},
           {{1}, "cat: write error: No space left on device\n", ENOSPC, false, "No space left"},
           {{1}, "cat: write error: Disk quota exceeded\n", EDQUOT, false, "quota"},
           {{1},
            "mkdir: cannot create directory 'x': Read-only file system\n",
            EROFS,
            false,
            "Read-only"},
           {{1},
            "mkdir: cannot create directory 'x': Permission denied\n",
            EREMOTEIO,
            false,
            "Permission denied"},
           {{127}, "sh: 1: nonsense: not found\n", EREMOTEIO, false, "not found"},
           {{4}, "", EREMOTEIO, false, "the command there ended with exit status 4"},
           {{117}, "", EEXIST, false, "exists already"},
           {{0, 9}, "", EREMOTEIO, false, "ssh was killed by signal 9"},
           {{0, 9, true}, "", ETIMEDOUT, true, "timed out"}}) {
    Error error = SshFailure(access, c.state, c.said);
    EXPECT_EQ(error.error_number(), c.error) << error.message();
    EXPECT_EQ(MayPassAway(error), c.may_pass_away) << error.message();
    EXPECT_THAT(error.message(), StartsWith("ssh://kdump@server: "));
    EXPECT_THAT(error.message(), HasSubstr(c.message));
  }
}

TEST(ParseFreeBytes, Table) {
  struct Case {
    const char* output;
    uint64_t bytes;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"Filesystem     1024-blocks    Used Available Capacity Mounted on\n"
            "/dev/vda1         20509308 9402388  10039792      49% /\n",
            10039792ull * 1024},
           {"Filesystem 1024-blocks Used Available Capacity Mounted on\n"
            "//nas/my share 100 40 60 40% /mnt/my dumps\n",
            60 * 1024},
           {"Filesystem 1024-blocks Used Available Capacity Mounted on\n"
            "/dev/sd0a 100 105 -5 105% /\n",
            0},
           {"none 0 0 0 - /proc\n", 0}})
    EXPECT_EQ(ParseFreeBytes(c.output).value(), c.bytes) << c.output;
  for (const char* output :
       {"", "\n", "Filesystem 1024-blocks Used Available Capacity Mounted on\n",
        "/dev/vda1 1 2 x 4% /\n", "40%\n", "a b c d 99999999999999999999999 4% /",
        "x 1 18014398509481984 18014398509481984 4% /"})
    EXPECT_FALSE(ParseFreeBytes(output)) << output;
}

class SshTest : public testing::Test {
 protected:
  SshHost host(milliseconds limit = kLimit) { return {access_, limit, log_, watchdog_}; }
  SshStream Start(const std::string& path) { return SshStream::Start(access_, path).value(); }

  TempDir dir_;
  StubSsh server_{dir_};
  SshAccess access_ = server_.access();
  FakeConsole console_{dir_.File("console")};
  CaptureLog log_{console_.fd(), [] { return milliseconds(0); }};
  Watchdog watchdog_{[](const std::string&) {}};
};

TEST_F(SshTest, RunsWordsAsTheyAre) {
  EXPECT_EQ(RunSsh(access_, {"printf", "%s|", "a b", "$HOME", "it's"}, {}, kLimit, log_, watchdog_)
                .value(),
            "a b|$HOME|it's|");
}

TEST_F(SshTest, KeysOfTheConfigurationAreWritten) {
  access_.host_keys = {"ssh-ed25519 AAAA", "ssh-rsa BBBB"};
  ASSERT_TRUE(RunSsh(access_, {"true"}, {}, kLimit, log_, watchdog_));
  RootDir root = RootDir::Open(dir_.path()).value();
  EXPECT_EQ(root.ReadText("/host-keys").value(), "* ssh-ed25519 AAAA\n* ssh-rsa BBBB\n");
}

TEST_F(SshTest, WhatSshSaysIsInTheLog) {
  server_.SetBody("echo 'kdump@server: Permission denied (publickey).' >&2; exit 255");
  Result<std::string> result = RunSsh(access_, {"true"}, {}, kLimit, log_, watchdog_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().error_number(), EACCES);
  EXPECT_TRUE(console_.Shows("kdump@server: Permission denied (publickey)."));
}

TEST_F(SshTest, MuchOutputIsRefused) {
  Result<std::string> result =
      RunSsh(access_, {"head", "-c", "2000000", "/dev/zero"}, {}, kLimit, log_, watchdog_);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message(), HasSubstr("more than 1048576 bytes"));
}

TEST_F(SshTest, EveryStepEndsWithinItsTime) {
  server_.SetBody("exec sleep 1000");
  SshHost host = this->host(milliseconds(100));
  Status made = host.MakeFolder("a");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().error_number(), ETIMEDOUT);
  EXPECT_EQ(host.Size("a").error().error_number(), ETIMEDOUT);
}

TEST_F(SshTest, MissingProgramIsAnError) {
  access_.program = dir_.File("no-ssh");
  EXPECT_FALSE(host().MakeFolder("a"));
  EXPECT_FALSE(SshStream::Start(access_, "a"));
}

TEST_F(SshTest, FolderIsNewAndPrivate) {
  ASSERT_TRUE(host().MakeFolder("srv/my dumps/10.0.0.1-2026"));
  struct stat status = {};
  ASSERT_EQ(stat(server_.File("srv/my dumps/10.0.0.1-2026").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_EQ(host().MakeFolder("srv/my dumps/10.0.0.1-2026").error().error_number(), EEXIST);
}

TEST_F(SshTest, FolderThatCannotBe) {
  dir_.Write("server/file", "");
  Status made = host().MakeFolder("file/folder");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().error_number(), EREMOTEIO);
  EXPECT_THAT(made.error().message(), HasSubstr("'./file/folder': ssh://kdump@server: "));
}

TEST_F(SshTest, AbsolutePathsAndThoseThatLookLikeOptions) {
  ASSERT_TRUE(host().MakeFolder(dir_.File("elsewhere/folder")));
  EXPECT_TRUE(std::filesystem::is_directory(dir_.File("elsewhere/folder")));
  ASSERT_TRUE(host().MakeFolder("-p"));
  EXPECT_TRUE(std::filesystem::is_directory(server_.File("-p")));
  ASSERT_TRUE(host().WriteFile("-p/-r", AsBytes("text")));
  EXPECT_EQ(host().Size("-p/-r").value(), 4u);
}

TEST_F(SshTest, List) {
  dir_.Write("server/d/b name", "");
  dir_.Write("server/d/.hidden", "");
  EXPECT_THAT(host().List("d").value(), ElementsAre(".hidden", "b name"));
  ASSERT_TRUE(host().MakeFolder("empty"));
  EXPECT_THAT(host().List("empty").value(), IsEmpty());
  EXPECT_FALSE(host().List("none"));
}

TEST_F(SshTest, FreeBytesAlsoOfWhatIsNotThereYet) {
  EXPECT_GT(host().FreeBytes("not/yet/there").value(), 0u);
  EXPECT_GT(host().FreeBytes("/not/yet/there").value(), 0u);
}

TEST_F(SshTest, WriteFile) {
  std::string text(300'000, 'x');
  ASSERT_TRUE(host().WriteFile("manifest.json", AsBytes(text)));
  EXPECT_EQ(server_.Contents("manifest.json"), text);
  EXPECT_FALSE(std::filesystem::exists(server_.File("manifest.json-incomplete")));
  struct stat status = {};
  ASSERT_EQ(stat(server_.File("manifest.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(host().WriteFile("manifest.json", AsBytes("new")).error().error_number(), EEXIST);
  EXPECT_EQ(server_.Contents("manifest.json"), text);
  EXPECT_TRUE(host().WriteFile("empty", {}));
  EXPECT_EQ(host().Size("empty").value(), 0u);
}

// The remote shell sees the end of its input and nothing else.
TEST_F(SshTest, ABrokenConnectionMakesNoWholeFile) {
  server_.SetBody("cd '" + server_.File("") + "' && head -c 1000 | /bin/sh -c \"$*\"");
  Status written = host().WriteFile("manifest.json", AsBytes(std::string(5000, 'x')));
  EXPECT_FALSE(written);
  EXPECT_FALSE(std::filesystem::exists(server_.File("manifest.json")));
}

TEST_F(SshTest, FullDisk) {
  ASSERT_EQ(symlink("/dev/full", server_.File("vmcore.flat-incomplete").c_str()), 0);
  Status written = host().WriteFile("vmcore.flat", AsBytes("text"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().error_number(), ENOSPC);
}

TEST_F(SshTest, RenameNeverReplaces) {
  dir_.Write("server/a", "new");
  ASSERT_TRUE(host().Rename("a", "b"));
  EXPECT_EQ(server_.Contents("b"), "new");
  dir_.Write("server/a", "newer");
  EXPECT_EQ(host().Rename("a", "b").error().error_number(), EEXIST);
  EXPECT_EQ(server_.Contents("b"), "new");
  EXPECT_FALSE(host().Rename("none", "c"));
}

TEST_F(SshTest, SizeAndDigest) {
  std::string text(12345, 'y');
  dir_.Write("server/my file", text);
  EXPECT_EQ(host().Size("my file").value(), text.size());
  EXPECT_EQ(host().Sha256("my file", kLimit).value(),
            Sha256OfFile(server_.File("my file")).value());
  EXPECT_FALSE(host().Size("none"));
  EXPECT_FALSE(host().Sha256("none", kLimit));
}

TEST_F(SshTest, ServerWithoutSha256sum) {
  dir_.Write("server/file", "text");
  std::filesystem::create_directories(dir_.File("bin"));
  ASSERT_EQ(symlink("/bin/sh", dir_.File("bin/sh").c_str()), 0);
  server_.SetBody("cd '" + server_.File("") + "' && PATH='" + dir_.File("bin") +
                  "' exec /bin/sh -c \"$*\"");
  Result<std::optional<std::string>> digest = host().Sha256("file", kLimit);
  ASSERT_TRUE(digest) << digest.error().message();
  EXPECT_EQ(*digest, std::nullopt);
}

TEST_F(SshTest, AnswersThatMakeNoSense) {
  server_.SetBody("echo 'Welcome to the server!'");
  EXPECT_THAT(host().Size("a").error().message(), HasSubstr("'Welcome to the server!'"));
  EXPECT_FALSE(host().FreeBytes("a"));
  EXPECT_FALSE(host().Sha256("a", kLimit));
}

TEST_F(SshTest, Stream) {
  SshStream stream = Start("vmcore.flat-incomplete");
  std::string expected;
  for (char c = 'a'; c <= 'z'; ++c) {
    std::string piece(100'000, c);
    ASSERT_TRUE(stream.Write(AsBytes(piece), kLimit));
    expected += piece;
  }
  ASSERT_TRUE(stream.Finish(kLimit));
  EXPECT_EQ(server_.Contents("vmcore.flat-incomplete"), expected);
}

TEST_F(SshTest, StreamOfAChild) {
  SshStream stream = Start("vmcore");
  ChildProcess child =
      ChildProcess::Spawn({"head", "-c", "1000000", "/dev/zero"}, {.stdout_fd = stream.fd()})
          .value();
  stream.CloseOurs();
  EXPECT_TRUE(child.Wait().value().ok());
  ASSERT_TRUE(stream.Finish(kLimit));
  EXPECT_EQ(server_.Contents("vmcore").size(), 1'000'000u);
}

// Writes until it fails, which it must.
Error FailureOf(SshStream& stream, milliseconds stall = kLimit) {
  std::string piece(100'000, 'x');
  for (int i = 0; i < 1000; ++i)
    if (Status written = stream.Write(AsBytes(piece), stall); !written) return written.error();
  return Error(ErrorKind::kUsage, "everything was written");
}

TEST_F(SshTest, StreamNeverOverwrites) {
  dir_.Write("server/vmcore", "precious");
  SshStream stream = Start("vmcore");
  Error error = FailureOf(stream);
  EXPECT_EQ(error.error_number(), EEXIST) << error.message();
  EXPECT_EQ(server_.Contents("vmcore"), "precious");
}

TEST_F(SshTest, StreamToAServerThatIsNotThere) {
  server_.SetBody("echo 'ssh: connect to host server port 22: Connection refused' >&2; exit 255");
  SshStream stream = Start("vmcore");
  Error error = FailureOf(stream);
  EXPECT_EQ(error.error_number(), EHOSTUNREACH);
  EXPECT_THAT(error.message(), HasSubstr("Connection refused"));
}

TEST_F(SshTest, StreamThatStalls) {
  server_.SetBody("exec sleep 1000");
  SshStream stream = Start("vmcore");
  Error error = FailureOf(stream, milliseconds(100));
  EXPECT_EQ(error.error_number(), ETIMEDOUT);
  EXPECT_THAT(error.message(), HasSubstr("stalled"));
}

TEST_F(SshTest, StreamOntoAFullDisk) {
  server_.SetBody(
      "head -c 200000 >/dev/null; echo 'cat: write error: No space left on device' >&2; "
      "exit 1");
  SshStream stream = Start("vmcore");
  EXPECT_EQ(FailureOf(stream).error_number(), ENOSPC);
}

// What does not fit shows when the server writes it to its disk, after we have sent everything.
TEST_F(SshTest, StreamThatCannotBeSynced) {
  server_.SetBody(
      "cat >/dev/null; echo \"sync: error syncing './vmcore': Input/output error\" >&2; "
      "exit 1");
  SshStream stream = Start("vmcore");
  ASSERT_TRUE(stream.Write(AsBytes("text"), kLimit));
  Status finished = stream.Finish(kLimit);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().error_number(), EREMOTEIO);
  EXPECT_THAT(finished.error().message(), HasSubstr("Input/output error"));
}

TEST_F(SshTest, StreamThatNeverFinishes) {
  server_.SetBody("cat >/dev/null; exec sleep 1000");
  SshStream stream = Start("vmcore");
  ASSERT_TRUE(stream.Write(AsBytes("text"), kLimit));
  EXPECT_EQ(stream.Finish(milliseconds(100)).error().error_number(), ETIMEDOUT);
}

TEST_F(SshTest, StreamWhoseConnectionBreaks) {
  server_.SetBody(
      "head -c 200000 >/dev/null; echo 'client_loop: send disconnect: Broken pipe' >&2; "
      "exit 255");
  SshStream stream = Start("vmcore");
  EXPECT_EQ(FailureOf(stream).error_number(), ECONNRESET);
}

TEST_F(SshTest, StreamWhoseEndComesTooEarly) {
  server_.SetBody("head -c 200000 >/dev/null; exit 0");
  SshStream stream = Start("vmcore");
  EXPECT_EQ(FailureOf(stream).error_number(), ECONNRESET);
}

}  // namespace
}  // namespace kdumpkit
