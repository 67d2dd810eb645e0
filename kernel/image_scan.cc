// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/image_scan.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kMaxImage = uint64_t{256} << 20;
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
  for (uint64_t at = 0; at < kMaxImage;) {
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
