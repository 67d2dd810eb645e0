// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/delivery.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/capture/capture_fixture.h"

namespace kdumpkit {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char kName[] = "localhost-2023-11-14-22:13:20";

// Two disks. All of them are "mounted" in one folder, so that each has a path of its own.
class DeliveryTest : public CaptureFixture {
 protected:
  DeliveryTest() {
    filter_.SetBody(kWorkingFilter);
    dir_.Write("etc/machine-id", "0123\n");
    config_.device_timeout = std::chrono::seconds(0);
    for (const char* disk : {"vda", "vdb"}) {
      system_.devices[dir_.File(std::string("dev/") + disk)] = {"ext4", disk, ""};
      config_.destinations.push_back({.kind = Destination::Kind::kDevice,
                                      .source = std::string("/dev/") + disk,
                                      .path = std::string("/") + disk});
    }
  }
  Delivered Run() {
    Delivery delivery(
        context_,
        [this]() -> Status {
          ++network_calls_;
          if (network_error_.empty()) return {};
          return UsageError("{}", network_error_);
        },
        [this](const Delivered& delivered) {
          done_.push_back(delivered);
          return std::vector<std::string>{"the hook"};
        });
    return delivery.Run(config_.destinations);
  }
  std::string Folder(const std::string& disk) { return fmt::format("kdump/{}/{}", disk, kName); }
  nlohmann::json ManifestOf(const std::string& disk) {
    return nlohmann::json::parse(Content(Folder(disk) + "/manifest.json"));
  }

