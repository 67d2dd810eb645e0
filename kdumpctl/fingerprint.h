// SPDX-License-Identifier: GPL-2.0-or-later
// Whether files still have the content that they had: by SHA-256, with their metadata as a hint
// that saves reading them.
//
// The hint is taken only where no change can hide from it: size, times (ctime too, which programs
// cannot set) and inode are as they were, and the file had not been changed for a while when it was
// read, so that a later change must have got another ctime: 0.1 s where its ctime is finer than a
// second, else two seconds, and the device has to be the same too. A clock that was set back by
// hand can deceive it; 'kdumpctl rebuild' does not use it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace kdumpkit {

struct FileState {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;  // bytes
  int64_t mtime = 0;  // nanoseconds since 1970
  int64_t ctime = 0;

  bool operator==(const FileState&) const = default;
};
Result<FileState> StateOfFile(const std::string& path);

struct Fingerprint {
  std::string path;  // links are followed
  FileState state;
  int64_t taken = 0;  // when, in nanoseconds since 1970
  std::string sha256;
};

// Reads the file.
Result<Fingerprint> TakeFingerprint(const std::string& path);

enum class Sameness {
  kSame,
  kSameButTouched,  // the content is the same, the metadata is not (or was too fresh)
  kChanged,
};
// `print` is brought up to date for kSameButTouched. An error: the file cannot be read (any more).
Result<Sameness> CompareFile(Fingerprint& print);

}  // namespace kdumpkit
