// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/run.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/process.h"
#include "capture/modules.h"
#include "capture/mount.h"
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

class Capture {
 public:
  Capture(const CaptureOptions& options, const RootDir& root, CaptureSystem& system)
      : options_(options),
        root_(root),
        system_(system),
        log_(options.console_fd, [&system] { return system.Uptime(); }),
        watchdog_([this](const std::string& what) { GiveUp(what); }),
        memory_(root),
        context_{config_, root, system, log_, watchdog_, memory_, options.filter} {}

  CaptureOutcome Run();

 private:
  bool HasVmcore();
  void BringUp();
  void ReadConfig();
  CaptureOutcome Save();
  Delivered SaveToRootfs(Delivery& delivery);
  void Report(const Delivered& delivered, Delivery& delivery);
  void ShowLastWords(Delivery& delivery);
  void Shell();
  void Finish(EndAction action);
  void GiveUp(const std::string& what);

  const CaptureOptions& options_;
  const RootDir& root_;
  CaptureSystem& system_;
  CaptureConfig config_;
  std::string command_line_;
  CaptureLog log_;
  Watchdog watchdog_;
  MemoryGauge memory_;
  CaptureContext context_;
};

CaptureOutcome Capture::Run() {
  log_.Say("kdump-capture {}", KDUMPKIT_VERSION);
  // An ordinary program on a live machine touches nothing, not even to reboot it.
  if (!options_.is_init && !HasVmcore()) return CaptureOutcome::kNoVmcore;
  if (options_.is_init) BringUp();
  ReadConfig();
  context_.Begin("loading modules");
  if (size_t count = LoadListedModules(root_, command_line_, system_, log_); count > 0)
    log_.Say("{} kernel modules loaded", count);
  CaptureOutcome outcome = HasVmcore() ? Save() : CaptureOutcome::kNoVmcore;
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

CaptureOutcome Capture::Save() {
  Delivery delivery(
      context_, []() -> Status { return {}; },
      [](const Delivered&) { return std::vector<std::string>(); });
  Delivered delivered;
  if (config_.destinations.empty()) {
    delivered.reason = "no destination: neither 'kdump.dest=' nor '/etc/kdump.conf' has one";
  } else {
    delivered = delivery.Run(config_.destinations);
  }
  if (delivered.outcome == CaptureOutcome::kFailed &&
      config_.failure_action == FailureAction::kDumpToRootfs)
    delivered = SaveToRootfs(delivery);
  Report(delivered, delivery);
  return delivered.outcome;
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
  for (const char* shell : {"/bin/sh", "/bin/bash", "/bin/busybox"}) {
    if (!root_.Exists(shell)) continue;
    log_.Console(fmt::format("{} follows; 'exit' goes on", shell));
    std::vector<std::string> argv = {root_.HostPath(shell)};
    if (argv[0].ends_with("busybox")) argv.emplace_back("sh");
    int fd = options_.console_fd;
    Result<ChildProcess> child = ChildProcess::Spawn(argv, {fd, fd, fd});
    if (child) (void)child->Wait();
    if (!child) log_.Say("{}", child.error().message());
    return;
  }
  log_.Say("there is no shell in the capture image (extra_bins /bin/sh puts one there)");
}

void Capture::Finish(EndAction action) {
  if (action == EndAction::kShell) {
    Shell();
    action = EndAction::kReboot;
  }
  context_.Begin("ending");
  log_.Console(Describe(action));
  DrainConsole(options_.console_fd, system_);
  system_.Finish(action);
}

// Runs on the watchdog's thread: the other one hangs in a system call, which may be the console's.
void Capture::GiveUp(const std::string& what) {
  int flags = fcntl(options_.console_fd, F_GETFL);
  if (flags >= 0) (void)fcntl(options_.console_fd, F_SETFL, flags | O_NONBLOCK);
  EndAction action = config_.final_action;
  if (action == EndAction::kShell) action = EndAction::kReboot;
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
    case CaptureOutcome::kFailed:
    case CaptureOutcome::kNoVmcore:
      return 1;
  }
  CHECK(false);
}

}  // namespace kdumpkit
