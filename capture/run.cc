// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/run.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "capture/fence.h"
#include "capture/hardware_watchdog.h"
#include "capture/hooks.h"
#include "capture/modules.h"
#include "capture/mount.h"
#include "capture/network.h"
#include "capture/open_target.h"
#include "capture/shell.h"
#include "config/files.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A kernel that panics instead of capturing starts over after this time, rather than hang.
constexpr std::string_view kPanicSeconds = "10";

// What a serial line has not sent yet would be lost with the machine. Unlike tcdrain(3) this ends
// when the other side has stopped the line.
void DrainConsole(int fd, CaptureSystem& system) {
  constexpr milliseconds kStep{50}, kLimit{3000};
  int unsent = 0;
  for (milliseconds waited{0}; waited < kLimit; waited += kStep) {
    if (ioctl(fd, TIOCOUTQ, &unsent) != 0) return;
    // Once more when none is left: the device has a small queue of its own.
    system.Sleep(kStep);
    if (unsent == 0) return;
  }
}

EndAction AsEndAction(FailureAction action, EndAction otherwise) {
  if (action == FailureAction::kReboot) return EndAction::kReboot;
  if (action == FailureAction::kHalt) return EndAction::kHalt;
  if (action == FailureAction::kPowerOff) return EndAction::kPowerOff;
  return otherwise;
}

// For hooks, whose scripts know "saved".
std::string_view StatusName(CaptureOutcome outcome) {
  return outcome == CaptureOutcome::kSaved ? "saved" : OutcomeName(outcome);
}

class Capture {
 public:
  Capture(const CaptureOptions& options, const RootDir& root, CaptureSystem& system)
      : options_(options),
        root_(root),
        system_(system),
        log_(options.console_fd, [&system] { return system.Uptime(); }),
        memory_(root),
        watchdog_([this](const std::string& what) { GiveUp(what); }),
        context_{config_, root,    system,         log_,
                 watchdog_, memory_, options.filter, options.dry ? &*options.dry : nullptr} {}

  CaptureOutcome Run();

 private:
  bool HasVmcore();
  void BringUp();
  void ReadConfig();
  void Prepare();
  void PrepareDry();
  Status NetworkUp();
  CaptureOutcome Save();
  Delivered Deliver(Delivery& delivery);
  Delivered SaveToRootfs(Delivery& delivery);
  std::vector<std::string> RunHooksOf(HookKind kind, const Delivered& delivered);
  void Report(const Delivered& delivered, Delivery& delivery);
  void ShowLastWords(Delivery& delivery);
  void Shell();
  void Finish(EndAction action);
  void StopHardwareWatchdog(EndAction action);
  void GiveUp(const std::string& what);

  const CaptureOptions& options_;
  const RootDir& root_;
  CaptureSystem& system_;
  CaptureConfig config_;
  std::string command_line_;
  std::optional<Status> network_;  // whether it came up, once it was needed
  bool post_done_ = false;
  std::atomic<bool> ending_ = false;
  CaptureLog log_;
  MemoryGauge memory_;
  std::unique_ptr<HardwareWatchdog> hardware_;
  Watchdog watchdog_;  // Its thread uses what stands above.
  CaptureContext context_;
};

CaptureOutcome Capture::Run() {
  log_.Say("kdump-capture {}", KDUMPKIT_VERSION);
  // An ordinary program on a live machine touches nothing, not even to reboot it.
  if (!options_.is_init && !HasVmcore()) return CaptureOutcome::kNoVmcore;
  bool dry = options_.dry.has_value();
  if (options_.is_init && !dry) BringUp();
  ReadConfig();
  if (!dry) Prepare();
  if (dry) PrepareDry();
  CaptureOutcome outcome = HasVmcore() ? Save() : CaptureOutcome::kNoVmcore;
  if (dry) return outcome;
  bool failed = outcome == CaptureOutcome::kFailed;
  if (failed && config_.failure_action == FailureAction::kShell) Shell();
  Finish(failed ? AsEndAction(config_.failure_action, config_.final_action) : config_.final_action);
  return outcome;
}

bool Capture::HasVmcore() {
  if (root_.Exists("/proc/vmcore")) return true;
  log_.Say(
      "there is no '/proc/vmcore': this is not a capture kernel, or it was loaded without "
      "'elfcorehdr='");
  return false;
}

void Capture::BringUp() {
  context_.Begin("mounting /proc, /sys and /dev");
  MountKernelFileSystems(root_, system_, log_);
  (void)root_.WriteText("/proc/sys/kernel/panic", kPanicSeconds);
}

void Capture::ReadConfig() {
  watchdog_.Disarm();  // It reads the configuration that is written here.
  command_line_ = root_.ReadLine("/proc/cmdline").value_or("");
  std::optional<ConfigSource> file;
  if (root_.Exists(kConfigFile)) {
    Result<ConfigSource> source = ReadConfigFile(root_, kConfigFile);
    if (source) file = std::move(*source);
    if (!source) log_.Say("{}, ignoring", source.error().message());
  }
  ConfigReading reading = ReadCaptureConfig(command_line_, file);
  config_ = std::move(reading.config);
  for (const std::string& complaint : reading.complaints) log_.Line(complaint);
  watchdog_.SetTotal(config_.total_timeout);
}

