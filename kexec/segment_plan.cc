// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/segment_plan.h"

#include <sys/random.h>

#include <algorithm>

#include "kexec/boot_params.h"
#include "kexec/crash_ranges.h"
#include "kexec/elfcorehdr.h"
#include "kexec/firmware_state.h"
#include "kexec/iomem.h"
#include "kexec/kernel_block.h"
#include "kexec/kernel_mapping.h"
#include "kexec/load_memory.h"
#include "kexec/page.h"
#include "kexec/purgatory_image.h"
#include "kexec/segment_layout.h"
#include "kexec/serial_port.h"
#include "kexec/system_state.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

constexpr size_t kMaxSegments = 16;  // KEXEC_SEGMENT_MAX
// All but the kernel's: initrd, boot parameters, purgatory, elfcorehdr, backup.
constexpr size_t kOtherSegments = 5;
constexpr uint64_t kElfHeaderSize = 64;
constexpr size_t kSeedSize = 32;

PhysRange Bounds(const SegmentRequest& request) {
  uint64_t end = request.mem_max == UINT64_MAX ? UINT64_MAX : request.mem_max + 1;
  if (end <= request.mem_min) return {PhysAddr(request.mem_min), 0};
  return {PhysAddr(request.mem_min), end - request.mem_min};
}

ByteBuffer RandomSeed() {
  ByteBuffer seed(kSeedSize);
  ssize_t size = getrandom(seed.data(), seed.size(), GRND_NONBLOCK);
  if (size != static_cast<ssize_t>(seed.size())) seed.clear();
  return seed;
}

class Planner {
 public:
  Planner(const SegmentRequest& request, const RootDir& root) : request_(request), root_(root) {}

  Result<SegmentPlan> Run();

 private:
  bool IsCrash() const { return request_.slot == Slot::kCrash; }
  Status ReadMachine();
  Status PlanDump();
  Status PlaceBackup();
  Status PlaceElfcorehdr();
  uint64_t ElfcorehdrRoom(uint64_t needed);
  void DecideEfi();
  Status MakeCommandLine();
  Status CheckCommandLine(const std::string& added) const;
  Status CheckPageTables() const;
  Status PlaceKernel();
  Status PlaceInitrd();
  Status PlaceBootParams();
  Status PlacePurgatory();
  PurgatoryOptions DescribePurgatory() const;
  std::vector<PurgatoryRegion> VerifiedRegions() const;
  Status CheckRules() const;
  Status CheckTotal() const;
  Status CheckOnlyElfcorehdrIsElf() const;

  void Add(std::string name, ByteView bytes, const PhysRange& memory) {
    plan_.segments.push_back({std::move(name), bytes, memory});
  }
  ByteView Keep(ByteBuffer bytes) { return plan_.buffers.emplace_back(std::move(bytes)); }

  const SegmentRequest& request_;
  const RootDir& root_;
  SystemState state_;
  Iomem iomem_;
  CrashReservation reservation_;
  FirmwareState firmware_;
  std::optional<SegmentLayout> layout_;
  KernelBlock kernel_;
  DumpContents dump_;
  std::optional<PhysRange> elfcorehdr_;
  std::optional<PhysRange> backup_;
  BootParamsInput boot_;
  uint64_t entry_ = 0;         // of the kernel
  PhysAddr boot_params_ = {};  // where they are
  SegmentPlan plan_;
};

Status Planner::ReadMachine() {
  iomem_ = TRY(RequireIomem(root_));
  reservation_ = ReadCrashReservation(root_);
  state_ = SystemState::Read(root_);
  firmware_ = ReadFirmwareState(root_);
  if (IsCrash()) {
    layout_ = TRY(CrashLayout(reservation_, Bounds(request_)));
  } else {
    plan_.memory_map = TRY(NormalMemoryMap(root_, iomem_));
    layout_ = NormalLayout(iomem_, plan_.memory_map, Bounds(request_));
  }
  return {};
}

// Elfcorehdr and backup go to the bottom of the reservation, so that the crash kernel gets the rest
// as one piece of RAM.
Status Planner::PlanDump() {
  dump_.ranges = CrashRanges(iomem_, reservation_);
  dump_.notes = TRY(ReadCrashNotes(root_, plan_.notes));
  dump_.kernel = TRY(FindKernelMapping(root_, iomem_, plan_.notes));
  if (uint64_t left_out = LimitHeaders(dump_))
    plan_.notes.push_back(fmt::format(
        "memory has more ranges than the crash kernel can list: {} in the smallest of them are "
        "left out of the dump",
        SizeText(left_out)));
  TRY(PlaceBackup());
  TRY(PlaceElfcorehdr());
  plan_.dump_ranges = dump_.ranges;
  std::vector<PhysRange> kept_out = {*elfcorehdr_};
  if (backup_) kept_out.push_back(*backup_);
  plan_.memory_map = CrashMemoryMap(iomem_, reservation_, std::move(kept_out));
  return {};
}

