// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/service.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include "config/files.h"
#include "kdumpctl/full_image.h"
#include "kdumpctl/image_builder.h"
#include "kdumpctl/json_read.h"
#include "kdumpctl/notify.h"
#include "kdumpctl/state_files.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;

// Loading reads and checks two files of some 10 MB; the limit is for a machine that hangs.
constexpr std::chrono::minutes kLoadLimit{5};

Json LoadToJson(const LoadRecord& load) {
  return {{"format", 1},
          {"boot_id", load.boot_id},
          {"kernel", load.kernel},
          {"kernel_sha256", load.kernel_sha256},
          {"image", load.image},
          {"image_sha256", load.image_sha256},
          {"command_line", load.command_line},
          {"arguments", load.arguments}};
}

std::string JoinLines(std::string_view text) {
  std::string joined;
  for (std::string_view line : Lines(text)) {
    if (line.starts_with("kexec: ")) line.remove_prefix(7);
    if (!line.empty()) joined += fmt::format("{}{}", joined.empty() ? "" : "; ", line);
  }
  return joined;
}

std::string ProblemLines(const std::vector<Problem>& problems) {
  std::string lines;
  for (const Problem& problem : problems)
    if (problem.severity == Severity::kError)
      lines += fmt::format("{}{}", lines.empty() ? "" : "\n", FormatProblem(problem));
  return lines;
}

// The kernel refuses to tell while it loads or unloads something (EBUSY).
constexpr const char kCrashSize[] = "/sys/kernel/kexec_crash_size";

std::string CrashSize(const RootDir& root) {
  constexpr int kTries = 20;
  for (int tries = 0; tries < kTries && root.Exists(kCrashSize); ++tries) {
    if (std::optional<std::string> size = root.ReadLine(kCrashSize)) return *size;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return "";
}

// The recorded digest of a file that went into the decision about the image.
std::string RecordedDigest(const ImageRecord& record, const std::string& path) {
  for (const Fingerprint& print : record.files)
    if (print.path == path) return print.sha256;
  return "";
}

}  // namespace

std::optional<LoadRecord> ReadLoadRecord(const RootDir& root) {
  Result<std::string> text = root.ReadText(kLoadedFile);
  if (!text) return std::nullopt;
  Json json = Json::parse(*text, nullptr, false);
  if (JsonNumber(json, "format") != 1) return std::nullopt;
  LoadRecord load;
  load.boot_id = JsonText(json, "boot_id");
  load.kernel = JsonText(json, "kernel");
  load.kernel_sha256 = JsonText(json, "kernel_sha256");
  load.image = JsonText(json, "image");
  load.image_sha256 = JsonText(json, "image_sha256");
  load.command_line = JsonText(json, "command_line");
  for (const Json& argument : JsonMember(json, "arguments"))
    if (argument.is_string()) load.arguments.push_back(argument.get<std::string>());
  return load;
}

CrashState ReadCrashState(const RootDir& root) {
  CrashState state;
  std::optional<std::string> loaded = root.ReadLine("/sys/kernel/kexec_crash_loaded");
  std::string size = CrashSize(root);
  state.supported = loaded.has_value();
  state.loaded = loaded == "1";
  (void)std::from_chars(size.data(), size.data() + size.size(), state.reserved);
  state.busy = size.empty() && root.Exists(kCrashSize);
  state.capture_kernel = root.Exists("/proc/vmcore");
  return state;
}

std::string WhyNoCrashKernel(const CrashState& state) {
  if (state.capture_kernel) return "this is a capture kernel; it saves a dump and loads nothing";
  if (!state.supported) return "this kernel cannot load crash kernels (CONFIG_CRASH_DUMP is off)";
  if (state.busy)
    return "a kernel is being loaded or unloaded just now, and what is reserved cannot be told; "
           "try again in a moment";
  if (state.reserved == 0)
    return "no memory is reserved for a crash kernel; 'kdumpctl reset-crashkernel' puts "
           "crashkernel= on the command line of the next boot";
  return "";
}

Status Service::ReadConfig() {
  ParsedConfig parsed = ParseConfig(TRY(ReadConfigFiles(root_)));
  if (!parsed.ok()) return UsageError("{}", ProblemLines(parsed.problems));
  for (const Problem& problem : parsed.problems) warnings_.push_back(FormatProblem(problem));
  config_ = std::move(parsed.config);
  return {};
}

Status Service::UseBuilder(const std::string& name) {
  for (ImageBuilder builder : {ImageBuilder::kDracut, ImageBuilder::kInitramfsTools}) {
    if (BuilderName(builder) != name) continue;
    config_.image_builder = builder;
    return {};
  }
  return UsageError("'{}' is no builder of a full image: dracut or initramfs-tools", name);
}