// Modules come first: they bring the watchdog's device, too.
void Capture::Prepare() {
  context_.Begin("loading modules");
  if (size_t count = LoadListedModules(root_, command_line_, system_, log_); count > 0)
    log_.Say("{} kernel modules loaded", count);
  if (!config_.watchdog) return;
  context_.Begin("starting the hardware watchdog");
  // While a step hangs, the other watchdog ends it; what is left is a kernel that hangs as a whole,
  // or that cannot even restart.
  auto armed = HardwareWatchdog::Arm(
      root_, config_.watchdog_timeout, [this] { return !ending_; }, log_);
  if (armed) hardware_ = std::move(*armed);
  if (!armed && armed.error().kind() != ErrorKind::kUnsupported)
    log_.Say("{}, ignoring", armed.error().message());
}

// Tells what a real capture would do here.
void Capture::PrepareDry() {
  size_t modules = LoadListedModules(root_, command_line_, system_, log_);
  log_.Say(
      "dry run: {} kernel modules are in the image and stay there; the network is the running "
      "system's; no watchdog is started, no hook or fence_kdump_send is run, nothing restarts",
      modules);
  for (const std::string* hook :
       {&config_.pre_hook, &config_.post_hook, &config_.emergency_hook})
    if (!hook->empty() && !root_.Exists(*hook)) log_.Say("hook '{}' is not in the image", *hook);
}

Status Capture::NetworkUp() {
  if (options_.dry) return {};
  if (!network_) {
    context_.Begin("bringing up the network", config_.network_timeout);
    network_ = BringUpNetwork(root_, config_.network_timeout, system_, log_, watchdog_);
    if (!*network_) log_.Say("{}, ignoring", network_->error().message());
  }
  return *network_;
}

// The dump's status and places are in the environment. Returns what failed.
std::vector<std::string> Capture::RunHooksOf(HookKind kind, const Delivered& delivered) {
  if (options_.dry) return {};
  std::vector<std::string> environment = {fmt::format("KDUMP_HOST={}", config_.host),
                                          fmt::format("KDUMP_BOOT_ID={}", config_.boot_id),
                                          fmt::format("KDUMP_TEST_ID={}", config_.test_id)};
  if (kind != HookKind::kPre) {
    environment.push_back(fmt::format("KDUMP_STATUS={}", StatusName(delivered.outcome)));
    environment.push_back(fmt::format("KDUMP_REASON={}", delivered.reason));
    environment.push_back(fmt::format("KDUMP_DESTINATION={}", delivered.uri));
    environment.push_back(fmt::format("KDUMP_FOLDER={}", delivered.folder));
    environment.push_back(fmt::format("KDUMP_FILE={}", delivered.file));
    environment.push_back(fmt::format("KDUMP_WHERE={}", delivered.where));
  }
  const std::string& configured = kind == HookKind::kPre    ? config_.pre_hook
                                  : kind == HookKind::kPost ? config_.post_hook
                                                            : config_.emergency_hook;
  post_done_ |= kind == HookKind::kPost;
  std::vector<std::string> failures;
  for (const HookRun& run :
       RunHooks(kind, configured, root_, environment, ExitStatus(delivered.outcome),
                config_.hook_timeout, log_, watchdog_))
    if (!run.failure.empty())
      failures.push_back(fmt::format("hook '{}' failed: {}", run.program, run.failure));
  return failures;
}

CaptureOutcome Capture::Save() {
  bool early = !config_.fence_nodes.empty() ||
               (!config_.destinations.empty() && NeedsNetwork(config_.destinations[0]));
  // So that hooks and the cluster's nodes can be reached; otherwise it has time.
  if (early) (void)NetworkUp();
  std::optional<ChildProcess> fence = StartFence(context_);
  std::vector<std::string> failures = RunHooksOf(HookKind::kPre, {});
  bool skip = config_.pre_failure == PreFailure::kSkip && !config_.pre_hook.empty() &&
              std::any_of(failures.begin(), failures.end(), [this](const std::string& failure) {
                return failure.starts_with(fmt::format("hook '{}' ", config_.pre_hook));
              });
  if (skip) {
    log_.Say("no dump: kdump_pre '{}' failed, and pre_failure is 'skip'", config_.pre_hook);
    return CaptureOutcome::kSkipped;
  }
  Delivery delivery(
      context_, [this] { return NetworkUp(); },
      [this](const Delivered& delivered) { return RunHooksOf(HookKind::kPost, delivered); });
  for (std::string& failure : failures) delivery.Warn(std::move(failure));
  Delivered delivered = Deliver(delivery);
  if (!post_done_) (void)RunHooksOf(HookKind::kPost, delivered);
  if (delivered.outcome == CaptureOutcome::kFailed)
    (void)RunHooksOf(HookKind::kEmergency, delivered);
  Report(delivered, delivery);
  return delivered.outcome;
}

