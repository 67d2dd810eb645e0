// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/input.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <filesystem>

#include "base/file.h"
#include "dumpfile/flattened_source.h"
#include "elf/notes.h"
#include "filter/dump_level.h"
#include "filter/name_sources.h"
#include "kernel/arch.h"

namespace kdumpkit {
namespace {

constexpr uint16_t kX86_64 = 62;  // EM_X86_64
constexpr uint32_t kNtPrstatus = 1;
constexpr std::string_view kVmcoreinfoName = "VMCOREINFO";
// Page size when neither the kernel nor the file gives one: the smallest of every supported
// machine.
constexpr uint64_t kFallbackPageSize = 4096;

// Memory that a segment has no data for counts up to here: a corrupt size must not make bitmaps of
// its own size.
constexpr uint64_t kMaxAddress = uint64_t{1} << 46;
constexpr size_t kSignatureBytes = 16;  // longer than any of them

bool IsKdump(ByteView beginning) {
  std::string_view text = AsText(beginning);
  return text.starts_with(kKdumpSignature) || text.starts_with("DISKDUMP");
}

// The file does not say which machine it is from: utsname may, and of 64-bit little-endian machines
// only x86_64 exports phys_base (Linux commit 401721ecd1dc, in v4.10) and init_top_pgt.
uint16_t FindMachine(const KdumpReader& dump, std::string_view vmcoreinfo) {
  const TargetAbi& abi = dump.info().abi;
  if (abi.long_size != 8 || abi.order != ByteOrder::kLittle) return 0;
  const std::string& machine = dump.info().header.utsname[4];
  if (machine == "x86_64") return kX86_64;
  bool known = vmcoreinfo.find("NUMBER(phys_base)=") != std::string_view::npos ||
               vmcoreinfo.find("SYMBOL(init_level4_pgt)=") != std::string_view::npos;
  return known ? kX86_64 : 0;
}

void WarnOfMark(Input& input) {
  input.warnings.push_back(
      fmt::format("'{}': the dump is marked incomplete: pages are missing", input.path));
}

void ParseInputNotes(Input& input) {
  NoteList list = ParseNotes(input.raw_notes, 0, input.machine.order, FileOffset(0));
  input.notes = std::move(list.notes);
  if (!list.problem.empty())
    input.warnings.push_back(fmt::format("'{}': {} of the notes", input.path, list.problem));
  auto cpus = std::count_if(input.notes.begin(), input.notes.end(), [](const Note& note) {
    return note.name == "CORE" && note.type == kNtPrstatus;
  });
  input.cpu_count = static_cast<uint32_t>(cpus);
}

// VMCOREINFO of a file that has it outside of its notes, or has no notes (version 3), becomes a
// note, so that it stands in one in all that is written.
Status TakeVmcoreinfo(Input& input) {
  const KdumpSubHeader& header = input.kdump->info().sub_header;
  if (header.size_vmcoreinfo == 0) return {};
  ByteBuffer text = TRY(input.kdump->Vmcoreinfo());
  uint64_t inside = header.offset_vmcoreinfo - header.offset_note;
  if (header.offset_vmcoreinfo >= header.offset_note && inside <= input.raw_notes.size() &&
      text.size() <= input.raw_notes.size() - inside) {
    input.vmcoreinfo_offset = inside;
  } else {
    ByteBuffer note = MakeNote(kVmcoreinfoName, text, input.machine.order);
    input.vmcoreinfo_offset = input.raw_notes.size() + note.size() - (text.size() + 3) / 4 * 4;
    input.raw_notes.insert(input.raw_notes.end(), note.begin(), note.end());
  }
  input.vmcoreinfo_size = text.size();
  return {};
}

Status OpenKdump(std::unique_ptr<DumpSource> source, Input& input) {
  input.kdump = TRY(KdumpReader::Open(std::move(source)));
  const KdumpInfo& info = input.kdump->info();
  input.machine = {0, info.abi.order, info.abi.long_size, info.sub_header.phys_base};
  input.raw_notes = TRY(input.kdump->Notes());
  TRY(TakeVmcoreinfo(input));
  input.machine.elf_machine = FindMachine(*input.kdump, input.vmcoreinfo());
  input.eraseinfo = TRY(input.kdump->Eraseinfo());
  ParseInputNotes(input);
  if (input.cpu_count == 0) input.cpu_count = static_cast<uint32_t>(info.header.nr_cpus);
  if (input.incomplete()) WarnOfMark(input);
  return {};
}

// /proc/vmcore has a segment for the kernel's image, as has every core that knows virtual
// addresses.
std::optional<uint64_t> PhysBaseOfSegments(const Vmcore& vmcore) {
  const Arch* arch = FindArch(vmcore.machine());
  if (arch == nullptr) return std::nullopt;
  for (const Segment& segment : vmcore.segments())
    if (auto base = arch->PhysBaseOf(segment.vaddr, segment.paddr)) return base;
  return std::nullopt;
}

// Our note is not passed on: it is not the kernel's, and is made anew.
void TakeFilterNote(Input& input) {
  if (input.notes.empty()) return;
  const Note& last = input.notes.back();
  if (last.name != kFilterNoteName || last.desc.size() != kFilterNoteSize) return;
  auto number = [&](size_t at) {
    return LoadUnchecked<uint32_t>(last.desc.data() + at, input.machine.order);
  };
  input.elf_level = static_cast<int>(number(0) & kMaxDumpLevel);
  input.elf_status = number(4);
  input.raw_notes.resize(last.raw_offset -
                         MakeNote(kFilterNoteName, {}, input.machine.order).size());
  input.notes.pop_back();
}

void FromElf(std::unique_ptr<Vmcore> elf, Input& input) {
  input.elf = std::move(elf);
  const Vmcore& vmcore = *input.elf;
  input.machine = {vmcore.machine(), vmcore.order(), vmcore.word_size()};
  input.machine.phys_base = PhysBaseOfSegments(vmcore);
  input.raw_notes.assign(vmcore.raw_notes().begin(), vmcore.raw_notes().end());
  input.notes.assign(vmcore.notes().begin(), vmcore.notes().end());
  for (Note& note : input.notes)
    note.desc = ByteView(input.raw_notes).subspan(note.raw_offset, note.desc.size());
  TakeFilterNote(input);
  if (const Note* note = vmcore.vmcoreinfo(); note != nullptr) {
    input.vmcoreinfo_offset = note->raw_offset;
    input.vmcoreinfo_size = note->desc.size();
  }
  for (const Note& note : input.notes)
    if (note.name == kEraseinfoName) input.eraseinfo.assign(note.desc.begin(), note.desc.end());
  input.cpu_count = vmcore.cpu_count();
  input.warnings.assign(vmcore.warnings().begin(), vmcore.warnings().end());
  if (vmcore.marked_incomplete()) WarnOfMark(input);
}

Status OpenStream(UniqueFd fd, Input& input) {
  std::unique_ptr<FlattenedSource> stream = TRY(FlattenedSource::Open(std::move(fd)));
  ByteBuffer beginning(std::min<uint64_t>(stream->size(), kSignatureBytes));
  TRY(stream->ReadFullyAt(FileOffset(0), beginning));
  input.flattened = true;
  if (IsKdump(beginning)) return OpenKdump(std::move(stream), input);
  FromElf(TRY(Vmcore::Open(std::move(stream), input.path)), input);
  return {};
}

Status OpenAny(Input& input, bool map) {
  std::string object = fmt::format("'{}'", input.path);
  UniqueFd fd = TRY(OpenFile(input.path, O_RDONLY));
  ByteBuffer beginning(kSignatureBytes);
  // What cannot be read is reported where it is opened as what it is not: an ELF file.
  beginning.resize(ReadAt(fd.get(), FileOffset(0), beginning).value_or(0));
  if (AsText(beginning).starts_with(kFlattenedSignature))
    return OpenStream(std::move(fd), input).In(object);
  if (IsKdump(beginning))
    return OpenKdump(TRY(FileSource::Open(std::move(fd)).In(object)), input).In(object);
  FromElf(TRY(Vmcore::Open(input.path, map)), input);
  return {};
}

uint64_t CrashTime(const CrashedKernel* kernel, const Input& input) {
  uint64_t seconds = input.kdump ? input.kdump->info().header.tv_sec : 0;
  if (kernel == nullptr) return seconds;
  std::string text = kernel->info().Text("CRASHTIME").value_or("");
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return seconds;
}

void ReadKernelFacts(Crash& crash) {
  crash.page_size = crash.kernel->page_size();
  crash.phys_base = crash.kernel->phys_base();
  Result<Utsname> utsname = ReadUtsname(*crash.kernel);
  if (utsname) {
    crash.utsname = *utsname;
    return;
  }
  // The release at least stands in VMCOREINFO; readers want it.
  if (crash.utsname.release().empty())
    crash.utsname.fields[2] = crash.kernel->info().Text("OSRELEASE").value_or("");
  crash.warnings.push_back(std::move(utsname.error()).In("reading utsname").message());
}

// Names that were given for a core without VMCOREINFO: that they are right shows in its memory.
Status CheckByUtsname(const CrashedKernel& kernel) {
  std::string release = kernel.info().Text("OSRELEASE").value_or("");
  Result<Utsname> utsname = ReadUtsname(kernel);
  if (utsname && utsname->release() == release) return {};
  std::string found = utsname ? fmt::format("'{}'", utsname->release()) : utsname.error().message();
  return UsageError("the names given are of kernel '{}', which is not in this vmcore: {}", release,
                    found);
}

// What VMCOREINFO says of a kernel whose memory cannot be translated.
void ReadPlainFacts(Crash& crash) {
  Result<Vmcoreinfo> info = Vmcoreinfo::Parse(crash.input.vmcoreinfo());
  if (!info) return;
  uint64_t page_size = info->PageSize().value_or(0);
  // Pages of a kdump file are blocks, whatever the kernel calls a page.
  if (crash.input.elf && std::has_single_bit(page_size) && page_size >= kMinKdumpBlock &&
      page_size <= kMaxKdumpBlock)
    crash.page_size = page_size;
  if (crash.utsname.release().empty())
    crash.utsname.fields[2] = info->Text("OSRELEASE").value_or("");
  std::string time = info->Text("CRASHTIME").value_or("");
  std::from_chars(time.data(), time.data() + time.size(), crash.crash_time);
}

}  // namespace

Result<Input> Input::Open(const std::string& path, bool map) {
  Input input;
  input.path = path;
  std::error_code unequal;  // or one of the two is not there
  input.running = std::filesystem::equivalent(path, "/proc/kcore", unequal);
  TRY(OpenAny(input, map));
  return input;
}

const MemorySource& Input::memory() const {
  if (elf) return *elf;
  return *kdump;
}

std::vector<PhysRange> Input::existing() const {
  if (kdump) return kdump->existing();
  std::vector<PhysRange> ranges(elf->ranges().begin(), elf->ranges().end());
  for (const Segment& segment : elf->segments())
    if (segment.paddr.value < kMaxAddress && segment.memory_size < kMaxAddress)
      ranges.push_back({segment.paddr, segment.memory_size});
  return MergeRanges(std::move(ranges));
}

bool Input::incomplete() const {
  if (elf) return elf->truncated_at().has_value() || elf->marked_incomplete();
  return kdump->info().incomplete();
}

int Input::possible_level() const {
  if (kdump) return dump_level();
  auto segments = elf->segments();
  bool lacks = std::any_of(segments.begin(), segments.end(), [](const Segment& segment) {
    return segment.file_size < segment.memory_size;
  });
  return lacks ? kMaxDumpLevel : 0;
}

int Input::dump_level() const {
  return kdump ? static_cast<int>(kdump->info().sub_header.dump_level & 31) : elf_level;
}

std::string_view Input::vmcoreinfo() const {
  return AsText(ByteView(raw_notes).subspan(vmcoreinfo_offset, vmcoreinfo_size));
}

Status Input::CheckWhole() const {
  if (!kdump || !kdump->info().part) return {};
  return Unsupported("one part of a split dump; put the parts together first (--reassemble)");
}

Result<std::unique_ptr<CrashedKernel>> OpenKernel(const Input& input, const NameSources& names) {
  return OpenKernel(input, TRY(GivenNames::Load(names)));
}

Result<std::unique_ptr<CrashedKernel>> OpenKernel(const Input& input, const GivenNames& names) {
  TRY(input.CheckWhole());
  if (input.vmcoreinfo().empty() && names.empty())
    return Unsupported(
        "the vmcore has no VMCOREINFO note (was the crash kernel loaded without it?); give the "
        "kernel's vmlinux with -x");
  if (input.machine.elf_machine == 0)
    return Unsupported("the dump does not say which machine it is from, or it is not x86_64");
  std::string text = TRY(CombineVmcoreinfo(input, names));
  std::unique_ptr<CrashedKernel> kernel =
      TRY(CrashedKernel::Open(input.memory(), input.machine, text, names.vmlinux));
  if (input.vmcoreinfo().empty()) TRY(CheckByUtsname(*kernel));
  return kernel;
}

Result<Crash> Crash::Open(const std::string& path, const NameSources& sources, bool map) {
  GivenNames names = TRY(GivenNames::Load(sources));
  Crash crash;
  crash.input = TRY(Input::Open(path, map));
  if (crash.input.kdump) {
    const KdumpInfo& info = crash.input.kdump->info();
    crash.utsname.fields = info.header.utsname;
    crash.phys_base = info.sub_header.phys_base;
    crash.page_size = info.block_size();
  } else {
    crash.page_size = kFallbackPageSize;
  }
  Result<std::unique_ptr<CrashedKernel>> kernel = OpenKernel(crash.input, names);
  if (!kernel && kernel.error().kind() == ErrorKind::kUsage) return std::move(kernel.error());
  if (kernel) {
    crash.kernel = std::move(*kernel);
    ReadKernelFacts(crash);
  } else {
    crash.warnings.push_back(kernel.error().message());
  }
  crash.crash_time = CrashTime(crash.kernel.get(), crash.input);
  if (crash.kernel == nullptr) ReadPlainFacts(crash);
  crash.page_shift = std::countr_zero(crash.page_size);
  return crash;
}

}  // namespace kdumpkit
