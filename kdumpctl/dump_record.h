// SPDX-License-Identifier: GPL-2.0-or-later
// A saved dump, as its folder tells it: by manifest.json (kdump-capture(8)) where there is one,
// else by the names of its files, the dump's header and the saved log.
#pragma once

#include <cstdint>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "kdumpctl/dump_name.h"
#include "kdumpctl/json_read.h"

namespace kdumpkit {

struct DumpFile {
  std::string name;
  uint64_t size = 0;
};

struct DumpRecord {
  std::string folder;       // in the running system
  std::string destination;  // its URI
  bool shared = false;      // where others save, too
  bool own = true;          // of this machine
  DumpLayout layout = DumpLayout::kOther;
  std::string host;
  std::string kernel;
  std::string panic;
  std::string test_id;
  std::string machine_id;
  std::string boot_id;
  time_t time = 0;      // when it was saved; without a manifest as the name says, else the files
  time_t changed = 0;   // when a file was last written
  std::string outcome;  // "complete", "partial", "dmesg-only", "failed", as in a manifest
  std::string reason;   // why it is not complete
  uint64_t size = 0;    // of all files together
  std::vector<DumpFile> files;
  nlohmann::ordered_json manifest;  // null: there is none, or it cannot be understood

  bool IsComplete() const { return outcome == "complete"; }
  std::string Name() const;
};

// Absent when the folder holds no dump: neither its name nor a manifest.json says so, or it has
// none of the files. Symbolic links are not followed.
std::optional<DumpRecord> ReadDump(const RootDir& root, const std::string& folder);

// For people.
inline std::string OrUnknown(std::string text) { return text.empty() ? "unknown" : text; }

// As "kdumpctl list --json" has it; without the manifest.
nlohmann::ordered_json DumpJson(const DumpRecord& dump);

}  // namespace kdumpkit
