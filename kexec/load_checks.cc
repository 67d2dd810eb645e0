// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/load_checks.h"

#include "kexec/command_line.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

using Level = Finding::Level;

Finding Good(std::string text) { return {Level::kGood, std::move(text)}; }
Finding Warning(std::string text) { return {Level::kWarning, std::move(text)}; }
Finding Refusal(std::string text) { return {Level::kRefusal, std::move(text)}; }

// The command line as the boot loader gave it has a crashkernel= word.
bool AskedForReservation(const RootDir& root) {
  for (const std::string& word : SplitWords(root.ReadLine("/proc/cmdline").value_or("")))
    if (ParameterName(word) == "crashkernel") return true;
  return false;
}

Finding CheckReservation(const CrashReservation& reservation, const RootDir& root) {
  std::optional<bool> present = reservation.Present();
  if (!present)
    return Warning(
        "cannot tell whether memory is reserved for a crash kernel: neither "
        "'/proc/iomem' nor the size in '/sys/kernel' can be read");
  if (*present && reservation.hidden)
    return Warning(
        "'/proc/iomem' shows its addresses as zeros without CAP_SYS_ADMIN: where the "
        "reservation is cannot be checked");
  if (*present) return Good("memory is reserved for a crash kernel");
  if (AskedForReservation(root))
    return Refusal(fmt::format(
        "no memory is reserved for a crash kernel, although the running kernel was started with "
        "crashkernel=: see why in 'dmesg | grep -i crashkernel' (size wrongly written, or no free "
        "range of that size), or it was given back through '{}'",
        KexecFilePath(root, KexecFile::kCrashSize)));
  return Refusal(
      "no memory is reserved for a crash kernel: add crashkernel=256M to the command "
      "line of the running kernel (the boot loader's configuration) and reboot");
}

std::string NeedText(const MemoryNeed& need) {
  std::string text =
      fmt::format("kernel {}, initrd {}", SizeText(need.kernel), SizeText(need.initrd));
  if (need.elfcorehdr != 0) text += fmt::format(", elfcorehdr {}", SizeText(need.elfcorehdr));
  return text + fmt::format(", other {}", SizeText(need.other));
}

// Room the crash kernel has once it is loaded.
Finding CheckRoomToRun(const MemoryNeed& need, uint64_t size) {
  // An initramfs unpacks to several times its size, and the kernel itself takes about 32 MiB.
  uint64_t rest = size - need.Total();
  uint64_t wanted = 2 * need.initrd + (uint64_t{32} << 20);
  if (rest >= wanted)
    return Good(
        fmt::format("the image fits into the reservation, {} are left to run in", SizeText(rest)));
  return Warning(
      fmt::format("only {} of the reservation are left for the crash kernel to run in; "
                  "about {} are usual with this initramfs",
                  SizeText(rest), SizeText(wanted)));
}

Finding CheckFit(const LoadPlan& plan, uint64_t size) {
  const MemoryNeed& need = plan.need;
  // The segments have their places already.
  if (plan.segments) return CheckRoomToRun(need, size);
  std::optional<PhysRange> range = plan.reservation.Target();
  Fit fit = range ? PlaceInRange(*range, need) : PlaceInSize(size, need);
  if (fit == Fit::kYes) return CheckRoomToRun(need, size);
  if (fit == Fit::kMaybe)
    return Warning(
        fmt::format("the image may not fit into the reservation: {} of {} are needed, "
                    "and the kernel's address is a multiple of {}",
                    SizeText(need.Total()), SizeText(size), SizeText(need.kernel_alignment)));
  return Refusal(fmt::format(
      "the reservation is too small: {} are needed to load ({}), the kernel's address is a "
      "multiple of {}, and {} are reserved: boot with a larger crashkernel= (add what the crash "
      "kernel needs to run), or load a smaller initramfs",
      SizeText(need.Total()), NeedText(need), SizeText(need.kernel_alignment), SizeText(size)));
}

// sanity_check_segment_list() of the kernel refuses images above half of memory.
std::optional<Finding> CheckHalfOfMemory(const LoadPlan& plan) {
  if (!plan.state.memory || plan.need.Total() <= *plan.state.memory / 2) return std::nullopt;
  return Refusal(
      fmt::format("the image takes {} of memory ({}), the kernel loads no more than "
                  "half of its {}",
                  SizeText(plan.need.Total()), NeedText(plan.need), SizeText(*plan.state.memory)));
}

Finding CheckCommandLine(const LoadPlan& plan) {
  uint64_t length = plan.command_line.size();
  if (length > plan.command_line_limit)
    return Refusal(fmt::format(
        "the command line has {} characters, '{}' takes {} (its own limit less what {} adds): "
        "shorten "
        "it by {}",
        length, plan.kernel.path, plan.command_line_limit,
        plan.segments ? "this program" : "the running kernel", length - plan.command_line_limit));
  return Good(fmt::format("the command line is not too long ({} of {} characters)", length,
                          plan.command_line_limit));
}

