// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/load_plan.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "kexec/command_line.h"
#include "kexec/load_checks.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kPageSize = 4096;
// The least that purgatory, boot parameters with the command line and control pages take together.
constexpr uint64_t kOtherSegments = uint64_t{32} << 10;
// Bytes the kernel keeps free in the command line for "elfcorehdr=0x... ", for every slot, and for
// "dmcryptkeys=0x... " (arch/x86/kernel/kexec-bzimage64.c).
constexpr uint64_t kElfcorehdrText = 30;
constexpr uint64_t kDmCryptKeysText = 31;

uint64_t PageAlign(uint64_t size) { return (size + kPageSize - 1) / kPageSize * kPageSize; }

// A read lease is refused while anyone has the file open for writing (fcntl(2)). Where leases do
// not work the answer is no.
bool IsOpenForWriting(int fd) {
  if (fcntl(fd, F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN;
  fcntl(fd, F_SETLEASE, F_UNLCK);
  return false;
}

// The kernel reads the files itself, and regular ones only.
Result<InputFile> OpenInput(const std::string& path, std::string_view what) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY | O_NONBLOCK).In(what));
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return SystemError(errno, fmt::format("cannot stat '{}'", path));
  if (S_ISDIR(info.st_mode)) return UsageError("{}: '{}' is a directory", what, path);
  if (!S_ISREG(info.st_mode))
    return UsageError("{}: '{}' is not a regular file, which the kernel needs to read it", what,
                      path);
  bool open_for_writing = IsOpenForWriting(fd.get());
  return InputFile{path, std::move(fd), static_cast<uint64_t>(info.st_size), open_for_writing};
}

Result<KernelImage> ReadImage(const InputFile& kernel) {
  ByteBuffer head(kImageHeadSize);
  size_t size = TRY(ReadAt(kernel.fd.get(), FileOffset(0), head)
                        .In(fmt::format("cannot read '{}'", kernel.path)));
  return DetectKernelImage(ByteView(head).first(size), kernel.size);
}

Result<std::string> MakeCommandLine(const Options& options, const RootDir& root) {
  std::optional<std::string> reused;
  if (options.reuse_command_line)
    reused = TRY(root.ReadText("/proc/cmdline").In("--reuse-cmdline"));
  return ComposeCommandLine(reused, options.append, options.slot);
}

uint64_t CommandLineLimit(const LoadPlan& plan) {
  if (!plan.image.bzimage) return 0;
  uint64_t taken = 1 + kElfcorehdrText;  // 1 for the final NUL
  if (plan.slot == Slot::kCrash && plan.state.dm_crypt_keys.value_or(0) > 0)
    taken += kDmCryptKeysText;
  uint64_t size = plan.image.bzimage->command_line_size;
  return size - std::min(size, taken);
}

MemoryNeed ComputeNeed(const LoadPlan& plan) {
  MemoryNeed need;
  if (!plan.image.bzimage) return need;
  need.kernel = PageAlign(plan.image.bzimage->init_size);
  if (plan.initrd) need.initrd = PageAlign(plan.initrd->size);
  if (plan.slot == Slot::kCrash)
    need.elfcorehdr = PageAlign(plan.state.elfcorehdr_size.value_or(kPageSize));
  need.other = kOtherSegments;
  need.kernel_alignment = std::max(plan.image.bzimage->kernel_alignment, 1u);
  return need;
}

uint64_t ComputeFlags(const Options& options, const SystemState& state) {
  uint64_t flags = options.optional_flags;
  // A flag the kernel does not know costs one of the loads it still allows; with a single one left
  // the second attempt would be forbidden.
  if (state.LimitOf(options.slot).value_or(-1) == 1) flags = 0;
  if (options.slot == Slot::kCrash) flags |= kFileOnCrash;
  if (!options.initrd) flags |= kFileNoInitramfs;
  return flags;
}

}  // namespace

bool LoadPlan::Refused() const {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& f) { return f.level == Finding::Level::kRefusal; });
}

std::string_view SlotNoun(Slot slot) {
  return slot == Slot::kCrash ? "the crash kernel" : "the kernel";
}

Result<LoadPlan> MakeLoadPlan(const Options& options, const RootDir& root,
                              std::string_view machine) {
  LoadPlan plan;
  plan.slot = options.slot;
  plan.kernel = TRY(OpenInput(options.kernel, "kernel"));
  if (options.initrd) plan.initrd = TRY(OpenInput(*options.initrd, "initrd"));
  plan.image = TRY(ReadImage(plan.kernel));
  plan.command_line = TRY(MakeCommandLine(options, root));
  plan.state = SystemState::Read(root);
  plan.reservation = ReadCrashReservation(root);
  plan.command_line_limit = CommandLineLimit(plan);
  plan.need = ComputeNeed(plan);
  plan.flags = ComputeFlags(options, plan.state);
  plan.findings = CheckLoad(plan, root, machine);
  return plan;
}

}  // namespace kdumpkit
