// SPDX-License-Identifier: GPL-2.0-or-later
// Ends a capture that hangs. A system call on a dead disk may never return and its process cannot
// be killed, so another thread watches the time.
#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace kdumpkit {

class Watchdog {
 public:
  // `expired` gets what was going on; it runs on the watchdog's thread, once.
  explicit Watchdog(std::function<void(const std::string& what)> expired);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // `what` must be over, or this called again, within this time.
  void Expect(std::string what, std::chrono::milliseconds within);
  void Disarm();
  // Whatever is expected, it must all be over within this time from now; zero: no such limit.
  void SetTotal(std::chrono::milliseconds within);

 private:
  static void* Run(void* self);
  void Watch();
  // The nearer of the two deadlines.
  std::optional<std::chrono::steady_clock::time_point> Deadline() const;

  std::function<void(const std::string&)> expired_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string what_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::optional<std::chrono::steady_clock::time_point> total_;
  bool stop_ = false;
  std::optional<pthread_t> thread_;  // none: no memory for it, and nothing is watched
};

}  // namespace kdumpkit
