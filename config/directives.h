// SPDX-License-Identifier: GPL-2.0-or-later
// The table of directives: the one place that knows what can stand in a kdump.conf. The parser,
// what is shown, what the capture image gets and the default file come from it; tests compare the
// manual page with it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "config/statement.h"

namespace kdumpkit {

// Sections of the manual page and of the default file, in their order.
enum class Group {
  kWhere,
  kTarget,
  kWhat,
  kSpace,
  kTime,
  kEnd,
  kHooks,
  kKernel,
  kImage,
  kObsolete,
};
std::string_view GroupTitle(Group group);

enum class Role {
  kValue,        // `field` says where it is kept
  kDestination,  // one more destination
  kTarget,       // Fedora's: the only destination
  kCollector,    // core_collector: sets several values
  kRenamed,      // `help` is the name it has now
  kRemoved,      // `help` says what to write instead
};

// Where a value is kept; its type says how it is written.
using Field = std::variant<std::monostate, bool Config::*, unsigned Config::*, uint64_t Config::*,
                           std::chrono::seconds Config::*, std::string Config::*,
                           std::vector<std::string> Config::*, DumpCompression Config::*,
                           HostTag Config::*, EndAction Config::*, FailureAction Config::*,
                           PreFailure Config::*, ImageBuilder Config::*>;

struct Directive {
  std::string_view name;
  Group group = Group::kWhere;
  Role role = Role::kValue;
  std::string_view argument;  // as the manual page writes it: "LEVEL", "yes|no"
  Field field = {};
  // The word for 0, for no text or for an empty list; empty: there is none.
  std::string_view zero = {};
  unsigned low = 0;  // range of a number, or of a duration in seconds
  unsigned high = 0;
  // Of every text or word; null: any will do. The message says what is wanted.
  Status (*check)(std::string_view text) = nullptr;
  bool repeatable = false;           // a list with a line for each element
  bool capture = false;              // the capture image needs it
  std::string_view incumbents = {};  // who else has it, under which name
  std::string_view help = {};        // one sentence
};

std::span<const Directive> Directives();
const Directive* FindDirective(std::string_view name);

// Sets the field of a kValue directive. The message of an error says what is wanted. An element is
// added to what a repeatable one has.
Status SetField(const Directive& directive, const Statement& statement, Config& config);

// The values of a directive as they would stand in a file, one a line that it takes; none for what
// is not kept under this name (core_collector unless it is another program, Fedora's targets).
std::vector<std::string> FieldTexts(const Directive& directive, const Config& config);

// The values that an enumeration has, in a file: "reboot", "halt", ...; empty for other directives.
std::span<const std::string_view> AllowedWords(const Directive& directive);

}  // namespace kdumpkit
