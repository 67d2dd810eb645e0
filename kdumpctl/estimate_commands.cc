// SPDX-License-Identifier: GPL-2.0-or-later
// kdumpctl estimate and get-default-crashkernel.
#include "kdumpctl/dump_places.h"
#include "kdumpctl/estimate.h"
#include "kdumpctl/json_output.h"
#include "kdumpctl/text.h"
#include "kdumpctl/upkeep_commands.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;

Json EstimateJson(const MemoryEstimate& estimate) {
  const MemoryFacts& facts = estimate.facts;
  Json parts = Json::array();
  for (const auto& [name, bytes, basis] : estimate.parts)
    parts.push_back({{"name", name}, {"bytes", bytes}, {"basis", basis}});
  return {{"kernel", facts.release},
          {"parts", parts},
          {"needed", estimate.needed},
          {"recommended", estimate.recommended},
          {"crashkernel", fmt::format("{}M", estimate.recommended >> 20)},
          {"reserved", facts.reserved},
          {"enough", facts.reserved >= estimate.needed},
          {"measured", facts.used ? Json(*facts.used) : Json(nullptr)},
          {"measured_from", facts.used_from}};
}

std::string Verdict(const MemoryEstimate& estimate) {
  uint64_t reserved = estimate.facts.reserved;
  if (reserved == 0) return "nothing is reserved in this boot";
  std::string_view verdict = "enough";
  if (reserved < estimate.recommended) verdict = "enough without the margin";
  if (reserved < estimate.needed) verdict = "too little";
  return fmt::format("reserved in this boot {}: {}", SizeText(reserved), verdict);
}

void PrintEstimate(std::FILE* out, const MemoryEstimate& estimate) {
  Print(out, fmt::format("kernel {}\n", estimate.facts.release));
  for (const auto& [name, bytes, basis] : estimate.parts)
    Print(out, fmt::format("{:<24} {:>10}  {}\n", name, SizeText(bytes), basis));
  Print(out, fmt::format("{:<24} {:>10}\n", "needed", SizeText(estimate.needed)));
  Print(out, fmt::format("recommended: crashkernel={}M\n{}\n", estimate.recommended >> 20,
                         Verdict(estimate)));
}

}  // namespace

int EstimateCommand(const Invocation& invocation) {
  Result<Config> config = ReadConfig(invocation.root);
  if (!config) return ReportFailure(invocation, config.error().message());
  Result<MemoryFacts> facts = GatherMemoryFacts(*config, invocation.root);
  if (!facts) return ReportFailure(invocation, facts.error().message());
  MemoryEstimate estimate = EstimateMemory(*facts);
  if (invocation.json) {
    PrintJson(invocation.out, EstimateJson(estimate));
  } else {
    PrintEstimate(invocation.out, estimate);
  }
  return kExitOk;
}

int DefaultCrashkernelCommand(const Invocation& invocation) {
  if (!invocation.operands.empty() && invocation.operands[0] != "kdump") {
    invocation.Complain(
        fmt::format("'{}' is not supported; there is only kdump", invocation.operands[0]));
    return kExitUsage;
  }
  std::string value = DefaultReservation();
  if (value.empty()) return ReportFailure(invocation, "there is no default for this machine");
  if (invocation.json) {
    PrintJson(invocation.out, {{"crashkernel", value}});
  } else {
    Print(invocation.out, value + "\n");
  }
  return kExitOk;
}

}  // namespace kdumpkit
