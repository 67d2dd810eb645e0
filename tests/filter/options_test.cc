// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/options.h"

#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

FilterOptions Parse(const std::vector<std::string>& arguments) {
  Result<FilterOptions> options = ParseFilterOptions(arguments, 3);
  EXPECT_TRUE(options) << (options ? "" : options.error().message());
  return options ? *options : FilterOptions{};
}
std::string ErrorOf(const std::vector<std::string>& arguments) {
  Result<FilterOptions> options = ParseFilterOptions(arguments, 3);
  if (options) return "accepted";
  EXPECT_EQ(options.error().kind(), ErrorKind::kUsage);
  return options.error().message();
}

TEST(FilterOptions, KdumpctlDefaultCoreCollector) {
  FilterOptions options = Parse({"-l", "--message-level", "7", "-d", "31", "/proc/vmcore", "out"});
  EXPECT_EQ(options.codec, Codec::kLzo);
  EXPECT_EQ(options.level.bits(), 31);
  EXPECT_EQ(options.message_level, 7);
  EXPECT_EQ(options.threads, 3);
  EXPECT_EQ(options.vmcore, "/proc/vmcore");
  EXPECT_EQ(options.output, "out");
}

TEST(FilterOptions, OptionsMayFollowOperandsAndAbbreviate) {
  FilterOptions options = Parse({
      "core",
      "-zd16",
      "out",
      "--num-thr=2",
      "-f",
      "--",
  });
  EXPECT_EQ(options.codec, Codec::kZstd);
  EXPECT_EQ(options.level.bits(), 16);
  EXPECT_EQ(options.threads, 2);
  EXPECT_TRUE(options.force);
}

TEST(FilterOptions, LastCompressionWins) {
  EXPECT_EQ(Parse({"-c", "-p", "a", "b"}).codec, Codec::kSnappy);
}

TEST(FilterOptions, ElfIsForPlainDumps) {
  EXPECT_TRUE(Parse({"-E", "-d", "31", "a", "b"}).elf);
  EXPECT_TRUE(Parse({"-E", "-F", "a"}).elf);
  EXPECT_NE(ErrorOf({"-E", "-l", "a", "b"}).find("never compressed"), std::string::npos);
  EXPECT_NE(ErrorOf({"-E", "--verify", "a"}).find("exclude each other"), std::string::npos);
}

TEST(FilterOptions, CompressLevelsAreThoseOfTheCodec) {
  EXPECT_EQ(Parse({"-c", "--compress-level", "9", "a", "b"}).compress_level, 9);
  EXPECT_EQ(Parse({"--compress-level", "19", "-z", "a", "b"}).compress_level, 19);
  EXPECT_EQ(Parse({"-c", "a", "b"}).compress_level, std::nullopt);
  for (const char* level : {"0", "20", "x"})
    EXPECT_NE(ErrorOf({"-z", "--compress-level", level, "a", "b"}), "accepted") << level;
  EXPECT_NE(ErrorOf({"-c", "--compress-level", "10", "a", "b"}).find("1 to 9"), std::string::npos);
  for (const char* codec : {"-l", "-p", "-f"})
    EXPECT_NE(ErrorOf({codec, "--compress-level", "1", "a", "b"}).find("has no levels"),
              std::string::npos);
}

TEST(FilterOptions, NumThreadsZeroMeansOne) {
  EXPECT_EQ(Parse({"--num-threads", "0", "a", "b"}).threads, 1);
}

TEST(FilterOptions, DryRunNeedsNoOutput) { EXPECT_TRUE(Parse({"--dry-run", "a"}).output.empty()); }

TEST(FilterOptions, Config) {
  FilterOptions options = Parse({"--config", "erase.conf", "--config-lenient", "a", "b"});
  EXPECT_EQ(options.erase_config, "erase.conf");
  EXPECT_TRUE(options.erase_lenient);
  EXPECT_EQ(ErrorOf({"--config-lenient", "a", "b"}), "--config-lenient is for --config only");
  EXPECT_EQ(ErrorOf({"--config", "c", "--info", "a"}), "--config and --info exclude each other");
}

TEST(FilterOptions, DmesgMode) {
  EXPECT_EQ(Parse({"--dump-dmesg", "a", "b"}).mode, FilterMode::kDmesg);
}

