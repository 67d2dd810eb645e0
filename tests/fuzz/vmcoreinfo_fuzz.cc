// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as VMCOREINFO, and every question that the rules about struct page ask of it.
#include <cstddef>
#include <cstdint>

#include "kernel/page_layout.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using namespace kdumpkit;

constexpr size_t kMaxPageStruct = 4096;

// Whatever the text says, offsets must stay inside of two struct pages of zeros and ones.
void DecodeWith(const Vmcoreinfo& info, ByteOrder order, int word_size) {
  auto layout = PageLayout::FromVmcoreinfo(info, order, word_size, 4096);
  if (!layout) return;
  for (std::byte fill : {std::byte{0}, std::byte{0xfe}}) {
    CHECK(layout->page_struct_size() <= kMaxPageStruct);
    ByteBuffer page(layout->page_struct_size(), fill);
    ByteBuffer next(layout->page_struct_size(), fill);
    for (uint64_t pfn : {uint64_t{0}, uint64_t{1} << 40}) {
      PageFacts facts = layout->Decode(pfn, page.data(), next.data());
      CHECK(facts.order < 64);
      layout->Decode(pfn, page.data(), nullptr);
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView bytes = std::as_bytes(std::span<const uint8_t>(data, size));
  Result<Vmcoreinfo> info = Vmcoreinfo::Parse(AsText(bytes));
  if (!info) return 0;
  for (ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
    for (int word_size : {4, 8}) DecodeWith(*info, order, word_size);
  }
  return 0;
}
