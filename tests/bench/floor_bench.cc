// SPDX-License-Identifier: GPL-2.0-or-later
// What a dump of all memory (-d 0) by one thread cannot do without, each part alone: the codec on
// exactly the pages that kdump-filter compresses, reading the file and looking for zero pages (as
// kdump-filter reads ordinary files, and with mapped windows instead), and writing as many bytes as
// the codec makes. usage: floor_bench VMCORE CODEC SCRATCH-FILE
// Prints one "name value" a line; seconds are CPU time. filter_bench.py runs it.
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "base/file.h"
#include "dumpfile/codec.h"
#include "elf/file_window.h"
#include "elf/vmcore.h"
#include "filter/page_batches.h"

using namespace kdumpkit;

namespace {

constexpr size_t kPage = 4096;
constexpr int kPageShift = 12;
// Pages are collected, then compressed: in a chunk beyond every cache they come from memory, as in
// codec_bench; in one of a single batch they are still in the core's cache.
constexpr size_t kFromMemory = size_t{256} << 20;
constexpr size_t kFromCache = PageBatches::kPages * kPage;

struct Packed {
  double seconds = 0;
  uint64_t pages = 0;
  uint64_t bytes = 0;
};

double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class CodecMeter {
 public:
  CodecMeter(Compressor& compressor, size_t chunk) : compressor_(compressor), chunk_(chunk) {
    pages_.reserve(chunk);
    out_.resize(std::max(compressor.bound(), kPage));
  }

  void Add(ByteView page) {
    pages_.insert(pages_.end(), page.begin(), page.end());
    if (pages_.size() == chunk_) Compress();
  }
  Packed Take() {
    Compress();
    return total_;
  }

 private:
  void Compress() {
    double start = CpuSeconds();
    for (size_t at = 0; at < pages_.size(); at += kPage) {
      size_t size = compressor_.Compress(ByteView(pages_).subspan(at, kPage), out_);
      total_.bytes += size == 0 ? kPage : size;
    }
    total_.seconds += CpuSeconds() - start;
    total_.pages += pages_.size() / kPage;
    pages_.clear();
  }

  Compressor& compressor_;
  size_t chunk_;
  ByteBuffer pages_;
  ByteBuffer out_;
  Packed total_;
};

// Calls f(page) for each page that exists, as the filter does at -d 0.
template <typename Function>
Status ForEachPage(const Vmcore& vmcore, Function f) {
  std::unique_ptr<MemoryReader> reader = vmcore.NewReader();
  for (const PfnRun& run : ExistingRuns(vmcore.ranges(), kPageShift)) {
    for (uint64_t pfn = run.first; pfn < run.end; ++pfn) {
      ByteView page = TRY(reader->View(PhysAddr(pfn << kPageShift), kPage));
      f(page);
    }
  }
  return {};
}

Result<Packed> MeasureCodec(const Vmcore& vmcore, Codec codec, size_t chunk) {
  std::unique_ptr<Compressor> compressor = TRY(Compressor::Make(codec, kPage));
  CodecMeter meter(*compressor, chunk);
  TRY(ForEachPage(vmcore, [&](ByteView page) {
    if (!IsZero(page)) meter.Add(page);
  }));
  return meter.Take();
}

// Every page of the file is looked at until it is known not to be zero.
Result<double> MeasureReading(const char* path, WindowMode mode) {
  UniqueFd file = TRY(OpenFile(path, O_RDONLY));
  auto size = static_cast<uint64_t>(lseek(file.get(), 0, SEEK_END));
  double start = CpuSeconds();
  FileWindow window(file.get(), size, mode, path);
  uint64_t zero_pages = 0;
  for (uint64_t at = 0; at + kPage <= size; at += kPage)
    if (IsZero(TRY(window.Get(FileOffset(at), kPage)))) ++zero_pages;
  CHECK(zero_pages <= size / kPage);
  return CpuSeconds() - start;
}

// In pieces of the size that the filter's batches have.
Result<double> MeasureWriting(const char* path, const Packed& packed) {
  UniqueFd file = TRY(OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  ByteBuffer piece(PageBatches::kPages * packed.bytes / packed.pages, std::byte{1});
  double start = CpuSeconds();
  for (uint64_t at = 0; at < packed.bytes; at += piece.size())
    TRY(WriteFullyAt(file.get(), FileOffset(at), piece));
  double seconds = CpuSeconds() - start;
  unlink(path);
  return seconds;
}

Status MeasureAll(const char* path, Codec codec, const char* scratch) {
  std::unique_ptr<Vmcore> vmcore = TRY(Vmcore::Open(path));
  Packed memory = TRY(MeasureCodec(*vmcore, codec, kFromMemory));
  Packed cache = TRY(MeasureCodec(*vmcore, codec, kFromCache));
  double read = TRY(MeasureReading(path, WindowMode::kRead));
  double map = TRY(MeasureReading(path, WindowMode::kMap));
  if (memory.pages == 0) return Malformed("'{}' has no page that is not zero", path);
  double write = TRY(MeasureWriting(scratch, memory));
  fmt::print("pages {}\nbytes {}\ncodec_memory {:.4f}\ncodec_cache {:.4f}\n", memory.pages,
             memory.bytes, memory.seconds, cache.seconds);
  fmt::print("read {:.4f}\nmap {:.4f}\nwrite {:.4f}\n", read, map, write);
  return {};
}

Result<Codec> CodecNamed(std::string_view name) {
  for (Codec codec : {Codec::kNone, Codec::kZlib, Codec::kLzo, Codec::kSnappy, Codec::kZstd})
    if (CodecName(codec) == name) return codec;
  return UsageError("no codec is called '{}'", name);
}

Status Run(char** argv) {
  Codec codec = TRY(CodecNamed(argv[2]));
  return MeasureAll(argv[1], codec, argv[3]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: floor_bench VMCORE CODEC SCRATCH-FILE\n", stderr);
    return 2;
  }
  Status done = Run(argv);
  if (done) return 0;
  std::fprintf(stderr, "floor_bench: %s\n", done.error().message().c_str());
  return 1;
}
