// SPDX-License-Identifier: GPL-2.0-or-later
// Hardware watchdogs: they reset the machine when nobody feeds them any more, so that not even a
// capture kernel that hangs as a whole stays down. One that the dead kernel has started runs on
// here, and has to be fed for that reason, too. (Linux: Documentation/watchdog/watchdog-api.rst.)
#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "capture/log.h"

namespace kdumpkit {

// The ioctls of a watchdog; seconds. Tests have their own.
struct WatchdogIoctls {
  // WDIOC_SETTIMEOUT; the driver may choose another time, which is returned.
  std::function<Result<int>(int fd, int seconds)> set_timeout;
  // WDIOC_GETTIMEOUT.
  std::function<Result<int>(int fd)> get_timeout;
};
WatchdogIoctls RealWatchdogIoctls();

class HardwareWatchdog {
 public:
  // Starts every watchdog of /dev and feeds them from a thread for as long as `alive` says so; it
  // is called on that thread. When it says no, or is stuck, the machine is reset after `timeout`
  // or what the driver makes of it. kUnsupported: there is no watchdog, or none can be opened.
  // `log` is used by this call only.
  static Result<std::unique_ptr<HardwareWatchdog>> Arm(
      const RootDir& root, std::chrono::seconds timeout, std::function<bool()> alive,
      CaptureLog& log, WatchdogIoctls ioctls = RealWatchdogIoctls());
  // Feeding ends, and the machine is reset unless it is down before that: for a reboot.
  ~HardwareWatchdog();
  HardwareWatchdog(const HardwareWatchdog&) = delete;
  HardwareWatchdog& operator=(const HardwareWatchdog&) = delete;

  // Stops them, before a machine that is to stay down, or a shell. Drivers may be told (nowayout)
  // that they cannot be stopped; then the machine will be reset.
  void Disarm();

 private:
  HardwareWatchdog(std::vector<UniqueFd> devices, std::chrono::milliseconds interval,
                   std::function<bool()> alive)
      : devices_(std::move(devices)), interval_(interval), alive_(std::move(alive)) {}
  static void* Run(void* self);
  void FeedUntilStopped();
  void Feed(char byte);
  void Stop();

  std::vector<UniqueFd> devices_;
  std::chrono::milliseconds interval_;
  std::function<bool()> alive_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::optional<pthread_t> thread_;
};

}  // namespace kdumpkit
