// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/dump_check.h"

#include <algorithm>

namespace kdumpkit {
namespace {

constexpr size_t kMostFaults = 20;     // that are told one by one
constexpr size_t kDescriptors = 4096;  // read at a time

class Checker {
 public:
  Checker(const KdumpReader& dump, std::optional<uint64_t> sample, const std::atomic<bool>& stop)
      : dump_(dump),
        sample_(std::min(sample.value_or(dump.page_count()), dump.page_count())),
        stop_(stop),
        pages_(dump),
        page_(dump.info().block_size()) {
    result_.incomplete = dump.info().incomplete();
    result_.pages = dump.page_count();
  }

  DumpCheck Run() {
    CheckParts();
    for (const PhysRange& range : dump_.ranges()) {
      uint64_t first = range.base.value / page_.size();
      for (uint64_t i = 0; i < range.size / page_.size(); ++i) {
        if ((result_.stopped = stop_)) return std::move(result_);
        CheckPage(Pfn(first + i));
        ++number_;
      }
    }
    return std::move(result_);
  }

 private:
  void Fault(std::string text) {
    if (++result_.fault_count <= kMostFaults) result_.faults.push_back(std::move(text));
  }
  void CheckPart(const Result<ByteBuffer>& part) {
    if (!part) Fault(part.error().message());
  }
  void CheckParts() {
    CheckPart(dump_.Notes());
    CheckPart(dump_.Vmcoreinfo());
    CheckPart(dump_.Eraseinfo());
  }

  // Of so many pages in a row `sample_` are, as evenly as can be.
  bool NextInSample() {
    share_ += sample_;
    if (share_ < result_.pages) return false;
    share_ -= result_.pages;
    return true;
  }

  // The descriptor of the page that is next; none when the file cannot be read there.
  const PageDescriptor* Descriptor() {
    if (number_ >= begin_ + descriptors_.size()) {
      size_t count = std::min<uint64_t>(kDescriptors, result_.pages - number_);
      Result<std::vector<PageDescriptor>> more = dump_.ReadDescriptors(number_, count);
      begin_ = number_;
      if (!more) Fault(more.error().message());
      readable_ = more.has_value();
      descriptors_ = more ? std::move(*more) : std::vector<PageDescriptor>(count);
    }
    return readable_ ? &descriptors_[number_ - begin_] : nullptr;
  }

  void CheckPage(Pfn pfn) {
    if (!dump_.Exists(pfn))
      Fault(fmt::format("page frame {:#x} is in the bitmap of dumped pages, not in that of memory",
                        pfn.value));
    bool in_sample = NextInSample();
    const PageDescriptor* descriptor = Descriptor();
    if (descriptor == nullptr) return;
    if (*descriptor == PageDescriptor() && result_.incomplete) {
      ++result_.lost_pages;
      return;
    }
    Status sound = dump_.CheckDescriptor(*descriptor);
    if (sound && in_sample) {
      // Pages of zeros share one; it need not be read again each time.
      if (!(*descriptor == good_)) sound = pages_.ReadData(*descriptor, page_);
      if (sound) good_ = *descriptor;
      if (sound) ++result_.decompressed_pages;
    }
    if (!sound)
      Fault(fmt::format("page frame {:#x}, descriptor {} at offset {:#x}: {}", pfn.value, number_,
                        dump_.DescriptorOffset(number_).value, sound.error().message()));
  }

  const KdumpReader& dump_;
  uint64_t sample_;
  const std::atomic<bool>& stop_;
  KdumpPageReader pages_;
  ByteBuffer page_;
  DumpCheck result_;
  uint64_t share_ = 0;   // that is left over for the next page
  uint64_t number_ = 0;  // of the next page's descriptor
  uint64_t begin_ = 0;   // of the first in `descriptors_`
  std::vector<PageDescriptor> descriptors_;
  bool readable_ = true;
  PageDescriptor good_;  // of the last page that was decompressed
};

}  // namespace

DumpCheck CheckDump(const KdumpReader& dump, std::optional<uint64_t> sample,
                    const std::atomic<bool>& stop) {
  dump.DropCache();
  return Checker(dump, sample, stop).Run();
}

}  // namespace kdumpkit