// All low memory with what lies between its ranges: the crash kernel runs on it.
Status Planner::PlaceBackup() {
  std::vector<PhysRange> low = LowRam(iomem_);
  if (low.empty()) return {};
  PhysRange source = {low.front().base, low.back().end() - low.front().base};
  // The crash kernel reads the copy by whole pages, so that it must begin as far inside a page.
  uint64_t inside_page = source.base.value % kPageBytes;
  backup_ = TRY(layout_->TakeLowest({.name = "the backup", .size = inside_page + source.size}));
  dump_.backup = Backup{source, backup_->base + inside_page};
  Add("backup", {}, *backup_);
  return {};
}

Status Planner::PlaceElfcorehdr() {
  ByteView bytes = Keep(MakeElfcorehdr(dump_));
  elfcorehdr_ =
      TRY(layout_->TakeLowest({.name = "the elfcorehdr", .size = ElfcorehdrRoom(bytes.size())}));
  Add("elfcorehdr", bytes, *elfcorehdr_);
  return {};
}

uint64_t Planner::ElfcorehdrRoom(uint64_t needed) {
  if (!request_.hotplug) return needed;
  if (!state_.elfcorehdr_size)
    plan_.notes.push_back(
        "the running kernel does not tell how large the elfcorehdr may become: it may not be able "
        "to add memory to it later");
  // arch_crash_get_elfcorehdr_size() of Linux counts the program headers only.
  return std::max(needed, state_.elfcorehdr_size.value_or(0) + kElfHeaderSize);
}

// Only a kernel that says so takes EFI over from another one.
void Planner::DecideEfi() {
  if (!firmware_.is_efi || !request_.efi) return;
  std::string reason = firmware_.why_no_efi;
  if (!kernel_.takes_efi)
    reason = fmt::format("'{}' does not say that it can be handed EFI", request_.kernel.path);
  else
    boot_.efi = firmware_.efi;
  if (!boot_.efi)
    plan_.notes.push_back(fmt::format("the new kernel will do without EFI: {}", reason));
}

Status Planner::MakeCommandLine() {
  std::vector<std::string> words;
  if (elfcorehdr_) words.push_back(fmt::format("elfcorehdr={:#x}", elfcorehdr_->base.value));
  // A kernel that is not told of EFI cannot find ACPI by it.
  if (firmware_.is_efi && !boot_.efi && firmware_.acpi_rsdp != 0 && !kernel_.finds_rsdp)
    words.push_back(fmt::format("acpi_rsdp={:#x}", firmware_.acpi_rsdp));
  std::string added = Join(words, " ");
  if (!request_.command_line.empty()) words.push_back(request_.command_line);
  plan_.command_line = Join(words, " ");
  return CheckCommandLine(added);
}

Status Planner::CheckCommandLine(const std::string& added) const {
  uint64_t length = plan_.command_line.size();
  uint64_t limit = kernel_.command_line_limit;
  if (length <= limit) return {};
  return UsageError("the command line has {} characters{}, '{}' takes {}: shorten it by {}", length,
                    added.empty() ? "" : fmt::format(" with '{}', which is added", added),
                    request_.kernel.path, limit, length - limit);
}

// The decompressor of an older kernel would be entered in a mode that it does not know.
Status Planner::CheckPageTables() const {
  std::vector<std::string> ignored;
  Result<KernelMapping> running = FindKernelMapping(root_, iomem_, ignored);
  if (kernel_.five_levels || !running || !running->FiveLevels()) return {};
  return Unsupported(
      "'{}' cannot be started by a kernel that uses five levels of page tables, as the running one "
      "does: load a kernel with CONFIG_X86_5LEVEL, or boot with no5lvl",
      request_.kernel.path);
}

Status Planner::PlaceKernel() {
  PhysRange block = TRY(layout_->TakeHighest({.name = "the kernel",
                                              .size = kernel_.size,
                                              .alignment = kernel_.alignment,
                                              .min_address = kernel_.min_address,
                                              .end_address = kernel_.end_address}));
  for (const KernelBlock::Piece& piece : kernel_.pieces)
    Add("kernel", piece.bytes, {block.base + piece.offset, RoundUp(piece.memory_size, kPageBytes)});
  entry_ = block.base.value + kernel_.entry_offset;
  return {};
}

Status Planner::PlaceInitrd() {
  if (request_.initrd.empty()) return {};
  PhysRange memory =
      TRY(layout_->TakeHighest({.name = "the initrd", .size = request_.initrd.size()}));
  Add("initrd", request_.initrd, memory);
  boot_.initrd = {memory.base, request_.initrd.size()};
  return {};
}

