// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <gtest/gtest.h>

#include "capture/context.h"
#include "tests/capture/fake_system.h"
#include "tests/capture/stub_filter.h"

namespace kdumpkit {

// What every step of a capture is given, for a machine below a temporary folder.
class CaptureFixture : public testing::Test {
 protected:
  CaptureFixture() { dir_.Write("proc/vmcore", "memory"); }
  bool Exists(const std::string& name) const { return std::filesystem::exists(dir_.File(name)); }
  std::string Content(const std::string& name) const { return FakeConsole(dir_.File(name)).text(); }

  TempDir dir_;
  StubFilter filter_{dir_};
  std::string filter_path_ = filter_.path();
  RootDir root_ = *RootDir::Open(dir_.path());
  FakeSystem system_;
  FakeConsole console_{dir_.File("console")};
  CaptureLog log_{console_.fd(), [this] { return system_.Uptime(); }};
  Watchdog watchdog_{[](const std::string&) {}};
  MemoryGauge memory_{root_};
  CaptureConfig config_;
  CaptureContext context_{config_, root_, system_, log_, watchdog_, memory_, filter_path_};
};

}  // namespace kdumpkit
