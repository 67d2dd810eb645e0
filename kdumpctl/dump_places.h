// SPDX-License-Identifier: GPL-2.0-or-later
// The folders of the running system that have dumps, and all dumps in them.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "kdumpctl/dump_record.h"

namespace kdumpkit {

struct DumpPlace {
  std::string destination;  // URI
  std::string folder;       // empty: it cannot be seen from here
  std::string reason;       // why not
  bool shared = false;      // other machines save there, too
};

// The destinations in their order, and the folder `path` of this system where dumps are brought
// (from a raw device, or by failure_action dump_to_rootfs). A folder comes once.
std::vector<DumpPlace> DumpPlaces(const Config& config, const RootDir& root);

// The dumps of all places, newest first; with equal times, by name. In shared places a dump is the
// machine's own when its manifest has the machine's ID.
std::vector<DumpRecord> ListDumps(const std::vector<DumpPlace>& places, const RootDir& root);

// The configuration as far as it can be understood; mistakes in it are kdumpctl check-config's.
Result<Config> ReadConfig(const RootDir& root);

}  // namespace kdumpkit
