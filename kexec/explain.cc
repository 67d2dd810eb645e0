// SPDX-License-Identifier: GPL-2.0-or-later
// Where each errno comes from: kernel/kexec_file.c, kernel/kexec_core.c,
// arch/x86/kernel/kexec-bzimage64.c, crypto/asymmetric_keys/ and security/integrity/ima/ of Linux.
#include "kexec/explain.h"

#include <cerrno>
#include <string_view>

#include "kexec/load_checks.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

constexpr const char* kSeeLog = "the kernel's own words are at the end of 'dmesg'";

struct Failure {
  const LoadPlan& plan;
  const SystemState& now;
};

std::string_view KernelPath(const Failure& failure) { return failure.plan.kernel.path; }

std::string SecureBootText(const SystemState& state) {
  if (!state.secure_boot) return "";
  return *state.secure_boot ? "; Secure Boot is on" : "; Secure Boot is off";
}

std::string LockdownText(const SystemState& state) {
  return state.lockdown
             ? fmt::format("kernel lockdown is '{}'{}", *state.lockdown, SecureBootText(state))
             : fmt::format("kernel lockdown is unknown{}", SecureBootText(state));
}

std::string ExplainPermission(const Failure& failure) {
  std::vector<std::string> reasons = ForbiddenBy(failure.now, failure.plan.slot);
  if (!reasons.empty()) return Join(reasons, "; ");
  if (failure.now.LockedDown())
    return fmt::format(
        "{}, and '{}' {}: load a kernel of the distribution, or sign yours and enroll the key "
        "(mokutil --import)",
        LockdownText(failure.now), KernelPath(failure),
        failure.plan.image().is_signed ? "is signed with a key this kernel does not trust"
                                       : "has no signature");
  return "neither CAP_SYS_BOOT, '/proc/sys/kernel/kexec_load_disabled', the load limits nor "
         "lockdown forbid it: look for a security module or a container's seccomp filter that "
         "does ('dmesg', audit log)";
}

std::string ExplainAccess(const Failure& failure) {
  return fmt::format(
      "the integrity policy ({}) does not accept '{}'{}: its file signature (security.ima) is "
      "missing or wrong, see the audit log; a copied, decompressed or unpacked file has lost it",
      failure.now.ima ? "IMA, '/sys/kernel/security/ima/policy'" : "a security module",
      KernelPath(failure),
      failure.plan.initrd ? fmt::format(" or '{}'", failure.plan.initrd->path) : "");
}

std::string ExplainNoSignature(const Failure& failure) {
  return fmt::format(
      "this kernel demands a signature and '{}' has none ({}): load a signed "
      "kernel, or sign it (sbsign) and enroll the key",
      KernelPath(failure), LockdownText(failure.now));
}

std::string ExplainNoKey(const Failure& failure) {
  return fmt::format(
      "'{}' is signed with a key that this kernel does not have ({}): enroll the certificate "
      "(mokutil --import) and reboot; 'keyctl show %:.secondary_trusted_keys' and "
      "'keyctl show %:.platform' list those it has",
      KernelPath(failure), LockdownText(failure.now));
}

std::string ExplainRejectedKey(const Failure& failure) {
  return fmt::format(
      "the signature of '{}' was rejected ({}): it does not fit the file, its key is revoked "
      "('keyctl show %:.blacklist'), or this kernel cannot check signatures of this type of file "
      "(CONFIG_KEXEC_BZIMAGE_VERIFY_SIG)",
      KernelPath(failure), LockdownText(failure.now));
}

std::string ExplainExpiredKey(const Failure& failure) {
  return fmt::format(
      "the key that '{}' is signed with has expired: sign the kernel anew, and "
      "check the clock of this machine",
      KernelPath(failure));
}

std::string ExplainBrokenSignature(const Failure& failure) {
  return fmt::format(
      "the signature or the EFI header of '{}' is damaged: install the kernel "
      "again or sign it again",
      KernelPath(failure));
}

std::string ExplainNoCrypto(const Failure& failure) {
  return fmt::format(
      "this kernel lacks the hash or the public key algorithm that '{}' is signed "
      "with ('/proc/crypto' lists what it has): load the module, or sign with "
      "another algorithm",
      KernelPath(failure));
}