TEST(FilterOptions, ShowLayoutMode) {
  FilterOptions options = Parse({"--show-layout", "--json", "core"});
  EXPECT_EQ(options.mode, FilterMode::kShowLayout);
  EXPECT_EQ(options.vmcore, "core");
  EXPECT_EQ(ErrorOf({"--show-layout"}), "--show-layout wants a file; try --help");
  EXPECT_EQ(ErrorOf({"--show-layout", "a", "b"}), "'b' is one operand too many");
  EXPECT_EQ(ErrorOf({"--show-layout", "-F", "a"}), "-F and --show-layout exclude each other");
  EXPECT_EQ(ErrorOf({"--verify", "--show-layout", "a"}),
            "--verify and --show-layout exclude each other");
}

TEST(FilterOptions, OptionsOfTheLog) {
  FilterOptions options =
      Parse({"--dump-dmesg", "--partial-dmesg", "--dmesg-level=err+", "--dmesg-json", "a", "b"});
  EXPECT_TRUE(options.partial_dmesg && options.dmesg_json);
  EXPECT_EQ(options.dmesg_levels, 0x0fu);
  for (const char* option : {"--partial-dmesg", "--dmesg-json", "--dmesg-level=err"})
    EXPECT_NE(ErrorOf({option, "a", "b"}).find("--dump-dmesg only"), std::string::npos);
}

TEST(FilterOptions, FilesThatAreOnlyLookedAt) {
  EXPECT_EQ(Parse({"--info", "a"}).mode, FilterMode::kInfo);
  EXPECT_EQ(Parse({"--mem-usage", "a"}).mode, FilterMode::kMemUsage);
  FilterOptions options = Parse({"--compare", "a", "b"});
  EXPECT_EQ(options.mode, FilterMode::kCompare);
  EXPECT_EQ(options.vmcore, "a");
  EXPECT_EQ(options.other, "b");
  EXPECT_EQ(ErrorOf({"--compare", "a"}), "--compare wants two files; try --help");
  EXPECT_EQ(ErrorOf({"--info"}), "--info wants a file; try --help");
  EXPECT_EQ(ErrorOf({"--info", "a", "b"}), "'b' is one operand too many");
  EXPECT_EQ(ErrorOf({"--info", "--compare", "a"}), "--info and --compare exclude each other");
  EXPECT_EQ(ErrorOf({"--info", "-F", "a"}), "-F and --info exclude each other");
}

TEST(VmcoreDmesgOptions, OneOperand) {
  FilterOptions options = ParseVmcoreDmesgOptions({"core"}).value();
  EXPECT_EQ(options.mode, FilterMode::kDmesg);
  EXPECT_EQ(options.vmcore, "core");
  EXPECT_TRUE(options.stream_fd);
  EXPECT_EQ(ParseVmcoreDmesgOptions({"--", "-h"}).value().vmcore, "-h");
  EXPECT_EQ(ParseVmcoreDmesgOptions({"-h"}).value().mode, FilterMode::kHelp);
  EXPECT_EQ(ParseVmcoreDmesgOptions({"-v"}).value().mode, FilterMode::kVersion);
  for (std::vector<std::string> bad : {std::vector<std::string>{}, {"a", "b"}, {"-x", "a"}})
    EXPECT_EQ(ParseVmcoreDmesgOptions(bad).error().kind(), ErrorKind::kUsage);
}

// Debian's kdump-config: "makedumpfile -F -c -d 31 /proc/vmcore | cat >FILE".
TEST(FilterOptions, KdumpConfigWantsAStream) {
  FilterOptions options = Parse({"-F", "-c", "-d", "31", "/proc/vmcore"});
  EXPECT_EQ(options.stream_fd, 1);
  EXPECT_EQ(options.codec, Codec::kZlib);
  EXPECT_EQ(options.vmcore, "/proc/vmcore");
  EXPECT_FALSE(Parse({"a", "b"}).stream_fd);
}

TEST(FilterOptions, StreamRefusesWhatElseWantsStandardOutput) {
  EXPECT_EQ(ErrorOf({"-F", "a", "b"}), "'b' is one operand too many: -F writes to standard output");
  EXPECT_EQ(ErrorOf({"-F", "--json", "a"}),
            "-F and --json both want standard output; write --json=FILE");
  EXPECT_EQ(ErrorOf({"-F"}), "no VMCORE is given; try --help");
}

