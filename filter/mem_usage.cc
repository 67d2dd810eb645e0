// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/mem_usage.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "filter/input.h"
#include "filter/select.h"

namespace kdumpkit {
namespace {

// Pages of each class that are compressed. The mean size of so many is within some 3 % of the
// truth, and they take less than a second.
constexpr uint64_t kSample = 1000;
constexpr uint64_t kRankStep = 32768;  // page frames counted at once

constexpr double kMiB = 1 << 20;

// The pages that one level bit leaves out. What every level leaves out belongs to none of them.
struct Stratum {
  PageClass page_class;
  int level_bits;  // any of these leaves it out
  PageBitmap pages;
};

// What the pages of a class come to in a dump, by the sample.
struct Sample {
  uint64_t pages = 0;
  uint64_t zero = 0;
  std::array<uint64_t, kMeasuredCodecs.size()> bytes = {};

  double BytesPerPage(size_t codec) const {
    return pages == 0 ? 0 : static_cast<double>(bytes[codec]) / static_cast<double>(pages);
  }
};

// Page frames spread evenly over the pages of the bitmap.
std::vector<uint64_t> SpreadFrames(const PageBitmap& pages) {
  uint64_t total = pages.CountAll();
  uint64_t wanted = std::min(total, kSample);
  std::vector<uint64_t> frames;
  uint64_t before = 0;  // pages in earlier steps
  for (uint64_t first = 0; first < pages.pages(); first += kRankStep) {
    uint64_t end = std::min(first + kRankStep, pages.pages());
    uint64_t behind = before + pages.Count({first, end});
    std::optional<uint64_t> frame = pages.Next(first);
    uint64_t rank = before;
    for (; frames.size() < wanted; frames.push_back(*frame)) {
      uint64_t target = frames.size() * total / wanted;
      if (target >= behind) break;
      for (; rank < target; ++rank) frame = pages.Next(*frame + 1);
    }
    before = behind;
  }
  return frames;
}

class Sampler {
 public:
  static Result<Sampler> Make(const MemorySource& memory, uint64_t page_size) {
    Sampler sampler(memory.NewReader(), page_size);
    for (Codec codec : kMeasuredCodecs)
      sampler.compressors_.push_back(TRY(Compressor::Make(codec, page_size)));
    return sampler;
  }

  Sample Take(const PageBitmap& pages) {
    Sample sample;
    for (uint64_t frame : SpreadFrames(pages)) {
      Result<ByteView> page = reader_->View(PhysAddr(frame * page_size_), page_size_);
      if (page) Add(*page, sample);
    }
    return sample;
  }

 private:
  Sampler(std::unique_ptr<MemoryReader> reader, uint64_t page_size)
      : reader_(std::move(reader)), page_size_(page_size) {}

  void Add(ByteView page, Sample& sample) {
    ++sample.pages;
    if (IsZero(page)) {
      ++sample.zero;  // shares the data of one page
      return;
    }
    for (size_t i = 0; i < compressors_.size(); ++i) {
      out_.resize(std::max(compressors_[i]->bound(), out_.size()));
      size_t size = compressors_[i]->Compress(page, out_);
      sample.bytes[i] += size == 0 ? page_size_ : size;
    }
  }

