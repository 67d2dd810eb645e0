// SPDX-License-Identifier: GPL-2.0-or-later
// One file: values, and every sort of mistake with its line and its suggestion.
#include "config/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/parsing.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = Destination::Kind;

Config Good(std::string_view text) {
  ParsedConfig reading = Parse(text);
  EXPECT_THAT(ProblemLines(reading), IsEmpty()) << text;
  return reading.config;
}
std::string OnlyProblem(std::string_view text) {
  std::vector<std::string> lines = ProblemLines(Parse(text));
  EXPECT_THAT(lines, SizeIs(1)) << text;
  return lines.empty() ? "" : lines[0];
}

TEST(ParseConfig, NothingGivesTheDefaults) {
  Config config = Good("");
  Config defaults;
  defaults.destinations = {Destination{.path = "/var/crash"}};
  EXPECT_EQ(config, defaults);
}

TEST(ParseConfig, EverySortOfValue) {
  Config config = Good(
      "level 17\ncompression zstd\nthreads 4\nmin_free 1G\nkeep_age 30d\nwatchdog no\n"
      "host_tag hostname\nfinal_action poweroff\nfailure_action dump_to_rootfs\n"
      "kernel_image \"/boot/my kernel\"\nextra_modules gfs2 dm-mod\npre_failure skip\n"
      "image_builder dracut\n");
  EXPECT_EQ(config.level, 17u);
  EXPECT_EQ(config.compression, DumpCompression::kZstd);
  EXPECT_EQ(config.threads, 4u);
  EXPECT_EQ(config.min_free, uint64_t{1} << 30);
  EXPECT_EQ(config.keep_age, std::chrono::hours(24 * 30));
  EXPECT_FALSE(config.watchdog);
  EXPECT_EQ(config.host_tag, HostTag::kHostName);
  EXPECT_EQ(config.final_action, EndAction::kPowerOff);
  EXPECT_EQ(config.failure_action, FailureAction::kDumpToRootfs);
  EXPECT_EQ(config.kernel_image, "/boot/my kernel");
  EXPECT_THAT(config.extra_modules, ElementsAre("gfs2", "dm-mod"));
  EXPECT_EQ(config.pre_failure, PreFailure::kSkip);
  EXPECT_EQ(config.image_builder, ImageBuilder::kDracut);
}

TEST(ParseConfig, WordsForNothing) {
  Config config = Good(
      "threads auto\ncpus all\nkeep_count all\nkeep_bytes unlimited\nkeep_age forever\n"
      "total_timeout none\ncrash_loop_count off\nkdump_pre none\nextra_bins none\n"
      "command_line running\nkernel_version running\ncrashkernel auto\nssh_host_key none\n");
  EXPECT_EQ(config.cpus, 0u);
  EXPECT_EQ(config.total_timeout.count(), 0);
  EXPECT_EQ(config.crash_loop_count, 0u);
  EXPECT_THAT(config.command_line, IsEmpty());
  EXPECT_EQ(config.pre_hook, "");
}

TEST(ParseConfig, DestinationsInTheirOrder) {
  Config config = Good(
      "destination ssh://kdump@h/srv\n"
      "destination nfs://n/export options=vers=4.2 # the old server\n"
      "destination \"LABEL=my disk:/dumps\" fstype=xfs\n"
      "destination /var/crash\n");
  ASSERT_THAT(config.destinations, SizeIs(4));
  EXPECT_EQ(config.destinations[0].kind, Kind::kSsh);
  EXPECT_EQ(config.destinations[1].mount_options, "vers=4.2");
  EXPECT_EQ(config.destinations[2].source, "LABEL=my disk");
  EXPECT_EQ(config.destinations[3].kind, Kind::kFolder);
}

TEST(ParseConfig, PathGoesToDestinationsThatNameNone) {
  Config config = Good("path /dumps\ndestination UUID=1\ndestination ssh://h/other\n");
  EXPECT_EQ(config.destinations[0].path, "/dumps");
  EXPECT_EQ(config.destinations[1].path, "/other");
}

