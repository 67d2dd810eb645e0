// SPDX-License-Identifier: GPL-2.0-or-later
// Unpacks an initramfs, whoever built it, as the kernel does when it boots.
#pragma once

#include <string>

#include "base/bytes.h"

namespace kdumpkit {

struct UnpackedImage {
  size_t files = 0;
  uint64_t bytes = 0;  // of the files
};

// `image`: newc archives one behind the other, with zero bytes between them; from one place on all
// the rest may be compressed by gzip, xz or zstd (kUnsupported: by something else). Device nodes
// are left out, and owners are ours. Names with ".." are refused; symbolic links are followed, so
// that `folder` should be the root folder of this process. What was unpacked before a failure
// stays.
Result<UnpackedImage> UnpackImage(ByteView image, const std::string& folder);

}  // namespace kdumpkit
