// SPDX-License-Identifier: GPL-2.0-or-later
// recover, with a journal and a kdump-capture of our own.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "kdumpctl/crash_report.h"
#include "tests/kdumpctl/kdumpctl_fixture.h"
#include "tests/kdumpctl/live_fixture.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The receiving end of systemd's socket.
class FakeJournal {
 public:
  explicit FakeJournal(const TempDir& dir) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    std::string path = dir.Write("run/systemd/journal/socket", "");
    unlink(path.c_str());
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  // The entries since the last call.
  std::vector<std::string> Take() {
    std::vector<std::string> entries;
    char buffer[8192];
    for (ssize_t n; (n = recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT)) >= 0;)
      entries.emplace_back(buffer, static_cast<size_t>(n));
    return entries;
  }

 private:
  UniqueFd fd_;
};

class Recover : public KdumpctlFixture {
 protected:
  int RunRecover(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), "recover");
    Capture out;
    Capture err;
    Result<RootDir> root = RootDir::Open(dir_.path());
    int status = RunKdumpctl(arguments, *root, system_, out.file(), err.file());
    out_ = out.text();
    err_ = err.text();
    return status;
  }
  void Crash(const std::string& folder, const std::string& more = "") {
    dir_.Write("var/crash/" + folder + "/vmcore", "0123456789");
    dir_.Write("var/crash/" + folder + "/manifest.json",
               R"({"format":1,"kernel":"6.1.0","panic":"Fatal exception","boot_id":"b","outcome":)"
               R"("complete","time":"2026-11-24T17:44:12Z")" +
                   more + "}");
  }
  // kdump-capture ends so, and makes a dump if `folder` says so.
  void Capturer(int status, const std::string& folder, const std::string& err) {
    system_.paths["kdump-capture"] = "/usr/sbin/kdump-capture";
    system_.programs["kdump-capture"] = [=, this](const std::vector<std::string>&) {
      if (!folder.empty()) Crash(folder);
      return ProgramResult{{.status = status}, folder.empty() ? "" : folder + "\n", err};
    };
  }

  FakeLiveSystem system_;
};

TEST_F(Recover, OneEntryForEachCrash) {
  FakeJournal journal(dir_);
  Crash("h-2026-11-24-17:44:12");
  EXPECT_EQ(RunRecover(), kExitOk);
  std::vector<std::string> entries = journal.Take();
  ASSERT_EQ(entries.size(), 1u);
  for (std::string_view line :
       {"MESSAGE=Kernel 6.1.0 crashed, saved 2026-11-24T17:44:12Z: Fatal exception; its dump is in "
        "'/var/crash/h-2026-11-24-17:44:12' (complete, ",
        "MESSAGE_ID=5f2c1a7e3d9b4c60a8e4b70d16f3925c\n", "\nPRIORITY=2\n",
        "\nKDUMP_FOLDER=/var/crash/h-2026-11-24-17:44:12\n", "\nKDUMP_KERNEL=6.1.0\n",
        "\nKDUMP_PANIC=Fatal exception\n", "\nKDUMP_OUTCOME=complete\n",
        "\nKDUMP_SIZE=", "\nKDUMP_TIME=2026-11-24T17:44:12Z\n", "\nKDUMP_BOOT_ID=b\n"})
    EXPECT_THAT(entries[0], HasSubstr(line));
  EXPECT_THAT(entries[0], Not(HasSubstr("KDUMP_TEST_ID")));
  EXPECT_THAT(out_, testing::StartsWith("Kernel 6.1.0 crashed"));

  EXPECT_EQ(RunRecover(), kExitOk);
  EXPECT_THAT(journal.Take(), IsEmpty());
  Crash("h-2026-11-25-17:44:12");
  EXPECT_EQ(RunRecover(), kExitOk);
  EXPECT_THAT(journal.Take(), ElementsAre(HasSubstr("2026-11-25")));
}

TEST_F(Recover, WithoutAJournal) {
  Crash("h-2026-11-24-17:44:12");
  EXPECT_EQ(RunRecover(), kExitOk);
  EXPECT_THAT(out_, HasSubstr("Kernel 6.1.0 crashed"));
  EXPECT_EQ(RunRecover(), kExitOk);
  EXPECT_EQ(out_, "");
}