  int network_calls_ = 0;
  std::string network_error_;
  std::vector<Delivered> done_;
};

TEST_F(DeliveryTest, FirstSuccessEndsIt) {
  Delivered delivered = Run();
  EXPECT_EQ(delivered.outcome, CaptureOutcome::kSaved);
  EXPECT_EQ(delivered.where, fmt::format("/dev/vda:/vda/{}/vmcore", kName));
  EXPECT_FALSE(Exists("kdump/vdb"));
  EXPECT_EQ(network_calls_, 0);
}
TEST_F(DeliveryTest, Manifest) {
  config_.boot_id = "b-1";
  config_.host = "db1";
  Run();
  nlohmann::json json =
      nlohmann::json::parse(Content("kdump/vda/db1-2023-11-14-22:13:20/manifest.json"));
  EXPECT_EQ(json["host"], "db1");
  EXPECT_EQ(json["machine_id"], "0123");
  EXPECT_EQ(json["boot_id"], "b-1");
  EXPECT_EQ(json["panic"], "test");
  EXPECT_EQ(json["outcome"], "complete");
  EXPECT_EQ(json["level"], 31);
  EXPECT_EQ(json["compression"], "lzo");
  ASSERT_EQ(json["files"].size(), 2u);
  EXPECT_EQ(json["files"][0]["name"], "vmcore-dmesg.txt");
  EXPECT_EQ(json["files"][1]["name"], "vmcore");
  EXPECT_EQ(json["files"][1]["verified"], "sample");
  EXPECT_EQ(json["warnings"][0], "the hook");
  EXPECT_EQ(json["destinations"][0]["outcome"], "used");
  EXPECT_EQ(json["destinations"][1]["outcome"], "skipped");
}
TEST_F(DeliveryTest, ManifestHasTheLevelThatTheFilterFellBackTo) {
  filter_.SetBody(
      "case \"$*\" in *--dump-dmesg*) echo log; exit 0;; esac\n"
      "echo x >\"$out\"; echo '{\"level\": 1, \"compression\": \"zlib\"}' >\"$json\"; exit 3");
  Run();
  EXPECT_EQ(ManifestOf("vda")["level"], 1);
  EXPECT_EQ(ManifestOf("vda")["compression"], "zlib");
  EXPECT_EQ(ManifestOf("vda")["outcome"], "partial");
}
TEST_F(DeliveryTest, NextOneAfterOneThatCannotBeOpened) {
  system_.devices.erase(dir_.File("dev/vda"));
  Delivered delivered = Run();
  EXPECT_EQ(delivered.outcome, CaptureOutcome::kSaved);
  EXPECT_THAT(console_.text(), HasSubstr("; trying the next destination"));
  nlohmann::json records = ManifestOf("vdb")["destinations"];
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0]["uri"], "/dev/vda:/vda");
  EXPECT_EQ(records[0]["outcome"], "failed");
  EXPECT_THAT(records[0]["reason"], HasSubstr("did not appear within 0 s"));
  EXPECT_EQ(records[1]["outcome"], "used");
}
TEST_F(DeliveryTest, HalfADumpThenAWholeOne) {
  filter_.SetBody(
      "case \"$*\" in *--dump-dmesg*) echo log; exit 0;; esac\n"
      "echo x >\"$out\"\n"
      "[ $run = 1 ] || exit 0\n"
      "echo '{\"kept_pages\": 9, \"written_pages\": 8}' >\"$json\"; exit 3");
  EXPECT_EQ(Run().outcome, CaptureOutcome::kSaved);
  EXPECT_TRUE(Exists(Folder("vda") + "/vmcore-incomplete"));
  EXPECT_EQ(ManifestOf("vda")["outcome"], "partial");
  EXPECT_EQ(ManifestOf("vda")["files"][1]["name"], "vmcore-incomplete");
  EXPECT_TRUE(Exists(Folder("vdb") + "/vmcore"));
  EXPECT_EQ(ManifestOf("vdb")["destinations"][0]["reason"], "it ends early");
  EXPECT_EQ(done_.size(), 1u);
  // The log of the second has what happened at the first.
  EXPECT_THAT(Content(Folder("vdb") + "/capture.log"), HasSubstr("it ends early"));
}
TEST_F(DeliveryTest, BestOfTheFailedOnesIsTold) {
  filter_.SetBody(
      "case \"$*\" in *--dump-dmesg*) echo log; exit 0;; esac\n"
      "[ $run -le 2 ] && echo half >\"$out\"; exit 1");
  Delivered delivered = Run();
  EXPECT_EQ(delivered.outcome, CaptureOutcome::kFailed);
  EXPECT_THAT(delivered.where, HasSubstr("/dev/vda:/vda/"));
  EXPECT_THAT(delivered.reason, AllOf(HasSubstr("/dev/vda:/vda: "), HasSubstr("/dev/vdb:/vdb: ")));
  EXPECT_EQ(ManifestOf("vdb")["outcome"], "dmesg-only");
}
TEST_F(DeliveryTest, NetworkThatIsNotUpIsTold) {
  config_.destinations[0] = {.kind = Destination::Kind::kNfs, .source = "/e", .host = "files"};
  network_error_ = "no carrier";
  EXPECT_EQ(Run().outcome, CaptureOutcome::kSaved);
  EXPECT_EQ(network_calls_, 1);
  EXPECT_THAT(ManifestOf("vdb")["destinations"][0]["reason"],
              testing::StartsWith("no carrier; cannot open"));
}
TEST_F(DeliveryTest, ServerMayBeReachedThoughAnInterfaceIsMissing) {
  config_.destinations[0] = {
      .kind = Destination::Kind::kNfs, .source = "/e", .host = "10.0.0.1", .path = "/vda"};
  network_error_ = "no carrier";
  EXPECT_EQ(Run().where, fmt::format("10.0.0.1:/e:/vda/{}/vmcore", kName));
}

