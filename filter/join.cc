// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/join.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "dumpfile/kdump_writer.h"
#include "dumpfile/output_file.h"
#include "filter/dump_file.h"
#include "filter/input.h"
#include "filter/page_bitmap.h"

namespace kdumpkit {
namespace {

constexpr size_t kBatch = 256;  // pages written at a time

struct Part {
  std::string path;
  KdumpPart frames;
};

// Headers without what may differ between the parts of a dump.
ByteBuffer CommonHeaders(const KdumpInfo& info) {
  KdumpHeader header = info.header;
  header.status &= ~uint64_t{kKdumpIncomplete};
  KdumpSubHeader sub = info.sub_header;
  sub.start_pfn = sub.end_pfn = sub.start_pfn_64 = sub.end_pfn_64 = 0;
  ByteBuffer bytes = EncodeKdumpHeader(header, info.abi);
  ByteBuffer more = EncodeKdumpSubHeader(sub, info.abi);
  bytes.insert(bytes.end(), more.begin(), more.end());
  return bytes;
}

Status CheckSameDump(const Input& a, const Input& b) {
  std::string_view differs;
  if (a.kdump->info().abi != b.kdump->info().abi ||
      CommonHeaders(a.kdump->info()) != CommonHeaders(b.kdump->info()))
    differs = "headers";
  else if (a.raw_notes != b.raw_notes)
    differs = "notes";
  else if (a.eraseinfo != b.eraseinfo)
    differs = "records of erased data";
  else if (a.kdump->existing() != b.kdump->existing() ||
           a.kdump->dumped_in_all() != b.kdump->dumped_in_all())
    differs = "page bitmaps";
  if (differs.empty()) return {};
  return Malformed("'{}' and '{}' are not parts of one dump: their {} differ", a.path, b.path,
                   differs);
}

Result<Input> OpenPart(const std::string& path) {
  Input input = TRY(Input::Open(path));
  if (!input.kdump || !input.kdump->info().part)
    return UsageError("'{}' is no part of a split dump", path);
  return input;
}

// All page frames are in one part, and only one. `parts` are sorted.
Status CheckTiling(const std::vector<Part>& parts, uint64_t frames) {
  uint64_t end = 0;
  const Part* before = nullptr;
  auto missing = [&](uint64_t until) {
    return UsageError(
        "page frames {:#x} to {:#x} are in none of the {} parts: give all parts of the dump", end,
        until, parts.size());
  };
  for (const Part& part : parts) {
    if (part.frames.first > end) return missing(part.frames.first);
    if (part.frames.first < end)
      return UsageError(
          "page frames from {:#x} on are both in '{}' and in '{}': give each part once",
          part.frames.first, before->path, part.path);
    end = part.frames.end;
    before = &part;
  }
  if (end < frames) return missing(frames);
  return {};
}

Result<std::vector<Part>> CheckParts(const std::vector<std::string>& paths, const Input& first,
                                     JoinReport& report) {
  std::vector<Part> parts;
  for (const std::string& path : paths) {
    Input input = TRY(OpenPart(path));
    TRY(CheckSameDump(first, input));
    parts.push_back({path, *input.kdump->info().part});
    report.warnings.insert(report.warnings.end(), input.warnings.begin(), input.warnings.end());
    if (input.incomplete()) report.complete = false;
  }
  std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
    return std::pair(a.frames.first, a.frames.end) < std::pair(b.frames.first, b.frames.end);
  });
  TRY(CheckTiling(parts, first.kdump->info().max_mapnr));
  return parts;
}

// The output is written beside the parts, which have to last until it is complete.
Status CheckOutput(const std::string& output, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    std::error_code ignored;
    for (const std::string& path : {output, output + "-incomplete"})
      if (path == part || std::filesystem::equivalent(path, part, ignored))
        return UsageError("'{}' is one of the parts; choose another name for the dump", path);
  }
  return {};
}

