// SPDX-License-Identifier: GPL-2.0-or-later
// JSON as this program prints it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/ranges.h"

namespace kdumpkit {

using Json = nlohmann::ordered_json;

// Text that is not UTF-8 (paths, command lines) has its bad bytes replaced.
std::string JsonText(const Json& value);

// null when absent.
template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// {"start": address, "size": bytes}
Json RangeToJson(const PhysRange& range);
Json RangesToJson(const std::vector<PhysRange>& ranges);

}  // namespace kdumpkit
