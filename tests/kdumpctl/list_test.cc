// SPDX-License-Identifier: GPL-2.0-or-later
// list and show, on folders as each distribution leaves them.
#include <gmock/gmock.h>

#include "tests/kdumpctl/kdumpctl_fixture.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kLog[] =
    "[    0.0] Linux version 6.1.0-50-amd64 (x)\n"
    "[    9.2] Kernel panic - not syncing: Fatal exception\n";

// A kdump file's header, and no more.
std::string KdumpHeader(std::string_view release, uint32_t status) {
  std::string header(4096, '\0');
  header.replace(0, 8, "KDUMP   ");
  header[8] = 6;
  header.replace(12 + 130, release.size(), release);
  header[424] = static_cast<char>(status);
  return header;
}

class List : public KdumpctlFixture {
 protected:
  void Dump(const std::string& folder, const std::string& file, std::string_view text) {
    dir_.Write("var/crash/" + folder + "/" + file, text);
  }
  Json Only() {
    Json json = RunJson({"list", "--json"}, kExitOk);
    EXPECT_EQ(json["dumps"].size(), 1u) << json.dump(2);
    return json["dumps"].empty() ? Json::object() : json["dumps"][0];
  }
};

TEST_F(List, NoDumps) {
  EXPECT_EQ(Run({"list"}), kExitOk);
  EXPECT_EQ(out_, "no dumps\n");
}

