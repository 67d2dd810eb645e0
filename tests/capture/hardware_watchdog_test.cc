// SPDX-License-Identifier: GPL-2.0-or-later
// Watchdogs are ordinary files here: what is written to them is what a driver would get.
#include "capture/hardware_watchdog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <thread>

#include "tests/capture/fake_system.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::Not;

class HardwareWatchdogTest : public testing::Test {
 protected:
  Result<std::unique_ptr<HardwareWatchdog>> Arm(seconds timeout = seconds(1)) {
    RootDir root = RootDir::Open(dir_.path()).value();
    WatchdogIoctls ioctls = {[this](int, int timeout_seconds) -> Result<int> {
                               asked_.push_back(timeout_seconds);
                               if (!settable_) return SystemError(EOPNOTSUPP, "WDIOC_SETTIMEOUT");
                               return driver_timeout_.value_or(timeout_seconds);
                             },
                             [this](int) -> Result<int> { return driver_timeout_.value_or(0); }};
    return HardwareWatchdog::Arm(
        root, timeout, [this] { return alive_.load(); }, log_, ioctls);
  }
  std::string Written(const std::string& name) {
    return RootDir::Open(dir_.path()).value().ReadText("/dev/" + name).value();
  }
  // Waits until so much was written; false when it does not come.
  bool WaitFor(const std::string& name, size_t feeds) {
    for (int i = 0; i < 3000; ++i) {
      if (Written(name).size() >= feeds) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }

  TempDir dir_;
  std::atomic<bool> alive_ = true;
  bool settable_ = true;
  std::optional<int> driver_timeout_;
  std::vector<int> asked_;
  std::string keep_ = dir_.Write("dev/null", "");
  FakeConsole console_{dir_.File("console")};
  CaptureLog log_{console_.fd(), [] { return milliseconds(0); }};
};

TEST_F(HardwareWatchdogTest, NoneIsSaid) {
  Result<std::unique_ptr<HardwareWatchdog>> armed = Arm();
  ASSERT_FALSE(armed);
  EXPECT_EQ(armed.error().kind(), ErrorKind::kUnsupported);
}

TEST_F(HardwareWatchdogTest, IsFedAgainAndAgain) {
  dir_.Write("dev/watchdog", "");
  auto armed = Arm().value();
  EXPECT_TRUE(WaitFor("watchdog", 3));
  EXPECT_THAT(asked_, ElementsAre(1));
}

// /dev/watchdog is /dev/watchdog0; opened twice it would be busy.
TEST_F(HardwareWatchdogTest, EveryOneOnce) {
  for (const char* name : {"watchdog", "watchdog0", "watchdog1", "watchdogs", "watchdog-x"})
    dir_.Write(std::string("dev/") + name, "");
  auto armed = Arm().value();
  EXPECT_TRUE(WaitFor("watchdog0", 2));
  EXPECT_TRUE(WaitFor("watchdog1", 2));
  EXPECT_EQ(Written("watchdog"), "");
  EXPECT_EQ(Written("watchdogs"), "");
}

TEST_F(HardwareWatchdogTest, HungCaptureIsNotFed) {
  dir_.Write("dev/watchdog", "");
  auto armed = Arm().value();
  ASSERT_TRUE(WaitFor("watchdog", 2));
  alive_ = false;
  std::this_thread::sleep_for(milliseconds(600));
  size_t size = Written("watchdog").size();
  // Not even when it seems to live again.
  alive_ = true;
  std::this_thread::sleep_for(milliseconds(900));
  EXPECT_EQ(Written("watchdog").size(), size);
}

TEST_F(HardwareWatchdogTest, DisarmIsTheMagicCloseAndNothingElseIs) {
  dir_.Write("dev/watchdog", "");
  Arm().value()->Disarm();
  EXPECT_TRUE(Written("watchdog").ends_with('V'));
  dir_.Write("dev/watchdog", "");
  { auto armed = Arm().value(); }
  EXPECT_THAT(Written("watchdog"), Not(testing::HasSubstr("V")));
}

TEST_F(HardwareWatchdogTest, DriversOwnTimeoutCounts) {
  dir_.Write("dev/watchdog", "");
  driver_timeout_ = 1;
  auto armed = Arm(seconds(3600)).value();
  // By the time that was asked for the second feed would come after 15 minutes.
  EXPECT_TRUE(WaitFor("watchdog", 2));
  EXPECT_TRUE(console_.Shows("'/dev/watchdog' resets the machine after 1 s"));
}

TEST_F(HardwareWatchdogTest, DriverThatCannotBeSet) {
  dir_.Write("dev/watchdog", "");
  settable_ = false;
  driver_timeout_ = 1;
  auto armed = Arm(seconds(3600)).value();
  EXPECT_TRUE(WaitFor("watchdog", 2));
  EXPECT_TRUE(console_.Shows("'/dev/watchdog' keeps its own timeout: WDIOC_SETTIMEOUT"));
}

// The real calls, on what is no watchdog.
TEST_F(HardwareWatchdogTest, RealIoctlsReportFailure) {
  WatchdogIoctls ioctls = RealWatchdogIoctls();
  EXPECT_EQ(ioctls.set_timeout(console_.fd(), 60).error().error_number(), ENOTTY);
  EXPECT_EQ(ioctls.get_timeout(console_.fd()).error().error_number(), ENOTTY);
}

}  // namespace
}  // namespace kdumpkit
