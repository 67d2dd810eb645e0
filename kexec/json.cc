// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/json.h"

namespace kdumpkit {

std::string JsonText(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json RangeToJson(const PhysRange& range) {
  return {{"start", range.base.value}, {"size", range.size}};
}

Json RangesToJson(const std::vector<PhysRange>& ranges) {
  Json array = Json::array();
  for (const PhysRange& range : ranges) array.push_back(RangeToJson(range));
  return array;
}

}  // namespace kdumpkit
