// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/elfcorehdr.h"

#include <algorithm>

#include "kexec/text.h"

namespace kdumpkit {
namespace {

constexpr std::string_view kCpuFolder = "/sys/devices/system/cpu";
// What a processor's note takes where the kernel does not tell (before 3.10).
constexpr uint64_t kDefaultNoteSize = 1024;
constexpr uint16_t kHeaderSize = 64;
constexpr uint16_t kProgramHeaderSize = 56;
constexpr size_t kMaxHeaders = 0xfffe;
constexpr size_t kMaxCpus = 8192;  // NR_CPUS of x86_64
constexpr uint16_t kTypeCore = 4;
constexpr uint16_t kMachineX86_64 = 62;
constexpr uint32_t kPtLoad = 1;
constexpr uint32_t kPtNote = 4;
constexpr uint32_t kReadWriteExecute = 7;

std::optional<uint64_t> CpuNumber(std::string_view name) {
  return name.starts_with("cpu") ? ParseNumber(name.substr(3)) : std::nullopt;
}

std::optional<PhysRange> MakeNote(std::optional<uint64_t> address, uint64_t size) {
  // Zero is what a reader without privileges is shown.
  if (address.value_or(0) == 0) return std::nullopt;
  Result<PhysRange> note = PhysRange::Make(PhysAddr(*address), size);
  return note ? std::optional(*note) : std::nullopt;
}

// crash_notes is a physical address in hexadecimal, crash_notes_size a decimal number
// (drivers/base/cpu.c).
std::optional<PhysRange> ReadCpuNote(const RootDir& root, const std::string& folder) {
  std::optional<std::string> address = root.ReadLine(folder + "/crash_notes");
  if (!address) return std::nullopt;
  std::optional<uint64_t> size =
      ParseNumber(root.ReadLine(folder + "/crash_notes_size").value_or(""));
  return MakeNote(ParseNumber(*address, 16), size.value_or(kDefaultNoteSize));
}

// "0x0000000100c66000 1024": address and size, both hexadecimal (kernel/ksysfs.c).
std::optional<PhysRange> ReadVmcoreinfoNote(const RootDir& root) {
  std::string line = root.ReadLine("/sys/kernel/vmcoreinfo").value_or("");
  size_t space = line.find(' ');
  if (space == std::string::npos || !line.starts_with("0x")) return std::nullopt;
  std::string_view text = line;
  std::optional<uint64_t> size = ParseNumber(text.substr(space + 1), 16);
  return size ? MakeNote(ParseNumber(text.substr(2, space - 2), 16), *size) : std::nullopt;
}

// RAM with the place where the crash kernel finds it.
struct StoredRange {
  PhysRange memory;
  PhysAddr stored_at;
};

std::vector<StoredRange> StoredRanges(const DumpContents& contents) {
  std::vector<StoredRange> stored;
  std::vector<PhysRange> in_place = contents.ranges;
  if (contents.backup) {
    const auto& [source, destination] = *contents.backup;
    for (const PhysRange& range : IntersectRanges(contents.ranges, {source}))
      stored.push_back({range, destination + (range.base - source.base)});
    in_place = SubtractRanges(std::move(in_place), {source});
  }
  for (const PhysRange& range : in_place) stored.push_back({range, range.base});
  std::sort(stored.begin(), stored.end(), [](const StoredRange& a, const StoredRange& b) {
    return a.memory.base < b.memory.base;
  });
  return stored;
}

void PutElfHeader(ByteWriter& out, size_t headers) {
  CHECK(headers <= kMaxHeaders);
  out.PutBytes(
      AsBytes("\x7f"
              "ELF\x02\x01\x01"));  // 64 bits, little-endian, version 1
  out.PadTo(16);
  out.Put<uint16_t>(kTypeCore);
  out.Put<uint16_t>(kMachineX86_64);
  out.Put<uint32_t>(1);            // e_version
  out.Put<uint64_t>(0);            // e_entry
  out.Put<uint64_t>(kHeaderSize);  // e_phoff
  out.Put<uint64_t>(0);            // e_shoff
  out.Put<uint32_t>(0);            // e_flags
  out.Put<uint16_t>(kHeaderSize);  // e_ehsize
  out.Put<uint16_t>(kProgramHeaderSize);
  out.Put<uint16_t>(static_cast<uint16_t>(headers));
  out.PadTo(kHeaderSize);  // no sections
}

void PutNoteHeader(ByteWriter& out, const PhysRange& note) {
  out.Put<uint32_t>(kPtNote);
  out.Put<uint32_t>(0);                // p_flags
  out.Put<uint64_t>(note.base.value);  // p_offset
  out.Put<uint64_t>(0);                // p_vaddr
  out.Put<uint64_t>(note.base.value);  // p_paddr
  out.Put<uint64_t>(note.size);        // p_filesz
  out.Put<uint64_t>(note.size);        // p_memsz
  out.Put<uint64_t>(0);                // p_align
}

void PutLoadHeader(ByteWriter& out, const StoredRange& range, VirtAddr address) {
  out.Put<uint32_t>(kPtLoad);
  out.Put<uint32_t>(kReadWriteExecute);
  out.Put<uint64_t>(range.stored_at.value);
  out.Put<uint64_t>(address.value);
  out.Put<uint64_t>(range.memory.base.value);
  out.Put<uint64_t>(range.memory.size);
  out.Put<uint64_t>(range.memory.size);
  out.Put<uint64_t>(0);
}

}  // namespace

Result<std::vector<PhysRange>> ReadCrashNotes(const RootDir& root,
                                              std::vector<std::string>& notes) {
  std::vector<std::pair<uint64_t, PhysRange>> cpus;
  for (const std::string& name : root.List(kCpuFolder)) {
    std::optional<uint64_t> number = CpuNumber(name);
    if (!number) continue;
    if (std::optional<PhysRange> note = ReadCpuNote(root, fmt::format("{}/{}", kCpuFolder, name)))
      cpus.emplace_back(*number, *note);
  }
  if (cpus.empty())
    return Unsupported(
        "no processor in '{}' has 'crash_notes', where its registers are kept in a crash: the "
        "running kernel lacks CONFIG_CRASH_DUMP, or this process privileges",
        kCpuFolder);
  if (cpus.size() > kMaxCpus)
    return Unsupported("'{}' lists {} processors", kCpuFolder, cpus.size());
  std::sort(cpus.begin(), cpus.end(), [](auto& a, auto& b) { return a.first < b.first; });
  std::vector<PhysRange> found;
  for (const auto& [number, note] : cpus) found.push_back(note);
  if (std::optional<PhysRange> vmcoreinfo = ReadVmcoreinfoNote(root))
    found.push_back(*vmcoreinfo);
  else
    notes.push_back(
        "'/sys/kernel/vmcoreinfo' tells no address: the dump has no VMCOREINFO, without which "
        "kdump-filter and makedumpfile cannot leave pages out");
  return found;
}

uint64_t LimitHeaders(DumpContents& contents) {
  // Beside notes and ranges: the kernel, and two ranges that a backup cuts.
  constexpr size_t kOthers = 3;
  size_t taken = contents.notes.size() + kOthers;
  std::vector<PhysRange>& ranges = contents.ranges;
  if (ranges.size() <= kMaxHeaders - taken) return 0;
  uint64_t before = TotalSize(ranges);
  std::stable_sort(ranges.begin(), ranges.end(),
                   [](const PhysRange& a, const PhysRange& b) { return a.size > b.size; });
  ranges.resize(kMaxHeaders - taken);
  ranges = MergeRanges(std::move(ranges));
  return before - TotalSize(ranges);
}

ByteBuffer MakeElfcorehdr(const DumpContents& contents) {
  std::vector<StoredRange> stored = StoredRanges(contents);
  ByteWriter out(ByteOrder::kLittle);
  PutElfHeader(out, contents.notes.size() + 1 + stored.size());
  for (const PhysRange& note : contents.notes) PutNoteHeader(out, note);
  const KernelMapping& kernel = contents.kernel;
  PutLoadHeader(out, {kernel.image, kernel.image.base}, kernel.text);
  for (const StoredRange& range : stored)
    PutLoadHeader(out, range, kernel.direct_map + range.memory.base.value);
  return std::move(out).Take();
}

}  // namespace kdumpkit
