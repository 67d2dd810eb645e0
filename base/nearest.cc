// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/nearest.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace kdumpkit {
namespace {

// Longer words are no names that anyone mistyped, and would cost time.
constexpr size_t kLongest = 64;

int Lower(char c) { return std::tolower(static_cast<unsigned char>(c)); }

bool Swapped(std::string_view from, std::string_view to, size_t i, size_t j) {
  return i > 1 && j > 1 && Lower(from[i - 1]) == Lower(to[j - 2]) &&
         Lower(from[i - 2]) == Lower(to[j - 1]);
}

}  // namespace

size_t EditDistance(std::string_view from, std::string_view to) {
  // The rows of the table before the last one, of the last one, and the one being filled.
  std::vector<size_t> before(to.size() + 1);
  std::vector<size_t> last(to.size() + 1);
  std::vector<size_t> row(to.size() + 1);
  for (size_t j = 0; j <= to.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      size_t replaced = last[j - 1] + (Lower(from[i - 1]) == Lower(to[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (Swapped(from, to, i, j)) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[to.size()];
}

std::string_view Nearest(std::string_view text, std::span<const std::string_view> names) {
  if (text.size() > kLongest) return {};
  std::string_view nearest;
  // A third of the letters may be wrong, and one in a very short word.
  size_t best = std::max<size_t>(text.size() / 3, 1) + 1;
  for (std::string_view name : names) {
    // The distance is never less than the difference in length.
    size_t shorter = std::min(text.size(), name.size());
    if (std::max(text.size(), name.size()) - shorter >= best) continue;
    size_t distance = EditDistance(text, name);
    if (distance >= best) continue;
    best = distance;
    nearest = name;
  }
  return nearest;
}

}  // namespace kdumpkit
