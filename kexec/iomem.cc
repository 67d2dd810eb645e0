// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/iomem.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "kexec/text.h"

namespace kdumpkit {
namespace {

// A server's iomem has thousands of lines.
constexpr size_t kMaxText = size_t{64} << 20;
constexpr size_t kIndentation = 2;

std::optional<PhysRange> ParseRange(std::string_view text) {
  size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::optional<uint64_t> first = ParseNumber(Trim(text.substr(0, dash)), 16);
  std::optional<uint64_t> last = ParseNumber(Trim(text.substr(dash + 1)), 16);
  if (!first || !last || *last < *first || *last - *first == UINT64_MAX) return std::nullopt;
  Result<PhysRange> range = PhysRange::Make(PhysAddr(*first), *last - *first + 1);
  if (!range) return std::nullopt;
  return *range;
}

std::optional<IomemEntry> ParseLine(std::string_view line) {
  size_t separator = line.find(" : ");
  std::optional<PhysRange> range = ParseRange(line.substr(0, separator));
  if (!range) return std::nullopt;
  size_t indentation = line.find_first_not_of(' ');
  IomemEntry entry{*range, static_cast<int>(indentation / kIndentation), {}};
  if (separator != std::string_view::npos) entry.name = Trim(line.substr(separator + 3));
  return entry;
}

}  // namespace

Iomem ParseIomem(std::string_view text) {
  Iomem iomem;
  for (std::string_view line : SplitLines(text))
    if (std::optional<IomemEntry> entry = ParseLine(line)) iomem.push_back(*std::move(entry));
  return iomem;
}

bool IsHidden(const PhysRange& range) { return range.base.value == 0 && range.size == 1; }

Result<Iomem> ReadIomem(const RootDir& root) {
  std::string text = TRY(root.ReadText("/proc/iomem", kMaxText));
  return ParseIomem(text);
}

Result<Iomem> RequireIomem(const RootDir& root) {
  Iomem iomem = TRY(ReadIomem(root));
  if (iomem.empty()) return Malformed("'/proc/iomem' lists no memory");
  if (std::all_of(iomem.begin(), iomem.end(),
                  [](const IomemEntry& entry) { return IsHidden(entry.range); }))
    return Error(ErrorKind::kSystem, EPERM,
                 "'/proc/iomem' shows its addresses as zeros without CAP_SYS_ADMIN: run this as "
                 "root, and not in a container");
  return iomem;
}

std::vector<PhysRange> RangesNamed(std::span<const IomemEntry> iomem, std::string_view name) {
  std::vector<PhysRange> ranges;
  for (const IomemEntry& entry : iomem)
    if (entry.name == name) ranges.push_back(entry.range);
  return ranges;
}

}  // namespace kdumpkit
