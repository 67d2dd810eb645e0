// SPDX-License-Identifier: GPL-2.0-or-later
// Reading JSON that may be damaged: what is missing or of another type is empty.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace kdumpkit {

// A member that is an object or a list, else an empty one.
const nlohmann::ordered_json& JsonMember(const nlohmann::ordered_json& object, const char* name);
std::string JsonText(const nlohmann::ordered_json& object, const char* name);
uint64_t JsonNumber(const nlohmann::ordered_json& object, const char* name);
// May be negative.
int64_t JsonInteger(const nlohmann::ordered_json& object, const char* name);
bool JsonFlag(const nlohmann::ordered_json& object, const char* name);

// For files and standard output: what is not UTF-8 becomes the replacement character.
std::string JsonDump(const nlohmann::ordered_json& json);

}  // namespace kdumpkit