TEST_F(List, Manifest) {
  Dump("10.0.0.1-2026-11-24-17:44:12", "vmcore", "12345");
  Dump("10.0.0.1-2026-11-24-17:44:12", "manifest.json",
       R"({"format":1,"host":"10.0.0.1","machine_id":"m","boot_id":"b","kernel":"6.1.0",
           "panic":"sysrq triggered crash","time":"2026-11-24T17:44:13Z","outcome":"complete",
           "reason":"","warnings":["one"]})");
  Json dump = Only();
  EXPECT_EQ(dump["name"], "10.0.0.1-2026-11-24-17:44:12");
  EXPECT_EQ(dump["destination"], "/var/crash");
  EXPECT_EQ(dump["layout"], "kdumpkit");
  EXPECT_EQ(dump["time"], "2026-11-24T17:44:13Z");
  EXPECT_EQ(dump["kernel"], "6.1.0");
  EXPECT_EQ(dump["panic"], "sysrq triggered crash");
  EXPECT_EQ(dump["outcome"], "complete");
  EXPECT_GT(dump["size"], 100);
  EXPECT_EQ(Run({"list"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("2026-11-24T17:44:13Z  6.1.0 "));
  EXPECT_THAT(out_, HasSubstr("complete    sysrq triggered crash\n    /var/crash/10.0.0.1-"));
}

TEST_F(List, FoldersWithoutManifest) {
  const struct {
    std::string folder;
    std::vector<std::pair<std::string, std::string>> files;
    std::string outcome;
    std::string reason;
    std::string kernel;
    std::string layout;
  } kCases[] = {
      {"127.0.0.1-2026-11-24-17:44:12",
       {{"vmcore", KdumpHeader("6.12.1", 2)}, {"vmcore-dmesg.txt", kLog}, {"kexec-dmesg.log", "x"}},
       "complete",
       "",
       "6.12.1",
       "kdumpkit"},
      {"127.0.0.1-2026-11-24-17:44:12",
       {{"vmcore", KdumpHeader("6.12.1", 2 | 8)}},
       "partial",
       "the header of 'vmcore' says that it is incomplete",
       "6.12.1",
       "kdumpkit"},
      {"127.0.0.1-2026-11-24-17:44:12",
       {{"vmcore-incomplete", KdumpHeader("6.12.1", 8)}, {"vmcore-dmesg.txt", kLog}},
       "partial",
       "did not come to its end",
       "6.12.1",
       "kdumpkit"},
      {"127.0.0.1-2026-11-24-17:44:12",
       {{"vmcore-dmesg.txt", kLog}},
       "dmesg-only",
       "there is only a log",
       "6.1.0-50-amd64",
       "kdumpkit"},
      {"127.0.0.1-2026-11-24-17:44:12",
       {{"vmcore", ""}},
       "partial",
       "'vmcore' is empty",
       "",
       "kdumpkit"},
      {"kdump-test-7", {{"vmcore.flat", "makedumpfile"}}, "complete", "", "", "test"},
      {"202611241744",
       {{"dump.202611241744", KdumpHeader("6.1.9", 1)}, {"dmesg.202611241744", kLog}},
       "complete",
       "",
       "6.1.9",
       "debian"},
      {"202611241744",
       {{"dump-incomplete", "x"}, {"dmesg.202611241744", kLog}},
       "partial",
       "'dump-incomplete'",
       "6.1.0-50-amd64",
       "debian"},
      {"2026-11-24-17-44",
       {{"vmcore", "makedumpfile"}, {"dmesg.txt", kLog}, {"README.txt", "x"}},
       "complete",
       "",
       "6.1.0-50-amd64",
       "suse"},
  };
  for (const auto& dump : kCases) {
    for (const auto& [name, text] : dump.files) Dump(dump.folder, name, text);
    Json json = Only();
    EXPECT_EQ(json["outcome"], dump.outcome) << dump.folder;
    EXPECT_THAT(json["reason"].get<std::string>(), HasSubstr(dump.reason)) << dump.folder;
    EXPECT_EQ(json["kernel"], dump.kernel) << dump.folder;
    EXPECT_EQ(json["layout"], dump.layout) << dump.folder;
    if (dump.files.size() > 1) {
      EXPECT_EQ(json["panic"], "Fatal exception") << dump.folder;
    }
    std::filesystem::remove_all(dir_.File("var/crash"));
  }
}

TEST_F(List, WhatIsNoDump) {
  Dump("notes", "vmcore", "x");
  Dump("h-2026-11-24-17:44:12", "notes.txt", "x");
  Dump("h-2026-11-24-17:44:13/below", "vmcore", "x");
  dir_.Write("elsewhere/vmcore", "x");
  std::filesystem::create_symlink("/elsewhere", dir_.File("var/crash/h-2026-11-24-17:44:14"));
  dir_.Write("var/crash/h-2026-11-24-17:44:15", "a file");
  EXPECT_EQ(Run({"list"}), kExitOk);
  EXPECT_EQ(out_, "no dumps\n");
}

TEST_F(List, DamagedManifestCountsForNothing) {
  for (std::string_view text : {"", "{", "[]", R"({"format":2})", R"({"format":"1"})"}) {
    Dump("h-2026-11-24-17:44:12", "manifest.json", text);
    Dump("h-2026-11-24-17:44:12", "vmcore", "x");
    EXPECT_EQ(Only()["outcome"], "complete") << text;
  }
  Dump("h-2026-11-24-17:44:12", "manifest.json", R"({"format":1,"kernel":7,"panic":null})");
  EXPECT_EQ(Only()["kernel"], "");
}

TEST_F(List, NewestFirst) {
  Dump("h-2026-11-24-17:44:12", "vmcore", "x");
  Dump("a-2026-11-25-17:44:12", "vmcore", "x");
  Dump("h-2025-11-26-17:44:12", "vmcore", "x");
  Json dumps = RunJson({"list", "--json"}, kExitOk)["dumps"];
  ASSERT_EQ(dumps.size(), 3u);
  EXPECT_EQ(dumps[0]["host"], "a");
  EXPECT_EQ(dumps[2]["name"], "h-2025-11-26-17:44:12");
}

TEST_F(List, PlacesThatCannotBeSeenAreSaid) {
  dir_.Write("etc/kdump.conf", "destination ssh://u@h/d\ndestination raw:/dev/vdb\n");
  Dump("h-2026-11-24-17:44:12", "vmcore", "x");  // recovered from the raw device
  Json json = RunJson({"list", "--json"}, kExitOk);
  EXPECT_EQ(json["dumps"].size(), 1u);
  ASSERT_EQ(json["unseen"].size(), 2u);
  EXPECT_EQ(json["unseen"][0]["destination"], "ssh://u@h/d");
  EXPECT_EQ(Run({"list"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("not seen: dumps on 'ssh://u@h/d' can only be seen there\n"));
}

TEST_F(List, SharedFolderHasDumpsOfOthers) {
  dir_.Write("etc/kdump.conf", "destination nfs://srv/export:/d\n");
  dir_.Write("etc/machine-id", "mine\n");
  dir_.Write("proc/self/mountinfo", "32 22 0:41 / /net rw - nfs4 srv:/export rw\n");
  dir_.Write("net/d/a-2026-11-24-17:44:12/manifest.json", R"({"format":1,"machine_id":"mine"})");
  dir_.Write("net/d/b-2026-11-24-17:44:11/manifest.json", R"({"format":1,"machine_id":"other"})");
  dir_.Write("net/d/c-2026-11-24-17:44:10/vmcore", "x");
  Json dumps = RunJson({"list", "--json"}, kExitOk)["dumps"];
  ASSERT_EQ(dumps.size(), 3u);
  EXPECT_EQ(dumps[0]["own"], true);
  EXPECT_EQ(dumps[1]["own"], false);
  EXPECT_EQ(dumps[2]["own"], false);
}

TEST_F(List, Show) {
  Dump("h-2026-11-24-17:44:12", "vmcore", KdumpHeader("6.12.1", 2));
  Dump("h-2026-11-24-17:44:12", "vmcore-dmesg.txt", kLog);
  for (const char* name : {"h-2026-11-24-17:44:12", "/var/crash/h-2026-11-24-17:44:12/"}) {
    EXPECT_EQ(Run({"show", name}), kExitOk);
    EXPECT_THAT(out_, HasSubstr("folder       /var/crash/h-2026-11-24-17:44:12\n"));
    EXPECT_THAT(out_, HasSubstr("panic        Fatal exception\n"));
    EXPECT_THAT(out_, HasSubstr("file         vmcore (4.0 KiB)\n"));
  }
  Json json = RunJson({"show", "--json", "h-2026-11-24-17:44:12"}, kExitOk);
  EXPECT_EQ(json["files"].size(), 2u);
  EXPECT_TRUE(json["manifest"].is_null());
}

TEST_F(List, ShowWhatIsNotThere) {
  EXPECT_EQ(Run({"show", "x"}), kExitFailed);
  EXPECT_EQ(err_, "kdumpctl: there is no dump 'x'; see 'kdumpctl list'\n");
  EXPECT_EQ(Run({"show", "/x"}), kExitFailed);
  EXPECT_THAT(RunJson({"show", "--json", "x"}, kExitFailed)["error"].get<std::string>(),
              HasSubstr("no dump 'x'"));
}

}  // namespace
}  // namespace kdumpkit
