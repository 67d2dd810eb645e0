// SPDX-License-Identifier: GPL-2.0-or-later
// Makes files of a dump on a raw device (raw_area.h), in the running system, at the next boot.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "capture/system.h"

namespace kdumpkit {

struct RecoverRequest {
  std::string device;  // as in a "raw:" destination
  std::string folder;  // gets a folder for the dump
  std::string filter;  // kdump-filter, as it is to be run
};

struct Recovered {
  std::string folder;                 // that was made; empty: there was no dump
  std::vector<std::string> problems;  // what of the dump is missing or damaged
};

// Writes each part of the dump to a file, a flattened dump as the dump it stands for, syncs them,
// and only then frees the device for the next dump. What cannot be read is a problem; what cannot
// be written is an error, which leaves the device as it is and no folder behind.
Result<Recovered> RecoverDump(const RecoverRequest& request, const RootDir& root,
                              CaptureSystem& system);

}  // namespace kdumpkit
