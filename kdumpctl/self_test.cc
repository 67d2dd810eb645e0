// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/self_test.h"

#include <fmt/chrono.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iostream>

#include "kdumpctl/dry_test.h"
#include "kdumpctl/dump_places.h"
#include "kdumpctl/json_output.h"
#include "kdumpctl/json_read.h"
#include "kdumpctl/service.h"
#include "kdumpctl/ssh_command.h"
#include "kdumpctl/state_files.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char kTestFile[] = "/var/lib/kdump/test.json";

std::string BootId(const RootDir& root) {
  return root.ReadLine("/proc/sys/kernel/random/boot_id").value_or("");
}

Status WriteTest(const RootDir& root, const TestRecord& test) {
  Json json = {{"format", 1},
               {"id", test.id},
               {"started", test.started},
               {"boot_id", test.boot_id},
               {"outcome", test.outcome},
               {"reason", test.reason},
               {"folder", test.folder}};
  return WriteStateFile(root, kTestFile, JsonDump(json));
}

// The manifest of the test on a server; null: none, or the server does not tell. `answered`: it
// did.
Json AskServer(const Destination& destination, const Config& config, const TestRecord& test,
               const RootDir& root, LiveSystem& system, bool& answered) {
  constexpr std::chrono::seconds kLimit{5};
  constexpr int kNoFile = 44;
  std::string file = fmt::format("{}/kdump-test-{}/manifest.json", destination.path, test.id);
  if (!file.starts_with('/')) file = "./" + file;
  std::string quoted = ShellQuoted(file);
  std::string command =
      fmt::format("if [ -e {} ]; then cat {}; else exit {}; fi", quoted, quoted, kNoFile);
  Result<ProgramResult> result = system.Run(SshCommand(destination, config, root, command), kLimit);
  answered = result && (result->state.ok() || result->state.status == kNoFile);
  return answered ? Json::parse(result->out, nullptr, false) : Json(nullptr);
}

// True when the dump is on one of the servers. `unseen`: of a destination nothing is known.
bool LookOnServers(const Config& config, const RootDir& root, LiveSystem& system, TestRecord& test,
                   bool& unseen) {
  for (const Destination& destination : config.destinations) {
    if (destination.kind != Destination::Kind::kSsh) continue;
    bool answered = false;
    Json manifest;
    // The keys are root's.
    if (geteuid() == 0) manifest = AskServer(destination, config, test, root, system, answered);
    unseen |= !answered;
    if (JsonNumber(manifest, "format") != 1) continue;
    test.outcome = JsonText(manifest, "outcome");
    test.reason = JsonText(manifest, "reason");
    test.folder = fmt::format("{}/kdump-test-{}", DestinationUri(destination), test.id);
    return true;
  }
  return false;
}

// Of those that are no servers behind ssh.
bool HasUnseen(const Config& config, const RootDir& root) {
  Config others = config;
  std::erase_if(others.destinations, [](const Destination& destination) {
    return destination.kind == Destination::Kind::kSsh;
  });
  std::vector<DumpPlace> places = DumpPlaces(others, root);
  return std::any_of(places.begin(), places.end(),
                     [](const DumpPlace& place) { return place.folder.empty(); });
}

void TakeDump(const DumpRecord& dump, TestRecord& test) {
  test.outcome = dump.outcome;
  test.reason = dump.reason;
  test.folder = dump.folder;
}

void LookForDump(const Config& config, const RootDir& root, LiveSystem& system, TestRecord& test) {
  std::vector<DumpPlace> places = DumpPlaces(config, root);
  for (const DumpRecord& dump : ListDumps(places, root))
    if (dump.test_id == test.id) return TakeDump(dump, test);
  bool unseen = HasUnseen(config, root);
  if (LookOnServers(config, root, system, test, unseen)) return;
  test.outcome = unseen ? "unknown" : "missing";
  test.reason = unseen ? fmt::format("look for 'kdump-test-{}' at the destination", test.id)
                       : "the machine has started anew, and there is no dump of the test";
}

bool Confirmed() {
  if (isatty(STDIN_FILENO) == 0) return false;
  std::cout << "This crashes the machine now, without a shutdown. Type 'yes' to go on: "
            << std::flush;
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

Status Crash(const RootDir& root) {
  sync();
  // The test is over when this returns: the kernel did not panic.
  return root.WriteText("/proc/sysrq-trigger", "c").In("the kernel could not be made to panic");
}

Status RunTest(const Invocation& invocation) {
  if (!invocation.Has("force") && !Confirmed())
    return UsageError("a test crashes the machine; say --force when nobody can be asked");
  std::string reason = WhyNoCrashKernel(ReadCrashState(invocation.root));
  if (!reason.empty()) return UsageError("{}", reason);
  ServiceLock lock = TRY(ServiceLock::Take(invocation.root, std::chrono::seconds(60)));
  Service service(invocation.root, invocation.system);
  TRY(service.ReadConfig());
  TRY(service.EnsureImage({}));
  TestRecord test;
  test.id = NewTestId();
  test.started = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  test.boot_id = BootId(invocation.root);
  test.outcome = "pending";
  TRY(service.Load(true, test.id));
  TRY(WriteTest(invocation.root, test));
  return Crash(invocation.root);
}

}  // namespace

std::optional<TestRecord> ReadTest(const RootDir& root) {
  Json json = Json::parse(root.ReadText(kTestFile).value_or(""), nullptr, false);
  if (JsonNumber(json, "format") != 1) return std::nullopt;
  return TestRecord{JsonText(json, "id"),      JsonText(json, "started"), JsonText(json, "boot_id"),
                    JsonText(json, "outcome"), JsonText(json, "reason"),  JsonText(json, "folder")};
}

// Nobody makes two in a nanosecond.
std::string NewTestId() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

std::optional<TestRecord> FollowTest(const Config& config, const RootDir& root,
                                     LiveSystem& system) {
  std::optional<TestRecord> test = ReadTest(root);
  bool over = test && test->boot_id != BootId(root);
  if (!over || test->outcome == "complete" || test->outcome == "partial") return test;
  LookForDump(config, root, system, *test);
  // Others than root see it, too, and cannot write it down.
  (void)WriteTest(root, *test);
  return test;
}

std::string TestText(const std::optional<TestRecord>& test) {
  if (!test) return "";
  std::string text = fmt::format("{}, {}", test->started, test->outcome);
  if (!test->reason.empty()) text += fmt::format(" ({})", test->reason);
  if (!test->folder.empty()) text += fmt::format(": '{}'", test->folder);
  return text;
}

int Test(const Invocation& invocation) {
  if (invocation.Has("dry")) return DryTest(invocation);
  if (invocation.Has("keep")) {
    invocation.Complain("--keep is for --dry; a real crash's dump is kept anyway");
    return kExitUsage;
  }
  Status done = RunTest(invocation);
  if (done) return kExitOk;
  return ReportFailure(invocation, done.error().message());
}

}  // namespace kdumpkit
