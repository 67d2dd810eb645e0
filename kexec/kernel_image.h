// SPDX-License-Identifier: GPL-2.0-or-later
// What sort of file a "kernel" is, and whether kexec_file_load takes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "kexec/arm64_image.h"
#include "kexec/bzimage.h"

namespace kdumpkit {

enum class ImageKind {
  kBzImage,
  kArm64Image,
  kElf,
  kZboot,         // EFI program that unpacks a kernel
  kUnifiedImage,  // EFI program with kernel, initrd and command line inside ("UKI")
  kEfiProgram,    // any other
  kCompressed,
  kInitramfs,  // a cpio archive
  kText,
  kZeros,
  kEmpty,
  kUnknown,
};

struct KernelImage {
  ImageKind kind = ImageKind::kUnknown;
  std::string description;          // "an ELF file (x86_64)"
  std::optional<BzImage> bzimage;   // with kBzImage
  std::optional<Arm64Image> arm64;  // with kArm64Image
  bool is_signed = false;           // carries a whole EFI signature, whoever made it
  uint64_t file_size = 0;
};

// How much of the beginning of a file tells its kind: boot headers, PE section tables and the
// version text of a bzImage all stand before.
inline constexpr size_t kImageHeadSize = size_t{64} << 10;

// `head` is the beginning of the file, kImageHeadSize bytes or more if the file has them. Any bytes
// have an answer.
KernelImage DetectKernelImage(ByteView head, uint64_t file_size);

// Fails with one sentence when the running kernel, on `machine` (as uname spells it), would not
// take the image: what the file looks like and what is wanted. `path` is named in it.
Status CheckLoadable(const KernelImage& image, std::string_view path, std::string_view machine);

}  // namespace kdumpkit
