// SPDX-License-Identifier: GPL-2.0-or-later
// Files that people give in place of a kernel, told by bytes at a fixed place.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "kexec/kernel_image.h"

namespace kdumpkit {

struct FileSignature {
  uint64_t offset;
  std::string_view bytes;
  ImageKind kind;
  const char* description;  // "a Debian package"
};

// `head` is the beginning of a file. Null when nothing fits.
const FileSignature* FindFileSignature(ByteView head);

// True when these bytes stand there.
bool HasBytes(ByteView head, uint64_t offset, std::string_view bytes);

}  // namespace kdumpkit