KdumpParameters MakeParameters(const Input& part) {
  const KdumpInfo& info = part.kdump->info();
  KdumpParameters parameters;
  parameters.abi = info.abi;
  parameters.block_size = static_cast<uint32_t>(info.block_size());
  parameters.max_mapnr = info.max_mapnr;
  parameters.utsname = info.header.utsname;
  parameters.crash_time = info.header.tv_sec;
  parameters.cpu_count = static_cast<uint32_t>(info.header.nr_cpus);
  parameters.phys_base = info.sub_header.phys_base;
  parameters.dump_level = static_cast<int>(info.sub_header.dump_level);
  parameters.status = info.header.status & ~uint64_t{kKdumpIncomplete};
  parameters.notes = part.raw_notes;
  parameters.vmcoreinfo_offset = part.vmcoreinfo_offset;
  parameters.vmcoreinfo_size = part.vmcoreinfo_size;
  parameters.eraseinfo = part.eraseinfo;
  return parameters;
}

Result<KdumpWriter> BeginWhole(int fd, const Input& part) {
  const KdumpReader& dump = *part.kdump;
  uint64_t frames = dump.info().max_mapnr;
  int page_shift = std::countr_zero(dump.info().block_size());
  auto bitmap = [&](const std::vector<PhysRange>& ranges) {
    return PageBitmap(frames, ExistingRuns(ranges, page_shift));
  };
  KdumpWriter writer = TRY(KdumpWriter::Create(fd, MakeParameters(part), dump.page_count_in_all()));
  TRY(WriteBitmap(writer, KdumpWriter::Bitmap::kExisting, bitmap(dump.existing())));
  TRY(WriteBitmap(writer, KdumpWriter::Bitmap::kDumped, bitmap(dump.dumped_in_all())));
  TRY(writer.BeginData());
  // The page that all pages of zeros share comes first, as in every dump of ours.
  TRY(writer.WritePages(0, {}, writer.data_start(), ByteBuffer(dump.info().block_size())));
  return writer;
}

// Appends the pages of parts to the whole.
class Joiner {
 public:
  Joiner(const KdumpWriter& writer, uint64_t page_size, const std::atomic<bool>& stop,
         JoinReport& report)
      : writer_(writer), stop_(stop), report_(report), end_(writer.data_start() + page_size) {}

  // Fails when the whole cannot be written; what the part lacks becomes holes.
  Status Append(const Input& part) {
    const KdumpReader& dump = *part.kdump;
    zeros_ = {};
    fault_.clear();
    uint64_t lost_before = report_.lost_pages;
    for (uint64_t number = 0; number < dump.page_count(); number += kBatch) {
      if (stop_) return Truncated("interrupted");
      TRY(AppendBatch(dump, number, std::min<uint64_t>(kBatch, dump.page_count() - number)));
    }
    if (!fault_.empty())
      report_.warnings.push_back(fmt::format("'{}': {} pages lost: {}", part.path,
                                             report_.lost_pages - lost_before, fault_));
    return {};
  }

 private:
  Status AppendBatch(const KdumpReader& dump, uint64_t number, size_t count) {
    Result<std::vector<PageDescriptor>> read = dump.ReadDescriptors(number, count);
    if (!read) fault_ = read.error().message();
    std::vector<PageDescriptor> descriptors =
        read ? std::move(*read) : std::vector<PageDescriptor>(count);
    data_.clear();
    for (size_t i = 0; i < count; ++i) descriptors[i] = Take(dump, number + i, descriptors[i]);
    TRY(writer_.WritePages(next_, descriptors, end_, data_));
    next_ += count;
    end_ = end_ + data_.size();
    return {};
  }

