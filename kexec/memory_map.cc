// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/memory_map.h"

#include <algorithm>
#include <optional>

#include "kexec/command_line.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

constexpr std::string_view kFirmwareMap = "/sys/firmware/memmap";
// Where the memory for video and firmware begins on every PC.
constexpr PhysRange kLowMemory = {PhysAddr(0), uint64_t{640} << 10};

// Names in /proc/iomem and /sys/firmware/memmap: e820_type_to_string() in arch/x86/kernel/e820.c.
// Linux 4.8 and before wrote "reserved".
struct TypeName {
  E820Type type;
  std::string_view name;
};
constexpr TypeName kTypeNames[] = {
    {E820Type::kRam, "System RAM"},
    {E820Type::kReserved, "Reserved"},
    {E820Type::kReserved, "reserved"},
    {E820Type::kAcpi, "ACPI Tables"},
    {E820Type::kNvs, "ACPI Non-volatile Storage"},
    {E820Type::kUnusable, "Unusable memory"},
    {E820Type::kPersistent, "Persistent Memory"},
    {E820Type::kPersistentLegacy, "Persistent Memory (legacy)"},
    {E820Type::kSoftReserved, "Soft Reserved"},
    {E820Type::kReserved, "Unknown E820 type"},
};

std::optional<E820Type> TypeOf(std::string_view name) {
  for (const TypeName& known : kTypeNames)
    if (known.name == name) return known.type;
  return std::nullopt;
}

void Add(std::vector<E820Entry>& map, std::span<const PhysRange> ranges, E820Type type) {
  for (const PhysRange& range : ranges) map.push_back({range, type});
}

std::vector<E820Entry> Sorted(std::vector<E820Entry> map) {
  std::stable_sort(map.begin(), map.end(), [](const E820Entry& a, const E820Entry& b) {
    return a.range.base < b.range.base;
  });
  return map;
}

Result<uint64_t> ReadAddress(const RootDir& root, const std::string& path) {
  std::string line = root.ReadLine(path).value_or("");
  std::optional<uint64_t> value;
  if (line.starts_with("0x")) value = ParseNumber(line.substr(2), 16);
  if (!value) return Malformed("'{}' holds no address: '{}'", path, line);
  return *value;
}

Result<E820Entry> ReadFirmwareEntry(const RootDir& root, const std::string& folder) {
  uint64_t first = TRY(ReadAddress(root, folder + "/start"));
  uint64_t last = TRY(ReadAddress(root, folder + "/end"));
  std::string name = root.ReadLine(folder + "/type").value_or("");
  if (last < first || last - first == UINT64_MAX)
    return Malformed("'{}': a range from {:#x} to {:#x}", folder, first, last);
  PhysRange range = TRY(PhysRange::Make(PhysAddr(first), last - first + 1).In(folder));
  // What is not known is not to be used.
  return E820Entry{range, TypeOf(name).value_or(E820Type::kReserved)};
}

Result<std::vector<E820Entry>> ReadFirmwareMap(const RootDir& root) {
  std::vector<E820Entry> map;
  for (const std::string& name : root.List(kFirmwareMap))
    map.push_back(TRY(ReadFirmwareEntry(root, fmt::format("{}/{}", kFirmwareMap, name))));
  return Sorted(std::move(map));
}

// Memory that drivers added has another name and is not firmware's to report.
std::vector<E820Entry> MapOfIomem(std::span<const IomemEntry> iomem) {
  std::vector<E820Entry> map;
  for (const IomemEntry& entry : iomem)
    if (std::optional<E820Type> type = TypeOf(entry.name)) map.push_back({entry.range, *type});
  return Sorted(std::move(map));
}

bool HasWord(const RootDir& root, std::string_view word) {
  std::vector<std::string> words = SplitWords(root.ReadLine("/proc/cmdline").value_or(""));
  return std::find(words.begin(), words.end(), word) != words.end();
}

// What is not RAM, and a crash kernel must know: to find ACPI's tables, to leave firmware's memory
// alone, to mount file systems on persistent memory.
bool CrashKernelNeeds(E820Type type) {
  switch (type) {
    case E820Type::kReserved:
    case E820Type::kAcpi:
    case E820Type::kNvs:
    case E820Type::kPersistent:
    case E820Type::kPersistentLegacy:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string_view E820TypeName(E820Type type) {
  for (const TypeName& known : kTypeNames)
    if (known.type == type) return known.name;
  return "Unknown E820 type";
}

Result<std::vector<E820Entry>> NormalMemoryMap(const RootDir& root,
                                               std::span<const IomemEntry> iomem) {
  if (HasWord(root, "add_efi_memmap")) return MapOfIomem(iomem);
  std::vector<E820Entry> map = TRY(ReadFirmwareMap(root));
  return map.empty() ? MapOfIomem(iomem) : map;
}

std::vector<E820Entry> CrashMemoryMap(std::span<const IomemEntry> iomem,
                                      const CrashReservation& reservation,
                                      std::vector<PhysRange> kept_out) {
  std::vector<E820Entry> map = MapOfIomem(iomem);
  std::erase_if(map, [](const E820Entry& entry) { return !CrashKernelNeeds(entry.type); });
  Add(map, LowRam(iomem), E820Type::kRam);
  Add(map, SubtractRanges(reservation.ranges, std::move(kept_out)), E820Type::kRam);
  Add(map, reservation.cma, E820Type::kRam);
  return Sorted(std::move(map));
}

std::vector<PhysRange> LowRam(std::span<const IomemEntry> iomem) {
  return IntersectRanges(RangesNamed(iomem, "System RAM"), {kLowMemory});
}

std::vector<PhysRange> RangesOfType(std::span<const E820Entry> map, E820Type type) {
  std::vector<PhysRange> ranges;
  for (const E820Entry& entry : map)
    if (entry.type == type) ranges.push_back(entry.range);
  return MergeRanges(std::move(ranges));
}

}  // namespace kdumpkit
