// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/mount_table.h"

#include <algorithm>

#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// Blanks, tabs, newlines and backslashes stand as "\ooo".
std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    bool escape = text[i] == '\\' && text.size() - i > 3 && IsOctal(text[i + 1]) &&
                  IsOctal(text[i + 2]) && IsOctal(text[i + 3]);
    if (!escape) {
      plain += text[i];
      continue;
    }
    plain +=
        static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return plain;
}

// Whether `path` is `folder` or below it.
bool IsBelow(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

std::vector<MountEntry> ParseMountInfo(std::string_view text) {
  std::vector<MountEntry> mounts;
  for (std::string_view line : Lines(text)) {
    // ID, parent, device, root, mount point, options, optional fields, "-", type, source, options.
    std::vector<std::string> words = Words(line);
    auto dash =
        std::find(words.begin() + std::min<ptrdiff_t>(6, std::ssize(words)), words.end(), "-");
    if (words.end() - dash < 4) continue;
    mounts.push_back({words[2], Unescape(words[3]), Unescape(words[4]), Unescape(dash[1]),
                      Unescape(dash[2]), dash[3]});
  }
  return mounts;
}

const MountEntry* FindMount(const std::vector<MountEntry>& mounts, std::string_view path) {
  const MountEntry* found = nullptr;
  for (const MountEntry& mount : mounts)
    if (IsBelow(path, mount.point) &&
        (found == nullptr || mount.point.size() >= found->point.size()))
      found = &mount;
  return found;
}

std::string PathInFileSystem(const MountEntry& mount, std::string_view path) {
  std::string_view below = mount.point == "/" ? path : path.substr(mount.point.size());
  std::string inside = (mount.root == "/" ? "" : mount.root) + std::string(below);
  return inside.empty() ? "/" : inside;
}

std::string_view OptionValue(std::string_view options, std::string_view name) {
  while (!options.empty()) {
    size_t comma = std::min(options.find(','), options.size());
    std::string_view option = options.substr(0, comma);
    if (option.starts_with(name) && option.substr(name.size()).starts_with('='))
      return option.substr(name.size() + 1);
    options.remove_prefix(std::min(comma + 1, options.size()));
  }
  return {};
}

}  // namespace kdumpkit
