// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/load_plan.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "kexec/command_line.h"
#include "kexec/load_checks.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kPageSize = 4096;
// The kernel reads no larger files (kernel/kexec_file.c). A kernel of more than 1 GiB is a mistake.
constexpr uint64_t kMaxKernelSize = uint64_t{1} << 30;
constexpr uint64_t kMaxInitrdSize = uint64_t{4} << 30;
// The least that purgatory, boot parameters with the command line and control pages take together.
constexpr uint64_t kOtherSegments = uint64_t{32} << 10;
// Bytes the kernel keeps free in the command line for "elfcorehdr=0x... ", for every slot, and for
// "dmcryptkeys=0x... " (arch/x86/kernel/kexec-bzimage64.c).
constexpr uint64_t kElfcorehdrText = 30;
constexpr uint64_t kDmCryptKeysText = 31;
// Of x86 and arm64, with the final NUL; for kernels whose file does not tell.
constexpr uint64_t kCommandLineSize = 2048;

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

Result<ByteBuffer> ReadWhole(const InputFile& file, uint64_t limit) {
  if (file.size > limit)
    return Unsupported("'{}' has {} bytes, at most {} are read", file.path, file.size, limit);
  ByteBuffer bytes(file.size);
  size_t size = TRY(
      ReadAt(file.fd.get(), FileOffset(0), bytes).In(fmt::format("cannot read '{}'", file.path)));
  if (size < bytes.size())
    return Truncated("'{}' became shorter while it was read: {} bytes of {}", file.path, size,
                     bytes.size());
  return bytes;
}

Result<std::string> MakeCommandLine(const Options& options, const KernelFile& kernel,
                                    const RootDir& root) {
  // What a unified image brings along is meant for a boot of its own: any given text replaces it.
  if (!options.reuse_command_line && !options.append) return kernel.command_line.value_or("");
  std::optional<std::string> reused;
  if (options.reuse_command_line)
    reused = TRY(root.ReadText("/proc/cmdline").In("--reuse-cmdline"));
  return ComposeCommandLine(reused, options.append, options.slot);
}

// What is not free for the user's text, with the final NUL.
uint64_t CommandLineTaken(const LoadPlan& plan) {
  if (plan.segments) return 1 + plan.segments->command_line.size() - plan.command_line.size();
  uint64_t taken = 1 + kElfcorehdrText;
  if (plan.slot == Slot::kCrash && plan.state.dm_crypt_keys.value_or(0) > 0)
    taken += kDmCryptKeysText;
  return taken;
}

uint64_t CommandLineLimit(const LoadPlan& plan) {
  const std::optional<BzImage>& header = plan.image().bzimage;
  uint64_t size = header ? header->command_line_size : kCommandLineSize;
  return size - std::min(size, CommandLineTaken(plan));
}

// What the running kernel will place.
MemoryNeed FileNeed(const LoadPlan& plan) {
  MemoryNeed need;
  if (!plan.image().bzimage) return need;
  need.kernel = PageAlign(plan.image().bzimage->init_size);
  need.initrd = PageAlign(plan.InitrdSize());
  if (plan.slot == Slot::kCrash)
    need.elfcorehdr = PageAlign(plan.state.elfcorehdr_size.value_or(kPageSize));
  need.other = kOtherSegments;
  need.kernel_alignment = std::max(plan.image().bzimage->kernel_alignment, 1u);
  return need;
}

// What this program has placed.
MemoryNeed SegmentNeed(const SegmentPlan& segments) {
  MemoryNeed need;
  for (const PlannedSegment& segment : segments.segments) {
    uint64_t& part = segment.name.starts_with("kernel") ? need.kernel
                     : segment.name == "initrd"         ? need.initrd
                     : segment.name == "elfcorehdr"     ? need.elfcorehdr
                                                        : need.other;
    part += segment.memory.size;
  }
  return need;
}

// A flag the kernel does not know costs one of the loads it still allows; with a single one left
// the second attempt would be forbidden.
bool MayTryFlags(const LoadPlan& plan) { return plan.state.LimitOf(plan.slot).value_or(-1) != 1; }

uint64_t FileFlags(const Options& options, const LoadPlan& plan) {
  uint64_t flags = MayTryFlags(plan) ? options.optional_flags : 0;
  if (plan.slot == Slot::kCrash) flags |= kFileOnCrash;
  if (!plan.HasInitrd()) flags |= kFileNoInitramfs;
  return flags;
}

