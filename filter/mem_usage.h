// SPDX-License-Identifier: GPL-2.0-or-later
// --mem-usage: how many pages of each class a memory has, and how large a dump of it would be at
// each level and with each codec, estimated from a sample of pages.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "dumpfile/codec.h"
#include "filter/dump_level.h"
#include "filter/options.h"

namespace kdumpkit {

inline constexpr std::array<Codec, 5> kMeasuredCodecs = {Codec::kNone, Codec::kZlib, Codec::kLzo,
                                                         Codec::kSnappy, Codec::kZstd};
// The levels that differ in what they leave out: zero pages take no room at any level, and all page
// cache includes the part without private data.
inline constexpr std::array<int, 12> kMeasuredLevels = {1, 3, 7, 9, 11, 15, 17, 19, 23, 25, 27, 31};

struct MemUsageReport {
  struct Class {
    PageClass page_class = PageClass::kKernel;
    uint64_t pages = 0;
    uint64_t sampled = 0;
    uint64_t zero_sampled = 0;  // of these
  };
  struct Level {
    int level = 0;
    uint64_t pages = 0;
    std::array<uint64_t, kMeasuredCodecs.size()> bytes = {};  // estimated, of the whole dump
  };

  std::string vmcore;
  std::string kernel_release;
  uint64_t page_size = 0;
  uint64_t memory_pages = 0;
  bool classified = true;  // false: all pages count as the kernel's
  std::vector<Class> classes;
  std::vector<Level> levels;
  std::vector<std::string> warnings;

  // What level 31 leaves out.
  uint64_t excludable_pages() const { return memory_pages - levels.back().pages; }
};

Result<MemUsageReport> MeasureMemory(const std::string& path, int threads,
                                     const NameSources& names = {});
std::string MemUsageText(const MemUsageReport& report);
std::string MemUsageJson(const MemUsageReport& report);  // keys: kdump-filter(8)

}  // namespace kdumpkit
