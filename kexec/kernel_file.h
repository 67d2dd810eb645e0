// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel as a file brings it: with what is wrapped around it taken off, and what came along.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "kexec/kernel_image.h"

namespace kdumpkit {

struct KernelFile {
  std::string path;
  KernelImage image;  // of `contents`
  // From the outside in, as DetectKernelImage describes them; empty when the file is the kernel.
  std::vector<std::string> wrappers;
  ByteBuffer contents;  // the innermost file
  bool is_signed = false;
  // Of a unified kernel image.
  std::optional<ByteBuffer> initrd;
  std::optional<std::string> command_line;
};

}  // namespace kdumpkit
