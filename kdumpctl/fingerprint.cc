// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/fingerprint.h"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include "base/sha256.h"

namespace kdumpkit {
namespace {

constexpr int64_t kSecond = 1000000000;
// The coarsest times are those of vfat: two seconds. Fine ones advance with the kernel's tick,
// which is 10 ms at most.
constexpr int64_t kCoarse = 2 * kSecond;
constexpr int64_t kFine = kSecond / 10;

int64_t Nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

int64_t Now() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

bool HasFineTimes(const FileState& state) { return state.ctime % kSecond != 0; }

bool IsSettled(const Fingerprint& print) {
  const FileState& state = print.state;
  // mtime may lie in the future; where ctime is fine, no write goes without a new one.
  if (HasFineTimes(state)) return state.ctime + kFine < print.taken;
  return state.ctime + kCoarse < print.taken && state.mtime + kCoarse < print.taken;
}

// btrfs, overlayfs and NFS number their devices anew at each boot.
bool LooksTheSame(const FileState& then, FileState now) {
  if (HasFineTimes(now)) now.device = then.device;
  return then == now;
}

}  // namespace

Result<FileState> StateOfFile(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return SystemError(errno, fmt::format("'{}'", path));
  return FileState{info.st_dev, info.st_ino, static_cast<uint64_t>(info.st_size),
                   Nanoseconds(info.st_mtim), Nanoseconds(info.st_ctim)};
}

Result<Fingerprint> TakeFingerprint(const std::string& path) {
  Fingerprint print;
  print.path = path;
  print.taken = Now();
  print.state = TRY(StateOfFile(path));
  print.sha256 = TRY(Sha256OfFile(path));
  return print;
}

Result<Sameness> CompareFile(Fingerprint& print) {
  FileState state = TRY(StateOfFile(print.path));
  if (LooksTheSame(print.state, state) && IsSettled(print)) return Sameness::kSame;
  if (state.size != print.state.size) return Sameness::kChanged;
  Fingerprint now = TRY(TakeFingerprint(print.path));
  if (now.sha256 != print.sha256) return Sameness::kChanged;
  print = now;
  return Sameness::kSameButTouched;
}

}  // namespace kdumpkit
