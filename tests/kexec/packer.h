// SPDX-License-Identifier: GPL-2.0-or-later
// The other direction of kexec/decompress.h, by the same libraries.
#pragma once

#include <string>
#include <string_view>

#include "kexec/decompress.h"

namespace kdumpkit {

// `contents` as one stream of that format.
std::string Pack(Compression compression, std::string_view contents);

inline constexpr Compression kAllCompressions[] = {
    Compression::kGzip, Compression::kXz,        Compression::kZstd, Compression::kBzip2,
    Compression::kLz4,  Compression::kLz4Legacy, Compression::kLzma};

}  // namespace kdumpkit
