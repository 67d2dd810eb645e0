// SPDX-License-Identifier: GPL-2.0-or-later
// --info: what a vmcore or dump file is, without judging its pages.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "filter/page_bitmap.h"

namespace kdumpkit {

struct InfoReport {
  struct NoteCount {
    uint64_t count = 0;
    uint64_t bytes = 0;  // of contents
  };

  std::string file;
  std::string format;  // "ELF core" or "kdump-compressed"
  bool flattened = false;
  int format_version = 0;   // of a kdump-compressed file
  uint64_t file_bytes = 0;  // the dump's, if flattened
  uint64_t segments = 0;    // of an ELF core
  std::string kernel_release;
  std::string kernel_version;
  std::string node;
  std::string machine;  // as uname -m gives it; empty when not known
  int word_size = 8;    // bytes
  bool big_endian = false;
  uint64_t crash_time = 0;  // seconds since 1970, 0 unknown
  uint64_t page_size = 0;
  uint32_t cpus = 0;  // with registers in the notes
  uint64_t phys_base = 0;
  int dump_level = 0;
  std::optional<PfnRun> part;  // the file is this one of a split dump
  uint64_t frames = 0;         // of a kdump-compressed file: highest page frame + 1
  std::string compression;     // that was asked for when the file was made
  uint64_t memory_pages = 0;
  uint64_t dumped_pages = 0;
  uint64_t lost_pages = 0;                         // of dumped_pages
  std::map<std::string, uint64_t> pages_by_codec;  // of a kdump-compressed file
  std::map<std::string, NoteCount> notes;          // by name
  uint64_t vmcoreinfo_bytes = 0;
  uint64_t eraseinfo_bytes = 0;
  bool incomplete = false;
  std::vector<std::string> warnings;
};

// Reads headers, notes and page descriptors only.
Result<InfoReport> DescribeFile(const std::string& path);
std::string InfoText(const InfoReport& report);
std::string InfoJson(const InfoReport& report);  // keys: kdump-filter(8)

}  // namespace kdumpkit
