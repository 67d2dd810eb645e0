// SPDX-License-Identifier: GPL-2.0-or-later
// Kernels with wrappers around them, as ReadKernelFile takes them off.
#include <cstdint>

#include "kexec/kernel_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kLimit = size_t{1} << 20;
  kdumpkit::ByteView input = std::as_bytes(std::span(data, size));
  kdumpkit::Result<kdumpkit::KernelFile> file =
      kdumpkit::ReadKernelFile("file", kdumpkit::ByteBuffer(input.begin(), input.end()), kLimit);
  if (!file) {
    CHECK(file.error().message().starts_with("'file': "));
    return 0;
  }
  CHECK(file->wrappers.size() <= 4 && !file->image.description.empty());
  CHECK(file->image.file_size == file->contents.size());
  CHECK(file->Unwrapped() || file->contents.size() == size);
  // It ends at what is no wrapper.
  CHECK(file->image.kind != kdumpkit::ImageKind::kZboot &&
        file->image.kind != kdumpkit::ImageKind::kUnifiedImage);
  if (file->command_line)
    for (char c : *file->command_line) CHECK(c < 0 || (c >= ' ' && c != '\x7f'));
  return 0;
}
