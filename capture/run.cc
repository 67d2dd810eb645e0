// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/run.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "capture/dump.h"
#include "capture/modules.h"
#include "capture/mount.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How much of the dead kernel's log is shown when nothing could be saved. The trace after the line
// that says why it panicked has some 50.
constexpr size_t kLastLines = 80;
// A kernel that panics instead of capturing starts over after this time, rather than hang.
constexpr std::string_view kPanicSeconds = "10";
constexpr const char* kScratchDmesg = "/run/vmcore-dmesg.txt";

// The last `count` lines of a text.
std::vector<std::string_view> LastLines(std::string_view text, size_t count) {
  std::vector<std::string_view> lines;
  while (!text.empty() && lines.size() < count) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    size_t begin = text.rfind('\n') + 1;
    lines.push_back(text.substr(begin));
    text = text.substr(0, begin);
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

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

class Capture {
 public:
  Capture(const CaptureOptions& options, const RootDir& root, CaptureSystem& system)
      : options_(options),
        root_(root),
        system_(system),
        log_(options.console_fd, [&system] { return system.Uptime(); }),
        watchdog_([this](const std::string& what) { GiveUp(what); }),
        dumper_(options.filter, root.HostPath("/proc/vmcore"), config_, system, log_, watchdog_) {}

  CaptureOutcome Run();

 private:
  bool HasVmcore();
  void BringUp();
  void ReadConfig();
  CaptureOutcome Save();
  void OpenLog(const Destination& destination);
  void SaveDmesg(const Destination& destination);
  CaptureOutcome CloseAndReport(const Destination& destination, DumpResult result);
  void ShowLastWords();
  void ShowTail(const std::string& path);
  void Finish();
  void GiveUp(const std::string& what);
  // What follows must not take longer than the time allowed without progress.
  void Begin(const char* what, seconds longer = seconds(0)) {
    watchdog_.Expect(what, config_.stall + longer);
  }

  const CaptureOptions& options_;
  const RootDir& root_;
  CaptureSystem& system_;
  CaptureConfig config_;
  std::string command_line_;
  std::string saved_dmesg_;  // its path once it is on the destination
  CaptureLog log_;
  Watchdog watchdog_;
  Dumper dumper_;
};

CaptureOutcome Capture::Run() {
  log_.Say("kdump-capture {}", KDUMPKIT_VERSION);
  // An ordinary program on a live machine touches nothing, not even to reboot it.
  if (!options_.is_init && !HasVmcore()) return CaptureOutcome::kNoVmcore;
  if (options_.is_init) BringUp();
  ReadConfig();
  Begin("loading modules");
  if (size_t count = LoadListedModules(root_, command_line_, system_, log_); count > 0)
    log_.Say("{} kernel modules loaded", count);
  CaptureOutcome outcome = HasVmcore() ? Save() : CaptureOutcome::kNoVmcore;
  Finish();
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
  Begin("mounting /proc, /sys and /dev");
  MountKernelFileSystems(root_, system_, log_);
  (void)root_.WriteText("/proc/sys/kernel/panic", kPanicSeconds);
}

void Capture::ReadConfig() {
  watchdog_.Disarm();  // It reads the configuration that is written here.
  command_line_ = root_.ReadLine("/proc/cmdline").value_or("");
  ConfigReading reading = ReadCaptureConfig(command_line_);
  config_ = std::move(reading.config);
  for (const std::string& complaint : reading.complaints) log_.Line(complaint);
}

CaptureOutcome Capture::Save() {
  Begin("preparing the destination", config_.timeout);
  Result<Destination> destination = OpenDestination(config_, root_, system_, log_);
  if (!destination) {
    ShowLastWords();
    log_.Say("dump failed: {}", destination.error().message());
    return CaptureOutcome::kFailed;
  }
  OpenLog(*destination);
  SaveDmesg(*destination);
  DumpResult result = dumper_.SaveVmcore(destination->folder);
  bool in_place = result.state != DumpState::kFailed && result.file == kVmcoreName;
  if (!in_place) ShowLastWords();
  return CloseAndReport(*destination, std::move(result));
}

void Capture::OpenLog(const Destination& destination) {
  Status opened = log_.Open(destination.folder + "/capture.log");
  if (!opened) log_.Say("{}, ignoring", opened.error().message());
}

void Capture::SaveDmesg(const Destination& destination) {
  std::string path = fmt::format("{}/{}", destination.folder, kDmesgName);
  Result<uint64_t> size = dumper_.SaveDmesg(path);
  if (!size)
    return log_.Say("log of the dead kernel not saved: {}, ignoring", size.error().message());
  saved_dmesg_ = path;
  log_.Say("log of the dead kernel saved: {}, {}", destination.Describe(kDmesgName),
           SizeText(*size));
}

// The line that says where the dump is comes last, when the device has it.
CaptureOutcome Capture::CloseAndReport(const Destination& destination, DumpResult result) {
  Begin("unmounting the destination");
  if (result.state == DumpState::kFailed) {
    log_.Say("no dump: {}", result.reason);
  } else {
    log_.Say("{} written, {}", result.file, SizeText(result.size));
  }
  log_.Close();
  if (Status closed = CloseDestination(destination, system_, log_); !closed)
    result = {DumpState::kFailed, result.file, result.size, closed.error().message()};
  std::string where = result.file.empty() ? "" : destination.Describe(result.file);
  if (result.state == DumpState::kComplete) {
    log_.Say("dump saved: {}, {}", where, SizeText(result.size));
    return CaptureOutcome::kSaved;
  }
  if (result.state == DumpState::kPartial) {
    log_.Say("dump saved with faults: {}, {}: {}, see capture.log", where, SizeText(result.size),
             result.reason);
    return CaptureOutcome::kPartial;
  }
  log_.Say("dump failed: {}; what there is: {}", result.reason, destination.Describe(""));
  return CaptureOutcome::kFailed;
}

// On the console, where someone may see it, when there is no better place.
void Capture::ShowLastWords() {
  if (!saved_dmesg_.empty()) return ShowTail(saved_dmesg_);
  std::string path = root_.HostPath(kScratchDmesg);
  std::error_code ignored;
  std::filesystem::create_directories(root_.HostPath("/run"), ignored);
  std::filesystem::remove(path, ignored);
  Result<uint64_t> size = dumper_.SaveDmesg(path);
  if (!size) return log_.Say("the dead kernel's log cannot be read: {}", size.error().message());
  ShowTail(path);
}

void Capture::ShowTail(const std::string& path) {
  constexpr size_t kLimit = size_t{64} << 20;
  Result<UniqueFd> fd = OpenFile(path, O_RDONLY);
  if (!fd) return log_.Say("{}", fd.error().message());
  Result<ByteBuffer> text = ReadToEnd(fd->get(), kLimit);
  if (!text) return log_.Say("'{}': {}", path, text.error().message());
  log_.Console("the last lines of the dead kernel's log:");
  for (std::string_view line : LastLines(AsText(*text), kLastLines)) log_.Console(line);
}

void Capture::Finish() {
  Begin("ending");
  log_.Console(Describe(config_.final_action));
  DrainConsole(options_.console_fd, system_);
  system_.Finish(config_.final_action);
}

// Runs on the watchdog's thread: the other one hangs in a system call, which may be the console's.
void Capture::GiveUp(const std::string& what) {
  int flags = fcntl(options_.console_fd, F_GETFL);
  if (flags >= 0) (void)fcntl(options_.console_fd, F_SETFL, flags | O_NONBLOCK);
  log_.Console(fmt::format("dump failed: no progress while {}", what));
  log_.Console(Describe(config_.final_action));
  system_.Finish(config_.final_action);
}

}  // namespace

CaptureOutcome RunCapture(const CaptureOptions& options, const RootDir& root,
                          CaptureSystem& system) {
  return Capture(options, root, system).Run();
}

int ExitStatus(CaptureOutcome outcome) {
  switch (outcome) {
    case CaptureOutcome::kSaved:
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
