// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/load.h"

#include <array>
#include <cerrno>
#include <cstring>

#include "kexec/explain.h"
#include "kexec/memfd.h"
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

// The files as kexec_file_load takes them: those the user gave, with everything that hangs on them
// (signatures, IMA's attributes), unless what is loaded is not the file itself.
struct LoadFiles {
  UniqueFd kernel_memfd;
  UniqueFd initrd_memfd;
  int kernel = -1;
  int initrd = -1;
};

Result<LoadFiles> PrepareFiles(const LoadPlan& plan) {
  LoadFiles files;
  files.kernel = plan.kernel.fd.get();
  if (plan.contents.Unwrapped()) {
    files.kernel_memfd = TRY(SealedMemfd("kernel", plan.contents.contents));
    files.kernel = files.kernel_memfd.get();
  }
  if (plan.initrd) {
    files.initrd = plan.initrd->fd.get();
  } else if (plan.contents.initrd) {
    files.initrd_memfd = TRY(SealedMemfd("initrd", *plan.contents.initrd));
    files.initrd = files.initrd_memfd.get();
  }
  return files;
}

std::vector<KexecSegment> SegmentsOf(const SegmentPlan& plan) {
  std::vector<KexecSegment> segments;
  for (const PlannedSegment& segment : plan.segments)
    segments.push_back({segment.bytes, segment.memory});
  return segments;
}

std::string FlagsText(KexecCall call, uint64_t flags) {
  return call == KexecCall::kFile ? FileFlagsText(flags) : SegmentFlagsText(flags);
}

// Makes the call the plan's route names, without the optional flags if the kernel does not know
// them. Returns its errno; fails only before the call.
class Caller {
 public:
  Caller(const LoadPlan& plan, KexecSyscalls& syscalls, LoadReport& report)
      : plan_(plan), syscalls_(syscalls), report_(report) {}

  Result<int> Call() {
    KexecCall call = plan_.route->call;
    bool by_file = call == KexecCall::kFile;
    if (by_file) files_ = TRY(PrepareFiles(plan_));
    uint64_t flags = by_file ? plan_.file_flags : plan_.segment_flags;
    uint64_t optional = flags & (by_file ? kOptionalFileFlags : kOptionalLoadFlags);
    int error = Attempt(call, flags);
    // The call before changed nothing if a flag was its fault.
    if (error != EINVAL || optional == 0) return error;
    error = Attempt(call, flags & ~optional);
    // Nobody asked for the debug flag itself, -d is served without it.
    uint64_t missed = optional & ~(by_file ? kFileDebug : kLoadDebug);
    if (error == 0 && missed != 0)
      report_.warnings.push_back(fmt::format(
          "this kernel does not know flags {}: loaded without them", FlagsText(call, missed)));
    return error;
  }

 private:
  int Attempt(KexecCall call, uint64_t flags) {
    int error = RetryWhileBusy(syscalls_, [&] {
      if (call == KexecCall::kFile)
        return syscalls_.FileLoad(files_.kernel, files_.initrd, plan_.command_line, flags);
      return syscalls_.SegmentLoad(plan_.segments->entry, SegmentsOf(*plan_.segments), flags);
    });
    std::string what = fmt::format("{} with flags {}", CallName(call), FlagsText(call, flags));
    report_.steps.push_back(error == 0 ? what + ": done" : CallFailed(error, what));
    return error;
  }

  const LoadPlan& plan_;
  KexecSyscalls& syscalls_;
  LoadReport& report_;
  LoadFiles files_;
};

Error LoadError(int error, const LoadPlan& plan, const RootDir& root, std::string_view before) {
  SystemState now = SystemState::Read(root);
  std::string what = fmt::format("loading '{}' as {} with {}", plan.kernel.path,
                                 SlotNoun(plan.slot), CallName(plan.route->call));
  std::string message =
      fmt::format("{}: {}", CallFailed(error, what), ExplainLoadError(error, plan, now));
  if (!before.empty()) message += fmt::format("\n{}", before);
  std::string aftermath = AftermathText(plan, now);
  if (!aftermath.empty()) message += fmt::format("\n{}", aftermath);
  return Error(ErrorKind::kSystem, error, message);
}

// After kexec_file_load ended with `first`: the outcome of kexec_load, 0 or an error to report.
Status TrySegments(int first, LoadPlan& plan, const RootDir& root, KexecSyscalls& syscalls,
                   LoadReport& report) {
  std::string reason = CallFailed(first, "kexec_file_load was tried first");
  report.steps.push_back(fmt::format("falling back on kexec_load: {}",
                                     ExplainLoadError(first, plan, SystemState::Read(root))));
  if (Status made = FallBackToSegments(plan, root, reason); !made)
    return LoadError(first, plan, root,
                     fmt::format("kexec_load cannot be tried instead: {}", made.error().message()));
  int error = TRY(Caller(plan, syscalls, report).Call());
  if (error != 0) return LoadError(error, plan, root, reason);
  return {};
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

Result<LoadReport> Load(LoadPlan& plan, const RootDir& root, KexecSyscalls& syscalls) {
  LoadReport report;
  int error = TRY(Caller(plan, syscalls, report).Call());
  if (FallsBack(error) && plan.route->may_fall_back)
    TRY(TrySegments(error, plan, root, syscalls, report));
  else if (error != 0)
    return LoadError(error, plan, root, "");
  TRY(VerifyLoaded(plan, root, report.warnings));
  return report;
}

Status Unload(Slot slot, CallChoice call, const RootDir& root, KexecSyscalls& syscalls) {
  // Every call counts against the load limits, one for an empty slot too.
  if (ReadKexecNumber(root, LoadedFile(slot)) == 0) return {};
  bool crash = slot == Slot::kCrash;
  int error = ENOSYS;
  if (call != CallChoice::kSegments)
    error = RetryWhileBusy(syscalls, [&] { return syscalls.FileUnload(crash ? kFileOnCrash : 0); });
  // Both empty the slot whichever call filled it.
  if (error == ENOSYS && call != CallChoice::kFile)
    error = RetryWhileBusy(syscalls,
                           [&] { return syscalls.SegmentLoad(0, {}, crash ? kLoadOnCrash : 0); });
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

Error StartLoaded(const StartOptions& options, const RootDir& root, KexecSyscalls& syscalls) {
  if (ReadKexecNumber(root, KexecFile::kLoaded) == 0)
    return UsageError("nothing is loaded: run 'kexec -l' first");
  if (options.sync) syscalls.Sync();
  // Best effort, as the kernel stops the devices itself.
  if (options.interfaces_down) syscalls.TakeInterfacesDown();
  int error = syscalls.RebootIntoLoaded();
  return Error(ErrorKind::kSystem, error,
               fmt::format("{}: {}", CallFailed(error, "starting the loaded kernel"),
                           ExplainRebootError(error, SystemState::Read(root))));
}

}  // namespace kdumpkit
