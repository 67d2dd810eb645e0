// SPDX-License-Identifier: GPL-2.0-or-later
// The content of an image: what is at each path, before it is written in any format.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace kdumpkit {

struct TreeEntry {
  enum class Kind { kFolder, kFile, kCharDevice };

  Kind kind = Kind::kFolder;
  unsigned permissions = 0755;
  ByteBuffer data;     // of a file
  unsigned major = 0;  // of a device
  unsigned minor = 0;
};

// Paths are relative to the image's root and without a leading slash; owner is root. The order of
// adding does not show: entries are sorted by path, so that a folder comes before its content.
class FileTree {
 public:
  // Folders above are added as needed. The same path twice is an error, except for a folder.
  Status AddFolder(const std::string& path);
  Status AddFile(const std::string& path, ByteBuffer data, unsigned permissions);
  Status AddCharDevice(const std::string& path, unsigned permissions, unsigned major,
                       unsigned minor);

  bool Has(const std::string& path) const;
  const std::map<std::string, TreeEntry>& entries() const { return entries_; }

 private:
  Status Add(const std::string& path, TreeEntry entry);

  std::map<std::string, TreeEntry> entries_;
};

}  // namespace kdumpkit