TEST_F(DeliveryTest, OnlyTheLogWhenTold) {
  config_.dmesg_only = true;
  Delivered delivered = Run();
  EXPECT_EQ(delivered.outcome, CaptureOutcome::kDmesgOnly);
  EXPECT_EQ(filter_.runs().size(), 1u);
  EXPECT_EQ(ManifestOf("vda")["outcome"], "dmesg-only");
  EXPECT_FALSE(Exists("kdump/vdb"));
}
TEST_F(DeliveryTest, CrashLoopSavesOnlyTheLog) {
  for (int minute = 1; minute <= 5; ++minute)
    dir_.Write(fmt::format("kdump/vda/localhost-2023-11-14-22:0{}:00/vmcore", minute), "");
  EXPECT_EQ(Run().outcome, CaptureOutcome::kDmesgOnly);
  EXPECT_THAT(ManifestOf("vda")["reason"], HasSubstr("5 dumps within 3600 s are a crash loop"));
}
TEST_F(DeliveryTest, FewerDumpsAreNoCrashLoop) {
  for (int minute = 1; minute <= 4; ++minute)
    dir_.Write(fmt::format("kdump/vda/localhost-2023-11-14-22:0{}:00/vmcore", minute), "");
  EXPECT_EQ(Run().outcome, CaptureOutcome::kSaved);
}
TEST_F(DeliveryTest, TestIsNoCrash) {
  config_.test_id = "t9";
  config_.crash_loop_count = 1;
  dir_.Write("kdump/vda/localhost-2023-11-14-22:01:00/vmcore", "");
  EXPECT_EQ(Run().outcome, CaptureOutcome::kSaved);
  EXPECT_TRUE(Exists("kdump/vda/kdump-test-t9/vmcore"));
}

// 1000 bytes at level 31 with zstd, more before.
constexpr const char* kSizes = R"(
case " $* " in
*--dump-dmesg*) echo log ;;
*" -z "*--dry-run*) echo '{"bytes": 1000}' >"$json" ;;
*" 31 "*--dry-run*) echo '{"bytes": 2000}' >"$json" ;;
*--dry-run*) echo '{"bytes": 3000}' >"$json" ;;
*) echo "$*" >"$out" ;;
esac
)";
class LadderTest : public DeliveryTest {
 protected:
  LadderTest() {
    filter_.SetBody(kSizes);
    config_.level = 1;
  }
  // How the dump was made with so much room above min_free; empty: there is none.
  std::string MadeWith(uint64_t room) {
    system_.free_bytes = config_.min_free + room;
    Run();
    std::string text = Content(Folder("vda") + "/vmcore");
    return text.substr(0, text.find(" --json"));
  }
};
TEST_F(LadderTest, AsAskedFor) { EXPECT_EQ(MadeWith(3000), "-l -d 1"); }
TEST_F(LadderTest, HigherLevel) {
  EXPECT_EQ(MadeWith(2999), "-l -d 31");
  EXPECT_THAT(ManifestOf("vda")["warnings"][0],
              HasSubstr("made with level 31, lzo instead of level 1, lzo"));
  EXPECT_EQ(ManifestOf("vda")["level"], 31);
}
TEST_F(LadderTest, StrongerCompression) { EXPECT_EQ(MadeWith(1999), "-z -d 31"); }
TEST_F(LadderTest, NextDestinationThenTheLog) {
  EXPECT_EQ(MadeWith(999), "");
  EXPECT_TRUE(Exists(Folder("vdb") + "/vmcore-dmesg.txt"));
  EXPECT_FALSE(Exists(Folder("vdb") + "/vmcore"));
  EXPECT_EQ(ManifestOf("vda")["outcome"], "dmesg-only");
  EXPECT_THAT(ManifestOf("vda")["reason"], HasSubstr("too little room: 999 bytes may be used"));
}
TEST_F(LadderTest, NothingIsMeasuredWithoutRoomOrWithMuch) {
  EXPECT_EQ(MadeWith(uint64_t{1} << 30), "-l -d 1");
  EXPECT_THAT(console_.text(), Not(HasSubstr("--dry-run")));
  system_.free_bytes = 0;
  Run();
  EXPECT_THAT(console_.text(), Not(HasSubstr("--dry-run")));
}
TEST_F(LadderTest, UnknownSizeIsTried) {
  filter_.SetBody(
      "case \"$*\" in *--dump-dmesg*) echo log;; *--dry-run*) exit 1;; *) echo x >\"$out\";; esac");
  EXPECT_EQ(MadeWith(10), "x\n");
}

