// SPDX-License-Identifier: GPL-2.0-or-later
// What all steps of a capture need. Everything is borrowed and outlives the steps.
#pragma once

#include "base/file.h"
#include "capture/config.h"
#include "capture/log.h"
#include "capture/memory_gauge.h"
#include "capture/system.h"
#include "capture/watchdog.h"
#include "config/dry_run.h"

namespace kdumpkit {

struct CaptureContext {
  const CaptureConfig& config;
  const RootDir& root;
  CaptureSystem& system;
  CaptureLog& log;
  Watchdog& watchdog;
  MemoryGauge& memory;
  const std::string& filter;    // kdump-filter, as it is to be run
  const DryRun* dry = nullptr;  // null: it is a real one

  // What follows must not take longer than the time allowed without progress.
  void Begin(std::string what, std::chrono::seconds longer = std::chrono::seconds(0)) const {
    watchdog.Expect(std::move(what), config.stall_timeout + longer);
  }
};

}  // namespace kdumpkit