std::string ExplainImageType(const Failure& failure) {
  return fmt::format(
      "the kernel's loader does not take '{}', which is {}: the running kernel may be too old for "
      "it, may run on 32-bit EFI, or with 5-level page tables that the image does not know; {}",
      KernelPath(failure), failure.plan.image().description, kSeeLog);
}

std::string ExplainInvalid(const Failure& failure) {
  const LoadPlan& plan = failure.plan;
  std::string memory =
      plan.state.memory ? fmt::format(" of {} of memory", SizeText(*plan.state.memory)) : "";
  return fmt::format(
      "the command line ({} characters, at most {}) or the files were refused, or the image takes "
      "more than half of memory ({}{}); {}",
      plan.command_line.size(), plan.command_line_limit, SizeText(plan.need.Total()), memory,
      kSeeLog);
}

std::string ExplainNoRoom(const Failure& failure) {
  const LoadPlan& plan = failure.plan;
  if (plan.slot == Slot::kReboot)
    return fmt::format("no free range of memory is large enough for the image ({})",
                       SizeText(plan.need.Total()));
  std::optional<uint64_t> size = plan.reservation.TargetSize();
  std::string reserved = size ? SizeText(*size) : std::string("an unknown size");
  return fmt::format(
      "the image does not fit into the reservation: at least {} are needed (kernel {} at a "
      "multiple of {}, initrd {}), {} are reserved ('Crash kernel' in '/proc/iomem'): boot with a "
      "larger crashkernel=, or load a smaller initramfs",
      SizeText(plan.need.Total()), SizeText(plan.need.kernel), SizeText(plan.need.kernel_alignment),
      SizeText(plan.need.initrd), reserved);
}

std::string ExplainNotImplemented(const Failure&) {
  return "the running kernel has no kexec_file_load (CONFIG_KEXEC_FILE is off): leave -s out, "
         "kexec_load may be there";
}

std::string ExplainBusyFile(const Failure& failure) {
  return fmt::format(
      "'{}'{} is open for writing: wait for the program that writes it "
      "('fuser -v {}')",
      KernelPath(failure),
      failure.plan.initrd ? fmt::format(" or '{}'", failure.plan.initrd->path) : "",
      KernelPath(failure));
}

std::string ExplainIo(const Failure& failure) {
  return fmt::format("reading '{}'{} failed: check the disk ('dmesg')", KernelPath(failure),
                     failure.plan.initrd ? fmt::format(" or '{}'", failure.plan.initrd->path) : "");
}

std::string ExplainMemory(const Failure& failure) {
  uint64_t files = failure.plan.kernel.size + (failure.plan.initrd ? failure.plan.initrd->size : 0);
  return fmt::format(
      "the running kernel found no memory for its copies of the files ({}): free "
      "some and run this again",
      SizeText(files));
}

std::string ExplainTooBig(const Failure& failure) {
  return fmt::format("'{}'{} is larger than the 4 GiB the kernel reads", KernelPath(failure),
                     failure.plan.initrd ? fmt::format(" or '{}'", failure.plan.initrd->path) : "");
}

std::string ExplainBusy(const Failure&) {
  return "another load, or a change of processors or memory, still holds the kernel's kexec lock "
         "after several attempts: run this again when it is done";
}

std::string ExplainInterrupted(const Failure&) { return "a signal interrupted it: run it again"; }

std::string ExplainUnsupported(const Failure&) {
  return fmt::format(
      "the running kernel cannot load kernels on this platform (a confidential "
      "guest such as TDX?); {}",
      kSeeLog);
}

// What kexec_load means by an errno that kexec_file_load uses otherwise.

std::string ExplainSegmentPermission(const Failure& failure) {
  if (!failure.now.LockedDown() || !ForbiddenBy(failure.now, failure.plan.slot).empty())
    return ExplainPermission(failure);
  return fmt::format("{}, which forbids kexec_load: load a signed bzImage with -s",
                     LockdownText(failure.now));
}

std::string ExplainSegmentAccess(const Failure&) {
  return "the integrity policy (IMA, '/sys/kernel/security/ima/policy') wants to appraise the "
         "kernel's file, and kexec_load shows it none: use -s with a file that has its signature "
         "(security.ima)";
}