TEST(ParseConfig, PathLosesSlashes) {
  Config config = Good("path //dumps//here/\nnfs h:/e\n");
  EXPECT_EQ(config.path, "/dumps/here");
  EXPECT_EQ(config.destinations[0].path, "/dumps/here");
}

TEST(ParseConfig, KernelCommandLineKeepsItsWords) {
  Config config = Good("command_line_append irqpoll 'dyndbg=file x.c +p' nr_cpus=1\n");
  EXPECT_THAT(config.command_line_append,
              ElementsAre("irqpoll", "dyndbg=file x.c +p", "nr_cpus=1"));
  EXPECT_THAT(OnlyProblem("command_line_append 'a\"b'\n"), HasSubstr("kernel command line"));
}

TEST(ParseConfig, KeysOfServers) {
  Config config = Good(
      "sshkey /root/a\nsshkey /root/b\nssh_host_key ssh-ed25519 AAAAC3Nza\n"
      "ssh_host_key \"ssh-rsa AAAAB3Nza\"\n");
  EXPECT_THAT(config.ssh_identities, ElementsAre("/root/a", "/root/b"));
  EXPECT_THAT(config.ssh_host_keys, ElementsAre("ssh-ed25519 AAAAC3Nza", "ssh-rsa AAAAB3Nza"));
}

TEST(ParseConfig, Reservation) {
  EXPECT_THAT(Good("crashkernel 2G-64G:256M,64G-:512M\n").crashkernel,
              ElementsAre("2G-64G:256M,64G-:512M"));
  EXPECT_THAT(Good("crashkernel 72M,low 300M,high\n").crashkernel,
              ElementsAre("72M,low", "300M,high"));
  EXPECT_THAT(OnlyProblem("crashkernel plenty\n"), HasSubstr("values of crashkernel="));
}

// Mistakes.

TEST(ParseConfig, UnknownDirective) {
  EXPECT_EQ(OnlyProblem("\npth /x\n"), "2: error: unknown directive 'pth'; did you mean 'path'?");
  EXPECT_EQ(OnlyProblem("qqqqq 1"),
            "1: error: unknown directive 'qqqqq'; kdump.conf(5) lists all directives");
}

TEST(ParseConfig, Assignment) {
  EXPECT_EQ(OnlyProblem("level=17"),
            "1: error: unknown directive 'level=17'; write 'level 17', without '='");
  EXPECT_EQ(OnlyProblem("level = 17"),
            "1: error: 'level = 17' cannot be used; a directive and its value stand side by side, "
            "without '='");
}

TEST(ParseConfig, BadValues) {
  EXPECT_EQ(OnlyProblem("level 32"),
            "1: error: 'level 32' cannot be used; a whole number from 0 to 31 is wanted");
  EXPECT_EQ(OnlyProblem("threads 0x"),
            "1: error: 'threads 0x' cannot be used; a whole number from 1 to 1024 is wanted, or "
            "'auto'");
  EXPECT_EQ(OnlyProblem("failure_action reeboot"),
            "1: error: 'failure_action reeboot' cannot be used; did you mean 'reboot'? allowed are "
            "reboot, halt, poweroff, shell, dump_to_rootfs");
  EXPECT_EQ(OnlyProblem("compression gzip"),
            "1: error: 'compression gzip' cannot be used; allowed are none, "
            "zlib, lzo, snappy, zstd");
  EXPECT_THAT(OnlyProblem("min_free 64"), HasSubstr("needs a unit"));
  EXPECT_THAT(OnlyProblem("keep_bytes 1025T"), HasSubstr("at most 1024T"));
  EXPECT_THAT(OnlyProblem("mount_timeout 0"), HasSubstr("it must be from 1s to 1d"));
  EXPECT_THAT(OnlyProblem("watchdog maybe"), HasSubstr("write yes or no"));
  EXPECT_THAT(OnlyProblem("level 1 2"), HasSubstr("one word is wanted"));
  EXPECT_THAT(OnlyProblem("kdump_pre bin/x"), HasSubstr("an absolute path is wanted"));
  EXPECT_THAT(OnlyProblem("path /a/../b"), HasSubstr("'..'"));
  EXPECT_THAT(OnlyProblem("extra_modules a/b"), HasSubstr("'a/b': a name without blanks"));
  EXPECT_THAT(OnlyProblem("ssh_host_key *"), HasSubstr("the server's public key is wanted"));
  EXPECT_THAT(OnlyProblem("kernel_version --x"), HasSubstr("a name without blanks"));
}

