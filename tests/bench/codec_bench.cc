// SPDX-License-Identifier: GPL-2.0-or-later
// Speed and ratio of page codecs on the 4 KiB pages of a file (a vmcore), on one thread: those that
// kdump-filter uses ("-l" …) and those it could use. Takes every STEP-th page of the file (16
// unless told), whose part in the result is as large as in the file. usage: codec_bench FILE [STEP]
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <lzo/lzo1x.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "base/file.h"
#include "dumpfile/codec.h"

using namespace kdumpkit;

namespace {

constexpr size_t kPage = 4096;
constexpr size_t kRoom = 2 * kPage;  // more than any codec's worst case
constexpr int kRounds = 3;           // the fastest counts

// Compresses one page; 0 or a size of at least a page means that it would be stored raw.
using PageFunction = std::function<size_t(ByteView page, ByteSpan out)>;

// Every step-th page of the file, unless it is zero.
Result<ByteBuffer> LoadPages(const char* path, size_t step) {
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY));
  struct stat status;
  if (fstat(fd.get(), &status) != 0) return SystemError(errno, path);
  size_t count = static_cast<size_t>(status.st_size) / kPage;
  ByteBuffer pages, page(kPage);
  for (size_t i = 0; i < count; i += step) {
    TRY(ReadFullyAt(fd.get(), FileOffset(i * kPage), page));
    if (!IsZero(page)) pages.insert(pages.end(), page.begin(), page.end());
  }
  if (pages.empty()) return Malformed("'{}' has no page that is not zero", path);
  return pages;
}

// CPU time of this thread, so that other load on the machine disturbs less.
double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void Measure(const char* name, const ByteBuffer& pages, const PageFunction& compress) {
  ByteBuffer out(kRoom);
  double best = std::numeric_limits<double>::max();
  size_t total = 0;
  for (int round = 0; round < kRounds; ++round) {
    total = 0;
    double start = CpuSeconds();
    for (size_t at = 0; at < pages.size(); at += kPage) {
      size_t size = compress(ByteView(pages).subspan(at, kPage), out);
      total += size == 0 ? kPage : std::min(size, kPage);
    }
    best = std::min(best, CpuSeconds() - start);
  }
  auto bytes = static_cast<double>(pages.size());
  std::printf("%-24s %8.0f %8.4f\n", name, bytes / best / 1e6, static_cast<double>(total) / bytes);
}

void MeasureOurs(const char* name, const ByteBuffer& pages, Codec codec) {
  auto compressor = Compressor::Make(codec, kPage);
  CHECK(compressor.has_value());
  Measure(name, pages,
          [&](ByteView page, ByteSpan out) { return (*compressor)->Compress(page, out); });
}

void MeasureLzo(const char* name, const ByteBuffer& pages, decltype(&lzo1x_1_compress) function) {
  ByteBuffer memory(LZO1X_1_15_MEM_COMPRESS);  // the largest of these variants
  Measure(name, pages, [&](ByteView page, ByteSpan out) {
    lzo_uint size = out.size();
    function(AsUnsigned(page.data()), page.size(), AsUnsigned(out.data()), &size, memory.data());
    return size;
  });
}

void MeasureZlib(const ByteBuffer& pages) {
  z_stream stream{};
  CHECK(deflateInit(&stream, 1) == Z_OK);
  ByteBuffer input(kPage);  // zlib takes no const input
  Measure("zlib 1", pages, [&](ByteView page, ByteSpan out) {
    std::ranges::copy(page, input.begin());
    deflateReset(&stream);
    stream.next_in = AsUnsigned(input.data());
    stream.avail_in = kPage;
    stream.next_out = AsUnsigned(out.data());
    stream.avail_out = kRoom;
    deflate(&stream, Z_FINISH);
    return stream.total_out;
  });
  deflateEnd(&stream);
}

void MeasureLibdeflate(const char* name, const ByteBuffer& pages, int level) {
  libdeflate_compressor* context = libdeflate_alloc_compressor(level);
  CHECK(context != nullptr);
  Measure(name, pages, [&](ByteView page, ByteSpan out) {
    return libdeflate_zlib_compress(context, page.data(), page.size(), out.data(), kPage - 1);
  });
  libdeflate_free_compressor(context);
}

void MeasureIsal(const char* name, const ByteBuffer& pages, uint32_t level) {
  auto stream = std::make_unique<isal_zstream>();
  std::vector<uint8_t> level_memory(ISAL_DEF_LVL1_DEFAULT);
  ByteBuffer input(kPage);
  Measure(name, pages, [&](ByteView page, ByteSpan out) {
    std::ranges::copy(page, input.begin());
    isal_deflate_stateless_init(stream.get());
    stream->level = level;
    stream->level_buf = level_memory.data();
    stream->level_buf_size = static_cast<uint32_t>(level_memory.size());
    stream->gzip_flag = IGZIP_ZLIB;
    stream->end_of_stream = 1;
    stream->next_in = AsUnsigned(input.data());
    stream->avail_in = kPage;
    stream->next_out = AsUnsigned(out.data());
    stream->avail_out = kRoom;
    return isal_deflate_stateless(stream.get()) == COMP_OK ? size_t{stream->total_out} : 0;
  });
}

void MeasureAll(const ByteBuffer& pages) {
  std::printf("%zu pages that are not zero\n%-24s %8s %8s\n", pages.size() / kPage, "codec", "MB/s",
              "ratio");
  MeasureOurs("-l lzo", pages, Codec::kLzo);
  MeasureOurs("-p snappy", pages, Codec::kSnappy);
  MeasureOurs("-z zstd", pages, Codec::kZstd);
  MeasureOurs("-c zlib", pages, Codec::kZlib);
  MeasureLzo("lzo1x_1", pages, lzo1x_1_compress);
  MeasureLzo("lzo1x_1_11", pages, lzo1x_1_11_compress);
  MeasureLzo("lzo1x_1_12", pages, lzo1x_1_12_compress);
  MeasureLzo("lzo1x_1_15", pages, lzo1x_1_15_compress);
  MeasureZlib(pages);
  MeasureLibdeflate("libdeflate 1", pages, 1);
  MeasureLibdeflate("libdeflate 2", pages, 2);
  MeasureIsal("ISA-L 0", pages, 0);
  MeasureIsal("ISA-L 1", pages, 1);
}

}  // namespace

int main(int argc, char** argv) {
  size_t step = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 16;
  if (argc < 2 || argc > 3 || step == 0) {
    std::fputs("usage: codec_bench FILE [STEP]\n", stderr);
    return 2;
  }
  auto pages = LoadPages(argv[1], step);
  if (!pages) {
    std::fprintf(stderr, "codec_bench: %s\n", pages.error().message().c_str());
    return 1;
  }
  MeasureAll(*pages);
  return 0;
}
