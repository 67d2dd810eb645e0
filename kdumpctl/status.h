// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a crash now would be saved, and if not, why not. Takes no lock and asks nothing that
// could hang without a limit of a few seconds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kdumpctl/self_test.h"
#include "kdumpctl/service.h"

namespace kdumpkit {

// The answer to one question.
struct Answer {
  std::optional<bool> good;  // absent: it cannot be told
  std::string reason;        // why it is not good, or cannot be told; else a detail
};

struct DestinationState {
  std::string uri;
  Answer reachable;
  Answer writable;
  Answer room;
  std::optional<uint64_t> free_bytes;
};

struct LastDump {
  std::string folder;
  std::string time;     // of its manifest
  std::string outcome;  // "complete", "partial", ...
  std::string reason;
};

struct ServiceState {
  CrashState crash;
  Answer reserved;
  Answer loaded;
  Answer image;
  std::vector<DestinationState> destinations;
  uint64_t estimate = 0;  // bytes of a dump now, roughly
  std::optional<LastDump> last_dump;
  std::optional<TestRecord> test;  // the last one
  std::vector<std::string> warnings;

  // Loaded, fresh, and at least one destination that would take a dump.
  bool ready() const;
};

ServiceState ReadServiceState(const RootDir& root, LiveSystem& system);

// What a dump of this machine's memory would take, from /proc/meminfo: the pages that the level
// keeps, at about half their size when they are compressed.
uint64_t EstimateDump(const Config& config, const RootDir& root);

}  // namespace kdumpkit
