// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/reservation.h"

#include <algorithm>

#include "kexec/system_state.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

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

bool IsHidden(const PhysRange& range) { return range.base.value == 0 && range.size == 1; }

}  // namespace

std::optional<bool> CrashReservation::Present() const {
  if (!ranges.empty()) return true;
  // A hidden range exists; the size tells when it is there. Ranges given back through crash_size
  // leave iomem, so that a listed file without them is an answer too.
  if (total_size) return *total_size > 0;
  if (hidden) return true;
  return listed ? std::optional<bool>(false) : std::nullopt;
}

std::optional<PhysRange> CrashReservation::Target() const {
  if (ranges.empty()) return std::nullopt;
  return ranges.back();
}

std::optional<uint64_t> CrashReservation::TargetSize() const {
  if (!ranges.empty()) return ranges.back().size;
  return total_size;
}

std::vector<PhysRange> ParseRanges(std::string_view text, std::string_view name) {
  std::vector<PhysRange> ranges;
  for (std::string_view line : SplitLines(text)) {
    size_t separator = line.find(" : ");
    std::string_view line_name =
        separator == std::string_view::npos ? "" : Trim(line.substr(separator + 3));
    if (!name.empty() && line_name != name) continue;
    if (std::optional<PhysRange> range = ParseRange(line.substr(0, separator)))
      ranges.push_back(*range);
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const PhysRange& a, const PhysRange& b) { return a.base < b.base; });
  return ranges;
}

CrashReservation ReadCrashReservation(const RootDir& root) {
  CrashReservation reservation;
  // A server's iomem has thousands of lines.
  if (Result<std::string> iomem = root.ReadText("/proc/iomem", size_t{64} << 20)) {
    reservation.listed = true;
    reservation.ranges = ParseRanges(*iomem, "Crash kernel");
  }
  std::vector<PhysRange>& ranges = reservation.ranges;
  reservation.hidden = std::any_of(ranges.begin(), ranges.end(), IsHidden);
  if (reservation.hidden) ranges.clear();
  reservation.total_size = ReadKexecNumber(root, KexecFile::kCrashSize);
  if (std::optional<std::string> cma = ReadKexecFile(root, KexecFile::kCrashCmaRanges))
    reservation.cma = ParseRanges(*cma, "");
  return reservation;
}

}  // namespace kdumpkit
