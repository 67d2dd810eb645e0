// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/load.h"

#include <array>
#include <cerrno>
#include <cstring>

#include "kexec/explain.h"
#include "kexec/plan_report.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;

// The kernel's kexec lock is held for the time of a load or of a hotplug event. Pauses between
// attempts: 3 seconds in all.
constexpr std::array kPauses = {milliseconds(50),  milliseconds(100), milliseconds(200),
                                milliseconds(400), milliseconds(750), milliseconds(1500)};

template <typename Call>
int RetryWhileBusy(KexecSyscalls& syscalls, Call call) {
  for (milliseconds pause : kPauses) {
    int error = call();
    if (error != EBUSY) return error;
    syscalls.Sleep(pause);
  }
  return call();
}

KexecFile LoadedFile(Slot slot) {
  return slot == Slot::kCrash ? KexecFile::kCrashLoaded : KexecFile::kLoaded;
}

// "<what>: Device or resource busy (EBUSY)": the name is what manuals are searched for.
std::string CallFailed(int error, std::string_view what) {
  std::string text = SystemError(error, what).message();
  const char* name = strerrorname_np(error);
  return name != nullptr ? fmt::format("{} ({})", text, name) : text;
}

// What a failed load did to the image that was there before.
std::string AftermathText(const LoadPlan& plan, const SystemState& now) {
  bool before = plan.state.LoadedIn(plan.slot).value_or(false);
  std::optional<bool> after = now.LoadedIn(plan.slot);
  std::string_view noun = SlotNoun(plan.slot);
  if (!after) return fmt::format("whether {} loaded before is still there is unknown", noun);
  if (*after) return fmt::format("{} loaded before is still in place", noun);
  if (plan.slot == Slot::kReboot) return before ? "the kernel loaded before is gone" : "";
  return before ? "the crash kernel loaded before is GONE: until a load succeeds a panic leaves no "
                  "dump"
                : "no crash kernel is loaded: a panic leaves no dump";
}

Error LoadError(int error, const LoadPlan& plan, const RootDir& root) {
  SystemState now = SystemState::Read(root);
  std::string what = fmt::format("loading '{}' as {}", plan.kernel.path, SlotNoun(plan.slot));
  std::string aftermath = AftermathText(plan, now);
  return Error(
      ErrorKind::kSystem, error,
      fmt::format("{}: {}{}{}", CallFailed(error, what), ExplainLoadError(error, plan, now),
                  aftermath.empty() ? "" : "\n", aftermath));
}

// A kernel that says yes and shows an empty slot has not loaded anything.
Status VerifyLoaded(const LoadPlan& plan, const RootDir& root, std::vector<std::string>& warnings) {
  std::string path = KexecFilePath(root, LoadedFile(plan.slot));
  std::optional<uint64_t> loaded = ReadKexecNumber(root, LoadedFile(plan.slot));
  if (!loaded)
    warnings.push_back(
        fmt::format("cannot read '{}' to verify that {} is loaded", path, SlotNoun(plan.slot)));
  if (loaded.value_or(1) != 0) return {};
  return Error(ErrorKind::kSystem,
               fmt::format("the kernel accepted '{}', but '{}' is 0: {} is not loaded, see 'dmesg'",
                           plan.kernel.path, path, SlotNoun(plan.slot)));
}

}  // namespace

Result<std::vector<std::string>> Load(const LoadPlan& plan, const RootDir& root,
                                      KexecSyscalls& syscalls) {
  std::vector<std::string> warnings;
  auto attempt = [&](uint64_t flags) {
    int initrd_fd = plan.initrd ? plan.initrd->fd.get() : -1;
    return RetryWhileBusy(syscalls, [&] {
      return syscalls.FileLoad(plan.kernel.fd.get(), initrd_fd, plan.command_line, flags);
    });
  };
  int error = attempt(plan.flags);
  uint64_t optional_flags = plan.flags & kOptionalFileFlags;
  if (error == EINVAL && optional_flags != 0) {
    // The call before changed nothing if a flag was its fault.
    error = attempt(plan.flags & ~kOptionalFileFlags);
    // Nobody asked for the debug flag itself, -d is served without it.
    uint64_t missed = optional_flags & ~kFileDebug;
    if (error == 0 && missed != 0)
      warnings.push_back(fmt::format("this kernel does not know flags {}: loaded without them",
                                     FlagsText(missed)));
  }
  if (error != 0) return LoadError(error, plan, root);
  TRY(VerifyLoaded(plan, root, warnings));
  return warnings;
}

Status Unload(Slot slot, const RootDir& root, KexecSyscalls& syscalls) {
  // Every call counts against the load limits, one for an empty slot too.
  if (ReadKexecNumber(root, LoadedFile(slot)) == 0) return {};
  uint64_t flags = slot == Slot::kCrash ? kFileOnCrash : 0;
  int error = RetryWhileBusy(syscalls, [&] { return syscalls.FileUnload(flags); });
  if (error != 0)
    return Error(
        ErrorKind::kSystem, error,
        fmt::format("{}: {}", CallFailed(error, fmt::format("unloading {}", SlotNoun(slot))),
                    ExplainUnloadError(error, slot, SystemState::Read(root))));
  if (ReadKexecNumber(root, LoadedFile(slot)).value_or(0) != 0)
    return Error(ErrorKind::kSystem,
                 fmt::format("the kernel accepted the unload, but '{}' is still 1",
                             KexecFilePath(root, LoadedFile(slot))));
  return {};
}

Error StartLoaded(bool sync, const RootDir& root, KexecSyscalls& syscalls) {
  if (ReadKexecNumber(root, KexecFile::kLoaded) == 0)
    return UsageError("nothing is loaded: run 'kexec -l' first");
  if (sync) syscalls.Sync();
  int error = syscalls.RebootIntoLoaded();
  return Error(ErrorKind::kSystem, error,
               fmt::format("{}: {}", CallFailed(error, "starting the loaded kernel"),
                           ExplainRebootError(error, SystemState::Read(root))));
}

}  // namespace kdumpkit
