// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kexec/option_table.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

Options Parse(const std::vector<std::string>& args) {
  Result<Options> options = ParseOptions(args);
  EXPECT_TRUE(options) << options.error().message();
  return options ? *options : Options{};
}

std::string Refusal(const std::vector<std::string>& args) {
  Result<Options> options = ParseOptions(args);
  if (options) return "accepted";
  EXPECT_EQ(options.error().kind(), ErrorKind::kUsage);
  return options.error().message();
}

TEST(Options, DefaultActionLoadsAndReboots) {
  Options options = Parse({"/vmlinuz"});
  EXPECT_EQ(options.action, Action::kLoadAndReboot);
  EXPECT_EQ(options.slot, Slot::kReboot);
  EXPECT_EQ(options.kernel, "/vmlinuz");
  EXPECT_FALSE(options.append);
  EXPECT_FALSE(options.initrd);
}

TEST(Options, LoadPanicNamesTheCrashSlot) {
  EXPECT_EQ(Parse({"-p", "K"}).slot, Slot::kCrash);
  EXPECT_EQ(Parse({"-p", "K"}).action, Action::kLoad);
  EXPECT_EQ(Parse({"--load-panic", "K"}).slot, Slot::kCrash);
  EXPECT_EQ(Parse({"-l", "-p", "K"}).slot, Slot::kCrash);
  EXPECT_EQ(Parse({"-l", "K"}).slot, Slot::kReboot);
}

// Confirmed defect of kexec-tools: "-u -p" went on to load.
TEST(Options, UnloadTakesTheSlotInAnyOrder) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"-p", "-u"},
                                               {"-u", "-p"},
                                               {"-s", "-p", "-u"},
                                               {"-a", "-p", "-u"},
                                               {"-pu"},
                                               {"--unload", "--load-panic"}}) {
    Options options = Parse(args);
    EXPECT_EQ(options.action, Action::kUnload);
    EXPECT_EQ(options.slot, Slot::kCrash);
  }
  EXPECT_EQ(Parse({"-u"}).slot, Slot::kReboot);
  EXPECT_EQ(Parse({"-l", "-u"}).slot, Slot::kReboot);
}

// Confirmed defect of kexec-tools: -d changed the slot that -S asked for.
TEST(Options, StatusAsksForTheCrashSlotUnlessLoadIsGiven) {
  EXPECT_EQ(Parse({"-S"}).slot, Slot::kCrash);
  EXPECT_EQ(Parse({"-S", "-d"}).slot, Slot::kCrash);
  EXPECT_EQ(Parse({"-d", "-S"}).slot, Slot::kCrash);
  EXPECT_EQ(Parse({"-p", "-S"}).slot, Slot::kCrash);
  EXPECT_EQ(Parse({"-l", "-S"}).slot, Slot::kReboot);
  EXPECT_EQ(Parse({"-S", "-u"}).action, Action::kStatus);
}

TEST(Options, MayFollowTheKernel) {
  Options options = Parse({"-p", "K", "--append=a b", "--initrd=I", "-a"});
  EXPECT_EQ(options.kernel, "K");
  EXPECT_EQ(options.append, "a b");
  EXPECT_EQ(options.initrd, "I");
}

TEST(Options, ArgumentsMayBeSeparate) {
  Options options = Parse({"-s", "-p", "K", "--initrd", "I", "--append", "a"});
  EXPECT_EQ(options.initrd, "I");
  EXPECT_EQ(options.append, "a");
}

TEST(Options, DoubleDashEndsThem) {
  Options options = Parse({"--load", "--", "-K"});
  EXPECT_EQ(options.kernel, "-K");
}

TEST(Options, LongNamesMayBeCut) {
  Options options = Parse({"--load-pa", "K", "--app=a", "--ram=I", "--reuse-c", "--deb"});
  EXPECT_EQ(options.slot, Slot::kCrash);
  EXPECT_EQ(options.append, "a");
  EXPECT_EQ(options.initrd, "I");
  EXPECT_TRUE(options.reuse_command_line);
  EXPECT_TRUE(options.debug);
}

