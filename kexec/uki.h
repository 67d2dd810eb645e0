// SPDX-License-Identifier: GPL-2.0-or-later
// Unified kernel images: https://uapi-group.org/specifications/specs/unified_kernel_image
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "kexec/pe_image.h"

namespace kdumpkit {

// What a UKI holds for the kernel, as its own boot stub would hand it over when started without
// arguments: where there are profiles, the sections of the first ("@0") stand before those of the
// base. What the stub makes up (credentials, measurements) is left out.
struct UnifiedImage {
  ByteView kernel;                          // .linux; part of the file's bytes
  std::optional<ByteBuffer> initrd;         // .ucode, then .initrd
  std::optional<std::string> command_line;  // .cmdline, one line
};

// `pe` is what ParsePeImage makes of `file`, the whole file. Each section used is checked.
Result<UnifiedImage> ReadUnifiedImage(const PeImage& pe, ByteView file);

// Has a kernel in a section.
bool IsUnifiedImage(const PeImage& pe);

// "a unified kernel image (UKI, Linux 6.1.0, Debian GNU/Linux 12)", as far as `head`, the beginning
// of the file, tells.
std::string DescribeUnifiedImage(const PeImage& pe, ByteView head);

}  // namespace kdumpkit
