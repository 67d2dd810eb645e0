// SPDX-License-Identifier: GPL-2.0-or-later
// As much of JSON as the capture needs: it writes one object, and takes whole members out of
// another one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kdumpkit {

// Without the blanks around it.
std::string_view Trimmed(std::string_view text);

// The text in quotes. What is not UTF-8 is shown as the replacement character.
std::string JsonText(std::string_view text);

// The value of a member of the outermost object as it stands there, without its own blanks around
// it; absent when there is none. `text` is an object that is written correctly.
std::optional<std::string_view> JsonMember(std::string_view text, std::string_view name);
// The same as a whole number.
std::optional<uint64_t> JsonNumber(std::string_view text, std::string_view name);
// The same as a text that needs no escapes; empty when there is none.
std::string_view JsonWord(std::string_view text, std::string_view name);

}  // namespace kdumpkit
