// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/text.h"

#include <sys/stat.h>

#include <filesystem>

namespace kdumpkit {

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  for (;;) {
    size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    size_t end = std::min(text.find_first_of(" \t\r\n"), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::optional<std::string> RealPath(const RootDir& root, std::string_view path) {
  std::error_code error;
  std::string real = std::filesystem::canonical(root.HostPath(path), error);
  if (error) return std::nullopt;
  std::string top = std::filesystem::canonical(root.HostPath("/"), error);
  if (error || top == "/") return real;
  if (!real.starts_with(top)) return std::nullopt;
  real.erase(0, top.size());
  return real.empty() ? "/" : real;
}

std::string BaseName(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

bool IsExecutable(const RootDir& root, std::string_view path) {
  struct stat info = {};
  return stat(root.HostPath(path).c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         (info.st_mode & 0111) != 0;
}

std::string SizeText(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace kdumpkit