// Full while the dump is being made, although its size had been foretold as small enough.
class FullTest : public DeliveryTest {
 protected:
  // Only a dump whose options have `fits` in them comes to its end.
  void SetFits(const std::string& fits) {
    filter_.SetBody(fmt::format(R"(
case " $* " in
*--dump-dmesg*) echo log ;;
*--dry-run*) echo '{{"bytes": 1000}}' >"$json" ;;
*"{}"*) echo "$*" >"$out" ;;
*) echo "$*" >"$out"; exit 1 ;;
esac
)",
                                fits));
    system_.free_now = [this, fits] {
      std::string dump = Content(Folder("vda") + "/vmcore-incomplete");
      bool full = !dump.empty() && dump.find(fits) == std::string::npos;
      return full ? config_.min_free + 1000 : uint64_t{100} << 30;
    };
    config_.level = 1;
    config_.min_free = 4000;
  }
};
TEST_F(FullTest, GoesDownTheLadderOnTheSameDisk) {
  SetFits(" -z -d 31 ");
  EXPECT_EQ(Run().outcome, CaptureOutcome::kSaved);
  EXPECT_FALSE(Exists("kdump/vdb"));
  EXPECT_THAT(Content(Folder("vda") + "/vmcore"), HasSubstr("-z -d 31"));
  EXPECT_FALSE(Exists(Folder("vda") + "/vmcore-incomplete"));
  EXPECT_FALSE(Exists(Folder("vda") + "/vmcore-incomplete-1"));
  // Each rung once, and no second attempt of the same on a full disk.
  std::string runs;
  for (const std::string& run : filter_.runs())
    if (run.find("--dump-dmesg") == std::string::npos && run.find("--dry-run") == std::string::npos)
      runs += run.substr(0, run.find(" --json")) + "\n";
  EXPECT_EQ(runs, "-l -d 1\n-l -d 31\n-z -d 31\n");
  EXPECT_EQ(ManifestOf("vda")["level"], 31);
  EXPECT_THAT(ManifestOf("vda")["warnings"].dump(), HasSubstr("made with level 31, zstd"));
}
TEST_F(FullTest, ThenTheNextDestination) {
  SetFits("vdb");
  EXPECT_EQ(Run().outcome, CaptureOutcome::kSaved);
  EXPECT_THAT(Content(Folder("vdb") + "/vmcore"), HasSubstr("-l -d 1"));
  // What the last try left is kept.
  EXPECT_THAT(Content(Folder("vda") + "/vmcore-incomplete"), HasSubstr("-z -d 31"));
}
TEST_F(FullTest, WhatCannotFitIsNotTried) {
  SetFits("none");
  config_.min_free = 20000;
  system_.free_now = [this] {
    return Content(Folder("vda") + "/vmcore-incomplete").empty() ? uint64_t{100} << 30 : 10000;
  };
  config_.destinations.resize(1);
  EXPECT_EQ(Run().outcome, CaptureOutcome::kFailed);
  EXPECT_THAT(Content(Folder("vda") + "/vmcore-incomplete"), HasSubstr("-l -d 1"));
}

TEST_F(DeliveryTest, RawDevice) {
  dir_.Write("dev/vdc", std::string(4 << 20, 'x'));
  system_.devices[dir_.File("dev/vdc")] = {};
  config_.destinations = {{.kind = Destination::Kind::kRaw, .source = "/dev/vdc"}};
  Delivered delivered = Run();
  EXPECT_EQ(delivered.outcome, CaptureOutcome::kSaved);
  EXPECT_EQ(delivered.where, "raw:/dev/vdc, vmcore.flat");
  EXPECT_THAT(Content("dev/vdc"),
              AllOf(HasSubstr("Kernel panic - not syncing: test"), HasSubstr("makedumpfile"),
                    HasSubstr("\"outcome\": \"complete\""), HasSubstr("] vmcore.flat written")));
}
TEST_F(DeliveryTest, FolderOfTheRunningSystemHasNoMeaning) {
  config_.destinations[0] = {.path = "/var/crash"};
  Run();
  EXPECT_THAT(ManifestOf("vdb")["destinations"][0]["reason"],
              HasSubstr("is a folder of the running system"));
}

}  // namespace
}  // namespace kdumpkit