  // Adds the page to `data_`; its descriptor in the whole.
  PageDescriptor Take(const KdumpReader& dump, uint64_t number, const PageDescriptor& descriptor) {
    PageDescriptor zero{writer_.data_start().value, descriptor.size, 0};
    if (descriptor.offset != 0 && descriptor == zeros_) return zero;
    bool marked = descriptor == PageDescriptor() && dump.info().incomplete();
    size_t at = data_.size();
    Status read = dump.CheckDescriptor(descriptor);
    if (read && !marked) {
      data_.resize(at + descriptor.size);
      read = dump.ReadPacked(descriptor, ByteSpan(data_).subspan(at));
    }
    if (!read || marked) {
      data_.resize(at);
      ++report_.lost_pages;
      if (!marked && fault_.empty())
        fault_ = fmt::format("descriptor {} at offset {:#x}: {}", number,
                             dump.DescriptorOffset(number).value, read.error().message());
      return {};
    }
    bool raw = descriptor.flags == 0 && descriptor.size == dump.info().block_size();
    if (!raw || !IsZero(ByteView(data_).subspan(at)))
      return {end_.value + at, descriptor.size, descriptor.flags};
    data_.resize(at);
    zeros_ = descriptor;
    return zero;
  }

  const KdumpWriter& writer_;
  const std::atomic<bool>& stop_;
  JoinReport& report_;
  uint64_t next_ = 0;  // number of the next page in the whole
  FileOffset end_;     // of its data
  ByteBuffer data_;
  PageDescriptor zeros_;  // of the part's page of zeros, once it was seen
  std::string fault_;     // the first of the part
};

Status AppendAll(const std::vector<Part>& parts, Joiner& joiner) {
  for (const Part& part : parts) TRY(joiner.Append(TRY(OpenPart(part.path))));
  return {};
}

// Names the file that is left in `report.dump`.
Status Finish(const KdumpWriter& writer, OutputFile& output, const FilterOptions& options,
              const Status& joined, JoinReport& report) {
  if (report.lost_pages > 0 || !joined) report.complete = false;
  Status finished = writer.Finish(report.complete);
  struct stat file = {};
  if (fstat(output.fd(), &file) == 0) report.bytes = static_cast<uint64_t>(file.st_size);
  const Status& failed = joined ? finished : joined;
  if (!failed) report.warnings.push_back(failed.error().message());
  bool whole = joined && finished;
  report.complete = report.complete && whole;
  report.dump = whole ? options.output : output.incomplete_path();
  return whole ? output.Commit() : output.Keep();
}

}  // namespace

Result<JoinReport> JoinParts(const FilterOptions& options, const std::atomic<bool>& stop) {
  auto start = std::chrono::steady_clock::now();
  JoinReport report;
  report.complete = true;
  report.parts = options.parts.size();
  TRY(CheckOutput(options.output, options.parts));
  Input first = TRY(OpenPart(options.parts[0]));
  std::vector<Part> parts = TRY(CheckParts(options.parts, first, report));
  report.pages = first.kdump->page_count_in_all();
  OutputFile output = TRY(OutputFile::Create(options.output, options.force));
  KdumpWriter writer = TRY(BeginWhole(output.fd(), first)
                               .In(fmt::format("cannot write '{}'", output.incomplete_path())));
  Joiner joiner(writer, first.kdump->info().block_size(), stop, report);
  Status joined = AppendAll(parts, joiner);
  TRY(Finish(writer, output, options, joined, report));
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

std::string JoinText(const JoinReport& report) {
  return fmt::format(
      "{} dump '{}' of {} parts: {} pages{}, {:.1f} MiB, in {:.2f} s\n",
      report.complete ? "complete" : "partial", report.dump, report.parts, report.pages,
      report.lost_pages > 0 ? fmt::format(", {} of them lost", report.lost_pages) : "",
      static_cast<double>(report.bytes) / (1 << 20), report.seconds);
}

std::string JoinJson(const JoinReport& report) {
  nlohmann::ordered_json json = {{"result", report.complete ? "complete" : "partial"},
                                 {"dump", report.dump},
                                 {"parts", report.parts},
                                 {"pages", report.pages},
                                 {"lost_pages", report.lost_pages},
                                 {"bytes", report.bytes},
                                 {"seconds", report.seconds},
                                 {"warnings", report.warnings}};
  // Paths may hold any bytes; what is not UTF-8 is shown as the replacement character.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kdumpkit
