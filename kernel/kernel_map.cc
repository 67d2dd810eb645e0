// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kernel_map.h"

namespace kdumpkit {
namespace {

// A direct map begins at a multiple of what one entry of the third level maps (Linux
// arch/x86/mm/kaslr.c: regions move in steps of PUD_SIZE at least).
constexpr uint64_t kDirectMapAlignment = uint64_t{1} << 30;
constexpr uint64_t kImageStep = uint64_t{2} << 20;
constexpr uint64_t kMostImage = uint64_t{1} << 30;  // KERNEL_IMAGE_SIZE
constexpr uint64_t kPage = 4096;

// What to subtract from an address to have the physical one, where it is mapped.
std::optional<uint64_t> Difference(KernelMemory& memory, VirtAddr address) {
  Result<PhysAddr> physical = memory.Translate(address);
  if (!physical) return std::nullopt;
  return address.value - physical->value;
}

std::optional<uint64_t> ImageDifference(const CrashedKernel& kernel, KernelMemory& memory) {
  std::optional<VirtAddr> text = kernel.info().Symbol("_stext");
  return text ? Difference(memory, *text) : std::nullopt;
}

}  // namespace

// What VMCOREINFO calls mem_section are roots that were allocated from the direct map, or (before
// v4.15, and without SPARSEMEM_EXTREME) an array in the image, whose elements point there.
std::optional<VirtAddr> FindDirectMap(const CrashedKernel& kernel) {
  std::optional<VirtAddr> roots = kernel.info().Symbol("mem_section");
  if (!roots) return std::nullopt;
  std::unique_ptr<KernelMemory> memory = kernel.NewMemory();
  std::optional<uint64_t> image = ImageDifference(kernel, *memory);
  std::optional<uint64_t> base = Difference(*memory, *roots);
  if (base == image) {
    Result<uint64_t> first = memory->ReadWord(*roots);
    base = first ? Difference(*memory, VirtAddr(*first)) : std::nullopt;
  }
  if (!base || base == image || *base % kDirectMapAlignment != 0) return std::nullopt;
  return VirtAddr(*base);
}

std::optional<ImageMapping> FindImage(const CrashedKernel& kernel) {
  std::optional<VirtAddr> text = kernel.info().Symbol("_stext");
  std::unique_ptr<KernelMemory> memory = kernel.NewMemory();
  std::optional<uint64_t> difference = ImageDifference(kernel, *memory);
  if (!text || !difference) return std::nullopt;
  auto in_image = [&](VirtAddr address) { return Difference(*memory, address) == difference; };
  VirtAddr begin(text->value & ~(kImageStep - 1));
  uint64_t size = 0;
  // The last step ends below the top of the address space.
  for (uint64_t at = 0; at < kMostImage && begin.value < UINT64_MAX - at - kImageStep;
       at += kImageStep)
    if (in_image(begin + at) || in_image(begin + at + (kImageStep - kPage))) size = at + kImageStep;
  return ImageMapping{begin, {PhysAddr(begin.value - *difference), size}};
}

}  // namespace kdumpkit
