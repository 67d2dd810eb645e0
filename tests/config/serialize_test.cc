// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/serialize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "config/directives.h"
#include "tests/config/parsing.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Everything that the capture does not need has its default in `config`.
Config ForCapture(const Config& config) {
  ParsedConfig reading = Parse(SerializeForCapture(config));
  EXPECT_THAT(ProblemLines(reading), IsEmpty()) << SerializeForCapture(config);
  return reading.config;
}

constexpr std::string_view kEverything = R"(
destination ssh://kdump@[2001:db8::1]:2222/srv/100%25
destination nfs://h/export:/d options=vers=4.2,soft
destination "LABEL=my disk:/my dumps" fstype=xfs
destination file:///dev/shm/x
destination virtiofs:tag
destination raw:/dev/vda3
host_tag hostname
sshkey "/root/my key"
sshkey /root/b
ssh_known_hosts /etc/hosts.known
ssh_host_key ssh-ed25519 AAAAC3Nza
level 17
compression zstd
threads 3
flattened no
message_level 31
min_free 1G
device_timeout 2min
network_timeout 61s
mount_timeout 1h30min
connect_timeout 5
stall_timeout 1d
hook_timeout 1
total_timeout 2d
failure_action shell
final_action halt
crash_loop_count 3
crash_loop_window 30min
watchdog no
watchdog_timeout 30
kdump_pre "/etc/kdump/a \"b\" #c"
kdump_post /etc/kdump/post
kdump_emergency /etc/kdump/emergency
pre_failure skip
fence_kdump_nodes a b
fence_kdump_args -p '74 10' ''
)";

TEST(SerializeForCapture, WhatTheCaptureNeedsIsReadBack) {
  ParsedConfig reading = Parse(kEverything);
  ASSERT_TRUE(reading.ok()) << testing::PrintToString(ProblemLines(reading));
  EXPECT_EQ(ForCapture(reading.config), reading.config);
}

// With the test above: every directive marked `capture` differs from its default there.
TEST(SerializeForCapture, NoDirectiveOfTheCaptureIsForgotten) {
  Config config = Parse(kEverything).config;
  const Config defaults;
  for (const Directive& directive : Directives()) {
    if (!directive.capture || directive.role == Role::kCollector) continue;
    if (directive.name == "flattened" || directive.name == "dmesg_only") continue;
    EXPECT_NE(FieldTexts(directive, config), FieldTexts(directive, defaults)) << directive.name;
  }
}

TEST(SerializeForCapture, TheRest) {
  for (std::string_view text :
       {"dmesg_only yes\n", "ssh u@h\nflattened yes\n", "core_collector cp --sparse=always\n",
        "core_collector 'my tool'\n", "core_collector makedumpfile -l -d 31,17\n",
        "total_timeout none\n", "crash_loop_count off\n", "path /x\n", "path crash\nssh u@h\n",
        "path /dev/shm\n", "nfs h:/e\npath /\n"}) {
    Config config = Parse(text).config;
    Config again = ForCapture(config);
    again.path = config.path;  // it has gone into the destinations
    EXPECT_EQ(again, config) << text;
  }
}

TEST(SerializeForCapture, RootFileSystemsFolderIsKept) {
  Config config = Parse("destination UUID=1:/d\npath /x\nfailure_action dump_to_rootfs\n").config;
  EXPECT_EQ(ForCapture(config), config);
}

TEST(SerializeForCapture, WhatTheRunningSystemNeedsIsLeftOut) {
  std::string text = SerializeForCapture(
      Parse("keep_count 3\nextra_bins /bin/x\ndracut_args --x\ncommand_line_append y\n").config);
  EXPECT_EQ(text,
            "# Written by kdumpctl from kdump.conf and its drop-in files.\n"
            "destination /var/crash\n");
}

TEST(DefaultFile, ChangesNothing) {
  Config defaults;
  defaults.destinations = {Destination{.path = "/var/crash"}};
  EXPECT_EQ(Parse(DefaultFile()).config, defaults);
  EXPECT_THAT(Parse(DefaultFile()).origins, IsEmpty());
}

// Without its first comment sign every line that shows a default is a good one.
TEST(DefaultFile, ShowsLinesThatWork) {
  std::string text = DefaultFile();
  int lines = 0;
  for (size_t at = text.find("\n#"); at != std::string::npos; at = text.find("\n#", at + 1)) {
    std::string line = text.substr(at + 2, text.find('\n', at + 2) - at - 2);
    if (line.starts_with(' ') || line.starts_with('#')) continue;
    EXPECT_TRUE(Parse(line).ok()) << line;
    ++lines;
  }
  EXPECT_GT(lines, 50);
}

TEST(DefaultFile, InstalledFileIsOfTheTable) {
  std::ifstream file(KDUMPKIT_DEFAULT_FILE);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, DefaultFile()) << "see tests/config/write_default_file.cc";
}

TEST(DefaultFile, LinesAreShort) {
  std::string text = DefaultFile();
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    EXPECT_LE(end - at, 100u) << text.substr(at, end - at);
    at = end + 1;
  }
}

}  // namespace
}  // namespace kdumpkit
