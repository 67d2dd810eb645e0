// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/watchdog.h"

#include <algorithm>
#include <utility>

namespace kdumpkit {

Watchdog::Watchdog(std::function<void(const std::string&)> expired) : expired_(std::move(expired)) {
  // std::thread would throw when memory is short; the capture then goes on without a watchdog.
  pthread_t thread;
  if (pthread_create(&thread, nullptr, Run, this) == 0) thread_ = thread;
}

Watchdog::~Watchdog() {
  if (!thread_) return;
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  pthread_join(*thread_, nullptr);
}

void Watchdog::Expect(std::string what, std::chrono::milliseconds within) {
  {
    std::lock_guard lock(mutex_);
    what_ = std::move(what);
    deadline_ = std::chrono::steady_clock::now() + within;
  }
  changed_.notify_one();
}

void Watchdog::Disarm() {
  std::lock_guard lock(mutex_);
  deadline_.reset();
}

void Watchdog::SetTotal(std::chrono::milliseconds within) {
  {
    std::lock_guard lock(mutex_);
    total_.reset();
    if (within.count() != 0) total_ = std::chrono::steady_clock::now() + within;
  }
  changed_.notify_one();
}

std::optional<std::chrono::steady_clock::time_point> Watchdog::Deadline() const {
  if (!deadline_ || !total_) return deadline_ ? deadline_ : total_;
  return std::min(*deadline_, *total_);
}

void* Watchdog::Run(void* self) {
  static_cast<Watchdog*>(self)->Watch();
  return nullptr;
}

void Watchdog::Watch() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    auto deadline = Deadline();
    if (!deadline) {
      changed_.wait(lock);
    } else if (std::chrono::steady_clock::now() < *deadline) {
      changed_.wait_until(lock, *deadline);
    } else {
      std::string what = what_;
      if (total_ && *deadline == *total_) what += " (total_timeout)";
      lock.unlock();
      expired_(what);
      return;
    }
  }
}

}  // namespace kdumpkit
