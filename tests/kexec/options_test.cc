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
    if (row.id != OptionId::kIgnored && row.id != OptionId::kFileSyscall) continue;
    std::vector<std::string> args = {"-p", fmt::format("--{}", row.name), "K"};
    if (row.argument != nullptr) args[1] += "=x";
    EXPECT_EQ(Parse(args).kernel, "K") << row.name;
  }
  EXPECT_EQ(Parse({"-p", "-i", "-x", "-t", "bzImage", "-s", "-s", "K"}).kernel, "K");
}

TEST(Options, OptionsWithoutEffectWarn) {
  Options options = Parse({"-p", "--mem-min=0x1000", "K"});
  ASSERT_EQ(options.warnings.size(), 1u);
  EXPECT_EQ(options.warnings[0], "--mem-min has no effect with kexec_file_load, ignoring");
}

TEST(Options, OptionalFlags) {
  EXPECT_EQ(Parse({"-l", "K"}).optional_flags, 0u);
  EXPECT_EQ(Parse({"-l", "-d", "K"}).optional_flags, kFileDebug);
  EXPECT_EQ(Parse({"-l", "-d", "--no-cma", "--force-dtb", "K"}).optional_flags, kOptionalFileFlags);
}

TEST(Options, NoSync) {
  EXPECT_TRUE(Parse({"-e"}).sync);
  EXPECT_FALSE(Parse({"-e", "-y", "-x"}).sync);
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

TEST(Options, KexecLoadIsRefusedByName) {
  EXPECT_THAT(Refusal({"-c", "-p", "K"}), HasSubstr("-c asks for the kexec_load system call"));
  EXPECT_THAT(Refusal({"-c", "-p", "-u"}), HasSubstr("-c asks for the kexec_load system call"));
  for (const char* option : {"--dtb=f", "--reuseinitrd", "--entry=1", "--module=m",
                             "--load-preserve-context", "--real-mode"})
    EXPECT_THAT(Refusal({"-l", option, "K"}), HasSubstr("needs the kexec_load system call"));
  EXPECT_THAT(Refusal({"--load-live-update", "K"}), HasSubstr("Xen"));
}

TEST(Options, LastSyscallChoiceCounts) {
  EXPECT_EQ(Parse({"-c", "-s", "-p", "K"}).kernel, "K");
  EXPECT_EQ(Parse({"-c", "-a", "-p", "K"}).kernel, "K");
  EXPECT_NE(Refusal({"-s", "-c", "-p", "K"}), "accepted");
}

TEST(Options, HelpNamesEveryDocumentedAndIgnoredOption) {
  std::string help = HelpText();
  for (const OptionRow& row : OptionTable()) {
    if (row.help == nullptr && row.id != OptionId::kIgnored) continue;
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
