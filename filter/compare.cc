// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/compare.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <thread>

#include "filter/input.h"
#include "filter/page_bitmap.h"

namespace kdumpkit {
namespace {

// Page frames that a thread takes at a time.
constexpr uint64_t kChunk = 4096;

PageBitmap PagesOf(const MemorySource& memory, int page_shift, uint64_t frames) {
  return PageBitmap(frames, ExistingRuns(memory.ranges(), page_shift));
}

uint64_t FrameEnd(const MemorySource& memory, int page_shift) {
  std::vector<PfnRun> runs = ExistingRuns(memory.ranges(), page_shift);
  return runs.empty() ? 0 : runs.back().end;
}

// One thread's part.
class Comparer {
 public:
  Comparer(const MemorySource& a, const PageBitmap& in_a, const MemorySource& b,
           const PageBitmap& in_b, int page_shift)
      : a_(a.NewReader()), b_(b.NewReader()), in_a_(in_a), in_b_(in_b), page_shift_(page_shift) {}

  void Chunk(uint64_t first, uint64_t end) {
    for (uint64_t frame = first; frame < end; ++frame) {
      bool in_a = in_a_.Test(frame), in_b = in_b_.Test(frame);
      if (in_a && in_b) Page(frame);
      if (in_a && !in_b) result.only_a.Add(frame);
      if (!in_a && in_b) result.only_b.Add(frame);
    }
  }

  CompareReport result;

 private:
  void Page(uint64_t frame) {
    PhysAddr address(frame << page_shift_);
    Result<ByteView> a = a_->View(address, size_t{1} << page_shift_);
    Result<ByteView> b = b_->View(address, size_t{1} << page_shift_);
    if (!a || !b)
      result.unreadable.Add(frame);
    else if (std::equal(a->begin(), a->end(), b->begin(), b->end()))
      ++result.same;
    else
      result.different.Add(frame);
  }

  std::unique_ptr<MemoryReader> a_;
  std::unique_ptr<MemoryReader> b_;
  const PageBitmap& in_a_;
  const PageBitmap& in_b_;
  int page_shift_;
};

std::string ListText(std::string_view what, const FrameList& list) {
  if (list.count == 0) return {};
  std::string text = fmt::format("{} pages {}: page frames", list.count, what);
  for (uint64_t frame : list.first) text += fmt::format(" {:#x}", frame);
  return text + (list.count > list.first.size() ? " …\n" : "\n");
}

nlohmann::ordered_json ListJson(const FrameList& list) {
  return {{"pages", list.count}, {"first", list.first}};
}

}  // namespace

void FrameList::Add(uint64_t frame) {
  if (++count <= kMost) first.push_back(frame);
}

void FrameList::Add(const FrameList& other) {
  count += other.count;
  first.insert(first.end(), other.first.begin(), other.first.end());
  std::sort(first.begin(), first.end());
  if (first.size() > kMost) first.resize(kMost);
}

void CompareMemory(const MemorySource& a, const MemorySource& b, int page_shift, int threads,
                   const std::atomic<bool>& stop, CompareReport& report) {
  uint64_t frames = std::max(FrameEnd(a, page_shift), FrameEnd(b, page_shift));
  PageBitmap in_a = PagesOf(a, page_shift, frames), in_b = PagesOf(b, page_shift, frames);
  std::vector<Comparer> parts;
  for (int i = 0; i < std::max(threads, 1); ++i) parts.emplace_back(a, in_a, b, in_b, page_shift);
  std::atomic<uint64_t> next = 0;
  auto work = [&](Comparer& part) {
    for (uint64_t first; !stop && (first = next.fetch_add(kChunk)) < frames;)
      part.Chunk(first, std::min(first + kChunk, frames));
  };
  std::vector<std::thread> workers;
  for (size_t i = 1; i < parts.size(); ++i) workers.emplace_back(work, std::ref(parts[i]));
  work(parts[0]);
  for (std::thread& worker : workers) worker.join();
  for (const Comparer& part : parts) {
    report.same += part.result.same;
    report.different.Add(part.result.different);
    report.only_a.Add(part.result.only_a);
    report.only_b.Add(part.result.only_b);
    report.unreadable.Add(part.result.unreadable);
  }
  report.stopped = stop;
}

Result<CompareReport> CompareFiles(const std::string& path_a, const std::string& path_b,
                                   int threads, const std::atomic<bool>& stop) {
  Crash a = TRY(Crash::Open(path_a));
  Crash b = TRY(Crash::Open(path_b));
  CompareReport report;
  report.file_a = path_a;
  report.file_b = path_b;
  report.page_size = std::min(a.page_size, b.page_size);
  for (const Crash* crash : {&a, &b})
    report.warnings.insert(report.warnings.end(), crash->input.warnings.begin(),
                           crash->input.warnings.end());
  CompareMemory(a.input.memory(), b.input.memory(), std::countr_zero(report.page_size), threads,
                stop, report);
  return report;
}

std::string CompareText(const CompareReport& report) {
  std::string text = fmt::format("{} pages are the same\n", report.same);
  text += ListText("differ", report.different);
  text += ListText(fmt::format("are only in '{}'", report.file_a), report.only_a);
  text += ListText(fmt::format("are only in '{}'", report.file_b), report.only_b);
  text += ListText("cannot be read in one of them", report.unreadable);
  if (report.stopped) text += "interrupted: not all pages were compared\n";
  return text + (report.equal() ? "equal\n" : "different\n");
}

std::string CompareJson(const CompareReport& report) {
  nlohmann::ordered_json json = {
      {"result", report.equal() ? "equal" : "different"},
      {"a", report.file_a},
      {"b", report.file_b},
      {"page_size", report.page_size},
      {"same_pages", report.same},
      {"different", ListJson(report.different)},
      {"only_a", ListJson(report.only_a)},
      {"only_b", ListJson(report.only_b)},
      {"unreadable", ListJson(report.unreadable)},
      {"interrupted", report.stopped},
      {"warnings", report.warnings},
  };
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kdumpkit