  std::unique_ptr<MemoryReader> reader_;
  uint64_t page_size_;
  std::vector<std::unique_ptr<Compressor>> compressors_;
  ByteBuffer out_;
};

Selection Select(const Crash& crash, int level, int threads) {
  return SelectPages(crash.input.memory(), crash.kernel.get(), crash.page_shift,
                     *DumpLevel::Make(level),
                     {.threads = threads,
                      .filtered = crash.input.possible_level(),
                      .running = crash.input.running});
}

PageBitmap Without(const PageBitmap& pages, const PageBitmap& others) {
  PageBitmap rest = pages;
  for (std::optional<uint64_t> frame = others.Next(0); frame;) {
    uint64_t end = *frame + 1;
    while (end < others.pages() && others.Test(end)) ++end;
    rest.Clear({*frame, end});
    frame = end < others.pages() ? others.Next(end) : std::nullopt;
  }
  return rest;
}

std::vector<Stratum> Divide(const Crash& crash, const Selection& all, int threads) {
  PageBitmap rest = all.kept;
  std::vector<Stratum> strata;
  auto split = [&](PageClass page_class, int level, int level_bits) {
    PageBitmap kept = Select(crash, level, threads).kept;
    strata.push_back({page_class, level_bits, Without(rest, kept)});
    rest = Without(rest, strata.back().pages);
  };
  split(PageClass::kCache, kLevelCache, kLevelCache | kLevelCachePrivate);
  split(PageClass::kCachePrivate, kLevelCachePrivate, kLevelCachePrivate);
  split(PageClass::kUser, kLevelUser, kLevelUser);
  split(PageClass::kFree, kLevelFree, kLevelFree);
  strata.insert(strata.begin(), {PageClass::kKernel, 0, std::move(rest)});
  return strata;
}

uint64_t DivideUp(uint64_t value, uint64_t divisor) { return (value + divisor - 1) / divisor; }

// Headers, notes and bitmaps, and the page of zeros.
uint64_t FixedBytes(const Crash& crash, uint64_t frames) {
  constexpr uint64_t kSubHeader = 104;
  uint64_t block = crash.page_size;
  uint64_t blocks = 1 + DivideUp(kSubHeader + crash.input.raw_notes.size(), block);
  return (blocks + 2 * DivideUp(DivideUp(frames, 8), block) + 1) * block;
}

MemUsageReport::Level EstimateLevel(int level, uint64_t fixed_bytes,
                                    const std::vector<Stratum>& strata,
                                    const std::vector<Sample>& samples) {
  MemUsageReport::Level result;
  result.level = level;
  std::array<double, kMeasuredCodecs.size()> bytes = {};
  for (size_t i = 0; i < strata.size(); ++i) {
    if ((strata[i].level_bits & level) != 0) continue;
    uint64_t pages = strata[i].pages.CountAll();
    result.pages += pages;
    for (size_t codec = 0; codec < bytes.size(); ++codec)
      bytes[codec] += samples[i].BytesPerPage(codec) * static_cast<double>(pages);
  }
  for (size_t codec = 0; codec < bytes.size(); ++codec)
    result.bytes[codec] =
        fixed_bytes + result.pages * kPageDescriptorSize + static_cast<uint64_t>(bytes[codec]);
  return result;
}

}  // namespace

Result<MemUsageReport> MeasureMemory(const std::string& path, int threads,
                                     const NameSources& names) {
  Crash crash = TRY(Crash::Open(path, names));
  TRY(crash.input.CheckWhole().In(fmt::format("'{}'", path)));
  Selection all = Select(crash, 0, threads);
  std::vector<Stratum> strata = Divide(crash, all, threads);
  Sampler sampler = TRY(Sampler::Make(crash.input.memory(), crash.page_size));
  MemUsageReport report;
  report.vmcore = path;
  report.kernel_release = crash.utsname.release();
  report.page_size = crash.page_size;
  report.memory_pages = all.existing_pages;
  std::vector<Sample> samples;
  for (const Stratum& stratum : strata) {
    samples.push_back(sampler.Take(stratum.pages));
    report.classes.push_back(
        {stratum.page_class, stratum.pages.CountAll(), samples.back().pages, samples.back().zero});
  }
  for (PageClass page_class : {PageClass::kHwpoison, PageClass::kOffline})
    report.classes.push_back({page_class, all.classes[static_cast<size_t>(page_class)].dropped});
  uint64_t fixed_bytes = FixedBytes(crash, all.kept.pages());
  for (int level : kMeasuredLevels)
    report.levels.push_back(EstimateLevel(level, fixed_bytes, strata, samples));
  Selection best = Select(crash, kMaxDumpLevel, threads);
  report.classified = !best.fell_back;
  report.warnings = crash.input.warnings;
  report.warnings.insert(report.warnings.end(), crash.warnings.begin(), crash.warnings.end());
  report.warnings.insert(report.warnings.end(), best.warnings.begin(), best.warnings.end());
  return report;
}

std::string MemUsageText(const MemUsageReport& report) {
  auto mib = [&](uint64_t bytes) { return static_cast<double>(bytes) / kMiB; };
  std::string text =
      fmt::format("{:<16}{:>12}{:>12}{:>14}\n", "class", "pages", "MiB", "of them zero");
  for (const MemUsageReport::Class& row : report.classes) {
    std::string zero =
        row.sampled == 0 ? "" : fmt::format("{} %", 100 * row.zero_sampled / row.sampled);
    text += fmt::format("{:<16}{:>12}{:>12.1f}{:>14}\n", PageClassName(row.page_class), row.pages,
                        mib(row.pages * report.page_size), zero);
  }
  text += fmt::format("{:<16}{:>12}{:>12.1f}\n", "all", report.memory_pages,
                      mib(report.memory_pages * report.page_size));
  text += fmt::format("{:<16}{:>12}{:>12.1f}\n\n", "excludable", report.excludable_pages(),
                      mib(report.excludable_pages() * report.page_size));
  text += fmt::format("Size of a dump, estimated from a sample of pages, in MiB:\n{:>5}{:>12}",
                      "level", "pages");
  for (Codec codec : kMeasuredCodecs) text += fmt::format("{:>11}", CodecName(codec));
  text += "\n";
  for (const MemUsageReport::Level& row : report.levels) {
    text += fmt::format("{:>5}{:>12}", row.level, row.pages);
    for (uint64_t bytes : row.bytes) text += fmt::format("{:>11.1f}", mib(bytes));
    text += "\n";
  }
  return text;
}

std::string MemUsageJson(const MemUsageReport& report) {
  nlohmann::ordered_json classes = nlohmann::ordered_json::object();
  for (const MemUsageReport::Class& row : report.classes)
    classes[std::string(PageClassName(row.page_class))] = {
        {"pages", row.pages},
        {"bytes", row.pages * report.page_size},
        {"sampled_pages", row.sampled},
        {"zero_pages_in_sample", row.zero_sampled}};
  nlohmann::ordered_json levels = nlohmann::ordered_json::array();
  for (const MemUsageReport::Level& row : report.levels) {
    nlohmann::ordered_json bytes = nlohmann::ordered_json::object();
    for (size_t i = 0; i < kMeasuredCodecs.size(); ++i)
      bytes[std::string(CodecName(kMeasuredCodecs[i]))] = row.bytes[i];
    levels.push_back({{"level", row.level}, {"pages", row.pages}, {"bytes", std::move(bytes)}});
  }
  nlohmann::ordered_json json = {
      {"vmcore", report.vmcore},
      {"kernel", report.kernel_release},
      {"page_size", report.page_size},
      {"memory_pages", report.memory_pages},
      {"classified", report.classified},
      {"classes", std::move(classes)},
      {"excludable_pages", report.excludable_pages()},
      {"excludable_bytes", report.excludable_pages() * report.page_size},
      {"levels", std::move(levels)},
      {"warnings", report.warnings},
  };
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kdumpkit
