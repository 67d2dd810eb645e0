// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/files.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

namespace kdumpkit {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

bool IsDropIn(std::string_view name) { return !name.starts_with('.') && name.ends_with(".conf"); }

// Names of drop-ins in lexical order; none when the folder does not exist.
Result<std::vector<std::string>> ListFolder(const RootDir& root, const std::string& folder) {
  std::vector<std::string> names;
  Result<UniqueFd> fd = root.OpenAt(folder, O_RDONLY | O_DIRECTORY);
  if (!fd && fd.error().error_number() == ENOENT) return names;
  UniqueFd handle = TRY(std::move(fd));
  std::unique_ptr<DIR, CloseDir> dir(fdopendir(handle.get()));
  if (dir == nullptr) return SystemError(errno, fmt::format("cannot list '{}'", folder));
  handle.release();
  errno = 0;
  while (const dirent* entry = readdir(dir.get()))
    if (IsDropIn(entry->d_name)) names.emplace_back(entry->d_name);
  if (errno != 0) return SystemError(errno, fmt::format("cannot list '{}'", folder));
  std::sort(names.begin(), names.end());
  return names;
}

Status AddFolder(const RootDir& root, const std::string& folder,
                 const std::vector<std::string>& names, std::vector<ConfigSource>& sources) {
  for (const std::string& name : names)
    sources.push_back(TRY(ReadConfigFile(root, fmt::format("{}/{}", folder, name))));
  return {};
}

}  // namespace

Result<ConfigSource> ReadConfigFile(const RootDir& root, const std::string& path) {
  std::string text = TRY(root.ReadText(path));
  return ConfigSource{path, std::move(text)};
}

Result<std::vector<ConfigSource>> ReadConfigFiles(const RootDir& root) {
  std::vector<std::string> own = TRY(ListFolder(root, kConfigFolder));
  std::vector<std::string> vendor = TRY(ListFolder(root, kVendorConfigFolder));
  std::erase_if(vendor, [&own](const std::string& name) {
    return std::binary_search(own.begin(), own.end(), name);
  });
  std::vector<ConfigSource> sources;
  TRY(AddFolder(root, kVendorConfigFolder, vendor, sources));
  Result<ConfigSource> main = ReadConfigFile(root, kConfigFile);
  if (main) {
    sources.push_back(std::move(*main));
  } else if (main.error().error_number() != ENOENT) {
    return main.error();
  }
  TRY(AddFolder(root, kConfigFolder, own, sources));
  return sources;
}

}  // namespace kdumpkit
