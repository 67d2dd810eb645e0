// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/parse.h"
#include "tests/kdumpctl/kdumpctl_fixture.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Json = nlohmann::json;

class Kdumpctl : public KdumpctlFixture {
 protected:
  Json Setting(const Json& json, std::string_view name) {
    for (const Json& setting : json["settings"])
      if (setting["name"] == name) return setting;
    ADD_FAILURE() << name;
    return {};
  }
};

// The command line.

TEST_F(Kdumpctl, Help) {
  EXPECT_EQ(Run({"--help"}), kExitOk);
  for (const Subcommand& subcommand : Subcommands()) {
    EXPECT_THAT(out_, HasSubstr(fmt::format("  kdumpctl {}", subcommand.name)));
    EXPECT_THAT(out_, HasSubstr(subcommand.help));
  }
  EXPECT_EQ(Run({"import", "-h"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("Usage: kdumpctl import debian|suse|fedora [FILE]\n"));
  EXPECT_THAT(out_, testing::Not(HasSubstr("--json")));
}

TEST_F(Kdumpctl, Version) {
  EXPECT_EQ(Run({"--version"}), kExitOk);
  EXPECT_THAT(out_, testing::StartsWith("kdumpctl 0."));
}

TEST_F(Kdumpctl, BadCommandLines) {
  const std::pair<std::vector<std::string>, std::string> kCases[] = {
      {{}, "no subcommand is given"},
      {{"check"}, "there is no subcommand 'check'"},
      {{"show-conifg"}, "did you mean 'show-config'?"},
      {{"--nothing"}, "unknown option '--nothing'"},
      {{"check-config", "a", "b"},
       "too many operands; usage: kdumpctl check-config [--json] [FILE]"},
      {{"show-config", "a"}, "too many operands"},
      {{"import"}, "too few operands"},
      {{"import", "debian", "--json"}, "'import' takes no --json"},
      {{"import", "gentoo"}, "there are debian, suse and fedora"},
  };
  for (const auto& [arguments, message] : kCases) {
    EXPECT_EQ(Run(arguments), kExitUsage);
    EXPECT_THAT(err_, HasSubstr("kdumpctl: "));
    EXPECT_THAT(err_, HasSubstr(message));
    EXPECT_EQ(out_, "");
  }
}

TEST_F(Kdumpctl, OutputThatCannotBeWritten) {
  std::FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  Capture err;
  Result<RootDir> root = RootDir::Open(dir_.path());
  EXPECT_EQ(RunKdumpctl({"show-config"}, *root, full, err.file()), kExitFailed);
  EXPECT_THAT(err.text(), HasSubstr("could not be written"));
  std::fclose(full);
}

// check-config.

TEST_F(Kdumpctl, CheckWithoutAnyFile) {
  EXPECT_EQ(Run({"check-config"}), kExitOk);
  EXPECT_EQ(out_, "there is no '/etc/kdump.conf', the defaults hold: 0 errors, 0 warnings\n");
}

TEST_F(Kdumpctl, CheckAllFiles) {
  dir_.Write("etc/kdump.conf", "level 17\n");
  dir_.Write("etc/kdump.conf.d/a.conf", "levle 1\ndefault shell\n");
  EXPECT_EQ(Run({"check-config"}), kExitFailed);
  EXPECT_EQ(err_,
            "/etc/kdump.conf.d/a.conf:1: error: unknown directive 'levle'; did you mean 'level'?\n"
            "/etc/kdump.conf.d/a.conf:2: warning: 'default' is now called 'failure_action'; write "
            "'failure_action shell'\n");
  EXPECT_EQ(out_, "'/etc/kdump.conf', '/etc/kdump.conf.d/a.conf': 1 error, 1 warning\n");
}

TEST_F(Kdumpctl, WarningsAloneAreFine) {
  dir_.Write("etc/kdump.conf", "default shell\n");
  EXPECT_EQ(Run({"check-config"}), kExitOk);
}

TEST_F(Kdumpctl, CheckOneFile) {
  dir_.Write("etc/kdump.conf", "nonsense\n");
  std::string file = dir_.Write("other", "level 17\n");
  EXPECT_EQ(Run({"check-config", file}), kExitOk);
  EXPECT_EQ(err_, "");
  EXPECT_EQ(Run({"check-config", file + "x"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("otherx'"));
}

TEST_F(Kdumpctl, CheckAsJson) {
  dir_.Write("etc/kdump.conf", "\nlevel 99\xff\n");
  Json json = RunJson({"check-config", "--json"}, kExitFailed);
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["files"], Json({"/etc/kdump.conf"}));
  ASSERT_EQ(json["problems"].size(), 1u);
  EXPECT_EQ(json["problems"][0]["severity"], "error");
  EXPECT_EQ(json["problems"][0]["file"], "/etc/kdump.conf");
  EXPECT_EQ(json["problems"][0]["line"], 2);
  EXPECT_THAT(json["problems"][0]["message"].get<std::string>(), HasSubstr("'level 99"));
  EXPECT_THAT(json["problems"][0]["suggestion"].get<std::string>(), HasSubstr("from 0 to 31"));
}

TEST_F(Kdumpctl, UnreadableFileAsJson) {
  Json json = RunJson({"check-config", "--json", dir_.File("none")}, kExitFailed);
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["problems"][0]["file"], dir_.File("none"));
  EXPECT_THAT(json["problems"][0]["message"].get<std::string>(), HasSubstr("No such file"));
}

// show-config.

TEST_F(Kdumpctl, ShowSaysWhereEachSettingComesFrom) {
  dir_.Write("etc/kdump.conf", "core_collector makedumpfile -z -d 17\n");
  dir_.Write("etc/kdump.conf.d/a.conf", "\ndestination ssh://u@h/d\ndestination /b\n");
  EXPECT_EQ(Run({"show-config"}), kExitOk);
  std::string lines = out_;
  for (size_t at; (at = lines.find("  ")) != std::string::npos;) lines.erase(at, 1);
  EXPECT_THAT(lines, HasSubstr("destination ssh://u@h/d # /etc/kdump.conf.d/a.conf:2\n"));
  EXPECT_THAT(lines, HasSubstr("destination /b # /etc/kdump.conf.d/a.conf:3\n"));
  EXPECT_THAT(lines, HasSubstr("level 17 # /etc/kdump.conf:1 (core_collector)\n"));
  EXPECT_THAT(lines, HasSubstr("compression zstd # /etc/kdump.conf:1 (core_collector)\n"));
  EXPECT_THAT(lines, HasSubstr("threads auto # default\n"));
}

TEST_F(Kdumpctl, WhatIsShownIsAConfiguration) {
  dir_.Write(
      "etc/kdump.conf",
      "nfs h:/e\npath \"/my dumps\"\nextra_bins '/a b' /c#d\nsshkey /k\nkdump_pre '/a \"b\"'\n"
      "command_line_append 'x=1 2'\nkeep_age 36h\n");
  Result<RootDir> root = RootDir::Open(dir_.path());
  EXPECT_EQ(Run({"show-config"}), kExitOk);
  ConfigSource shown{"shown", out_};
  ConfigSource file{"file", *root->ReadText("/etc/kdump.conf")};
  EXPECT_EQ(ParseConfig({&shown, 1}).config, ParseConfig({&file, 1}).config);
}

TEST_F(Kdumpctl, ShowReportsProblemsAndWhatHoldsInstead) {
  dir_.Write("etc/kdump.conf", "level 99\n");
  EXPECT_EQ(Run({"show-config"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("/etc/kdump.conf:1: error: 'level 99'"));
  EXPECT_THAT(out_, HasSubstr("level 31 "));
}

TEST_F(Kdumpctl, ShowAsJson) {
  dir_.Write("etc/kdump.conf",
             "level 17\nmin_free 1G\nkeep_age 30d\nwatchdog no\nextra_bins /a /b\n"
             "destination ssh://u@[::1]:22/d\ndestination raw:/dev/vda\nfinal_action halt\n");
  Json json = RunJson({"show-config", "--json"}, kExitOk);
  EXPECT_EQ(json["files"], Json({"/etc/kdump.conf"}));
  EXPECT_EQ(json["ok"], true);
  EXPECT_THAT(json["problems"], IsEmpty());
  EXPECT_EQ(Setting(json, "level")["value"], 17);
  EXPECT_EQ(Setting(json, "level")["text"], Json({"17"}));
  EXPECT_EQ(Setting(json, "level")["from"],
            Json({{{"file", "/etc/kdump.conf"}, {"line", 1}, {"directive", "level"}}}));
  EXPECT_EQ(Setting(json, "min_free")["value"], 1 << 30);
  EXPECT_EQ(Setting(json, "keep_age")["value"], 30 * 86400);
  EXPECT_EQ(Setting(json, "watchdog")["value"], false);
  EXPECT_EQ(Setting(json, "extra_bins")["value"], Json({"/a", "/b"}));
  EXPECT_EQ(Setting(json, "final_action")["value"], "halt");
  EXPECT_EQ(Setting(json, "kdump_pre")["value"], "");
  EXPECT_EQ(Setting(json, "compression")["from"], Json::array());
  Json destinations = Setting(json, "destination")["value"];
  ASSERT_EQ(destinations.size(), 2u);
  EXPECT_EQ(destinations[0], Json({{"kind", "ssh"},
                                   {"uri", "ssh://u@[::1]:22/d"},
                                   {"user", "u"},
                                   {"host", "::1"},
                                   {"port", 22},
                                   {"path", "/d"}}));
  EXPECT_EQ(destinations[1],
            Json({{"kind", "raw"}, {"uri", "raw:/dev/vda"}, {"source", "/dev/vda"}}));
}

// import.

TEST_F(Kdumpctl, ImportTheUsualFile) {
  dir_.Write("etc/default/kdump-tools", "KDUMP_NUM_DUMPS=5\n");
  EXPECT_EQ(Run({"import", "debian"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("\nkeep_count 5\n"));
  EXPECT_EQ(err_, "");
}

TEST_F(Kdumpctl, ImportAnotherFile) {
  std::string file = dir_.Write("saved", "KDUMP_DUMPLEVEL=17\n");
  EXPECT_EQ(Run({"import", "suse", file}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("\nlevel 17\n"));
  EXPECT_EQ(Run({"import", "suse", file + "x"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("savedx'"));
}

TEST_F(Kdumpctl, ImportOfAPart) {
  dir_.Write("etc/default/kdump-tools", "KDUMP_NUM_DUMPS=5\nKDUMP_COREDIR=$(mktemp)\n");
  EXPECT_EQ(Run({"import", "debian"}), kExitPartial);
  EXPECT_THAT(out_, HasSubstr("\nkeep_count 5\n"));
  EXPECT_THAT(err_, HasSubstr("/etc/default/kdump-tools:2: error: 'KDUMP_COREDIR=$(mktemp)'"));
}

TEST_F(Kdumpctl, ImportWithoutAFile) {
  EXPECT_EQ(Run({"import", "fedora"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("etc/sysconfig/kdump'"));
}

}  // namespace
}  // namespace kdumpkit
