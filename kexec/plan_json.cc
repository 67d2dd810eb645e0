// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/plan_json.h"

#include "kexec/json.h"
#include "kexec/plan_report.h"

namespace kdumpkit {
namespace {

std::string_view SlotName(Slot slot) { return slot == Slot::kCrash ? "crash" : "reboot"; }

Json SegmentsToJson(const SegmentPlan& plan) {
  Json segments = Json::array();
  for (const PlannedSegment& segment : plan.segments) {
    Json object = RangeToJson(segment.memory);
    object["name"] = segment.name;
    object["data_size"] = segment.bytes.size();
    segments.push_back(std::move(object));
  }
  return segments;
}

Json KernelToJson(const LoadPlan& plan) {
  Json kernel = {{"path", plan.kernel.path},
                 {"size", plan.kernel.size},
                 {"type", plan.image().description},
                 {"wrappers", plan.contents.wrappers},
                 {"signed", plan.image().is_signed}};
  if (plan.image().bzimage) kernel["version"] = plan.image().bzimage->version;
  return kernel;
}

Json InitrdToJson(const LoadPlan& plan) {
  if (!plan.HasInitrd()) return nullptr;
  Json initrd = {{"size", plan.InitrdSize()}};
  initrd["path"] = plan.initrd ? Json(plan.initrd->path) : Json(nullptr);
  return initrd;
}

Json NeedToJson(const MemoryNeed& need) {
  return {{"total", need.Total()},
          {"kernel", need.kernel},
          {"initrd", need.initrd},
          {"elfcorehdr", need.elfcorehdr},
          {"other", need.other}};
}

Json FindingsToJson(const std::vector<Finding>& findings) {
  Json array = Json::array();
  for (const Finding& finding : findings)
    array.push_back({{"level", LevelText(finding.level)}, {"text", finding.text}});
  return array;
}

}  // namespace

std::string PlanToJson(const LoadPlan& plan) {
  Json object = {
      {"slot", SlotName(plan.slot)},
      {"system_call", plan.route ? Json(CallName(plan.route->call)) : Json(nullptr)},
      {"may_fall_back", plan.route && plan.route->may_fall_back},
      {"kernel", KernelToJson(plan)},
      {"initrd", InitrdToJson(plan)},
      {"command_line", plan.segments ? plan.segments->command_line : plan.command_line},
      {"command_line_limit", plan.command_line_limit},
      {"flags", plan.Uses(KexecCall::kSegments) ? plan.segment_flags : plan.file_flags},
      {"reservation", RangesToJson(plan.reservation.ranges)},
      {"need", NeedToJson(plan.need)},
      {"findings", FindingsToJson(plan.findings)},
      {"refused", plan.Refused()},
  };
  if (plan.segments) {
    object["segments"] = SegmentsToJson(*plan.segments);
    object["dump_ranges"] = RangesToJson(plan.segments->dump_ranges);
    object["notes"] = plan.segments->notes;
  }
  return JsonText(object);
}

}  // namespace kdumpkit