TEST(Options, AppendAndCommandLineAreOneTheLastCounts) {
  EXPECT_EQ(Parse({"-p", "--append=a", "--command-line=b", "K"}).append, "b");
  EXPECT_EQ(Parse({"-p", "--command-line=b", "--append=a", "K"}).append, "a");
  EXPECT_EQ(Parse({"-p", "--append=", "K"}).append, "");
}

// Confirmed defect of kexec-tools: an option it took after --append erased the command line.
TEST(Options, IgnoredOptionsAfterAppendLeaveItAlone) {
  for (const char* option : {"--noefi", "--pass-memmap-cmdline", "--reuse-video-type"})
    EXPECT_EQ(Parse({"-p", "--append=X", option, "K"}).append, "X") << option;
}

TEST(Options, EveryCompatibilityOptionIsAccepted) {
  for (const OptionRow& row : OptionTable()) {
    if (row.id != OptionId::kIgnored) continue;
    std::vector<std::string> args = {"-p", fmt::format("--{}", row.name), "K"};
    if (row.argument != nullptr) args[1] += "=x";
    EXPECT_EQ(Parse(args).kernel, "K") << row.name;
  }
  EXPECT_EQ(Parse({"-p", "-i", "-x", "-t", "bzImage", "-s", "-s", "K"}).kernel, "K");
}

TEST(Options, SegmentOptions) {
  SegmentOptions defaults = Parse({"-p", "K"}).segments;
  EXPECT_TRUE(defaults.check);
  EXPECT_TRUE(defaults.efi);
  EXPECT_FALSE(defaults.Bounded());
  EXPECT_FALSE(defaults.serial_port);
  SegmentOptions given =
      Parse({"-p", "-i", "--noefi", "--mem-min=0x1000", "--mem-max", "4096", "--serial=ttyS1", "K"})
          .segments;
  EXPECT_FALSE(given.check);
  EXPECT_FALSE(given.efi);
  EXPECT_TRUE(given.Bounded());
  EXPECT_EQ(given.mem_min, 0x1000u);
  EXPECT_EQ(given.mem_max, 4096u);
  EXPECT_EQ(given.serial_port, 0x2f8);
  EXPECT_EQ(Parse({"-p", "--serial=0x3e8", "K"}).segments.serial_port, 0x3e8);
}

TEST(Options, BadNumbersAreRefusedWithAnExample) {
  for (const char* bad : {"", "0x", "12k", "-1", "0x1ffffffffffffffff", "x"})
    EXPECT_EQ(Refusal({"-p", fmt::format("--mem-min={}", bad), "K"}),
              fmt::format("--mem-min: '{}' is not an address, such as 0x10000000", bad));
  EXPECT_EQ(Refusal({"-p", "--mem-min=2", "--mem-max=1", "K"}), "--mem-min is above --mem-max");
  for (const char* bad : {"ttyS4", "ttyUSB0", "0", "0x10000", "/dev/ttyS0"})
    EXPECT_EQ(Refusal({"-p", fmt::format("--serial={}", bad), "K"}),
              fmt::format("--serial: '{}' is neither one of ttyS0 to ttyS3 nor an I/O port, such "
                          "as 0x3f8",
                          bad));
}

TEST(Options, JsonAnswersPlanAndStatus) {
  EXPECT_TRUE(Parse({"-S", "--json"}).json);
  EXPECT_TRUE(Parse({"-p", "--plan", "--json", "K"}).json);
  EXPECT_TRUE(Parse({"-p", "--plan", "K"}).dry_run);
  EXPECT_TRUE(Parse({"-p", "--dry-run", "K"}).dry_run);
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{"-p", "--json", "K"}, {"-u", "--plan", "--json"}})
    EXPECT_EQ(Refusal(args), "--json needs --status, or --plan of a load");
}

