// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/delivery.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "capture/guard.h"
#include "capture/json.h"
#include "capture/open_target.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// "/dev/vda: REASON; files:/export: REASON", or the reason alone of a single destination.
std::string JoinReasons(std::span<const DestinationRecord> records) {
  if (records.size() == 1) return records[0].reason;
  std::string text;
  for (const DestinationRecord& record : records)
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", record.uri, record.reason);
  return text;
}

bool IsBetter(const Delivered& one, const Delivered& other) {
  auto rank = [](const Delivered& delivered) {
    if (delivered.outcome != CaptureOutcome::kFailed) return 3;
    return delivered.file.empty() ? (delivered.where.empty() ? 0 : 1) : 2;
  };
  return rank(one) > rank(other);
}

}  // namespace

std::string_view OutcomeName(CaptureOutcome outcome) {
  switch (outcome) {
    case CaptureOutcome::kSaved:
      return "complete";
    case CaptureOutcome::kPartial:
      return "partial";
    case CaptureOutcome::kDmesgOnly:
      return "dmesg-only";
    case CaptureOutcome::kSkipped:
    case CaptureOutcome::kFailed:
    case CaptureOutcome::kNoVmcore:
      return "failed";
  }
  CHECK(false);
}

Delivery::Delivery(const CaptureContext& context, Network network, DoneHook done)
    : context_(context),
      network_(std::move(network)),
      done_(std::move(done)),
      dumper_(context),
      start_(context.system.WallClock()),
      begin_(context.system.Uptime()),
      choice_{context.config.level, context.config.compression} {}

double Delivery::SecondsSince(milliseconds begin) const {
  return static_cast<double>((context_.system.Uptime() - begin).count()) / 1000;
}

// The size of /proc/vmcore is that of the dead kernel's memory.
uint64_t Delivery::MemorySize() const {
  struct stat vmcore = {};
  if (stat(context_.root.HostPath("/proc/vmcore").c_str(), &vmcore) != 0) return 0;
  return static_cast<uint64_t>(vmcore.st_size);
}

Status Delivery::ReadDmesg() {
  dmesg_ = DmesgReader();
  return dumper_.ReadDmesg(dmesg_);
}

Delivered Delivery::Run(std::span<const Destination> destinations) {
  Delivered best;
  size_t first_record = records_.size();
  for (size_t i = 0; i < destinations.size(); ++i) {
    rest_ = destinations.subspan(i + 1);
    Delivered delivered = Try(destinations[i]);
    if (!delivered.blames_destination) return delivered;
    bool last = i + 1 == destinations.size();
    if (!last)
      context_.log.Say("{}: {}; trying the next destination", delivered.uri, delivered.reason);
    if (i == 0 || IsBetter(delivered, best)) best = std::move(delivered);
  }
  if (best.outcome == CaptureOutcome::kFailed)
    best.reason = JoinReasons(std::span(records_).subspan(first_record));
  return best;
}

Result<std::unique_ptr<Target>> Delivery::Open(const Destination& destination) {
  if (!NeedsNetwork(destination)) return OpenTarget(destination, seconds(0), context_);
  Status network = network_();
  if (network) return OpenTarget(destination, context_.config.network_timeout, context_);
  // What is missing may be an interface that this server is not behind. The time to wait is over.
  Result<std::unique_ptr<Target>> target = OpenTarget(destination, seconds(0), context_);
  if (target) return target;
  return Error(ErrorKind::kSystem,
               fmt::format("{}; {}", network.error().message(), target.error().message()));
}

Delivered Delivery::Try(const Destination& destination) {
  milliseconds begin = context_.system.Uptime();
  Delivered delivered;
  delivered.uri = DestinationUri(destination);
  files_.clear();
  filter_json_.clear();
  records_.push_back({delivered.uri, "failed", "", 0});
  Result<std::unique_ptr<Target>> target = Open(destination);
  if (target) {
    Fill(**target, delivered);
  } else {
    delivered.reason = target.error().message();
  }
  records_.back().reason = delivered.reason;
  records_.back().seconds = SecondsSince(begin);
  return delivered;
}

