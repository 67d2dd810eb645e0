// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/hardware_watchdog.h"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cctype>
#include <cerrno>

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Any byte feeds; this one, written last, says that the watchdog is to stop when it is closed.
constexpr char kFood = '\0';
constexpr char kMagicClose = 'V';
// Fed so many times in its time: one that comes late does not kill.
constexpr int kFeedsPerTimeout = 4;
constexpr milliseconds kShortestInterval{100};

// "watchdog0", "watchdog1", ...: /dev/watchdog is a second name of the first.
std::vector<std::string> DevicesIn(const RootDir& root) {
  constexpr std::string_view kName = "watchdog";
  std::vector<std::string> paths;
  for (const std::string& name : root.List("/dev")) {
    std::string_view number(name);
    if (!number.starts_with(kName) || number == kName) continue;
    number.remove_prefix(kName.size());
    if (std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; }))
      paths.push_back("/dev/" + name);
  }
  if (paths.empty() && root.Exists("/dev/watchdog")) paths.emplace_back("/dev/watchdog");
  return paths;
}

// The time after which this one resets. A driver that cannot be set has one of its own.
seconds SetTimeout(int fd, const std::string& path, seconds timeout, const WatchdogIoctls& ioctls,
                   CaptureLog& log) {
  Result<int> set = ioctls.set_timeout(fd, static_cast<int>(timeout.count()));
  if (set && *set > 0) return seconds(*set);
  Result<int> has = ioctls.get_timeout(fd);
  seconds real = has && *has > 0 ? std::min(seconds(*has), timeout) : timeout;
  log.Say("'{}' keeps its own timeout: {}, ignoring", path,
          set ? "the driver did not say which" : set.error().message());
  return real;
}

Result<int> IoctlInt(int fd, unsigned long request, int value, const char* name) {
  if (ioctl(fd, request, &value) == 0) return value;
  return SystemError(errno, name);
}

}  // namespace

WatchdogIoctls RealWatchdogIoctls() {
  return {[](int fd, int seconds) {
            return IoctlInt(fd, WDIOC_SETTIMEOUT, seconds, "WDIOC_SETTIMEOUT");
          },
          [](int fd) { return IoctlInt(fd, WDIOC_GETTIMEOUT, 0, "WDIOC_GETTIMEOUT"); }};
}

Result<std::unique_ptr<HardwareWatchdog>> HardwareWatchdog::Arm(const RootDir& root,
                                                                seconds timeout,
                                                                std::function<bool()> alive,
                                                                CaptureLog& log,
                                                                WatchdogIoctls ioctls) {
  std::vector<UniqueFd> devices;
  seconds shortest = timeout;
  for (const std::string& path : DevicesIn(root)) {
    Result<UniqueFd> fd = root.OpenAt(path, O_WRONLY);
    if (!fd) {
      log.Say("{}, ignoring", fd.error().message());
      continue;
    }
    seconds real = SetTimeout(fd->get(), path, timeout, ioctls, log);
    log.Say("hardware watchdog '{}' resets the machine after {} s without a sign of life", path,
            real.count());
    shortest = std::min(shortest, real);
    devices.push_back(std::move(*fd));
  }
  if (devices.empty()) return Unsupported("there is no hardware watchdog");
  milliseconds interval = std::max(milliseconds(shortest) / kFeedsPerTimeout, kShortestInterval);
  auto watchdog = std::unique_ptr<HardwareWatchdog>(
      new HardwareWatchdog(std::move(devices), interval, std::move(alive)));
  pthread_t thread;
  int error = pthread_create(&thread, nullptr, Run, watchdog.get());
  if (error == 0) {
    watchdog->thread_ = thread;
    return watchdog;
  }
  watchdog->Disarm();
  return SystemError(error, "cannot start a thread for the hardware watchdog");
}

HardwareWatchdog::~HardwareWatchdog() { Stop(); }

void HardwareWatchdog::Stop() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_one();
  if (thread_) pthread_join(*thread_, nullptr);
  thread_.reset();
}

void HardwareWatchdog::Disarm() {
  Stop();
  Feed(kMagicClose);
  devices_.clear();
}

void* HardwareWatchdog::Run(void* self) {
  static_cast<HardwareWatchdog*>(self)->FeedUntilStopped();
  return nullptr;
}

void HardwareWatchdog::FeedUntilStopped() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    lock.unlock();
    // Once it is dead it stays so: a watchdog that begins anew would never reset.
    if (!alive_()) return;
    Feed(kFood);
    lock.lock();
    if (!stop_) stopping_.wait_for(lock, interval_);
  }
}

// A failure cannot be helped: the machine is reset.
void HardwareWatchdog::Feed(char byte) {
  for (const UniqueFd& device : devices_) (void)WriteFully(device.get(), AsBytes({&byte, 1}));
}

}  // namespace kdumpkit