TEST(Options, OptionalFlags) {
  EXPECT_EQ(Parse({"-l", "K"}).optional_flags, 0u);
  EXPECT_EQ(Parse({"-l", "-d", "K"}).optional_flags, kFileDebug);
  EXPECT_EQ(Parse({"-l", "-d", "--no-cma", "--force-dtb", "K"}).optional_flags, kOptionalFileFlags);
}

TEST(Options, WhatHappensBeforeTheStart) {
  EXPECT_TRUE(Parse({"-e"}).sync);
  EXPECT_TRUE(Parse({"-e"}).interfaces_down);
  EXPECT_FALSE(Parse({"-e", "-y"}).sync);
  EXPECT_FALSE(Parse({"-e", "-x"}).interfaces_down);
}

TEST(Options, ForceBesideExecIsExec) {
  EXPECT_EQ(Parse({"-e", "-f"}).action, Action::kExecute);
  EXPECT_EQ(Parse({"-f", "K"}).action, Action::kLoadAndExecute);
}

TEST(Options, QuestionsComeBeforeActions) {
  EXPECT_EQ(Parse({"-h"}).action, Action::kHelp);
  EXPECT_EQ(Parse({"-?"}).action, Action::kHelp);
  EXPECT_EQ(Parse({"-p", "K", "--version"}).action, Action::kVersion);
  EXPECT_EQ(Parse({"--print-ckr-size"}).action, Action::kPrintReservation);
}

TEST(Options, RefusedCombinationsNameTheReason) {
  EXPECT_EQ(
      Refusal({"-e", "-p"}),
      "--exec and --load-panic cannot be combined: a crash kernel is started by a panic only");
  EXPECT_EQ(Refusal({"-p", "-f", "K"}),
            "--force and --load-panic cannot be combined: a crash kernel is started by a panic "
            "only");
  EXPECT_EQ(Refusal({"-l", "-e", "K"}), "--exec and --load cannot be combined: give one of them");
  EXPECT_EQ(Refusal({"-l", "-f", "K"}), "--force and --load cannot be combined: give one of them");
  EXPECT_EQ(Refusal({"-u", "-e"}), "--unload and --exec cannot be combined: give one of them");
  EXPECT_EQ(Refusal({"-u", "--append=x"}), "--unload loads no kernel: --append has no meaning");
  EXPECT_EQ(Refusal({"-e", "--initrd=x"}), "--exec loads no kernel: --initrd has no meaning");
  EXPECT_EQ(Refusal({"-S", "--reuse-cmdline"}),
            "--status loads no kernel: --reuse-cmdline has no meaning");
  EXPECT_EQ(Refusal({"-u", "-p", "K"}), "--unload loads no kernel: 'K' has no meaning");
}

TEST(Options, MissingThingsAreNamed) {
  EXPECT_EQ(Refusal({}), "no kernel given; see 'kexec --help'");
  EXPECT_EQ(Refusal({"-p"}), "no kernel given; see 'kexec --help'");
  EXPECT_EQ(Refusal({"-p", ""}), "no kernel given; see 'kexec --help'");
  EXPECT_EQ(Refusal({"-p", "K", "--initrd="}), "--initrd has an empty file name");
  EXPECT_EQ(Refusal({"-p", "K", "--append"}), "option '--append' needs an argument");
  EXPECT_EQ(Refusal({"-p", "K", "-t"}), "option '--type' needs an argument");
}

// kexec-tools took the first and dropped the rest of a command line that lost its quotes.
TEST(Options, SecondKernelIsRefused) {
  EXPECT_THAT(Refusal({"-p", "K", "--append=a", "b"}),
              HasSubstr("more than one kernel given: 'K' and 'b'"));
}

TEST(Options, UnknownAndAmbiguousOptions) {
  EXPECT_EQ(Refusal({"--no-such"}), "unknown option '--no-such'; see 'kexec --help'");
  EXPECT_EQ(Refusal({"--append=x", "-Zd"}), "unknown option '-Z'; see 'kexec --help'");
  EXPECT_EQ(Refusal({"--no-c=1"}), "option '--no-c' is ambiguous: --no-cma --no-checks");
  EXPECT_EQ(Refusal({"--load=1", "K"}), "option '--load' takes no argument");
}