// The kernel that has the file is the kernel that knows the flag.
bool CanHotplug(const LoadPlan& plan) {
  return plan.slot == Slot::kCrash && plan.state.elfcorehdr_size.value_or(0) > 0;
}

uint64_t SegmentFlags(const Options& options, const LoadPlan& plan) {
  uint64_t flags = plan.slot == Slot::kCrash ? kLoadOnCrash : 0;
  if (CanHotplug(plan)) flags |= kLoadUpdateElfcorehdr;
  if (options.debug && MayTryFlags(plan)) flags |= kLoadDebug;
  return flags;
}

// After the kernel panicked it is too late to ask what it was to do then.
int32_t ResetSeconds(const RootDir& root) {
  std::string text = root.ReadLine("/proc/sys/kernel/panic").value_or("0");
  bool negative = text.starts_with('-');
  int64_t seconds = static_cast<int64_t>(
      std::min<uint64_t>(ParseNumber(negative ? text.substr(1) : text).value_or(0), INT32_MAX));
  return static_cast<int32_t>(negative ? -seconds : seconds);
}

Result<SegmentPlan> MakeSegments(const LoadPlan& plan, const RootDir& root) {
  SegmentRequest request{plan.slot, plan.contents, {}, plan.command_line};
  request.initrd = plan.initrd            ? ByteView(plan.initrd_bytes)
                   : plan.contents.initrd ? ByteView(*plan.contents.initrd)
                                          : ByteView();
  request.check = plan.segment_options.check;
  request.hotplug = CanHotplug(plan);
  request.efi = plan.segment_options.efi;
  request.mem_min = plan.segment_options.mem_min;
  request.mem_max = plan.segment_options.mem_max;
  request.serial_port = plan.segment_options.serial_port;
  request.reset_seconds = ResetSeconds(root);
  return BuildSegments(request, root);
}

Status AddSegments(LoadPlan& plan, const RootDir& root) {
  if (plan.initrd) plan.initrd_bytes = TRY(ReadWhole(*plan.initrd, kMaxInitrdSize));
  plan.segments = TRY(MakeSegments(plan, root));
  plan.need = SegmentNeed(*plan.segments);
  plan.command_line_limit = CommandLineLimit(plan);
  return {};
}

// Fills in what the route decides; what cannot be made is a refusal.
void TakeRoute(Result<Route> route, LoadPlan& plan, const RootDir& root) {
  plan.need = FileNeed(plan);
  plan.command_line_limit = CommandLineLimit(plan);
  if (!route) {
    plan.no_route = route.error().message();
    return;
  }
  plan.route = *std::move(route);
  if (plan.route->call != KexecCall::kSegments) return;
  // A refusal of its own, and a better one.
  if (plan.slot == Slot::kCrash && !plan.reservation.Present().value_or(true)) return;
  if (Status added = AddSegments(plan, root); !added)
    plan.findings.push_back({Finding::Level::kRefusal, added.error().message()});
}

}  // namespace

uint64_t LoadPlan::InitrdSize() const {
  if (initrd) return initrd->size;
  return contents.initrd ? contents.initrd->size() : 0;
}

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
  plan.hotplug_demanded = options.hotplug;
  plan.segment_options = options.segments;
  plan.kernel = TRY(OpenInput(options.kernel, "kernel"));
  if (options.initrd) plan.initrd = TRY(OpenInput(*options.initrd, "initrd"));
  plan.contents = TRY(ReadKernelFile(options.kernel, TRY(ReadWhole(plan.kernel, kMaxKernelSize))));
  plan.command_line = TRY(MakeCommandLine(options, plan.contents, root));
  plan.state = SystemState::Read(root);
  plan.reservation = ReadCrashReservation(root);
  plan.file_flags = FileFlags(options, plan);
  plan.segment_flags = SegmentFlags(options, plan);
  TakeRoute(ChooseRoute(options, plan.contents, machine), plan, root);
  CheckLoad(plan, root);
  return plan;
}

Status FallBackToSegments(LoadPlan& plan, const RootDir& root, std::string reason) {
  TRY(AddSegments(plan, root));
  plan.route = Route{KexecCall::kSegments, false, std::move(reason)};
  return {};
}

}  // namespace kdumpkit