Delivered Capture::Deliver(Delivery& delivery) {
  Delivered delivered;
  if (config_.destinations.empty()) {
    delivered.reason = "no destination: neither 'kdump.dest=' nor '/etc/kdump.conf' has one";
  } else {
    delivered = delivery.Run(config_.destinations);
  }
  bool rootfs = delivered.outcome == CaptureOutcome::kFailed &&
                config_.failure_action == FailureAction::kDumpToRootfs;
  if (!rootfs) return delivered;
  log_.Say("dump failed: {}", delivered.reason);
  return SaveToRootfs(delivery);
}

// The root file system is the one that the kernel that crashed was told.
Delivered Capture::SaveToRootfs(Delivery& delivery) {
  Delivered failed;
  Result<Destination> root = ParseDestination({CommandLineValue(command_line_, "root")});
  if (!root || root->kind != Destination::Kind::kDevice) {
    failed.reason = "dump_to_rootfs: no 'root=' with a device is on the command line";
    return failed;
  }
  root->fs_type = CommandLineValue(command_line_, "rootfstype");
  root->mount_options = CommandLineValue(command_line_, "rootflags");
  root->path = config_.path;
  log_.Say("trying the root file system, {}", DestinationUri(*root));
  return delivery.Run({&*root, 1});
}

// The line that says where the dump is comes last, when the device has it.
void Capture::Report(const Delivered& delivered, Delivery& delivery) {
  context_.Begin("telling the result");
  bool whole = delivered.outcome == CaptureOutcome::kSaved ||
               (delivered.outcome == CaptureOutcome::kPartial && !delivered.blames_destination);
  if (!whole) ShowLastWords(delivery);
  std::string where = delivered.where;
  switch (delivered.outcome) {
    case CaptureOutcome::kSaved:
      return log_.Say("dump saved: {}, {}", where, SizeText(delivered.size));
    case CaptureOutcome::kPartial:
      return log_.Say("dump saved with faults: {}, {}: {}, see capture.log", where,
                      SizeText(delivered.size), delivered.reason);
    case CaptureOutcome::kDmesgOnly:
      return log_.Say("log of the dead kernel saved, no dump: {}: {}", where, delivered.reason);
    default:
      return log_.Say("dump failed: {}{}{}", delivered.reason,
                      where.empty() ? "" : "; what there is: ", where);
  }
}

// On the console, where someone may see it, when there is no better place.
void Capture::ShowLastWords(Delivery& delivery) {
  if (delivery.dmesg().tail().empty()) {
    Status read = delivery.ReadDmesg();
    if (!read) log_.Say("the dead kernel's log cannot be read: {}", read.error().message());
  }
  if (delivery.dmesg().tail().empty()) return;
  log_.Console("the last lines of the dead kernel's log:");
  for (const std::string& line : delivery.dmesg().tail()) log_.Console(line);
}

void Capture::Shell() {
  watchdog_.Disarm();
  watchdog_.SetTotal(milliseconds(0));
  RunShell(root_, options_.console_fd, log_);
}

// It resets a machine that does not restart by itself, but must leave one alone that is to stay
// down.
void Capture::StopHardwareWatchdog(EndAction action) {
  if (hardware_ && action != EndAction::kReboot) hardware_->Disarm();
  ending_ = true;
}

void Capture::Finish(EndAction action) {
  if (action == EndAction::kShell) {
    Shell();
    action = EndAction::kReboot;
  }
  context_.Begin("ending");
  log_.Console(Describe(action));
  DrainConsole(options_.console_fd, system_);
  StopHardwareWatchdog(action);
  system_.Finish(action);
}

// Runs on the watchdog's thread: the other one hangs in a system call, which may be the console's.
void Capture::GiveUp(const std::string& what) {
  int flags = fcntl(options_.console_fd, F_GETFL);
  if (flags >= 0) (void)fcntl(options_.console_fd, F_SETFL, flags | O_NONBLOCK);
  EndAction action = config_.final_action;
  if (action == EndAction::kShell) action = EndAction::kReboot;
  // First: from here on nobody feeds it, so that it ends even what hangs below.
  StopHardwareWatchdog(action);
  log_.Console(fmt::format("dump failed: no progress while {}", what));
  log_.Console(Describe(action));
  system_.Finish(action);
}

}  // namespace

CaptureOutcome RunCapture(const CaptureOptions& options, const RootDir& root,
                          CaptureSystem& system) {
  return Capture(options, root, system).Run();
}

int ExitStatus(CaptureOutcome outcome) {
  switch (outcome) {
    case CaptureOutcome::kSaved:
    case CaptureOutcome::kDmesgOnly:
      return 0;
    case CaptureOutcome::kPartial:
      return 3;
    case CaptureOutcome::kSkipped:
    case CaptureOutcome::kFailed:
    case CaptureOutcome::kNoVmcore:
      return 1;
  }
  CHECK(false);
}

}  // namespace kdumpkit