TEST(ParseConfig, BadValueLeavesTheDefault) {
  EXPECT_EQ(Parse("level 32\n").config.level, 31u);
  EXPECT_EQ(Parse("ssh_host_key ssh-rsa AAAAx\nssh_host_key x\n").config.ssh_host_keys.size(), 1u);
}

TEST(ParseConfig, MissingValue) {
  EXPECT_EQ(OnlyProblem("path"), "1: error: 'path' has no value; write 'path FOLDER'");
  EXPECT_EQ(OnlyProblem("path \"\" # x"), "1: error: 'path' has no value; write 'path FOLDER'");
  EXPECT_THAT(OnlyProblem("extra_bins \" \""), HasSubstr("write 'none' for an empty list"));
}

TEST(ParseConfig, Duplicate) {
  EXPECT_EQ(OnlyProblem("level 1\nlevel 2\n"),
            "2: error: 'level' stands in line 1 already; remove one of the lines");
  EXPECT_EQ(Parse("level 1\nlevel 2\n").config.level, 1u);
}

TEST(ParseConfig, DuplicateWithABadValueTellsBoth) {
  EXPECT_THAT(ProblemLines(Parse("level 1\nlevel 99\n")),
              ElementsAre(HasSubstr("stands in line 1 already"), HasSubstr("from 0 to 31")));
}

TEST(ParseConfig, SameDestinationTwice) {
  EXPECT_THAT(
      OnlyProblem("destination ssh://h/d\ndestination ssh://h//d/\n"),
      HasSubstr("2: error: 'destination ssh://h//d/' is the same destination as in line 1"));
}

TEST(ParseConfig, TooManyDestinations) {
  std::string text;
  for (int i = 0; i < 65; ++i) text += fmt::format("destination /d{}\n", i);
  EXPECT_EQ(OnlyProblem(text),
            "65: error: more than 64 lines of 'destination'; remove those that are not needed");
}

TEST(ParseConfig, SecondTarget) {
  EXPECT_EQ(OnlyProblem("nfs h:/e\nssh u@h\n"),
            "2: error: 'ssh u@h' is a second destination, the first is 'nfs' in line 1; write each "
            "one as 'destination URI', in the order to try them");
  EXPECT_THAT(OnlyProblem("destination /a\nraw /dev/vda\n"),
              HasSubstr("the first is 'destination'"));
  EXPECT_THAT(OnlyProblem("xfs /dev/vda\ndestination /a\n"), HasSubstr("the first is 'xfs'"));
}

TEST(ParseConfig, RemovedDirectivesSayWhatToWrite) {
  EXPECT_EQ(OnlyProblem("disk_timeout 30"),
            "1: error: 'disk_timeout' has been removed; write 'device_timeout DURATION'");
  for (std::string_view name : {"net", "options", "link_delay", "disk_timeout", "debug_mem_level",
                                "blacklist", "override_resettable"})
    EXPECT_THAT(OnlyProblem(std::string(name) + " x"), HasSubstr("has been removed; ")) << name;
}

TEST(ParseConfig, RenamedDirectiveStillWorks) {
  ParsedConfig reading = Parse("default shell\n");
  EXPECT_TRUE(reading.ok());
  EXPECT_EQ(reading.config.failure_action, FailureAction::kShell);
  EXPECT_THAT(ProblemLines(reading),
              ElementsAre("1: warning: 'default' is now called 'failure_action'; write "
                          "'failure_action shell'"));
  EXPECT_FALSE(Parse("default shell\nfailure_action halt\n").ok());
}

TEST(ParseConfig, AllProblemsAreReported) {
  ParsedConfig reading = Parse("level 99\nqqqqq\nx \"y\npath /a\ncompression bz2\n");
  EXPECT_THAT(ProblemLines(reading),
              ElementsAre(testing::StartsWith("1:"), testing::StartsWith("2:"),
                          testing::StartsWith("3:"), testing::StartsWith("5:")));
  EXPECT_EQ(reading.config.path, "/a");
}