TEST(Options, WhatIsNotServedIsRefusedWithTheReason) {
  for (const OptionRow& row : OptionTable()) {
    if (row.id != OptionId::kRefused) continue;
    std::string word = fmt::format("--{}{}", row.name, row.argument != nullptr ? "=1" : "");
    EXPECT_EQ(Refusal({"-l", word, "K"}), fmt::format("--{}: {}", row.name, row.help));
  }
  EXPECT_THAT(Refusal({"--load-live-update", "K"}), HasSubstr("Xen"));
}

TEST(Options, LastSyscallChoiceCounts) {
  EXPECT_EQ(Parse({"-p", "K"}).call, CallChoice::kAuto);
  EXPECT_EQ(Parse({"-c", "-s", "-p", "K"}).call, CallChoice::kFile);
  EXPECT_EQ(Parse({"-c", "-a", "-p", "K"}).call, CallChoice::kAuto);
  EXPECT_EQ(Parse({"-s", "-c", "-p", "K"}).call, CallChoice::kSegments);
  EXPECT_EQ(Parse({"-c", "-p", "-u"}).call, CallChoice::kSegments);
}

TEST(Options, HelpNamesEveryDocumentedAndIgnoredOption) {
  std::string help = HelpText();
  for (const OptionRow& row : OptionTable()) {
    if (row.id == OptionId::kRefused) continue;
    EXPECT_THAT(help, HasSubstr(fmt::format("--{}", row.name)));
  }
}

// The callers' own words: kdumpctl, early-kdump, Debian's kdump-config and init script, openSUSE's
// kdump, SteamOS, systemd, nixos-images, tukit, petitboot.
TEST(Options, LoadLinesOfCallers) {
  const std::vector<std::vector<std::string>> lines = {
      {"-s", "-p", "--command-line=C", "--initrd=I", "K"},
      {"-s", "-s", "-p", "--command-line=C", "--initrd=I", "K"},
      {"--dt-no-old-root", "-s", "-p", "--command-line=C", "--initrd=I", "K"},
      {"--elf64-core-headers", "-p", "--command-line=C", "--initrd=I", "K"},
      {"-p", "-s", "--args-linux", "--command-line=C", "--initrd=I", "K"},
      {"-p", "K", "--append=C", "--initrd=I", "-a"},
      {"-s", "-p", "K", "--initrd", "I", "--append=C"},
  };
  for (const std::vector<std::string>& line : lines) {
    Options options = Parse(line);
    EXPECT_EQ(options.action, Action::kLoad);
    EXPECT_EQ(options.slot, Slot::kCrash);
    EXPECT_EQ(options.kernel, "K");
    EXPECT_EQ(options.initrd, "I");
    EXPECT_EQ(options.append, "C");
  }
}

TEST(Options, RebootLinesOfCallers) {
  const std::vector<std::vector<std::string>> lines = {
      {"-l", "K", "--initrd=I", "--append=C"},
      {"--load", "K", "--append", "C", "--initrd", "I"},
      {"--load", "--kexec-syscall-auto", "--initrd=I", "--append=C", "--", "K"},
      {"-l", "--debug", "--initrd=I", "--append=C", "K"},
  };
  for (const std::vector<std::string>& line : lines) {
    Options options = Parse(line);
    EXPECT_EQ(options.action, Action::kLoad);
    EXPECT_EQ(options.slot, Slot::kReboot);
    EXPECT_EQ(options.kernel, "K");
    EXPECT_EQ(options.initrd, "I");
    EXPECT_EQ(options.append, "C");
  }
  EXPECT_TRUE(Parse({"-a", "-l", "K", "--initrd=I", "--reuse-cmdline"}).reuse_command_line);
  EXPECT_EQ(Parse({"-e"}).action, Action::kExecute);
}

}  // namespace
}  // namespace kdumpkit