Status Planner::PlaceBootParams() {
  boot_.setup_header = kernel_.setup_header;
  boot_.running = firmware_.boot_params;
  boot_.acpi_rsdp = firmware_.acpi_rsdp;
  boot_.command_line = plan_.command_line;
  boot_.memory_map = plan_.memory_map;
  boot_.random_seed = RandomSeed();
  size_t size = MakeBootParams(boot_, PhysAddr(0)).size();
  PhysRange memory = TRY(layout_->TakeHighest({.name = "the boot parameters", .size = size}));
  boot_params_ = memory.base;
  Add("boot parameters", Keep(MakeBootParams(boot_, memory.base)), memory);
  return {};
}

std::vector<PurgatoryRegion> Planner::VerifiedRegions() const {
  std::vector<PurgatoryRegion> regions;
  if (!request_.check) return regions;
  for (const PlannedSegment& segment : plan_.segments) {
    // The backup is filled by purgatory itself.
    bool rewritten = segment.name == "elfcorehdr" && request_.hotplug;
    if (segment.bytes.empty() || rewritten) continue;
    regions.push_back({segment.name, segment.bytes, segment.memory.base});
  }
  return regions;
}

PurgatoryOptions Planner::DescribePurgatory() const {
  PurgatoryOptions options;
  options.entry = entry_;
  options.boot_params = boot_params_.value;
  if (dump_.backup) {
    options.backup_source = dump_.backup->source;
    options.backup_destination = dump_.backup->destination;
  }
  std::optional<uint16_t> port = request_.serial_port;
  if (!port) port = SerialConsolePort(plan_.command_line, root_);
  options.serial_port = port.value_or(0);
  options.reset_seconds = request_.reset_seconds;
  return options;
}

// Last, because it knows the digests of all the others.
Status Planner::PlacePurgatory() {
  PurgatoryOptions options = DescribePurgatory();
  options.regions = VerifiedRegions();
  PurgatoryImage image = TRY(MakePurgatory(options));
  PhysRange memory = TRY(layout_->TakeHighest({.name = "purgatory", .size = image.memory_size}));
  plan_.entry = memory.base.value + image.entry_offset;
  Add("purgatory", Keep(std::move(image.bytes)), memory);
  return {};
}

// sanity_check_segment_list() of kernel/kexec_core.c refuses images above half of memory.
Status Planner::CheckTotal() const {
  uint64_t total = 0;
  for (const PlannedSegment& segment : plan_.segments) total += segment.memory.size;
  if (!state_.memory || total <= *state_.memory / 2) return {};
  return Unsupported("the image takes {} of memory, the kernel loads no more than half of its {}",
                     SizeText(total), SizeText(*state_.memory));
}

// The running kernel knows the elfcorehdr by how it begins, and takes the last segment that does
// (crash_handle_hotplug_event() in kernel/crash_core.c).
Status Planner::CheckOnlyElfcorehdrIsElf() const {
  for (const PlannedSegment& segment : plan_.segments)
    if (segment.name != "elfcorehdr" && AsText(segment.bytes)
                                            .starts_with("\x7f"
                                                         "ELF"))
      return Unsupported(
          "the {} begins like an ELF file: the running kernel would take it for the elfcorehdr "
          "when "
          "memory is added",
          segment.name);
  return {};
}

Status Planner::CheckRules() const {
  CHECK(plan_.segments.size() <= kMaxSegments);
  for (const PlannedSegment& segment : plan_.segments)
    CHECK(segment.bytes.size() <= segment.memory.size);
  if (request_.hotplug) TRY(CheckOnlyElfcorehdrIsElf());
  return CheckTotal();
}

Result<SegmentPlan> Planner::Run() {
  TRY(ReadMachine());
  kernel_ = TRY(MakeKernelBlock(request_.kernel, kMaxSegments - kOtherSegments, plan_.buffers));
  if (IsCrash()) TRY(PlanDump());
  TRY(CheckPageTables());
  DecideEfi();
  TRY(MakeCommandLine());
  TRY(PlaceKernel());
  TRY(PlaceInitrd());
  TRY(PlaceBootParams());
  TRY(PlacePurgatory());
  if (IsCrash())
    TRY(layout_->TakeLowest(
        {.name = "page tables of the running kernel", .size = ControlMemory(iomem_)}));
  TRY(CheckRules());
  std::sort(plan_.segments.begin(), plan_.segments.end(),
            [](const PlannedSegment& a, const PlannedSegment& b) {
              return a.memory.base < b.memory.base;
            });
  return std::move(plan_);
}

}  // namespace

Result<SegmentPlan> BuildSegments(const SegmentRequest& request, const RootDir& root) {
  return Planner(request, root).Run();
}

}  // namespace kdumpkit
