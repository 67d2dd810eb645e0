// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/dry_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "kdumpctl/dry_root.h"
#include "kdumpctl/full_image.h"
#include "kdumpctl/json_output.h"
#include "kdumpctl/json_read.h"
#include "kdumpctl/local_folder.h"
#include "kdumpctl/self_test.h"
#include "kdumpctl/service.h"
#include "kdumpctl/state_files.h"
#include "kdumpctl/synthetic_vmcore.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::seconds;

constexpr const char kReport[] = "/run/kdump/dry-report";
constexpr size_t kImageLimit = size_t{1} << 30;
// Where a dry run ends when the configuration has no limit.
constexpr seconds kLongest{3600};
// For a capture whose own watchdog gives it up.
constexpr seconds kGrace{60};

constexpr const char kNotTested[] =
    "not tested: whether the crash kernel boots in the memory reserved for it, and has the drivers "
    "of disks and network; 'kdumpctl test' crashes the machine for that";

struct Step {
  std::string name;
  bool ok = false;
  std::string text;
};

class DryTester {
 public:
  explicit DryTester(const Invocation& invocation)
      : invocation_(invocation),
        root_(invocation.root),
        service_(invocation.root, invocation.system),
        id_(NewTestId()) {}

  int Run();

 private:
  Status Prepare();
  Status CheckImage();
  void AddPlaces();
  void AddPlace(const ResolvedDestination& found, const std::vector<MountEntry>& mounts);
  Status RunCapture();
  void Judge(const ExitState& end);
  void JudgeDump(const Json& manifest);
  void JudgeRest(const Json& manifest);
  void LookAround();
  void Tell(std::string name, bool ok, std::string text);
  void Show(std::string_view text);
  Json ToJson() const;

  const Invocation& invocation_;
  const RootDir& root_;
  Service service_;
  std::string id_;
  DryRoot plan_;
  std::vector<std::string> seen_;  // the test's folders as the running system sees them
  std::vector<Step> steps_;
  std::string log_;
  std::string unfinished_;  // of the last line that was shown
  std::string destination_;
  bool arrived_ = false;
};

void DryTester::Tell(std::string name, bool ok, std::string text) {
  if (!invocation_.json) {
    Print(invocation_.out, fmt::format("{}{}: {}\n", ok ? "" : "FAILED  ", name, text));
    std::fflush(invocation_.out);
  }
  steps_.push_back({std::move(name), ok, std::move(text)});
}

// What the capture says, line by line.
void DryTester::Show(std::string_view text) {
  log_ += text;
  unfinished_ += text;
  for (size_t end; (end = unfinished_.find('\n')) != std::string::npos;) {
    if (!invocation_.json)
      Print(invocation_.out, fmt::format("    {}\n", unfinished_.substr(0, end)));
    unfinished_.erase(0, end + 1);
  }
  std::fflush(invocation_.out);
}

// Another image than the one that a crash would meet would prove nothing.
Status DryTester::CheckImage() {
  TRY(service_.ReadConfig());
  TRY(service_.Check());
  const ImageRecord* record = service_.record();
  std::string path = ImagePath(service_.plan()->kernel.release);
  if (record == nullptr || !root_.Exists(path))
    return UsageError("there is no capture image yet; 'kdumpctl start' or 'rebuild' builds it");
  if (!service_.stale_reasons().empty())
    return UsageError("the capture image is stale ({}); 'kdumpctl restart' or 'rebuild' first",
                      fmt::join(service_.stale_reasons(), "; "));
  UniqueFd fd = TRY(root_.OpenAt(path, O_RDONLY));
  plan_.image = TRY(ReadToEnd(fd.get(), kImageLimit).In(path));
  Tell("image", true,
       fmt::format("'{}', {}, built {} by {}, is up to date", path, SizeText(plan_.image.size()),
                   record->built, record->builder));
  return {};
}

