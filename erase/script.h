// SPDX-License-Identifier: GPL-2.0-or-later
// The language of makedumpfile.conf(5) as text: which data are to be erased from a dump.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kdumpkit {

struct ScriptPlace {
  int line = 0;    // from 1 on
  int column = 0;  // bytes, from 1 on
};

// (TYPE)NAME.MEMBER.MEMBER
struct EraseExpression {
  ScriptPlace place;
  std::string cast;                // "struct task_struct"; empty without one
  std::vector<std::string> names;  // at least one

  std::string Text() const;  // without the cast, as makedumpfile writes it
};

struct EraseCommand {
  ScriptPlace place;
  size_t number = 0;  // in order of the script, from 0 on
  EraseExpression target;
  // At most one of the three.
  std::optional<uint64_t> bytes;             // size N
  std::optional<EraseExpression> size_from;  // size NAME.MEMBER
  bool nullify = false;
};

struct EraseLoop;

struct EraseStatement {
  ScriptPlace place;
  std::string module;  // "vmlinux" for the kernel itself
  std::variant<EraseCommand, std::unique_ptr<EraseLoop>> what;
};

struct EraseLoop {
  enum class Walk {
    kArray,   // each element
    kVia,     // structs that a member leads from one to the next of
    kWithin,  // a list_head
  };
  std::string variable;
  EraseExpression source;
  Walk walk = Walk::kArray;
  std::vector<std::string> next;  // kVia: the member that leads on
  std::string container;          // kWithin: the struct …
  std::vector<std::string> link;  // … and its member of type list_head
  std::vector<EraseStatement> body;
};

struct ScriptProblem {
  ScriptPlace place;
  std::string text;
};

struct EraseScript {
  std::vector<EraseStatement> statements;
  size_t command_count = 0;
  // In order of the text. What has one is not among the statements.
  std::vector<ScriptProblem> problems;
};

inline constexpr uint64_t kMaxEraseBytes = uint64_t{1} << 30;  // of one piece of data
inline constexpr size_t kMaxScriptBytes = size_t{1} << 20;

// Never fails: whatever the text is, `problems` says what is wrong with it.
EraseScript ParseEraseScript(std::string_view text);

}  // namespace kdumpkit