std::optional<Finding> CheckLockdown(const LoadPlan& plan) {
  if (!plan.state.LockedDown()) return std::nullopt;
  if (plan.Uses(KexecCall::kSegments))
    return Refusal(fmt::format(
        "kernel lockdown is '{}' ('/sys/kernel/security/lockdown'), which forbids kexec_load: load "
        "a signed kernel (a bzImage) with -s",
        *plan.state.lockdown));
  if (plan.image().is_signed)
    return Good(fmt::format("the kernel is signed (kernel lockdown: {})", *plan.state.lockdown));
  return Warning(
      fmt::format("'{}' has no EFI signature and kernel lockdown is '{}': only a kernel "
                  "that IMA appraises would be taken",
                  plan.kernel.path, *plan.state.lockdown));
}

std::optional<Finding> CheckBounds(const LoadPlan& plan) {
  if (!plan.Uses(KexecCall::kFile) || !plan.segment_options.Bounded()) return std::nullopt;
  return Warning("--mem-min and --mem-max have no effect with kexec_file_load, ignoring");
}

std::optional<Finding> CheckHotplug(const LoadPlan& plan) {
  if (!plan.hotplug_demanded || plan.state.elfcorehdr_size.value_or(0) > 0) return std::nullopt;
  return Warning(
      "--hotplug: this kernel cannot keep the crash kernel's list of memory up to date (no "
      "'/sys/kernel/crash_elfcorehdr_size': it takes Linux 6.6 with CONFIG_CRASH_HOTPLUG): load "
      "again whenever memory or processors come or go");
}

std::optional<Finding> CheckLastCall(const LoadPlan& plan) {
  if (plan.state.LimitOf(plan.slot).value_or(-1) != 1) return std::nullopt;
  return Warning(fmt::format("this is the last load that '{}' allows until the next boot",
                             LimitPath(plan.slot)));
}

void CheckWriters(const InputFile& file, std::vector<Finding>& findings) {
  if (file.open_for_writing)
    findings.push_back(Refusal(fmt::format(
        "'{}' is open for writing, the kernel does not read it before that ends: wait for the "
        "program that writes it ('fuser -v {}')",
        file.path, file.path)));
}

// The kernel reads the files itself, if they are not wrapped.
void CheckFiles(LoadPlan& plan) {
  if (plan.InitrdSize() == 0 && plan.initrd)
    plan.findings.push_back(Refusal(
        fmt::format("the initramfs '{}' is an empty file: make it again, or leave --initrd out",
                    plan.initrd->path)));
  CheckWriters(plan.kernel, plan.findings);
  if (plan.initrd) CheckWriters(*plan.initrd, plan.findings);
}

void CheckImage(LoadPlan& plan) {
  if (!plan.route) {
    plan.findings.push_back(Refusal(plan.no_route));
    return;
  }
  plan.findings.push_back(
      Good(fmt::format("'{}' is {}, complete", plan.kernel.path, plan.contents.Description())));
  plan.findings.push_back(CheckCommandLine(plan));
  if (std::optional<Finding> finding = CheckHalfOfMemory(plan)) plan.findings.push_back(*finding);
  std::optional<uint64_t> size = plan.reservation.TargetSize();
  bool known = plan.segments || plan.image().bzimage;
  if (plan.slot == Slot::kCrash && size.value_or(0) != 0 && known)
    plan.findings.push_back(CheckFit(plan, *size));
}

}  // namespace

std::vector<std::string> ForbiddenBy(const SystemState& state, Slot slot) {
  std::vector<std::string> reasons;
  if (!state.can_boot.value_or(true))
    reasons.push_back("this process lacks CAP_SYS_BOOT: run it as root, and not in a container");
  if (state.load_disabled.value_or(false))
    reasons.push_back(
        "'/proc/sys/kernel/kexec_load_disabled' is 1: no kernel can be loaded or "
        "unloaded until the next boot (look for kernel.kexec_load_disabled in "
        "'/etc/sysctl.d')");
  if (state.LimitOf(slot).value_or(-1) == 0)
    reasons.push_back(
        fmt::format("'{}' is 0: no more calls are allowed until the next boot", LimitPath(slot)));
  return reasons;
}

void CheckLoad(LoadPlan& plan, const RootDir& root) {
  std::vector<std::string> reasons = ForbiddenBy(plan.state, plan.slot);
  if (reasons.empty() && plan.state.can_boot) plan.findings.push_back(Good("loading is permitted"));
  for (std::string& reason : reasons) plan.findings.push_back(Refusal(std::move(reason)));
  if (plan.slot == Slot::kCrash) plan.findings.push_back(CheckReservation(plan.reservation, root));
  CheckFiles(plan);
  CheckImage(plan);
  for (auto check : {CheckLockdown, CheckLastCall, CheckBounds, CheckHotplug})
    if (std::optional<Finding> finding = check(plan)) plan.findings.push_back(*finding);
}

}  // namespace kdumpkit