void Delivery::Fill(Target& target, Delivered& delivered) {
  milliseconds begin = context_.system.Uptime();
  std::vector<std::string> names = target.DumpNames();
  Status made = target.MakeFolder(DumpFolderName(context_.config, start_));
  if (!made) {
    delivered.reason = made.error().message();
    (void)target.Close();
    return;
  }
  delivered.folder = target.folder();
  delivered.where = target.Describe("");
  if (!delivered.folder.empty()) {
    Status opened = context_.log.Open(delivered.folder + "/capture.log");
    if (!opened) context_.log.Say("{}, ignoring", opened.error().message());
  }
  SaveDmesg(target, delivered);
  delivered.reason = LogOnly(names);
  if (delivered.reason.empty()) {
    SaveDump(target, delivered);
  } else {
    context_.log.Say("only the log is saved: {}", delivered.reason);
    delivered.blames_destination = !delivered.has_dmesg;
    if (delivered.has_dmesg) delivered.outcome = CaptureOutcome::kDmesgOnly;
  }
  DestinationRecord& record = records_.back();
  record.outcome = delivered.blames_destination ? "failed" : "used";
  record.reason = delivered.reason;
  record.seconds = SecondsSince(begin);
  if (!delivered.blames_destination)
    for (std::string& warning : done_(delivered)) Warn(std::move(warning));
  WriteManifest(target, delivered);
  Close(target, delivered);
}

void Delivery::SaveDmesg(Target& target, Delivered& delivered) {
  dmesg_ = DmesgReader();
  Result<StoredFile> stored = dumper_.SaveDmesg(target, dmesg_);
  if (!stored) {
    std::string warning =
        fmt::format("log of the dead kernel not saved: {}", stored.error().message());
    context_.log.Say("{}, ignoring", warning);
    return Warn(std::move(warning));
  }
  delivered.has_dmesg = true;
  context_.log.Say("log of the dead kernel saved: {}, {}", target.Describe(kDmesgName),
                   SizeText(stored->digest.size));
  files_.push_back(std::move(*stored));
}

std::string Delivery::LogOnly(const std::vector<std::string>& names) const {
  const CaptureConfig& config = context_.config;
  if (config.dmesg_only) return "dmesg_only is set";
  if (config.crash_loop_count == 0 || !config.test_id.empty()) return {};
  unsigned recent = RecentDumps(names, config.host, start_, config.crash_loop_window);
  if (recent < config.crash_loop_count) return {};
  return fmt::format("{} dumps within {} s are a crash loop", recent,
                     config.crash_loop_window.count());
}

// What may be written without going below min_free; absent when nobody can tell.
std::optional<uint64_t> Delivery::Usable(Target& target) {
  Result<std::optional<uint64_t>> room = target.Room();
  if (!room) context_.log.Say("{}, ignoring", room.error().message());
  if (!room || !*room) return std::nullopt;
  uint64_t free = **room;
  context_.log.Say("{} free; memory: {}", SizeText(free), SizeText(MemorySize()));
  uint64_t keep = target.IsShared() ? context_.config.min_free : 0;
  return free > keep ? free - keep : 0;
}

// The estimate costs nothing, and is enough where there is much room; a dry run costs as much time
// as the dump.
bool Delivery::Fits(const DumpChoice& choice, uint64_t usable) {
  if (EstimateRoom(MemorySize(), choice.level) <= usable) return true;
  if (usable == 0) return false;
  std::optional<uint64_t> size = dumper_.Measure(choice);
  if (!size) {
    context_.log.Say("how large the dump will be is not known; trying");
    return true;
  }
  context_.log.Say("with {} the dump has {}, of which {} may be used", choice.ToString(),
                   SizeText(*size), SizeText(usable));
  return *size <= usable;
}

std::optional<DumpChoice> Delivery::Choose(Target& target, std::string& reason) {
  std::optional<uint64_t> usable = Usable(target);
  std::vector<DumpChoice> ladder = SpaceLadder(context_.config);
  if (!usable) return ladder.front();
  for (const DumpChoice& choice : ladder) {
    if (!Fits(choice, *usable)) continue;
    if (choice == ladder.front()) return choice;
    std::string warning = fmt::format("for lack of room the dump is made with {} instead of {}",
                                      choice.ToString(), ladder.front().ToString());
    context_.log.Line(warning);
    Warn(std::move(warning));
    return choice;
  }
  reason = fmt::format("too little room: {} may be used (min_free {})", SizeText(*usable),
                       SizeText(context_.config.min_free));
  return std::nullopt;
}

