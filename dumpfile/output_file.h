// SPDX-License-Identifier: GPL-2.0-or-later
// A dump file on its way: written as "<path>-incomplete", then synced and renamed to <path>.
#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace kdumpkit {

// The folder that a file of this name is in; "." for a name without one.
std::string ParentDirectory(const std::string& path);

class OutputFile {
 public:
  // Creates "<path>-incomplete" with mode 0600; a <path> that ends so already is that file, and
  // whoever gave it renames it. An existing <path> is refused unless `overwrite`
  // (and even then stays untouched until Commit); anything but a regular file always is. A leftover
  // "<path>-incomplete" of an earlier try is never overwritten unless `overwrite`. Errors name the
  // path and say what to do; kUsage when the caller can choose another path or overwrite.
  static Result<OutputFile> Create(const std::string& path, bool overwrite);
  // Whether Create would do, as far as can be told without it.
  static Status CheckCreatable(const std::string& path, bool overwrite);
  OutputFile(OutputFile&&) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;
  // Neither Commit nor Keep called: the incomplete file is removed.
  ~OutputFile();

  int fd() const { return fd_.get(); }
  const std::string& incomplete_path() const { return incomplete_path_; }

  // fsync, rename to the final name, fsync of the directory. A file that has appeared at <path>
  // since Create is replaced only with `overwrite`. After a failure the data stays under the
  // incomplete name, unless only the last fsync failed.
  Status Commit();
  // Begins anew: throws away what was written.
  Status Restart();
  // Leaves the file under its incomplete name, synced as well as can be.
  Status Keep();

 private:
  OutputFile() = default;
  Status Rename() const;

  UniqueFd fd_;
  std::string path_;
  std::string incomplete_path_;
  bool overwrite_ = false;
  bool keep_ = false;
};

}  // namespace kdumpkit
