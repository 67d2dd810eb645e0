// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel as a file brings it: with what is wrapped around it taken off, and what came along.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "kexec/decompress.h"
#include "kexec/kernel_image.h"

namespace kdumpkit {

struct KernelFile {
  std::string path;
  KernelImage image;  // of `contents`
  // From the outside in, as DetectKernelImage describes them; empty when the file is the kernel.
  std::vector<std::string> wrappers;
  ByteBuffer contents;  // the innermost file
  // The file carries an EFI signature. image.is_signed tells of the kernel inside, which is what
  // the running kernel would look at.
  bool is_signed = false;
  // Of a unified kernel image.
  std::optional<ByteBuffer> initrd;
  std::optional<std::string> command_line;

  // `contents` stand in no file: the kernel must be given them by a memfd.
  bool Unwrapped() const { return !wrappers.empty(); }
  // "a Linux bzImage, boot protocol 2.15 inside an EFI zboot kernel (compressed) inside a gzip
  // file"
  std::string Description() const;
};

// Takes compression, EFI zboot and unified kernel images off, four of them at most, whatever their
// order. `file_bytes` is the whole file, `path` its name for messages. What is no wrapper is
// described and left as it is, a kernel or not (CheckLoadable); a damaged wrapper is an error.
// `limit` bounds each unpacked layer.
Result<KernelFile> ReadKernelFile(const std::string& path, ByteBuffer file_bytes,
                                  size_t limit = kMaxUnpackedSize);

}  // namespace kdumpkit
