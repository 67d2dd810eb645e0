// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/json_read.h"

namespace kdumpkit {

using Json = nlohmann::ordered_json;

const Json& JsonMember(const Json& object, const char* name) {
  static const Json kNone = Json::object();
  if (!object.is_object()) return kNone;
  auto found = object.find(name);
  return found != object.end() && found->is_structured() ? *found : kNone;
}

std::string JsonText(const Json& object, const char* name) {
  if (!object.is_object()) return "";
  auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

uint64_t JsonNumber(const Json& object, const char* name) {
  if (!object.is_object()) return 0;
  auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

int64_t JsonInteger(const Json& object, const char* name) {
  if (!object.is_object()) return 0;
  auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

bool JsonFlag(const Json& object, const char* name) {
  if (!object.is_object()) return false;
  auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::string JsonDump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace kdumpkit
