// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>

#include "kdumpctl/command.h"
#include "kdumpctl/image_builder.h"
#include "kdumpctl/json_read.h"
#include "kdumpctl/state_files.h"
#include "tests/kdumpctl/live_fixture.h"

namespace kdumpkit {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using Json = nlohmann::ordered_json;

constexpr const char kImage[] = "/var/lib/kdump/initramfs-6.1.0-test.img";
constexpr const char kRecord[] = "/var/lib/kdump/initramfs-6.1.0-test.json";

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() {
    system_.paths = {
        {"kdump-capture", "/bin/true"}, {"kdump-filter", "/bin/true"}, {"kexec", "/sbin/kexec"}};
    system_.programs["kexec"] = [this](const std::vector<std::string>& argv) {
      bool unload = argv.back() == "-u";
      if (kexec_error_.empty())
        machine_.Write("/sys/kernel/kexec_crash_loaded", unload ? "0" : "1");
      int status = kexec_error_.empty() ? 0 : 1;
      return ProgramResult{{.status = status}, "", kexec_error_};
    };
    machine_.Folder("/var/crash");
  }

  int Run(const std::vector<std::string>& arguments) {
    system_.runs.clear();
    char* texts[2] = {};
    size_t sizes[2] = {};
    std::FILE* out = open_memstream(&texts[0], &sizes[0]);
    std::FILE* err = open_memstream(&texts[1], &sizes[1]);
    int status = RunKdumpctl(arguments, machine_.root(), system_, out, err);
    std::fclose(out);
    std::fclose(err);
    out_ = texts[0];
    err_ = texts[1];
    std::free(texts[0]);
    std::free(texts[1]);
    return status;
  }
  Json RunJson(const std::vector<std::string>& arguments, int status) {
    EXPECT_EQ(Run(arguments), status) << err_;
    return Json::parse(out_, nullptr, false);
  }
  bool Loaded() { return machine_.Read("/sys/kernel/kexec_crash_loaded").starts_with("1"); }
  std::vector<std::string> Loads() {
    std::vector<std::string> loads;
    for (const std::string& run : system_.runs)
      if (run.starts_with("/sbin/kexec -p") && !run.ends_with("-u")) loads.push_back(run);
    return loads;
  }
  // So that hints of files of this test count.
  void Age(const std::string& path) {
    std::string text = machine_.Read(path);
    Json json = Json::parse(text);
    for (Json& file : json["files"]) file["taken"] = file["taken"].get<int64_t>() + 10'000'000'000;
    json["image"]["taken"] = json["image"]["taken"].get<int64_t>() + 10'000'000'000;
    machine_.Write(path, json.dump());
  }

  Machine machine_;
  FakeLiveSystem system_;
  std::string kexec_error_;
  std::string out_;
  std::string err_;
};

