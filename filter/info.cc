// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/info.h"

#include <ctime>
#include <nlohmann/json.hpp>

#include "filter/input.h"
#include "filter/page_bitmap.h"
#include "kernel/arch.h"

namespace kdumpkit {
namespace {

constexpr size_t kDescriptors = 4096;  // read at a time
constexpr Codec kCodecs[] = {Codec::kNone, Codec::kZlib, Codec::kLzo, Codec::kSnappy, Codec::kZstd};

std::string CompressionName(uint64_t status) {
  for (Codec codec : kCodecs)
    if (codec != Codec::kNone && (status & CodecFlag(codec)) != 0)
      return std::string(CodecName(codec));
  return "none";
}

std::string FlagsName(uint32_t flags) {
  for (Codec codec : kCodecs)
    if (flags == CodecFlag(codec)) return std::string(CodecName(codec));
  return "unknown";
}

uint64_t CountPages(std::span<const PhysRange> ranges, int page_shift) {
  uint64_t pages = 0;
  for (const PfnRun& run : ExistingRuns(ranges, page_shift)) pages += run.end - run.first;
  return pages;
}

Status CountDescriptors(const KdumpReader& dump, InfoReport& report) {
  for (uint64_t first = 0; first < dump.page_count(); first += kDescriptors) {
    size_t count = std::min<uint64_t>(kDescriptors, dump.page_count() - first);
    for (const PageDescriptor& descriptor : TRY(dump.ReadDescriptors(first, count))) {
      if (descriptor.offset == 0)
        ++report.lost_pages;
      else
        ++report.pages_by_codec[FlagsName(descriptor.flags)];
    }
  }
  return {};
}

Status DescribeKdump(const KdumpReader& dump, InfoReport& report) {
  const KdumpInfo& info = dump.info();
  report.format = "kdump-compressed";
  report.format_version = static_cast<int>(info.header.header_version);
  report.file_bytes = info.file_size;
  report.compression = CompressionName(info.header.status);
  if (info.part) report.part = PfnRun{info.part->first, info.part->end};
  report.frames = info.max_mapnr;
  return CountDescriptors(dump, report);
}

Status DescribeElf(const Vmcore& vmcore, InfoReport& report) {
  report.format = "ELF core";
  report.segments = vmcore.segments().size();
  for (const Segment& segment : vmcore.segments())
    report.file_bytes = std::max(report.file_bytes, segment.offset.value + segment.file_size);
  if (vmcore.truncated_at()) report.file_bytes = vmcore.truncated_at()->value;
  report.compression = "none";
  return {};
}

void DescribeKernel(const Crash& crash, InfoReport& report) {
  report.node = crash.utsname.fields[1];
  report.kernel_release = crash.utsname.release();
  report.kernel_version = crash.utsname.fields[3];
  report.machine = crash.utsname.fields[4];
  if (const Arch* arch = FindArch(crash.input.machine.elf_machine); arch != nullptr)
    report.machine = arch->name();
  report.crash_time = crash.crash_time;
  report.page_size = crash.page_size;
  report.phys_base = crash.phys_base;
}

std::string TimeText(uint64_t seconds) {
  if (seconds == 0) return "unknown";
  auto time = static_cast<time_t>(seconds);
  struct tm parts = {};
  char text[64];
  if (gmtime_r(&time, &parts) == nullptr ||
      strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
    return fmt::format("{} s since 1970", seconds);
  return text;
}

std::string FormatText(const InfoReport& report) {
  std::string text = report.format;
  if (report.format_version != 0) text += fmt::format(" version {}", report.format_version);
  if (report.segments != 0) text += fmt::format(", {} segments", report.segments);
  return text + (report.flattened ? ", flattened" : "");
}

std::string PagesText(const InfoReport& report) {
  std::string text = fmt::format("{} of {} in the file", report.dumped_pages, report.memory_pages);
  for (const auto& [codec, pages] : report.pages_by_codec)
    text += fmt::format(", {} {}", pages, codec == "none" ? "not compressed" : codec);
  if (report.lost_pages > 0) text += fmt::format(", {} lost", report.lost_pages);
  return text;
}

std::string NotesText(const InfoReport& report) {
  std::string text;
  for (const auto& [name, note] : report.notes)
    text +=
        fmt::format("{}{} {} ({} bytes)", text.empty() ? "" : ", ", note.count, name, note.bytes);
  return text.empty() ? "none" : text;
}

nlohmann::ordered_json PartJson(const InfoReport& report) {
  if (!report.part) return nullptr;
  return {{"first_frame", report.part->first},
          {"end_frame", report.part->end},
          {"frames", report.frames}};
}

}  // namespace

Result<InfoReport> DescribeFile(const std::string& path) {
  Crash crash = TRY(Crash::Open(path));
  const Input& input = crash.input;
  InfoReport report;
  report.file = path;
  report.flattened = input.flattened;
  report.word_size = input.machine.word_size;
  report.big_endian = input.machine.order == ByteOrder::kBig;
  report.cpus = input.cpu_count;
  report.dump_level = input.dump_level();
  report.vmcoreinfo_bytes = input.vmcoreinfo_size;
  report.eraseinfo_bytes = input.eraseinfo.size();
  report.incomplete = input.incomplete();
  DescribeKernel(crash, report);
  report.memory_pages = CountPages(input.existing(), crash.page_shift);
  report.dumped_pages = CountPages(input.memory().ranges(), crash.page_shift);
  for (const Note& note : input.notes) {
    InfoReport::NoteCount& count = report.notes[note.name];
    ++count.count;
    count.bytes += note.desc.size();
  }
  TRY(input.kdump ? DescribeKdump(*input.kdump, report) : DescribeElf(*input.elf, report));
  report.warnings = input.warnings;
  report.warnings.insert(report.warnings.end(), crash.warnings.begin(), crash.warnings.end());
  return report;
}

std::string InfoText(const InfoReport& report) {
  std::string text;
  auto row = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{:<14}{}\n", name, value);
  };
  row("file", report.file);
  row("format", FormatText(report));
  if (report.part)
    row("part", fmt::format("of a split dump: page frames {:#x} to {:#x} of {:#x}",
                            report.part->first, report.part->end, report.frames));
  row("size", fmt::format("{} bytes", report.file_bytes));
  row("complete", report.incomplete ? "no" : "yes");
  row("kernel",
      report.kernel_release + (report.kernel_version.empty() ? "" : " ") + report.kernel_version);
  if (!report.node.empty()) row("node", report.node);
  row("machine",
      fmt::format("{}, {} bits, {}-endian, {} CPUs",
                  report.machine.empty() ? "unknown" : report.machine, report.word_size * 8,
                  report.big_endian ? "big" : "little", report.cpus));
  row("crashed", TimeText(report.crash_time));
  row("dump level", fmt::format("{}", report.dump_level));
  row("compression", report.compression);
  row("page size", fmt::format("{}", report.page_size));
  row("pages", PagesText(report));
  row("notes", NotesText(report));
  row("VMCOREINFO", fmt::format("{} bytes", report.vmcoreinfo_bytes));
  if (report.eraseinfo_bytes > 0)
    row("erased data", fmt::format("{} bytes of record", report.eraseinfo_bytes));
  return text;
}

std::string InfoJson(const InfoReport& report) {
  nlohmann::ordered_json notes = nlohmann::ordered_json::object();
  for (const auto& [name, note] : report.notes)
    notes[name] = {{"count", note.count}, {"bytes", note.bytes}};
  nlohmann::ordered_json json = {
      {"file", report.file},
      {"format", report.format},
      {"format_version", report.format_version},
      {"flattened", report.flattened},
      {"part", PartJson(report)},
      {"bytes", report.file_bytes},
      {"complete", !report.incomplete},
      {"kernel", report.kernel_release},
      {"kernel_version", report.kernel_version},
      {"node", report.node},
      {"machine", report.machine},
      {"bits", report.word_size * 8},
      {"byte_order", report.big_endian ? "big" : "little"},
      {"cpus", report.cpus},
      {"crash_time", report.crash_time},
      {"page_size", report.page_size},
      {"phys_base", report.phys_base},
      {"level", report.dump_level},
      {"compression", report.compression},
      {"segments", report.segments},
      {"memory_pages", report.memory_pages},
      {"dumped_pages", report.dumped_pages},
      {"lost_pages", report.lost_pages},
      {"pages_by_codec", report.pages_by_codec},
      {"notes", std::move(notes)},
      {"vmcoreinfo_bytes", report.vmcoreinfo_bytes},
      {"eraseinfo_bytes", report.eraseinfo_bytes},
      {"warnings", report.warnings},
  };
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kdumpkit
