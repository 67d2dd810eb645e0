// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/erasing.h"

#include <fcntl.h>

#include "base/file.h"
#include "kernel/kernel_names.h"

namespace kdumpkit {
namespace {

Result<std::string> ReadScript(const std::string& path) {
  std::string object = fmt::format("'{}'", path);
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY).In(object));
  ByteBuffer bytes = TRY(ReadToEnd(fd.get(), kMaxScriptBytes).In(object));
  return std::string(AsText(bytes));
}

Error Refusal(const std::string& file, const std::vector<ScriptProblem>& problems) {
  std::string more;
  if (problems.size() > 1) more = fmt::format(" (and {} more mistakes)", problems.size() - 1);
  return UsageError("{}{}; nothing was written (--config-lenient goes on without it)",
                    ProblemText(file, problems[0]), more);
}

Erasure Find(const EraseScript& script, const Crash& crash) {
  if (crash.kernel != nullptr)
    return FindErasedData(script, *crash.kernel, KernelNames::Learn(*crash.kernel));
  Erasure nothing;
  nothing.problems = script.problems;
  nothing.problems.push_back({{1, 1}, "the dead kernel is not understood"});
  return nothing;
}

}  // namespace

Result<Erasing> PrepareErasing(const FilterOptions& options, Crash& crash) {
  Erasing erasing;
  const std::string& file = options.erase_config;
  if (file.empty()) return erasing;
  EraseScript script = ParseEraseScript(TRY(ReadScript(file)));
  bool strict = !options.erase_lenient;
  if (strict && !script.problems.empty()) return Refusal(file, script.problems);
  Erasure erasure = Find(script, crash);
  if (strict && !erasure.problems.empty()) return Refusal(file, erasure.problems);
  for (const ScriptProblem& problem : erasure.problems)
    erasing.warnings.push_back(fmt::format("{}, not erased, ignoring", ProblemText(file, problem)));
  std::string record = erasure.Record();
  ByteBuffer& all = crash.input.eraseinfo;
  all.insert(all.end(), AsBytes(record).begin(), AsBytes(record).end());
  erasing.report = {file, std::move(erasure.results), erasure.problems.size(), erasure.plan.bytes(),
                    erasure.plan.PageCount(crash.page_size)};
  erasing.memory = std::make_unique<ErasedMemory>(crash.input.memory(), std::move(erasure.plan));
  return erasing;
}

}  // namespace kdumpkit