bool IsFolder(const RootDir& root, const std::string& path) {
  struct stat info = {};
  return stat(root.HostPath(path).c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string Above(const std::string& path) {
  return path.substr(0, std::max<size_t>(path.rfind('/'), 1));
}

// As DrySystem of the capture looks for it.
std::string KeyOf(const ResolvedDestination& found, const RootDir& root) {
  if (found.capture.kind == Destination::Kind::kNfs) return NfsSource(found.capture);
  if (found.capture.kind == Destination::Kind::kVirtiofs) return found.capture.source;
  return root.ReadLine(found.device.sysfs + "/dev").value_or("");
}

// A folder that is not there yet is made by the capture, below one that is.
void DryTester::AddPlace(const ResolvedDestination& found, const std::vector<MountEntry>& mounts) {
  std::string folder = FolderOf(found.capture, mounts, root_).folder;
  if (folder.empty()) folder = found.folder;
  std::string uri = DestinationUri(found.capture);
  if (!found.capture.IsMounted() || folder.empty())
    return Tell("destination", true, fmt::format("{}, which is not mounted here", uri));
  Tell("destination", true, fmt::format("{}, which is '{}' here", uri, folder));
  seen_.push_back(fmt::format("{}/kdump-test-{}", folder == "/" ? "" : folder, id_));
  std::string path = found.capture.path;
  while (!IsFolder(root_, folder) && path != "/" && folder != "/") {
    folder = Above(folder);
    path = Above(path);
  }
  plan_.run.places.push_back({KeyOf(found, root_), path});
  plan_.folders.push_back(root_.HostPath(folder));
}

void DryTester::AddPlaces() {
  std::string text =
      root_.ReadText("/proc/self/mountinfo", size_t{16} << 20).value_or(std::string());
  std::vector<MountEntry> mounts = ParseMountInfo(text);
  for (const ResolvedDestination* found : service_.plan()->All()) AddPlace(*found, mounts);
}

Status DryTester::Prepare() {
  if (geteuid() != 0) return UsageError("a dry run has to be started by root");
  TRY(CheckImage());
  AddPlaces();
  plan_.run.keep = invocation_.Has("keep");
  plan_.command_line = service_.TestCommandLine(id_);
  plan_.vmcore = SyntheticVmcore(fmt::format("kdumpctl test --dry, {}", id_));
  plan_.report = root_.HostPath(kReport);
  TRY(WriteStateFile(root_, kReport, "", 0600));
  Tell("memory", true,
       fmt::format("{} of a machine that never was stand for /proc/vmcore",
                   SizeText(kSyntheticMemory)));
  return {};
}

Status DryTester::RunCapture() {
  const ImageRecord& record = *service_.record();
  bool small = record.builder == BuilderName(ImageBuilder::kKdumpkit);
  ApartProgram program;
  program.argv = {small ? "/init" : "/usr/bin/kdump-capture"};
  // As the kernel starts process 1.
  program.environment = {"HOME=/", "TERM=linux"};
  program.prepare = [this] { return EnterDryRoot(plan_, root_.HostPath(kRunFolder)); };
  program.show = [this](std::string_view text) { Show(text); };
  seconds limit = service_.config().total_timeout;
  limit = (limit.count() == 0 ? kLongest : std::min(limit, kLongest)) + kGrace;
  if (!invocation_.json)
    Print(invocation_.out, fmt::format("'{}' of the image says:\n", program.argv[0]));
  ExitState end = TRY(invocation_.system.RunApart(program, limit));
  Judge(end);
  return {};
}

void DryTester::Judge(const ExitState& end) {
  Json manifest = Json::parse(root_.ReadText(kReport).value_or(""), nullptr, false);
  // 3 is a partial dump, which the manifest tells better.
  Tell("capture", end.ok() || (end.status == kExitPartial && end.signal == 0 && !end.timed_out),
       end.ok() ? "came to its end" : fmt::format("ended with {}", end.ToString()));
  if (JsonNumber(manifest, "format") == 1) {
    JudgeRest(manifest);
    JudgeDump(manifest);
  } else {
    Tell("dump", false, "no destination could be opened; see above");
  }
  arrived_ = arrived_ && end.ok();
  LookAround();
}

// Destinations that failed before the one that took it.
void DryTester::JudgeRest(const Json& manifest) {
  for (const Json& destination : JsonMember(manifest, "destinations")) {
    std::string uri = JsonText(destination, "uri");
    std::string outcome = JsonText(destination, "outcome");
    if (outcome == "used") destination_ = uri;
    if (outcome == "failed")
      Tell("destination", false, fmt::format("{}: {}", uri, JsonText(destination, "reason")));
    if (outcome == "skipped")
      Tell("destination", true,
           fmt::format("{} was not tried, because an earlier one took the dump", uri));
  }
}

void DryTester::JudgeDump(const Json& manifest) {
  std::string outcome = JsonText(manifest, "outcome");
  std::string files;
  bool verified = true;
  for (const Json& file : JsonMember(manifest, "files")) {
    bool good = JsonText(file, "verified") != "no";
    verified = verified && good;
    files += fmt::format(", '{}' of {}{}", JsonText(file, "name"),
                         SizeText(JsonNumber(file, "size")),
                         good ? ", read back and verified" : ", not verified");
  }
  bool whole = outcome == "complete" ||
               (outcome == "dmesg-only" && service_.config().dmesg_only);
  arrived_ = whole && verified && !destination_.empty();
  std::string text = fmt::format("kdump-test-{} at {}: {}{}", id_,
                                 destination_.empty() ? "no destination" : destination_, outcome,
                                 files);
  if (std::string reason = JsonText(manifest, "reason"); !reason.empty())
    text += fmt::format(" ({})", reason);
  Tell("dump", arrived_, text);
}

// Whether the test left what it was to leave, where that can be seen.
void DryTester::LookAround() {
  for (const std::string& folder : seen_) {
    if (!IsFolder(root_, folder)) continue;
    if (plan_.run.keep)
      Tell("kept", true, fmt::format("'{}' stays, as asked for", folder));
    else
      Tell("clean-up", false, fmt::format("'{}' is left over; it can be removed", folder));
  }
}

Json DryTester::ToJson() const {
  Json steps = Json::array();
  for (const Step& step : steps_)
    steps.push_back({{"step", step.name}, {"ok", step.ok}, {"text", step.text}});
  Json log = Json::array();
  for (std::string_view line : Lines(log_)) log.push_back(line);
  return {{"ok", arrived_},
          {"id", id_},
          {"destination", destination_},
          {"folder", fmt::format("kdump-test-{}", id_)},
          {"kept", plan_.run.keep},
          {"steps", steps},
          {"log", log},
          {"warnings", service_.warnings()},
          {"not_tested", kNotTested}};
}

int DryTester::Run() {
  Status done = Prepare();
  if (done) done = RunCapture();
  (void)unlink(root_.HostPath(kReport).c_str());
  if (!done) Tell("dry run", false, done.error().message());
  if (invocation_.json) {
    PrintJson(invocation_.out, ToJson());
  } else {
    for (const std::string& warning : service_.warnings())
      invocation_.Complain(fmt::format("warning: {}", warning));
    Print(invocation_.out,
          fmt::format("{}\n{}\n", arrived_ ? "the dump arrived and is whole"
                                           : "a crash might not be saved: see what FAILED",
                      kNotTested));
  }
  return arrived_ ? kExitOk : kExitFailed;
}

}  // namespace

int DryTest(const Invocation& invocation) { return DryTester(invocation).Run(); }

}  // namespace kdumpkit
