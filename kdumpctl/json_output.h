// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <nlohmann/json.hpp>

#include "kdumpctl/command.h"

namespace kdumpkit {

// Paths and logs may hold any bytes; what is not UTF-8 is shown as the replacement character.
inline void PrintJson(std::FILE* out, const nlohmann::ordered_json& json) {
  using Json = nlohmann::ordered_json;
  Print(out, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

// A failure in the form that was asked for, {"error": MESSAGE}; returns kExitFailed.
inline int ReportFailure(const Invocation& invocation, std::string_view message) {
  if (invocation.json) {
    PrintJson(invocation.out, {{"error", message}});
  } else {
    invocation.Complain(message);
  }
  return kExitFailed;
}

}  // namespace kdumpkit
