// SPDX-License-Identifier: GPL-2.0-or-later
// A script of what to erase. Whatever stands in it, there is a mistake with a place, or commands
// that are numbered.
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"
#include "erase/script.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using namespace kdumpkit;

void Check(const std::vector<EraseStatement>& statements, size_t count) {
  for (const EraseStatement& statement : statements) {
    CHECK(!statement.module.empty() && statement.place.line > 0);
    if (const auto* command = std::get_if<EraseCommand>(&statement.what)) {
      CHECK(command->number < count);
      CHECK(!command->target.names.empty());
      CHECK(command->bytes.value_or(1) > 0 && command->bytes.value_or(1) <= kMaxEraseBytes);
    } else {
      Check(std::get<std::unique_ptr<EraseLoop>>(statement.what)->body, count);
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  EraseScript script =
      ParseEraseScript(AsText(std::as_bytes(std::span<const uint8_t>(data, size))));
  Check(script.statements, script.command_count);
  for (const ScriptProblem& problem : script.problems) {
    CHECK(problem.place.line > 0 && problem.place.column > 0 && !problem.text.empty());
    for (char c : problem.text) CHECK(c >= ' ' && c <= '~');
  }
  return 0;
}
