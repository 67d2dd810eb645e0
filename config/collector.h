// SPDX-License-Identifier: GPL-2.0-or-later
// Fedora's core_collector: a makedumpfile command taken apart into what it asks for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace kdumpkit {

enum class DumpCompression { kNone, kZlib, kLzo, kSnappy, kZstd };

// What a makedumpfile command line asks for. What it does not mention is makedumpfile's default.
struct CollectorSettings {
  unsigned level = 0;
  DumpCompression compression = DumpCompression::kNone;
  bool flattened = false;
  std::optional<unsigned> threads;
  std::optional<unsigned> message_level;
};

// The settings of `words`, a command without its file names. Absent when it is another program, or
// has options that the settings cannot tell; it is run as it stands then. A kUsage error when an
// option's argument is bad.
Result<std::optional<CollectorSettings>> TakeApartCollector(const std::vector<std::string>& words);

}  // namespace kdumpkit