TEST_F(ServiceTest, StartBuildsAndLoads) {
  ASSERT_EQ(Run({"start"}), kExitOk) << err_;
  EXPECT_TRUE(Loaded());
  EXPECT_THAT(out_, HasSubstr("built by kdumpkit"));
  EXPECT_THAT(out_, EndsWith("crash kernel loaded\n"));
  std::string image = machine_.File(kImage);
  EXPECT_THAT(Loads(), ElementsAre(AllOf(HasSubstr("--initrd=" + image), HasSubstr("--append="),
                                         EndsWith(machine_.File("/boot/vmlinuz-6.1.0-test")))));
  struct stat info = {};
  ASSERT_EQ(stat(image.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_FALSE(std::filesystem::exists(image + "-incomplete"));
}

TEST_F(ServiceTest, SecondStartDoesNothing) {
  ASSERT_EQ(Run({"start"}), kExitOk);
  ASSERT_EQ(Run({"start"}), kExitOk);
  EXPECT_THAT(system_.runs, IsEmpty());
  EXPECT_THAT(out_, EndsWith("crash kernel is loaded already\n"));
  ASSERT_EQ(Run({"restart"}), kExitOk);
  EXPECT_EQ(Loads().size(), 1u);
  EXPECT_THAT(out_, HasSubstr("up to date"));
}

TEST_F(ServiceTest, StopUnloads) {
  ASSERT_EQ(Run({"start"}), kExitOk);
  EXPECT_EQ(Run({"stop"}), kExitOk);
  EXPECT_FALSE(Loaded());
  EXPECT_THAT(system_.runs, ElementsAre("/sbin/kexec -p -u"));
  EXPECT_EQ(Run({"stop"}), kExitOk);
  EXPECT_THAT(system_.runs, IsEmpty());
}

TEST_F(ServiceTest, ReloadTakesTheImageThatIsThere) {
  ASSERT_EQ(Run({"start"}), kExitOk);
  machine_.Write("/etc/kdump.conf", "level 17\n");
  Json json = RunJson({"reload", "--json"}, kExitOk);
  EXPECT_EQ(json["image_built"], false);
  EXPECT_EQ(json["loaded_now"], true);
  EXPECT_THAT(json["warnings"].dump(), HasSubstr("stale and is kept"));
}

TEST_F(ServiceTest, RebuildLoadsNothing) {
  Json json = RunJson({"rebuild", "--json"}, kExitOk);
  EXPECT_EQ(json["image_built"], true);
  EXPECT_FALSE(Loaded());
}

TEST_F(ServiceTest, MistakesInTheFileRefuseToStart) {
  machine_.Write("/etc/kdump.conf", "levle 17\nlevel 99\n");
  EXPECT_EQ(Run({"start"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("kdumpctl: /etc/kdump.conf:1: error: unknown directive 'levle'"));
  EXPECT_THAT(err_, HasSubstr("kdumpctl: /etc/kdump.conf:2: error: 'level 99'"));
  EXPECT_THAT(system_.runs, IsEmpty());
}

TEST_F(ServiceTest, MachinesWithoutReservation) {
  machine_.Write("/sys/kernel/kexec_crash_size", "0\n");
  EXPECT_EQ(Run({"start"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("no memory is reserved"));
  machine_.Remove("/sys/kernel/kexec_crash_loaded");
  EXPECT_EQ(Run({"start"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("cannot load crash kernels"));
  machine_.Write("/proc/vmcore", "");
  EXPECT_EQ(Run({"start"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("this is a capture kernel"));
}

// A failed start never unloads.

TEST_F(ServiceTest, WhatIsLoadedOutlivesAFailedStart) {
  ASSERT_EQ(Run({"start"}), kExitOk);
  machine_.Write("/etc/kdump.conf", "destination UUID=gone:/d\n");
  EXPECT_EQ(Run({"restart"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("no device has UUID=gone"));
  EXPECT_THAT(err_, HasSubstr("the crash kernel that is loaded stays loaded"));
  EXPECT_TRUE(Loaded());
  EXPECT_THAT(system_.runs, IsEmpty());
}

TEST_F(ServiceTest, WhatKexecSaysIsTold) {
  kexec_error_ = "kexec: the reservation is too small\nkexec: boot with more\n";
  EXPECT_EQ(Run({"start"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("not loaded (exit status 1): the reservation is too small; boot "
                              "with more"));
}

TEST_F(ServiceTest, AnEarlierImageIsBetterThanNone) {
  ASSERT_EQ(Run({"start"}), kExitOk);
  ASSERT_EQ(Run({"stop"}), kExitOk);
  machine_.Write("/etc/kdump.conf", "destination UUID=gone:/d\n");
  EXPECT_EQ(Run({"start"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("no device has UUID=gone"));
  EXPECT_THAT(err_, HasSubstr("loaded with the earlier image"));
  EXPECT_TRUE(Loaded());
}

// Staleness.

TEST_F(ServiceTest, WhatMakesAnImageStale) {
  const struct {
    std::function<void()> change;
    const char* reason;
    bool differs = true;
  } kCases[] = {
      {[&] { machine_.Write("/etc/kdump.conf", "level 17\n"); },
       "'/etc/kdump.conf' in it would be another one"},
      {[&] { machine_.Write("/boot/vmlinuz-6.1.0-test", "Kernel"); },
       "vmlinuz-6.1.0-test' has changed"},
      {[&] { machine_.Write("/etc/machine-id", "new\n"); },
       "'/etc/machine-id' in it would be another one"},
      {[&] { machine_.Write("/etc/kdump.conf", "level 17\nextra_bins /bin/x\n"); },
       "'/bin/x' is not in it"},
      {[&] { machine_.Write("/bin/x", "#!/bin/y\necho changed\n"); }, "/bin/x' has changed"},
      {[&] { machine_.Write(kImage, "damaged"); }, "is not what was built", false},
      {[&] { machine_.Remove(kImage); }, "No such file", false},
      {[&] { machine_.Remove(kRecord); }, "there is none yet", false},
  };
  std::filesystem::create_directories(machine_.File("/bin"));
  std::filesystem::copy_file("/bin/true", machine_.File("/bin/y"));
  machine_.Write("/bin/x", "#!/bin/y\necho\n");
  ASSERT_EQ(Run({"start"}), kExitOk) << err_;
  for (const auto& row : kCases) {
    Age(kRecord);
    row.change();
    Json json = RunJson({"start", "--json"}, kExitOk);
    EXPECT_THAT(json["stale_reasons"].dump(), HasSubstr(row.reason));
    EXPECT_EQ(json["image_built"], true) << row.reason;
    // The same bytes again need not be loaded again.
    EXPECT_EQ(json["loaded_now"], row.differs) << row.reason;
    json = RunJson({"start", "--json"}, kExitOk);
    EXPECT_EQ(json["image_built"], false) << row.reason;
  }
}

TEST_F(ServiceTest, TheSameContentIsFreshWhateverItsTime) {
  ASSERT_EQ(Run({"start"}), kExitOk);
  Age(kRecord);
  std::string kernel = machine_.File("/boot/vmlinuz-6.1.0-test");
  std::filesystem::last_write_time(kernel, std::filesystem::file_time_type::clock::now());
  Json json = RunJson({"start", "--json"}, kExitOk);
  EXPECT_THAT(json["stale_reasons"], IsEmpty());
}

// Only who reads the files would see that the digests are others now.
TEST_F(ServiceTest, UnchangedFilesAreNotRead) {
  ASSERT_EQ(Run({"start"}), kExitOk);
  Age(kRecord);
  Json record = Json::parse(machine_.Read(kRecord));
  ASSERT_THAT(record["files"], Not(IsEmpty()));
  for (Json& file : record["files"]) file["sha256"] = "of something else";
  record["image"]["sha256"] = "of something else";
  machine_.Write(kRecord, record.dump());
  EXPECT_EQ(RunJson({"start", "--json"}, kExitOk)["image_built"], false);
  record["files"][0]["ctime"] = 1;
  machine_.Write(kRecord, record.dump());
  EXPECT_EQ(RunJson({"start", "--json"}, kExitOk)["image_built"], true);
}

TEST_F(ServiceTest, AChangeThatKeepsSizeAndTimeIsFound) {
  ASSERT_EQ(Run({"start"}), kExitOk);
  Age(kRecord);
  std::string kernel = machine_.File("/boot/vmlinuz-6.1.0-test");
  auto time = std::filesystem::last_write_time(kernel);
  machine_.Write("/boot/vmlinuz-6.1.0-test", "KERNEL");
  std::filesystem::last_write_time(kernel, time);
  Json json = RunJson({"start", "--json"}, kExitOk);
  EXPECT_THAT(json["stale_reasons"].dump(), HasSubstr("has changed"));
}

TEST_F(ServiceTest, RebuildPolicy) {
  ASSERT_EQ(Run({"start"}), kExitOk);
  machine_.Write("/etc/kdump.conf", "force_no_rebuild yes\nlevel 17\n");
  EXPECT_EQ(RunJson({"start", "--json"}, kExitOk)["image_built"], false);
  EXPECT_EQ(RunJson({"rebuild", "--json"}, kExitOk)["image_built"], true);
  machine_.Write("/etc/kdump.conf", "force_rebuild yes\n");
  EXPECT_EQ(RunJson({"start", "--json"}, kExitOk)["image_built"], true);
  EXPECT_EQ(RunJson({"start", "--json"}, kExitOk)["image_built"], true);
}

// status.

// As during a load, when reading it fails.
TEST_F(ServiceTest, StatusWhileAKernelIsLoaded) {
  machine_.Remove("/sys/kernel/kexec_crash_size");
  machine_.Folder("/sys/kernel/kexec_crash_size");
  Json json = RunJson({"status", "--json"}, kExitPartial);
  EXPECT_EQ(json["reserved"]["ok"], nullptr);
  EXPECT_THAT(json["reserved"]["reason"].dump(), HasSubstr("just now"));
  EXPECT_THAT(json["loaded"].dump(), Not(HasSubstr("reset-crashkernel")));
}

TEST_F(ServiceTest, StatusOfANewMachine) {
  Json json = RunJson({"status", "--json"}, kExitPartial);
  EXPECT_EQ(json["ready"], false);
  EXPECT_EQ(json["loaded"]["ok"], false);
  EXPECT_EQ(json["reserved_bytes"], 256 << 20);
  EXPECT_THAT(json["image"]["reason"].get<std::string>(), HasSubstr("there is none yet"));
}

TEST_F(ServiceTest, StatusAdvisesWhatHelps) {
  const struct {
    const char* file;
    const char* text;
    const char* advice;
    bool start;  // "kdumpctl start" is advised
  } kCases[] = {
      {"/etc/nothing", "", "'kdumpctl start' loads it", true},
      {"/sys/kernel/security/lockdown", "none [integrity] confidentiality\n", "locked down", true},
      {"/proc/sys/kernel/kexec_load_disabled", "1\n", "only a restart undoes", false},
      {"/sys/kernel/kexec_crash_size", "0\n", "'kdumpctl reset-crashkernel'", false},
  };
  for (const auto& row : kCases) {
    machine_.Write(row.file, row.text);
    Json json = RunJson({"status", "--json"}, kExitPartial);
    std::string reason = json["loaded"]["reason"];
    EXPECT_THAT(reason, HasSubstr(row.advice));
    EXPECT_EQ(reason.find("start' ") != std::string::npos, row.start) << reason;
  }
  machine_.Remove("/sys/kernel/kexec_crash_loaded");
  Json json = RunJson({"status", "--json"}, kExitPartial);
  EXPECT_THAT(json["loaded"]["reason"].get<std::string>(), HasSubstr("CONFIG_CRASH_DUMP"));
  EXPECT_THAT(json["image"]["reason"].get<std::string>(), HasSubstr("'kdumpctl rebuild' builds"));
}

TEST_F(ServiceTest, StatusWhenAllIsWell) {
  machine_.Write("/proc/meminfo",
                 "MemTotal: 4000000 kB\nMemFree: 1000000 kB\nBuffers: 100000 kB\n"
                 "Cached: 900000 kB\nAnonPages: 1000000 kB\n");
  ASSERT_EQ(Run({"start"}), kExitOk);
  Json json = RunJson({"status", "--json"}, kExitOk);
  EXPECT_EQ(json["ready"], true);
  EXPECT_EQ(json["image"]["ok"], true);
  EXPECT_EQ(json["estimated_dump"], 500000 << 10);
  ASSERT_EQ(json["destinations"].size(), 1u);
  EXPECT_EQ(json["destinations"][0]["uri"], "/var/crash");
  EXPECT_EQ(json["destinations"][0]["room"]["ok"], true);
  ASSERT_EQ(Run({"status"}), kExitOk);
  EXPECT_THAT(out_, StartsWith("Kdump is operational\n"));
}

TEST_F(ServiceTest, StatusSaysWhyNot) {
  ASSERT_EQ(Run({"start"}), kExitOk);
  system_.folder = FolderProbe{"Read-only file system", 1 << 20};
  machine_.Write("/etc/kdump.conf", "level 1\n");
  Json json = RunJson({"status", "--json"}, kExitOk);
  EXPECT_EQ(json["ready"], false);
  EXPECT_EQ(json["image"]["ok"], false);
  EXPECT_THAT(json["image"]["reason"].get<std::string>(), HasSubstr("would be another one"));
  EXPECT_EQ(json["destinations"][0]["room"]["ok"], false);
  system_.folder = SystemError(ETIMEDOUT, "x");
  json = RunJson({"status", "--json"}, kExitOk);
  EXPECT_EQ(json["destinations"][0]["reachable"]["ok"], false);
}

TEST_F(ServiceTest, StatusWaitsForNoLock) {
  Result<ServiceLock> lock = ServiceLock::Take(machine_.root(), std::chrono::seconds(0));
  ASSERT_TRUE(lock.has_value());
  EXPECT_EQ(Run({"status"}), kExitPartial);
  Result<ServiceLock> second = ServiceLock::Take(machine_.root(), std::chrono::seconds(0));
  EXPECT_THAT(second.error().message(), HasSubstr(fmt::format("process {} ", getpid())));
}

TEST_F(ServiceTest, TheRecordIsForEverybodyWhateverTheUmask) {
  mode_t before = umask(0077);
  ASSERT_EQ(Run({"start"}), kExitOk);
  umask(before);
  struct stat info = {};
  for (const auto& [path, mode] : {std::pair<const char*, unsigned>{kStateFolder, 0755},
                                   {kRunFolder, 0755},
                                   {kRecord, 0644},
                                   {kLoadedFile, 0644}}) {
    ASSERT_EQ(stat(machine_.File(path).c_str(), &info), 0) << path;
    EXPECT_EQ(info.st_mode & 0777, mode) << path;
  }
}

TEST_F(ServiceTest, Showmem) {
  EXPECT_EQ(Run({"showmem"}), kExitOk);
  EXPECT_EQ(out_, "Reserved 256MB memory for crash kernel\n");
}

// test.

TEST_F(ServiceTest, TestIsLoadedAndFollowed) {
  machine_.Write("/proc/sysrq-trigger", "");
  EXPECT_EQ(Run({"test"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("say --force"));
  ASSERT_EQ(Run({"test", "--force"}), kExitOk) << err_;
  EXPECT_EQ(machine_.Read("/proc/sysrq-trigger"), "c");
  Json test = Json::parse(machine_.Read("/var/lib/kdump/test.json"));
  std::string id = test["id"];
  EXPECT_EQ(test["outcome"], "pending");
  EXPECT_THAT(Loads(), ElementsAre(HasSubstr("kdump.test-id=" + id)));
  EXPECT_EQ(RunJson({"status", "--json"}, kExitOk)["last_test"]["outcome"], "pending");

  machine_.Write("/proc/sys/kernel/random/boot_id", "next\n");
  EXPECT_EQ(RunJson({"status", "--json"}, kExitOk)["last_test"]["outcome"], "missing");
  std::string folder = "/var/crash/kdump-test-" + id;
  Json manifest = {{"format", 1},
                   {"test_id", id},
                   {"outcome", "complete"},
                   {"machine_id", "0123456789abcdef"},
                   {"time", "2026-01-02T03:04:05Z"}};
  machine_.Write(folder + "/manifest.json", manifest.dump());
  machine_.Write(folder + "/vmcore", "x");
  Json state = RunJson({"status", "--json"}, kExitOk);
  EXPECT_EQ(state["last_test"]["outcome"], "complete");
  EXPECT_EQ(state["last_test"]["folder"], folder);
}

// The next boot asks the server.
TEST_F(ServiceTest, TestOfAServerIsFollowed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root has the keys";
  machine_.Write("/etc/kdump.conf", "destination ssh://dump@server/srv\n");
  machine_.Write("/var/lib/kdump/test.json",
                 R"({"format": 1, "id": "77", "started": "x", "boot_id": "before",
                     "outcome": "pending", "reason": "", "folder": ""})");
  auto outcome = [&] {
    return RunJson({"status", "--json"}, kExitPartial)["last_test"]["outcome"];
  };
  ProgramResult answer{{.status = 255}, "", "no route"};
  system_.programs["ssh"] = [&](const std::vector<std::string>& argv) {
    return argv.back().find("/srv/kdump-test-77/manifest.json") == std::string::npos
               ? ProgramResult{{.status = 255}, "", ""}
               : answer;
  };
  EXPECT_EQ(outcome(), "unknown");
  answer = {{.status = 44}, "", ""};
  EXPECT_EQ(outcome(), "missing");
  answer = {{}, R"({"format": 1, "test_id": "77", "outcome": "complete", "reason": ""})", ""};
  EXPECT_EQ(outcome(), "complete");
  Json test = Json::parse(machine_.Read("/var/lib/kdump/test.json"));
  EXPECT_EQ(test["folder"], "ssh://dump@server/srv/kdump-test-77");
}

}  // namespace
}  // namespace kdumpkit
