// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/check_params.h"

#include <sys/statvfs.h>

#include "base/file.h"
#include "dumpfile/output_file.h"
#include "filter/erasing.h"
#include "filter/input.h"
#include "filter/name_sources.h"

namespace kdumpkit {
namespace {

void CheckInput(const std::string& path, const FilterOptions& options, CheckReport& report) {
  Result<Crash> crash = Crash::Open(path, options.names, options.map_input);
  if (!crash) {
    report.refusals.push_back(crash.error().message());
    return;
  }
  report.memory = 0;
  for (const PhysRange& range : crash->input.memory().ranges()) *report.memory += range.size;
  report.warnings = crash->input.warnings;
  bool needs_kernel = options.mode == FilterMode::kDmesg ||
                      options.mode == FilterMode::kTranslate ||
                      options.mode == FilterMode::kShowLayout;
  std::vector<std::string>& list =
      needs_kernel && crash->kernel == nullptr ? report.refusals : report.warnings;
  list.insert(list.end(), crash->warnings.begin(), crash->warnings.end());
  if (Result<Erasing> erasing = PrepareErasing(options, *crash); !erasing)
    report.refusals.push_back(erasing.error().message());
}

// -g reads no vmcore.
void CheckNamesOnly(const FilterOptions& options, CheckReport& report) {
  if (Result<GivenNames> names = GivenNames::Load(options.names); !names)
    report.refusals.push_back(names.error().message());
}

void CheckOutput(const FilterOptions& options, CheckReport& report) {
  if (options.output.empty() || options.dry_run) return;
  Status creatable = OutputFile::CheckCreatable(options.output, options.force);
  if (!creatable) report.refusals.push_back(creatable.error().message());
  struct statvfs system = {};
  if (statvfs(ParentDirectory(options.output).c_str(), &system) == 0)
    report.free = uint64_t{system.f_bavail} * system.f_frsize;
}

}  // namespace

CheckReport CheckRun(const FilterOptions& options) {
  CheckReport report;
  // The stream of -R may be standard input, of which nothing may be taken.
  if (options.mode == FilterMode::kGenerate)
    CheckNamesOnly(options, report);
  else if (options.mode != FilterMode::kReassemble)
    CheckInput(options.vmcore, options, report);
  if (!options.other.empty()) CheckInput(options.other, options, report);
  CheckOutput(options, report);
  return report;
}

std::string CheckText(const CheckReport& report) {
  std::string text = report.refusals.empty() ? "the run would be accepted" : "it would be refused";
  if (report.memory)
    text += fmt::format("; {:.1f} MiB of memory", static_cast<double>(*report.memory) / (1 << 20));
  if (report.free)
    text += fmt::format("; {:.1f} MiB free for the output",
                        static_cast<double>(*report.free) / (1 << 20));
  return text + "\n";
}

}  // namespace kdumpkit