void Delivery::SaveDump(Target& target, Delivered& delivered) {
  std::optional<DumpChoice> choice = Choose(target, delivered.reason);
  if (!choice) return context_.log.Say("no dump: {}", delivered.reason);
  choice_ = *choice;
  TakeResult(target, dumper_.SaveVmcore(target, choice_), delivered);
}

void Delivery::TakeResult(Target& target, DumpResult result, Delivered& delivered) {
  for (std::string& warning : result.warnings) Warn(std::move(warning));
  filter_json_ = std::move(result.filter_json);
  delivered.reason = result.reason;
  delivered.file = result.file.name;
  delivered.size = result.file.digest.size;
  if (result.state != DumpState::kFailed) {
    delivered.outcome =
        result.state == DumpState::kComplete ? CaptureOutcome::kSaved : CaptureOutcome::kPartial;
    delivered.blames_destination = result.blames_destination;
    context_.log.Say("{} written, {}", delivered.file, SizeText(delivered.size));
  } else {
    context_.log.Say("no dump: {}", result.reason);
  }
  if (delivered.file.empty()) return;
  delivered.where = target.Describe(delivered.file);
  files_.push_back(std::move(result.file));
}

// For kdumpctl, whatever becomes of the destination.
void Delivery::WriteReport(std::string_view text) {
  Result<UniqueFd> fd = context_.root.OpenAt(kDryReport, O_WRONLY | O_TRUNC);
  Status written = fd ? WriteFully(fd->get(), AsBytes(text)) : Status(fd.error());
  if (!written) context_.log.Say("{}, ignoring", written.error().message());
}

void Delivery::WriteManifest(Target& target, const Delivered& delivered) {
  const CaptureConfig& config = context_.config;
  Manifest manifest;
  manifest.host = config.host;
  manifest.machine_id = context_.root.ReadLine("/etc/machine-id").value_or("");
  manifest.boot_id = config.boot_id;
  manifest.test_id = config.test_id;
  manifest.kernel = dmesg_.release();
  manifest.panic = dmesg_.panic();
  manifest.time = start_;
  manifest.seconds = SecondsSince(begin_);
  bool log_only =
      delivered.outcome == CaptureOutcome::kFailed && delivered.file.empty() && delivered.has_dmesg;
  manifest.outcome = OutcomeName(log_only ? CaptureOutcome::kDmesgOnly : delivered.outcome);
  manifest.reason = delivered.reason;
  manifest.filter_json = filter_json_;
  // What the filter says counts: it may have fallen back.
  manifest.level = JsonNumber(filter_json_, "level").value_or(choice_.level);
  manifest.compression = JsonWord(filter_json_, "compression");
  if (manifest.compression.empty()) manifest.compression = CompressionName(choice_.compression);
  manifest.files = files_;
  context_.memory.Sample();
  manifest.memory_total = context_.memory.total();
  manifest.memory_lowest = context_.memory.lowest_available();
  manifest.warnings = warnings_;
  manifest.destinations = records_;
  if (!delivered.blames_destination)
    for (const Destination& destination : rest_)
      manifest.destinations.push_back({DestinationUri(destination), "skipped", "", 0});
  std::string text = ManifestText(manifest);
  if (context_.dry != nullptr) WriteReport(text);
  Result<StoredFile> stored = StoreText(target, "manifest.json", text);
  if (!stored) context_.log.Say("manifest.json not saved: {}, ignoring", stored.error().message());
}

// One that is not a file already.
void Delivery::SaveLog(Target& target) {
  context_.log.Close();
  if (!target.folder().empty()) return;
  Result<StoredFile> stored = StoreText(target, "capture.log", context_.log.text());
  if (!stored) context_.log.Say("capture.log not saved: {}, ignoring", stored.error().message());
}

// Whatever became of it.
void Delivery::RemoveTest(Target& target) {
  if (context_.dry == nullptr || context_.dry->keep || context_.config.test_id.empty()) return;
  Status removed = target.RemoveFolder();
  context_.log.Console(removed ? fmt::format("the test's folder is removed again: {}",
                                             target.Describe(""))
                               : fmt::format("the test's folder is left: {}",
                                             removed.error().message()));
}

void Delivery::Close(Target& target, Delivered& delivered) {
  SaveLog(target);
  RemoveTest(target);
  Status closed = target.Close();
  if (closed) return;
  delivered.outcome = CaptureOutcome::kFailed;
  delivered.blames_destination = true;
  delivered.reason = closed.error().message();
  records_.back().outcome = "failed";
}

}  // namespace kdumpkit
