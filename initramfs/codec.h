// SPDX-License-Identifier: GPL-2.0-or-later
// Whole-file compression: of the image, and of the kernel modules that go into it.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace kdumpkit {

enum class ImageCompression { kNone, kGzip, kZstd };

// The same input always gives the same output.
Result<ByteBuffer> CompressImage(ByteView data, ImageCompression compression);

// Content of a kernel module's file, unpacked if its name ends with ".gz", ".xz" or ".zst".
// Results above `limit` bytes are refused (kUnsupported).
Result<ByteBuffer> UnpackModule(ByteView data, std::string_view name,
                                size_t limit = size_t{256} << 20);

}  // namespace kdumpkit
