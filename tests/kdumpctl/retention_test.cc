// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/retention.h"

#include <gmock/gmock.h>

#include "tests/kdumpctl/kdumpctl_fixture.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr time_t kNow = 1'800'000'000;
constexpr time_t kDay = 86400;

// A complete dump of 100 bytes that is so many days old.
DumpRecord Dump(int days, std::string_view outcome = "complete",
                DumpLayout layout = DumpLayout::kDated) {
  DumpRecord dump;
  dump.folder = fmt::format("/d/{}", days);
  dump.layout = layout;
  dump.time = kNow - days * kDay;
  dump.changed = dump.time;
  dump.outcome = outcome;
  dump.size = 100;
  return dump;
}

std::vector<std::string> Gone(const std::vector<DumpRecord>& dumps, const Config& config) {
  std::vector<std::string> names;
  for (const Removal& removal : PlanRemovals(dumps, config, kNow))
    names.push_back(removal.dump.Name() + ": " + removal.reason);
  return names;
}

TEST(Retention, NoLimitsNoRemovals) {
  EXPECT_THAT(Gone({Dump(1), Dump(2000), Dump(5000)}, Config{}), IsEmpty());
}

TEST(Retention, Count) {
  Config config;
  config.keep_count = 2;
  EXPECT_THAT(Gone({Dump(1), Dump(2), Dump(3), Dump(4)}, config),
              ElementsAre("3: more than 2 dumps", "4: more than 2 dumps"));
}

TEST(Retention, Bytes) {
  Config config;
  config.keep_bytes = 250;
  EXPECT_THAT(Gone({Dump(1), Dump(2), Dump(3)}, config), ElementsAre(HasSubstr("3: more than")));
  config.keep_bytes = 200;
  EXPECT_THAT(Gone({Dump(1), Dump(2)}, config), IsEmpty());
  std::vector<DumpRecord> dumps = {Dump(1), Dump(2), Dump(3)};
  dumps[1].size = 1000;
  dumps[2].size = 1;  // older than one that goes
  EXPECT_EQ(Gone(dumps, config).size(), 2u);
}

TEST(Retention, Age) {
  Config config;
  config.keep_age = std::chrono::hours(48);
  EXPECT_THAT(Gone({Dump(1), Dump(2), Dump(3)}, config), ElementsAre("3: older than 2d"));
}

TEST(Retention, NeverTheNewest) {
  Config config;
  config.keep_count = 1;
  config.keep_bytes = 1;
  config.keep_age = std::chrono::hours(1);
  EXPECT_THAT(Gone({Dump(9)}, config), IsEmpty());
  // Nor the newest that is complete.
  EXPECT_THAT(Gone({Dump(1, "dmesg-only"), Dump(2, "partial"), Dump(3), Dump(4)}, config),
              ElementsAre(HasSubstr("2:"), HasSubstr("4:")));
}

TEST(Retention, NotWhatMayBeBeingWritten) {
  Config config;
  config.keep_count = 1;
  std::vector<DumpRecord> dumps = {Dump(1), Dump(2, "partial")};
  dumps[1].changed = kNow - 3500;
  EXPECT_THAT(Gone(dumps, config), IsEmpty());
  dumps[1].changed = kNow - 3700;
  EXPECT_EQ(Gone(dumps, config).size(), 1u);
}

TEST(Retention, OnlyOurLayoutsOnOurFileSystems) {
  Config config;
  config.keep_count = 1;
  std::vector<DumpRecord> dumps = {Dump(1), Dump(2, "complete", DumpLayout::kDebian),
                                   Dump(3, "complete", DumpLayout::kSuse),
                                   Dump(4, "complete", DumpLayout::kOther), Dump(5)};
  dumps[4].shared = true;
  EXPECT_THAT(Gone(dumps, config), IsEmpty());
  dumps.push_back(Dump(6, "complete", DumpLayout::kTest));
  EXPECT_EQ(Gone(dumps, config).size(), 1u);
}

class PruneProgram : public KdumpctlFixture {
 protected:
  PruneProgram() {
    dir_.Write("etc/kdump.conf", "keep_count 1\n");
    for (std::string_view day : {"11", "12", "13"}) Add(day, "vmcore");
  }
  std::string Folder(std::string_view day) {
    return fmt::format("var/crash/h-2020-01-{}-00:00:00", day);
  }
  void Add(std::string_view day, std::string_view name) {
    dir_.Write(fmt::format("{}/{}", Folder(day), name), "0123456789");
  }
  bool Has(const std::string& path) { return std::filesystem::exists(dir_.File(path)); }
};

TEST_F(PruneProgram, Deletes) {
  Add("11", "manifest.json");
  Add("11", "vmcore-dmesg.txt");
  Add("11", "vmcore.flat-incomplete");
  EXPECT_EQ(Run({"prune"}), kExitOk);
  EXPECT_EQ(out_,
            "deleted '/var/crash/h-2020-01-11-00:00:00' (40 bytes): more than 1 dump\n"
            "deleted '/var/crash/h-2020-01-12-00:00:00' (10 bytes): more than 1 dump\n");
  EXPECT_FALSE(Has(Folder("11")));
  EXPECT_FALSE(Has(Folder("12")));
  EXPECT_TRUE(Has(Folder("13") + "/vmcore"));
  EXPECT_EQ(Run({"prune"}), kExitOk);
  EXPECT_EQ(out_, "nothing to delete\n");
}

TEST_F(PruneProgram, DryRunDeletesNothing) {
  nlohmann::json json = RunJson({"prune", "--dry-run", "--json"}, kExitOk);
  EXPECT_EQ(json["dry_run"], true);
  EXPECT_EQ(json["deleted"].size(), 2u);
  EXPECT_EQ(json["kept"], 1);
  EXPECT_TRUE(Has(Folder("11") + "/vmcore"));
}

TEST_F(PruneProgram, FilesOfOthersStay) {
  Add("11", "my-notes.txt");
  Add("11", "deeper/vmcore");
  EXPECT_EQ(Run({"prune"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("stays, it has other files: deeper, my-notes.txt\n"));
  EXPECT_FALSE(Has(Folder("11") + "/vmcore"));
  EXPECT_TRUE(Has(Folder("11") + "/my-notes.txt"));
  EXPECT_TRUE(Has(Folder("11") + "/deeper/vmcore"));
}

TEST_F(PruneProgram, LinksAreNotFollowed) {
  dir_.Write("elsewhere/vmcore", "x");
  std::filesystem::remove(dir_.File(Folder("11") + "/vmcore"));
  std::filesystem::create_symlink(dir_.File("elsewhere/vmcore"),
                                  dir_.File(Folder("11") + "/vmcore"));
  Add("11", "capture.log");
  Add("11", "vmcore-dmesg.txt");
  EXPECT_EQ(Run({"prune"}), kExitOk);
  EXPECT_TRUE(Has("elsewhere/vmcore"));
}

TEST_F(PruneProgram, WithoutLimits) {
  dir_.Write("etc/kdump.conf", "");
  EXPECT_EQ(Run({"prune"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("neither keep_count nor"));
  EXPECT_TRUE(Has(Folder("11") + "/vmcore"));
}

}  // namespace
}  // namespace kdumpkit