Status Service::MakePlan() {
  kernel_ = TRY(ChooseKernel(config_, root_));
  record_ = ReadRecord(root_, kernel_->release);
  EarlierNetwork earlier = record_ ? record_->network : EarlierNetwork();
  plan_ = TRY(MakeCapturePlan(config_, earlier, root_, system_));
  warnings_.insert(warnings_.end(), plan_->warnings.begin(), plan_->warnings.end());
  contents_ = TRY(ListContents(*plan_, root_));
  return {};
}

Status Service::Check() {
  TRY(MakePlan());
  if (!record_) {
    stale_ = {"there is none yet"};
    return {};
  }
  Freshness freshness = CheckFreshness(*plan_, *contents_, *record_);
  stale_ = std::move(freshness.reasons);
  touched_ = freshness.touched;
  return {};
}

Status Service::Build() {
  // dracut may take a minute, in which "checking" would be a riddle.
  NotifyStatus(stale_.empty() ? "building the capture image"
                              : fmt::format("building the capture image; why: {}", stale_.front()));
  record_ = TRY(BuildImage(*plan_, *contents_, root_, system_));
  built_ = true;
  return {};
}

Status Service::EnsureImage(const ImageRequest& request) {
  TRY(Check());
  bool missing = !record_ || !root_.Exists(ImagePath(plan_->kernel.release));
  bool wanted = request.force || config_.force_rebuild || missing;
  bool stale = !stale_.empty() && !config_.force_no_rebuild;
  if (wanted || (stale && request.may_build)) return Build();
  if (!stale_.empty())
    warnings_.push_back(fmt::format("the image is stale and is kept: {}", fmt::join(stale_, "; ")));
  // Newer hints make the next check fast.
  if (touched_)
    (void)WriteStateFile(root_, RecordPath(plan_->kernel.release), RecordToJson(*record_));
  return {};
}

LoadRecord Service::WantedLoad(const std::string& test_id) const {
  BootFacts facts;
  facts.host = HostTagOf(config_, record_->network.local_address, root_);
  facts.boot_id = root_.ReadLine("/proc/sys/kernel/random/boot_id").value_or("");
  facts.test_id = test_id;
  facts.full_image = record_->builder != BuilderName(ImageBuilder::kKdumpkit);
  facts.words = BuilderWords(record_->builder, config_);
  LoadRecord load;
  load.boot_id = facts.boot_id;
  load.kernel = kernel_->file;
  load.kernel_sha256 = RecordedDigest(*record_, root_.HostPath(load.kernel));
  load.image = ImagePath(kernel_->release);
  load.image_sha256 = record_->image.sha256;
  load.command_line = CaptureCommandLine(config_, facts, root_);
  load.arguments = config_.kexec_args;
  return load;
}

// Without their keys volumes stay closed after a crash; the other destinations are worth a load.
Status Service::OfferKeys() {
  if (!plan_) return {};
  std::string reason = OfferVolumeKeys(plan_->Volumes(), root_, system_);
  if (reason.empty()) return {};
  const std::vector<ResolvedDestination>& all = plan_->destinations;
  bool another =
      std::any_of(all.begin(), all.end(), [](const auto& found) { return found.volumes.empty(); });
  if (!another) return UsageError("{}", reason);
  warnings_.push_back(fmt::format("encrypted destinations will not be reached: {}", reason));
  return {};
}

Status Service::Load(bool always, const std::string& test_id) {
  LoadRecord load = WantedLoad(test_id);
  command_line_ = load.command_line;
  if (!always && ReadCrashState(root_).loaded && ReadLoadRecord(root_) == load) return {};
  std::optional<std::string> kexec = system_.FindProgram("kexec");
  if (!kexec) return UsageError("'kexec' is not installed");
  TRY(OfferKeys());
  std::vector<std::string> argv = {*kexec, "-p"};
  // Keys are handed over by kexec_file_load(2) only.
  if (plan_ && !plan_->Volumes().empty()) argv.push_back("-s");
  argv.insert(argv.end(), load.arguments.begin(), load.arguments.end());
  argv.push_back("--initrd=" + root_.HostPath(load.image));
  argv.push_back("--append=" + load.command_line);
  argv.push_back(root_.HostPath(load.kernel));
  ProgramResult result = TRY(system_.Run(argv, kLoadLimit));
  if (!result.state.ok())
    return UsageError("the crash kernel was not loaded ({}): {}", result.state.ToString(),
                      JoinLines(result.err));
  loaded_now_ = true;
  return WriteStateFile(root_, kLoadedFile, JsonDump(LoadToJson(load)));
}

Status Service::Unload() {
  std::optional<std::string> kexec = system_.FindProgram("kexec");
  if (!kexec) return UsageError("'kexec' is not installed");
  ProgramResult result = TRY(system_.Run({*kexec, "-p", "-u"}, kLoadLimit));
  if (!result.state.ok())
    return UsageError("the crash kernel was not unloaded ({}): {}", result.state.ToString(),
                      JoinLines(result.err));
  return {};
}

}  // namespace kdumpkit
