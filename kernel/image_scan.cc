// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/image_scan.h"

#include <algorithm>

namespace kdumpkit {
namespace {

constexpr int64_t kMaxImage = int64_t{256} << 20;
// A hole of this size is the end: what is freed inside of the image is smaller.
constexpr uint64_t kMaxHole = uint64_t{16} << 20;
constexpr size_t kPiece = size_t{1} << 20;
constexpr size_t kMaxPattern = 64;

}  // namespace

bool ScanImage(const CrashedKernel& kernel, ByteView pattern,
               const std::function<bool(VirtAddr)>& visit) {
  CHECK(!pattern.empty() && pattern.size() <= kMaxPattern);
  std::optional<VirtAddr> image = kernel.info().Symbol("_stext");
  if (!image) return false;
  std::unique_ptr<KernelMemory> memory = kernel.NewMemory();
  // Pieces overlap, so that each pattern is in one of them as a whole.
  ByteBuffer piece(kPiece + kMaxPattern);
  int64_t stated = kernel.info().Number("KERNEL_IMAGE_SIZE").value_or(kMaxImage);
  uint64_t end = static_cast<uint64_t>(std::clamp(stated, int64_t{0}, kMaxImage));
  uint64_t mapped = 0;
  for (uint64_t at = 0; at < end && at - mapped < kMaxHole;) {
    size_t step = kPiece;
    ByteSpan buffer(piece);
    if (!memory->Read(*image + at, buffer)) {
      // Some of it is not mapped: page by page, the last one before a hole without an overlap.
      step = static_cast<size_t>(kernel.page_size());
      buffer = buffer.first(step + pattern.size() - 1);
      if (!memory->Read(*image + at, buffer)) {
        buffer = buffer.first(step);
        if (!memory->Read(*image + at, buffer)) buffer = {};
      }
    }
    if (!buffer.empty()) mapped = at;
    std::string_view text = AsText(buffer);
    for (size_t found = text.find(AsText(pattern)); found < step;
         found = text.find(AsText(pattern), found + 1)) {
      if (visit(*image + at + found)) return true;
    }
    at += step;
  }
  return false;
}

}  // namespace kdumpkit
