// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/plan_report.h"

#include "kexec/text.h"

namespace kdumpkit {
namespace {

void AddLine(std::string& text, std::string_view name, std::string_view value) {
  text += fmt::format("{:<14}{}\n", fmt::format("{}:", name), value);
}

std::string RangesText(const std::vector<PhysRange>& ranges) {
  std::string text;
  for (const PhysRange& range : ranges)
    text += fmt::format("{}{} at {:#x}-{:#x}", text.empty() ? "" : ", ", SizeText(range.size),
                        range.base.value, range.end().value - 1);
  return text;
}

std::string ReservationText(const CrashReservation& reservation) {
  if (!reservation.Present().value_or(true)) return "none";
  std::string text;
  if (!reservation.ranges.empty())
    text = RangesText(reservation.ranges);
  else if (reservation.total_size)
    text = fmt::format("{}, address unknown", SizeText(*reservation.total_size));
  else
    text = "unknown";
  if (reservation.ranges.size() > 1) text += " (the last one is loaded to)";
  if (!reservation.cma.empty()) text += fmt::format("; CMA {}", RangesText(reservation.cma));
  return text;
}

std::string MemoryText(const LoadPlan& plan) {
  const MemoryNeed& need = plan.need;
  std::string text =
      fmt::format("{} to load: kernel {}", SizeText(need.Total()), SizeText(need.kernel));
  if (need.initrd != 0) text += fmt::format(", initrd {}", SizeText(need.initrd));
  if (need.elfcorehdr != 0) text += fmt::format(", elfcorehdr {}", SizeText(need.elfcorehdr));
  text += fmt::format(", other {}", SizeText(need.other));
  return plan.segments ? text : text + "; the kernel chooses the places";
}

std::string_view LoadedText(const LoadPlan& plan) {
  std::optional<bool> loaded = plan.state.LoadedIn(plan.slot);
  if (!loaded) return "unknown";
  return *loaded ? "yes, it would be replaced" : "nothing";
}

std::string FileText(const InputFile& file) {
  return fmt::format("'{}', {} bytes", file.path, file.size);
}

void AddCommandLine(std::string& text, const LoadPlan& plan) {
  bool by_kernel = plan.slot == Slot::kCrash && !plan.segments;
  AddLine(text, "command line",
          fmt::format("{} characters of at most {}{}", plan.command_line.size(),
                      plan.command_line_limit,
                      by_kernel ? "; the kernel puts elfcorehdr= before it" : ""));
  const std::string& whole = plan.segments ? plan.segments->command_line : plan.command_line;
  if (!whole.empty()) text += fmt::format("{:14}{}\n", "", whole);
}

std::string InitrdText(const LoadPlan& plan) {
  if (plan.initrd) return FileText(*plan.initrd);
  if (!plan.contents.initrd) return "none";
  return fmt::format("from the unified image, {} bytes", plan.contents.initrd->size());
}

std::string CallText(const LoadPlan& plan) {
  if (!plan.route) return "no system call takes it";
  std::string text(CallName(plan.route->call));
  if (plan.route->may_fall_back) text += ", else kexec_load";
  if (!plan.route->reason.empty()) text += fmt::format(" ({})", plan.route->reason);
  return text;
}

std::string ImageText(const LoadPlan& plan) {
  return plan.contents.Description() + (plan.image().is_signed ? ", signed" : ", not signed");
}

void AddSegments(std::string& text, const SegmentPlan& plan) {
  for (const PlannedSegment& segment : plan.segments)
    AddLine(text, "segment",
            fmt::format("{:#x}-{:#x} {}, {} of {} bytes", segment.memory.base.value,
                        segment.memory.end().value - 1, segment.name, segment.bytes.size(),
                        segment.memory.size));
  for (const PhysRange& range : plan.dump_ranges)
    AddLine(text, "to dump", fmt::format("{:#x}-{:#x}", range.base.value, range.end().value - 1));
  for (const std::string& note : plan.notes) AddLine(text, "note", note);
}

std::string PlanFlagsText(const LoadPlan& plan) {
  return plan.Uses(KexecCall::kSegments) ? SegmentFlagsText(plan.segment_flags)
                                         : FileFlagsText(plan.file_flags);
}

struct FlagName {
  uint64_t bit;
  std::string_view name;
};

std::string FlagsText(uint64_t flags, std::span<const FlagName> names) {
  std::string text;
  for (const FlagName& row : names)
    if ((flags & row.bit) != 0) text += fmt::format("{}{}", text.empty() ? "" : ", ", row.name);
  return text.empty() ? "0" : fmt::format("{:#x} ({})", flags, text);
}

}  // namespace

std::string_view LevelText(Finding::Level level) {
  switch (level) {
    case Finding::Level::kGood:
      return "ok";
    case Finding::Level::kWarning:
      return "warning";
    case Finding::Level::kRefusal:
      return "refused";
  }
  CHECK(false);
}

std::string FileFlagsText(uint64_t flags) {
  constexpr FlagName kNames[] = {
      {kFileUnload, "UNLOAD"}, {kFileOnCrash, "ON_CRASH"}, {kFileNoInitramfs, "NO_INITRAMFS"},
      {kFileDebug, "DEBUG"},   {kFileNoCma, "NO_CMA"},     {kFileForceDtb, "FORCE_DTB"},
  };
  return FlagsText(flags, kNames);
}

std::string SegmentFlagsText(uint64_t flags) {
  constexpr FlagName kNames[] = {{kLoadOnCrash, "ON_CRASH"},
                                 {kLoadUpdateElfcorehdr, "UPDATE_ELFCOREHDR"},
                                 {kLoadDebug, "DEBUG"}};
  return FlagsText(flags, kNames);
}

std::string DescribePlan(const LoadPlan& plan) {
  std::string text;
  AddLine(text, "plan",
          fmt::format("load {}", plan.slot == Slot::kCrash ? "a crash kernel" : "a kernel"));
  AddLine(text, "system call", CallText(plan));
  AddLine(text, "loaded now", LoadedText(plan));
  AddLine(text, "kernel", FileText(plan.kernel));
  AddLine(text, "image", ImageText(plan));
  if (plan.image().bzimage && !plan.image().bzimage->version.empty())
    AddLine(text, "version", plan.image().bzimage->version);
  AddLine(text, "initrd", InitrdText(plan));
  AddCommandLine(text, plan);
  AddLine(text, "flags", PlanFlagsText(plan));
  if (plan.slot == Slot::kCrash) AddLine(text, "reservation", ReservationText(plan.reservation));
  if (plan.need.Total() != 0) AddLine(text, "memory", MemoryText(plan));
  if (plan.segments) AddSegments(text, *plan.segments);
  for (const Finding& finding : plan.findings)
    AddLine(text, "check", fmt::format("{:<9}{}", LevelText(finding.level), finding.text));
  AddLine(text, "result", plan.Refused() ? "refused, nothing would be loaded" : "would be loaded");
  return text;
}

}  // namespace kdumpkit
