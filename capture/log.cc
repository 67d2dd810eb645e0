// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/log.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"

namespace kdumpkit {
namespace {

// More than this is not kept for a file that is opened later. The beginning tells how the capture
// was set up, the end how it went; what is between is progress.
constexpr size_t kMaxText = size_t{64} << 10;
constexpr size_t kKeptBeginning = size_t{32} << 10;
constexpr size_t kCut = size_t{16} << 10;

}  // namespace

void CaptureLog::Line(std::string_view text) {
  if (mid_line_) Raw("\n");
  Console(text);
  int64_t now = uptime_().count();
  Keep(fmt::format("[{:5}.{:03}] {}\n", now / 1000, now % 1000, text));
  if (file_.valid()) (void)fdatasync(file_.get());
}

void CaptureLog::Console(std::string_view text) {
  (void)WriteFully(console_fd_, AsBytes(fmt::format("kdump: {}\n", text)));
}

void CaptureLog::Raw(std::string_view text) {
  if (text.empty()) return;
  mid_line_ = !text.ends_with('\n');
  (void)WriteFully(console_fd_, AsBytes(text));
  Keep(text);
}

void CaptureLog::Keep(std::string_view text) {
  text_ += text.substr(0, kCut);
  while (text_.size() > kMaxText) text_.erase(kKeptBeginning, kCut);
  if (!file_.valid()) return;
  // A full disk must not silence the console, so the failure is told there, once.
  if (Status written = WriteFully(file_.get(), AsBytes(text)); !written && !file_failed_) {
    file_failed_ = true;
    Console(fmt::format("capture.log: {}, ignoring", written.error().message()));
  }
}

Status CaptureLog::Open(const std::string& path) {
  file_ = TRY(OpenFile(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600));
  file_failed_ = false;
  return WriteFully(file_.get(), AsBytes(text_));
}

void CaptureLog::Close() {
  if (file_.valid()) (void)fsync(file_.get());
  file_.reset();
}

std::string SizeText(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  double amount = static_cast<double>(bytes);
  for (; amount >= 1024 && unit + 1 < std::size(kUnits); ++unit) amount /= 1024;
  return unit == 0 ? fmt::format("{} bytes", bytes)
                   : fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

}  // namespace kdumpkit
