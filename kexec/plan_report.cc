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
  if (plan.initrd) text += fmt::format(", initrd {}", SizeText(need.initrd));
  if (need.elfcorehdr != 0) text += fmt::format(", elfcorehdr {}", SizeText(need.elfcorehdr));
  return text + fmt::format(", other {}", SizeText(need.other));
}

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

std::string_view LoadedText(const LoadPlan& plan) {
  std::optional<bool> loaded = plan.state.LoadedIn(plan.slot);
  if (!loaded) return "unknown";
  return *loaded ? "yes, it would be replaced" : "nothing";
}

std::string FileText(const InputFile& file) {
  return fmt::format("'{}', {} bytes", file.path, file.size);
}

void AddCommandLine(std::string& text, const LoadPlan& plan) {
  std::string limit;
  if (plan.image.bzimage) limit = fmt::format(" of at most {}", plan.command_line_limit);
  AddLine(text, "command line",
          fmt::format("{} characters{}{}", plan.command_line.size(), limit,
                      plan.slot == Slot::kCrash ? "; the kernel puts elfcorehdr= before it" : ""));
  if (!plan.command_line.empty()) text += fmt::format("{:14}{}\n", "", plan.command_line);
}

}  // namespace

std::string FlagsText(uint64_t flags) {
  constexpr std::pair<uint64_t, std::string_view> kNames[] = {
      {kFileUnload, "UNLOAD"}, {kFileOnCrash, "ON_CRASH"}, {kFileNoInitramfs, "NO_INITRAMFS"},
      {kFileDebug, "DEBUG"},   {kFileNoCma, "NO_CMA"},     {kFileForceDtb, "FORCE_DTB"},
  };
  std::string names;
  for (const auto& [bit, name] : kNames)
    if ((flags & bit) != 0) names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  return names.empty() ? "0" : fmt::format("{:#x} ({})", flags, names);
}

std::string DescribePlan(const LoadPlan& plan) {
  std::string text;
  AddLine(text, "plan",
          fmt::format("load {} with kexec_file_load",
                      plan.slot == Slot::kCrash ? "a crash kernel" : "a kernel"));
  AddLine(text, "loaded now", LoadedText(plan));
  AddLine(text, "kernel", FileText(plan.kernel));
  AddLine(text, "image", plan.image.description + (plan.image.is_signed ? ", signed" : ""));
  if (plan.image.bzimage && !plan.image.bzimage->version.empty())
    AddLine(text, "version", plan.image.bzimage->version);
  AddLine(text, "initrd", plan.initrd ? FileText(*plan.initrd) : "none");
  AddCommandLine(text, plan);
  AddLine(text, "flags", FlagsText(plan.flags));
  if (plan.slot == Slot::kCrash) AddLine(text, "reservation", ReservationText(plan.reservation));
  if (plan.image.bzimage) AddLine(text, "memory", MemoryText(plan));
  for (const Finding& finding : plan.findings)
    AddLine(text, "check", fmt::format("{:<9}{}", LevelText(finding.level), finding.text));
  AddLine(text, "result", plan.Refused() ? "refused, nothing would be loaded" : "would be loaded");
  return text;
}

}  // namespace kdumpkit
