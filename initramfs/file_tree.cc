// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/file_tree.h"

namespace kdumpkit {
namespace {

// "/usr//bin/" and "usr/bin" are the same place; "." and ".." have no meaning in an archive.
Result<std::string> Normalize(std::string_view path) {
  std::string normal;
  for (size_t at = 0; at <= path.size();) {
    size_t end = std::min(path.find('/', at), path.size());
    std::string_view part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty()) continue;
    if (part == "." || part == "..") return UsageError("'{}' is no path for an image", path);
    if (!normal.empty()) normal += '/';
    normal += part;
  }
  if (normal.empty()) return UsageError("'{}' is no path for an image", path);
  return normal;
}

}  // namespace

Status FileTree::Add(const std::string& path, TreeEntry entry) {
  std::string normal = TRY(Normalize(path));
  if (size_t slash = normal.rfind('/'); slash != std::string::npos)
    TRY(AddFolder(normal.substr(0, slash)));
  auto [place, is_new] = entries_.try_emplace(normal);
  if (is_new) {
    place->second = std::move(entry);
    return {};
  }
  bool both_folders =
      entry.kind == TreeEntry::Kind::kFolder && place->second.kind == TreeEntry::Kind::kFolder;
  if (both_folders) return {};
  return UsageError("two things for '/{}' in the image", normal);
}

Status FileTree::AddFolder(const std::string& path) { return Add(path, TreeEntry{}); }

Status FileTree::AddFile(const std::string& path, ByteBuffer data, unsigned permissions) {
  return Add(path, {TreeEntry::Kind::kFile, permissions, std::move(data), 0, 0});
}

Status FileTree::AddCharDevice(const std::string& path, unsigned permissions, unsigned major,
                               unsigned minor) {
  return Add(path, {TreeEntry::Kind::kCharDevice, permissions, {}, major, minor});
}

bool FileTree::Has(const std::string& path) const {
  Result<std::string> normal = Normalize(path);
  return normal && entries_.contains(*normal);
}

}  // namespace kdumpkit