TEST(ParseConfig, LooseBlanksAreOneValueAsInFedora) {
  ParsedConfig reading = Parse("path /var/my crash\n");
  EXPECT_TRUE(reading.ok());
  EXPECT_EQ(reading.config.path, "/var/my crash");
  EXPECT_THAT(ProblemLines(reading), ElementsAre(HasSubstr("taken for one value with blanks")));
}

// What only several lines together are.

TEST(ParseConfig, RebuildConflict) {
  EXPECT_EQ(OnlyProblem("force_no_rebuild 1\nforce_rebuild 1\n"),
            "2: error: 'force_rebuild' does not go with 'force_no_rebuild' (in k.conf:1): they "
            "exclude each other; remove one of the lines");
}

TEST(ParseConfig, BuilderConflict) {
  EXPECT_THAT(OnlyProblem("dracut_args --x\nimage_builder kdumpkit\n"),
              HasSubstr("2: error: 'image_builder' does not go with 'dracut_args' (in k.conf:1)"));
  Good("dracut_args --x\nimage_builder dracut\n");
}

TEST(ParseConfig, PathWithoutEffect) {
  EXPECT_THAT(OnlyProblem("path /a\ndestination ssh://h/b\n"),
              HasSubstr("1: warning: 'path' has no effect"));
  Good("path /a\ndestination ssh://h\n");
}

TEST(ParseConfig, RelativePathNeedsADestination) {
  ParsedConfig reading = Parse("path crash\n");
  EXPECT_THAT(ProblemLines(reading),
              ElementsAre("1: error: 'path crash' cannot be used; 'crash' must begin with a slash: "
                          "it is a folder of this machine"));
  EXPECT_EQ(reading.config.destinations[0].path, "/var/crash");
  EXPECT_EQ(Good("path crash\nnfs h:/e\n").destinations[0].path, "/crash");
  EXPECT_EQ(Good("path crash\nssh u@h\n").destinations[0].path, "crash");
}

TEST(ParseConfig, LogOnlyNeedsFolders) {
  EXPECT_THAT(OnlyProblem("dmesg_only yes\ndestination /a\ndestination raw:/dev/vda\n"),
              HasSubstr("3: error: a raw device has no room for a log"));
  EXPECT_THAT(OnlyProblem("dmesg_only yes\ncore_collector cp\n"),
              HasSubstr("only the log is saved"));
}

TEST(ParseConfig, TimesThatCannotBe) {
  EXPECT_THAT(
      OnlyProblem("stall_timeout 2h\ntotal_timeout 1h\n"),
      HasSubstr("2: warning: 'total_timeout' does not go with 'stall_timeout' (in k.conf:1)"));
  EXPECT_THAT(OnlyProblem("total_timeout 5min\n"), HasSubstr("'stall_timeout' (by default)"));
  EXPECT_THAT(OnlyProblem("crash_loop_count off\ncrash_loop_window 1h\n"),
              HasSubstr("the guard is off"));
}

TEST(ParseConfig, ScpNeedsSsh) {
  Good("core_collector scp\nssh u@h\n");
  EXPECT_THAT(OnlyProblem("core_collector scp\n"), HasSubstr("needs ssh destinations"));
}

// Origins.

TEST(ParseConfig, OriginsAreLines) {
  ParsedConfig reading = Parse("# c\nlevel 1\n\ndestination /a\ndestination /b\n");
  EXPECT_EQ(reading.origins.at("level")[0].at.ToString(), "k.conf:2");
  ASSERT_THAT(reading.origins.at("destination"), SizeIs(2));
  EXPECT_EQ(reading.origins.at("destination")[1].at.line, 5u);
  EXPECT_EQ(reading.origins.count("compression"), 0u);
  reading = Parse("path /a\n");
  EXPECT_EQ(reading.origins.at("destination")[0].by, "path");
}

}  // namespace
}  // namespace kdumpkit