TEST_F(Recover, TestsHaveAnIdOfTheirOwn) {
  FakeJournal journal(dir_);
  Crash("kdump-test-77", R"(,"test_id":"77")");
  EXPECT_EQ(RunRecover(), kExitOk);
  EXPECT_THAT(journal.Take(),
              ElementsAre(testing::AllOf(HasSubstr(kTestMessageId), HasSubstr("PRIORITY=5\n"),
                                         HasSubstr("KDUMP_TEST_ID=77\n"))));
}

TEST_F(Recover, DumpsOfOthersAreNotReported) {
  FakeJournal journal(dir_);
  dir_.Write("var/crash/202611241744/dump.202611241744", "x");
  EXPECT_EQ(RunRecover(), kExitOk);
  EXPECT_THAT(journal.Take(), IsEmpty());
}

TEST_F(Recover, RawDevices) {
  FakeJournal journal(dir_);
  dir_.Write("etc/kdump.conf", "destination raw:/dev/vdb\n");
  Capturer(0, "h-2026-11-24-17:44:12", "");
  EXPECT_EQ(RunRecover(), kExitOk);
  EXPECT_THAT(system_.runs,
              ElementsAre("/usr/sbin/kdump-capture --recover /dev/vdb " + dir_.File("var/crash")));
  EXPECT_THAT(out_, HasSubstr("the dump on '/dev/vdb' is in 'h-2026-11-24-17:44:12' now\n"));
  EXPECT_EQ(journal.Take().size(), 1u);
}

TEST_F(Recover, WhatARawDeviceDoesNotGiveIsSaid) {
  dir_.Write("etc/kdump.conf", "destination raw:/dev/vdb\n");
  EXPECT_EQ(RunRecover(), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("'kdump-capture' is not installed"));
  Capturer(1, "", "x\nkdump-capture: no room\n");
  EXPECT_EQ(RunRecover(), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("recovering the dump on '/dev/vdb': exit status 1: "
                              "kdump-capture: no room"));
  Capturer(3, "h-2026-11-24-17:44:12", "kdump-capture: half of it\n");
  EXPECT_EQ(RunRecover({"--json"}), kExitFailed);
  nlohmann::json json = nlohmann::json::parse(out_, nullptr, false);
  EXPECT_EQ(json["raw"][0]["folder"], "h-2026-11-24-17:44:12");
  EXPECT_THAT(json["raw"][0]["error"].get<std::string>(), HasSubstr("half of it"));
  EXPECT_EQ(json["reported"].size(), 1u);
  EXPECT_EQ(json["problems"].size(), 1u);
}

TEST_F(Recover, Prunes) {
  dir_.Write("etc/kdump.conf", "keep_count 1\n");
  dir_.Write("var/crash/h-2020-11-24-17:44:12/vmcore", "x");
  dir_.Write("var/crash/h-2021-11-24-17:44:12/vmcore", "x");
  EXPECT_EQ(RunRecover(), kExitOk);
  EXPECT_THAT(out_, HasSubstr("deleted '/var/crash/h-2020-11-24-17:44:12'"));
}

TEST_F(Recover, TellsWhatBecameOfATest) {
  dir_.Write("var/lib/kdump/test.json",
             R"({"format":1,"id":"77","started":"2026-11-24T17:44:00Z","boot_id":"before",)"
             R"("outcome":"pending","reason":"","folder":""})");
  dir_.Write("proc/sys/kernel/random/boot_id", "after\n");
  Crash("kdump-test-77", R"(,"test_id":"77")");
  EXPECT_EQ(RunRecover(), kExitOk);
  EXPECT_THAT(out_, HasSubstr("test: 2026-11-24T17:44:00Z, complete: '/var/crash/kdump-test-77'"));
  EXPECT_EQ(RunRecover(), kExitOk);
  EXPECT_EQ(out_, "");
}

TEST(Journal, EntriesAreOfTheNativeProtocol) {
  EXPECT_EQ(EncodeJournalEntry({{"A", "b=c"}, {"D", "e\nf"}}),
            std::string("A=b=c\nD\n\3\0\0\0\0\0\0\0e\nf\n", 20));
}

}  // namespace
}  // namespace kdumpkit