TEST(FilterOptions, JsonMayHaveAFile) {
  FilterOptions options = Parse({"-F", "--json=/run/report", "a"});
  EXPECT_TRUE(options.json);
  EXPECT_EQ(options.json_file, "/run/report");
  EXPECT_EQ(Parse({"--json", "a", "b"}).json_file, "");
}

TEST(FilterOptions, Reassemble) {
  FilterOptions options = Parse({"-R", "-f", "dump"});
  EXPECT_EQ(options.mode, FilterMode::kReassemble);
  EXPECT_EQ(options.output, "dump");
  EXPECT_EQ(options.vmcore, "");
  EXPECT_TRUE(options.force);
  EXPECT_EQ(Parse({"-R", "dump", "stream"}).vmcore, "stream");
  EXPECT_EQ(ErrorOf({"-R"}), "no DUMPFILE is given; try --help");
  EXPECT_EQ(ErrorOf({"-R", "a", "b", "c"}), "'c' is one operand too many");
  EXPECT_EQ(ErrorOf({"-R", "-F", "a"}), "-F and -R exclude each other");
  EXPECT_EQ(ErrorOf({"-R", "--dry-run", "a"}), "--dry-run and -R exclude each other");
  EXPECT_EQ(ErrorOf({"-R", "--verify", "a"}), "-R and --verify exclude each other");
}