std::string ExplainSegmentInvalid(const Failure& failure) {
  const LoadPlan& plan = failure.plan;
  std::string memory =
      plan.state.memory ? fmt::format(", of {} of memory", SizeText(*plan.state.memory)) : "";
  return fmt::format(
      "the kernel did not accept the {} segments ({} in all{}; at most half of memory and 16 "
      "segments are taken) or its flags; 'kexec --plan' lists them; {}",
      plan.segments ? plan.segments->segments.size() : 0, SizeText(plan.need.Total()), memory,
      kSeeLog);
}

std::string ExplainSegmentPlace(const Failure& failure) {
  if (failure.plan.slot == Slot::kReboot)
    return "a segment lies where the kernel takes none: memory has changed since "
           "'/sys/firmware/memmap' and '/proc/iomem' were read; run this again";
  return "a segment lies outside the reservation ('Crash kernel' in '/proc/iomem'): the "
         "reservation was made smaller meanwhile, or --mem-min and --mem-max are wrong";
}

std::string ExplainSegmentNotImplemented(const Failure&) {
  return "the running kernel has no kexec_load (CONFIG_KEXEC is off): use -s, with a bzImage";
}

std::string ExplainSegmentMemory(const Failure& failure) {
  return fmt::format(
      "the running kernel found no memory for page tables and its control page below the "
      "segments ({}): free some and run this again",
      SizeText(failure.plan.need.Total()));
}

struct Row {
  int error;
  std::string (*explain)(const Failure&);
};
constexpr Row kRows[] = {
    {EPERM, ExplainPermission},
    {EACCES, ExplainAccess},
    {ENODATA, ExplainNoSignature},
    {ENOKEY, ExplainNoKey},
    {EKEYREJECTED, ExplainRejectedKey},
    {EKEYREVOKED, ExplainRejectedKey},
    {EKEYEXPIRED, ExplainExpiredKey},
    {ELIBBAD, ExplainBrokenSignature},
    {EBADMSG, ExplainBrokenSignature},
    {EMSGSIZE, ExplainBrokenSignature},
    {ENOPKG, ExplainNoCrypto},
    {ENOEXEC, ExplainImageType},
    {EINVAL, ExplainInvalid},
    {EADDRNOTAVAIL, ExplainNoRoom},
    {ENOSYS, ExplainNotImplemented},
    {EOPNOTSUPP, ExplainUnsupported},
    {EBUSY, ExplainBusy},
    {ETXTBSY, ExplainBusyFile},
    {EIO, ExplainIo},
    {ENOMEM, ExplainMemory},
    {EFBIG, ExplainTooBig},
    {EINTR, ExplainInterrupted},
};

constexpr Row kSegmentRows[] = {
    {EPERM, ExplainSegmentPermission}, {EACCES, ExplainSegmentAccess},
    {EINVAL, ExplainSegmentInvalid},   {EADDRNOTAVAIL, ExplainSegmentPlace},
    {ENOMEM, ExplainSegmentMemory},    {ENOSYS, ExplainSegmentNotImplemented},
};

}  // namespace

std::string ExplainLoadError(int error, const LoadPlan& plan, const SystemState& now) {
  if (plan.Uses(KexecCall::kSegments))
    for (const Row& row : kSegmentRows)
      if (row.error == error) return row.explain({plan, now});
  for (const Row& row : kRows)
    if (row.error == error) return row.explain({plan, now});
  return kSeeLog;
}

std::string ExplainUnloadError(int error, Slot slot, const SystemState& now) {
  std::vector<std::string> reasons = ForbiddenBy(now, slot);
  if (error == EPERM && !reasons.empty()) return Join(reasons, "; ");
  if (error == EBUSY)
    return "a load, or a change of processors or memory, still holds the kernel's kexec lock after "
           "several attempts: run this again when it is done";
  if (error == ENOSYS)
    return "the running kernel has no such system call (CONFIG_KEXEC, CONFIG_KEXEC_FILE): leave -s "
           "or -c out";
  return kSeeLog;
}

std::string ExplainRebootError(int error, const SystemState& now) {
  if (error == EPERM && !now.can_boot.value_or(true))
    return "this process lacks CAP_SYS_BOOT: run it as root, and not in a container";
  if (error == EINVAL) return "nothing is loaded, or the kernel cannot do it: run 'kexec -l' first";
  if (error == EBUSY) return "a load is under way: run this again when it is done";
  return kSeeLog;
}

}  // namespace kdumpkit