TEST(FilterOptions, SplitAndReassemble) {
  FilterOptions options = Parse({"--split", "--splitblock-size", "1024", "core", "a", "b", "c"});
  EXPECT_TRUE(options.split);
  EXPECT_EQ(options.vmcore, "core");
  EXPECT_EQ(options.parts, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(options.split_block, 1u << 20);
  options = Parse({"--reassemble", "b", "a", "-f", "dump"});
  EXPECT_EQ(options.mode, FilterMode::kJoin);
  EXPECT_EQ(options.parts, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(options.output, "dump");
  const std::pair<std::vector<std::string>, std::string> kRefused[] = {
      {{"--split", "core", "a"}, "a split dump has 2 to 999 parts, not 1"},
      {{"--split", "core"}, "not 0"},
      {{"--split"}, "no VMCORE"},
      {{"--split", "core", "a", "b", "a"}, "'a' is there twice"},
      {{"--split", "-E", "core", "a", "b"}, "--split and -E"},
      {{"--split", "-F", "core", "a", "b"}, "--split and -F"},
      {{"--split", "-L", "1G", "core", "a", "b"}, "--split and -L"},
      {{"--split", "--dump-dmesg", "core", "a", "b"}, "--split and --dump-dmesg"},
      {{"--split", "--splitblock-size", "0", "core", "a", "b"}, "a whole number from 1"},
      {{"--splitblock-size", "4", "core", "a"}, "for --split only"},
      {{"--reassemble", "a"}, "not 0"},
      {{"--reassemble", "a", "b"}, "not 1"},
      {{"--reassemble"}, "no DUMPFILE"},
      {{"--reassemble", "-l", "a", "b", "c"}, "--reassemble and compression"},
      {{"--reassemble", "-d", "31", "a", "b", "c"}, "--reassemble and -d"},
      {{"--reassemble", "--split", "a", "b", "c"}, "--split and --reassemble"},
      {{"--reassemble", "-R", "a", "b", "c"}, "exclude each other"},
      {{"--reassemble", "--dry-run", "a", "b", "c"}, "--dry-run and --reassemble"},
  };
  for (const auto& [words, text] : kRefused)
    EXPECT_NE(ErrorOf(words).find(text), std::string::npos) << text << ": " << ErrorOf(words);
  std::vector<std::string> many = {"--split", "core"};
  for (int i = 0; i < 1000; ++i) many.push_back(std::to_string(i));
  EXPECT_NE(ErrorOf(many).find("not 1000"), std::string::npos);
}

TEST(FilterOptions, Verify) {
  FilterOptions options = Parse({"--verify", "dump"});
  EXPECT_EQ(options.mode, FilterMode::kVerify);
  EXPECT_EQ(options.vmcore, "dump");
  EXPECT_EQ(options.sample, std::nullopt);
  EXPECT_EQ(Parse({"--verify", "dump", "--sample", "100", "--json"}).sample, 100u);
  EXPECT_EQ(ErrorOf({"--verify"}), "--verify wants a file; try --help");
  EXPECT_EQ(ErrorOf({"--verify", "a", "b"}), "'b' is one operand too many");
  EXPECT_EQ(ErrorOf({"--verify", "--dump-dmesg", "a"}),
            "--verify and --dump-dmesg exclude each other");
  EXPECT_EQ(ErrorOf({"--sample", "3", "a", "b"}), "--sample is for --verify only");
  EXPECT_EQ(ErrorOf({"--verify", "--sample", "0", "a"}),
            "--sample '0': a whole number from 1 to 2147483647 is wanted");
}

TEST(FilterOptions, HelpAndVersionNeedNoOperands) {
  EXPECT_EQ(Parse({"-h"}).mode, FilterMode::kHelp);
  EXPECT_EQ(Parse({"--version"}).mode, FilterMode::kVersion);
}

TEST(FilterOptions, ErrorsNameTheWord) {
  EXPECT_EQ(ErrorOf({"-d", "3x", "a", "b"}), "-d '3x': a whole number from 0 to 31 is wanted");
  EXPECT_EQ(ErrorOf({"-d", "32", "a", "b"}), "-d '32': a whole number from 0 to 31 is wanted");
  EXPECT_EQ(ErrorOf({"--frob", "a", "b"}), "unknown option '--frob'; try --help");
  EXPECT_EQ(ErrorOf({"-Q", "a", "b"}), "unknown option '-Q'; try --help");
  EXPECT_EQ(ErrorOf({"a", "b", "-d"}), "'-d' wants an argument");
  EXPECT_EQ(ErrorOf({}), "no VMCORE is given; try --help");
  EXPECT_EQ(ErrorOf({"a"}), "no output file is given for 'a'; try --help");
  EXPECT_EQ(ErrorOf({"a", "b", "c"}), "'c' is one operand too many");
}

TEST(FilterOptions, ListsOfLevels) {
  FilterOptions options = Parse({"-d", "1,16,31", "a", "b"});
  EXPECT_EQ(options.level.bits(), 1);
  ASSERT_EQ(options.further_levels.size(), 2u);
  EXPECT_EQ(options.further_levels[1].bits(), 31);
}

// Value, and the bytes it means; 0: refused.
TEST(FilterOptions, Sizes) {
  const std::pair<std::string, uint64_t> kCases[] = {{"1", 1},
                                                     {"4K", 4096},
                                                     {"5m", 5 << 20},
                                                     {"0x10", 16},
                                                     {"0xE", 14},
                                                     {"010", 8},
                                                     {"2G", uint64_t{2} << 30},
                                                     {"15E", uint64_t{15} << 60},
                                                     {"16E", 0},
                                                     {"0", 0},
                                                     {"", 0},
                                                     {"-1", 0},
                                                     {"1KB", 0},
                                                     {"K", 0},
                                                     {"1 K", 0},
                                                     {"99999999999999999999", 0}};
  for (const auto& [text, bytes] : kCases) {
    Result<FilterOptions> options = ParseFilterOptions({"-L", text, "a", "b"}, 1);
    EXPECT_EQ(options ? options->size_limit.value() : 0, bytes) << text;
  }
}

TEST(FilterOptions, AddressToTranslate) {
  for (const char* text : {"ffffffff81000000", "0xffffffff81000000"})
    EXPECT_EQ(Parse({"--vtop", text, "a"}).translate, VirtAddr(0xffffffff81000000)) << text;
  EXPECT_EQ(Parse({"--vtop", "0", "a"}).mode, FilterMode::kTranslate);
  EXPECT_EQ(Parse({"--vtop", "0", "a", "b"}).mode, FilterMode::kDump);
  EXPECT_NE(ErrorOf({"--vtop", "init", "a"}).find("virtual address"), std::string::npos);
}

// Each command line, and a part of the one sentence it is refused with.
TEST(FilterOptions, Refusals) {
  const std::pair<std::vector<std::string>, const char*> kCases[] = {
      {{"-X", "a", "b"}, "Xen"},
      {{"--xen-syms", "x", "a", "b"}, "Xen"},
      {{"--xen-vmcoreinfo=x", "a", "b"}, "Xen"},
      {{"--xen_phys_start", "1", "a", "b"}, "Xen"},
      {{"--diskset=a", "b"}, "sadump"},
      {{"--eppic", "x", "a", "b"}, "--config"},
      {{"--extension", "x", "a", "b"}, "--config"},
      {{"-b", "-1", "a", "b"}, "from 0 to 31"},
      {{"-b", "60", "a", "b"}, "from 0 to 31"},
      {{"--cyclic-buffer", "0", "a", "b"}, "--cyclic-buffer '0'"},
      {{"--cyclic-buffer", "1x", "a", "b"}, "--cyclic-buffer '1x'"},
      {{"--work-dir=", "a", "b"}, "--work-dir"},
      {{"-d", "1,", "a", "b"}, "-d ''"},
      {{"-d", "1,32", "a", "b"}, "-d '32'"},
      {{"-d", "abc", "a", "b"}, "-d 'abc'"},
      {{"-d", "-1", "a", "b"}, "-d '-1'"},
      {{"--num-threads", "-3", "a", "b"}, "--num-threads '-3'"},
      {{"--message-level", "32", "a", "b"}, "--message-level '32'"},
      {{"-L", "1M", "-R", "a"}, "-L and -R"},
      {{"-L", "1M", "--info", "a"}, "-L and --info"},
      {{"-e", "-R", "a"}, "-e and -R"},
      {{"-e", "--dump-dmesg", "a", "b"}, "-e and --dump-dmesg"},
      {{"--vtop", "0", "-R", "a"}, "--vtop and -R"},
      {{"--vtop", "0", "--dump-dmesg", "a", "b"}, "--vtop and --dump-dmesg"},
      {{"-R", "-c", "a"}, "-R and compression"},
      {{"-R", "-d", "1", "a"}, "-R and -d"},
      {{"-R", "-F", "a"}, "-F and -R"},
      {{"-R", "--dry-run", "a"}, "--dry-run and -R"},
      {{"--dump-dmesg", "--dry-run", "a", "b"}, "--dry-run and --dump-dmesg"},
      {{"-E", "-l", "a", "b"}, "-E and lzo"},
      {{"-E", "-R", "a"}, "-E and -R"},
      {{"-L", "1M", "-E", "-F", "a"}, "-L, -E and -F"},
      {{"--partial-dmesg", "a", "b"}, "--dump-dmesg only"},
      {{"--num", "1", "--d", "a"}, "unknown option"},
  };
  for (const auto& [words, part] : kCases) {
    std::string line;
    for (const std::string& word : words) line += word + " ";
    EXPECT_NE(ErrorOf(words).find(part), std::string::npos) << line << ": " << ErrorOf(words);
  }
  std::string levels = "0";
  for (int i = 1; i < 33; ++i) levels += ",0";
  EXPECT_NE(ErrorOf({"-d", levels, "a", "b"}).find("32"), std::string::npos);
}

using Words = std::vector<std::string>;

Words Joined(std::initializer_list<Words> parts) {
  Words all;
  for (const Words& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// What makedumpfile 1.7.9 refuses together, and what of its pairs is taken here. In either order,
// and with --check-params, the answer is the same.
TEST(FilterOptions, PairsOfMakedumpfile) {
  struct Pair {
    Words one, other, operands;
    const char* refusal;  // a part of the sentence; "accepted": none
  };
  const Pair kPairs[] = {
      // Pages of an ELF core are never compressed; threads read them all the same.
      {{"-E"}, {"-c"}, {"a", "b"}, "-E and zlib"},
      {{"-E"}, {"-l"}, {"a", "b"}, "-E and lzo"},
      {{"-E"}, {"-p"}, {"a", "b"}, "-E and snappy"},
      {{"-E"}, {"-z"}, {"a", "b"}, "-E and zstd"},
      {{"-E"}, {"--num-threads", "2"}, {"a", "b"}, "accepted"},
      {{"-x", "v"}, {"-i", "f"}, {"a", "b"}, "-x and -i"},
      {{"-x", "v"}, {"--xen-syms", "s"}, {"a", "b"}, "Xen"},
      {{"-i", "f"}, {"--xen-syms", "s"}, {"a", "b"}, "Xen"},
      {{"--config", "c"}, {"-d", "31"}, {"a", "b"}, "accepted"},  // there: needs -x
      {{"--config", "c"}, {"-x", "v"}, {"a", "b"}, "accepted"},
      {{"-e"}, {"-d", "31"}, {"a", "b"}, "accepted"},  // there: needs --work-dir
      {{"-c"}, {"-l"}, {"a", "b"}, "accepted"},        // the last one wins
      // -g reads a vmlinux, and no vmcore.
      {{"-g", "f"}, {"-x", "v"}, {}, "accepted"},
      {{"-g", "f"}, {"-x", "v"}, {"a"}, "'a' is one operand too many"},
      {{"-g", "f"}, {}, {}, "-x VMLINUX"},
      {{"-g", "f", "-x", "v"}, {"-c"}, {}, "-g writes no dump"},
      {{"-g", "f", "-x", "v"}, {"-d", "31"}, {}, "-g writes no dump"},
      {{"-g", "f", "-x", "v"}, {"-d", "0,31"}, {}, "-g writes no dump"},
      {{"-g", "f", "-x", "v"}, {"-d", "0"}, {}, "accepted"},
      {{"-g", "f", "-x", "v"}, {"-E"}, {}, "-g writes no dump"},
      {{"-g", "f", "-x", "v"}, {"-i", "i"}, {}, "-x and -i"},
      {{"-g", "f", "-x", "v"}, {"-F"}, {}, "-F and -g"},
      {{"-g", "f", "-x", "v"}, {"-R"}, {}, "exclude each other"},
      {{"-g", "f", "-x", "v"}, {"-X"}, {}, "Xen"},
      {{"-g", "f", "-x", "v"}, {"--dry-run"}, {}, "--dry-run and -g"},
      // -R puts a stream in order as it is.
      {{"-R"}, {}, {"a"}, "accepted"},
      {{"-R"}, {}, {}, "no DUMPFILE"},
      {{"-R"}, {"-c"}, {"a"}, "-R and compression"},
      {{"-R"}, {"-d", "31"}, {"a"}, "-R and -d"},
      {{"-R"}, {"-d", "0,31"}, {"a"}, "-R and -d"},
      {{"-R"}, {"-E"}, {"a"}, "-E and -R"},
      {{"-R"}, {"-i", "i"}, {"a"}, "-x and -i are not for -R"},
      {{"-R"}, {"-x", "v"}, {"a"}, "-x and -i are not for -R"},
      {{"-R"}, {"--xen-syms", "s"}, {"a"}, "Xen"},
      {{"-R"}, {"-F"}, {"a"}, "-F and -R"},
      {{"-R"}, {"-X"}, {"a"}, "Xen"},
      {{"-R"}, {"--dry-run"}, {"a"}, "--dry-run and -R"},  // there: taken
      {{"-R"}, {"--config", "c"}, {"a"}, "--config and -R"},
      {{"-F"}, {}, {"a", "b"}, "'b' is one operand too many"},
      {{"-F"}, {"--dump-dmesg"}, {"a"}, "accepted"},
      {{"-F"}, {"--num-threads", "2"}, {"a"}, "accepted"},
      {{"-F"}, {"-E"}, {"a"}, "accepted"},
      {{"--partial-dmesg"}, {"-d", "1"}, {"a", "b"}, "--dump-dmesg only"},
      {{"--partial-dmesg"}, {"--dump-dmesg"}, {"a", "b"}, "accepted"},
      {{"--dump-dmesg"}, {"--dry-run"}, {"a", "b"}, "--dry-run and --dump-dmesg"},
      {{"--dump-dmesg"}, {"-L", "1M"}, {"a", "b"}, "accepted"},
      {{"--dump-dmesg"}, {"-x", "v"}, {"a", "b"}, "accepted"},
      {{"--mem-usage"}, {}, {"a", "b"}, "'b' is one operand too many"},  // there: not looked at
      {{"--mem-usage"}, {"-x", "v"}, {"a"}, "accepted"},
      {{"--dry-run"}, {"-f"}, {"a", "b"}, "accepted"},
      // Of our own.
      {{"--strict"}, {"-R"}, {"a"}, "--strict and -R"},
      {{"--strict"}, {"--dump-dmesg"}, {"a", "b"}, "--strict and --dump-dmesg"},
      {{"--strict"}, {"-d", "31"}, {"a", "b"}, "accepted"},
      {{"--sample", "3"}, {"-d", "31"}, {"a", "b"}, "--verify only"},
      {{"--compress-level", "2"}, {"-l"}, {"a", "b"}, "has no levels"},
      {{"-F"}, {"--json"}, {"a"}, "both want standard output"},
  };
  for (const Pair& pair : kPairs) {
    for (const Words& words : {Joined({pair.one, pair.other, pair.operands}),
                               Joined({pair.other, pair.one, pair.operands}),
                               Joined({{"--check-params"}, pair.one, pair.other, pair.operands})})
      EXPECT_NE(ErrorOf(words).find(pair.refusal), std::string::npos)
          << fmt::format("{}: {}", fmt::join(words, " "), ErrorOf(words));
  }
}

// There are several things to do, and a run does one of them.
TEST(FilterOptions, ModesExcludeEachOther) {
  const Words kModes[] = {{"-g", "f"},  {"-R"},     {"--dump-dmesg"}, {"--mem-usage"},
                          {"--verify"}, {"--info"}, {"--compare"},    {"--show-layout"}};
  for (const Words& one : kModes) {
    for (const Words& other : kModes) {
      if (one == other) continue;
      Words words = Joined({one, other, {"a"}});
      EXPECT_EQ(ErrorOf(words), fmt::format("{} and {} exclude each other", one[0], other[0]));
    }
  }
}

TEST(FilterOptions, WithoutEffectButAccepted) {
  FilterOptions options =
      Parse({"--work-dir", "/tmp", "--cyclic-buffer", "4", "-b", "8", "--non-mmap", "a", "b"});
  EXPECT_EQ(options.without_effect.size(), 3u);
  EXPECT_FALSE(options.map_input);
}

TEST(FilterOptions, HelpNamesEveryOption) {
  std::string help = FilterHelp("makedumpfile");
  for (const char* word : {"-c",
                           "-l",
                           "-p",
                           "-z",
                           "-d LEVEL[,LEVEL...]",
                           "-L SIZE",
                           "-f",
                           "-F",
                           "-R",
                           "--verify",
                           "--sample N",
                           "--num-threads N",
                           "--dump-dmesg",
                           "--dry-run",
                           "--show-stats",
                           "--show-layout",
                           "--json[=FILE]",
                           "--message-level N",
                           "-h, --help",
                           "-v, --version"})
    EXPECT_NE(help.find(word), std::string::npos) << word;
}

TEST(FilterOptions, NamesOfTheKernel) {
  FilterOptions options = Parse({"-x", "vmlinux", "-d", "31", "core", "dump"});
  EXPECT_EQ(options.names.vmlinux, "vmlinux");
  EXPECT_EQ(Parse({"--dump-dmesg", "-i", "text", "core", "log"}).names.vmcoreinfo, "text");
  options = Parse({"-g", "text", "-x", "vmlinux"});
  EXPECT_EQ(options.mode, FilterMode::kGenerate);
  EXPECT_EQ(options.output, "text");
  EXPECT_NE(ErrorOf({"-x", "a", "-i", "b", "core", "dump"}).find("-x and -i exclude"),
            std::string::npos);
  EXPECT_NE(ErrorOf({"-g", "text"}).find("-x VMLINUX"), std::string::npos);
  EXPECT_NE(ErrorOf({"-g", "text", "-x", "a", "core"}).find("'core'"), std::string::npos);
  EXPECT_NE(ErrorOf({"-g", "text", "-x", "a", "-l"}).find("-g writes no dump"), std::string::npos);
  EXPECT_NE(ErrorOf({"-g", "text", "-x", "a", "-F"}).find("-F and -g"), std::string::npos);
  EXPECT_NE(ErrorOf({"-g", "text", "-x", "a", "--dry-run"}).find("-g"), std::string::npos);
  EXPECT_EQ(ErrorOf({"--verify", "-x", "a", "dump"}), "-x and -i are not for --verify");
}

}  // namespace
}  // namespace kdumpkit
