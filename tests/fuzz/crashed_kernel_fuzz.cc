// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel with damaged memory. The input is text: a line "@ADDRESS VALUE" (hexadecimal) puts a
// 64-bit word at a physical address, a line "KEY=VALUE" replaces a key of VMCOREINFO.
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "kernel/crashed_kernel.h"
#include "kernel/free_pages.h"
#include "kernel/memory_map.h"
#include "kernel/needed_pages.h"
#include "kernel/page_layout.h"
#include "tests/support/fake_kernel.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using namespace kdumpkit;

constexpr size_t kMaxSections = 8;
constexpr size_t kMaxView = 4096;

void PutWord(FakeKernel& fake, std::string_view line) {
  uint64_t address = 0;
  uint64_t value = 0;
  const char* end = line.data() + line.size();
  auto [space, error] = std::from_chars(line.data(), end, address, 16);
  if (error != std::errc() || space == end) return;
  std::from_chars(space + 1, end, value, 16);
  uint64_t memory = fake.memory().ranges().back().end().value;
  if (address <= memory - sizeof(value)) fake.memory().Put(PhysAddr(address), value);
}

void Damage(FakeKernel& fake, std::string_view text) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    size_t equals = line.find('=');
    if (line.starts_with('@')) {
      PutWord(fake, line.substr(1));
    } else if (equals != std::string_view::npos) {
      fake.SetKey(std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)));
    }
  }
}

void ScanSection(const CrashedKernel& kernel, const PageLayout& layout, const MapSection& section) {
  size_t size = layout.page_struct_size();
  std::unique_ptr<KernelMemory> memory = kernel.NewMemory();
  Result<ByteView> view = memory->View(section.mem_map, kMaxView);
  if (!view) return;
  CHECK(!view->empty() && view->size() <= kMaxView);
  for (size_t at = 0; at + size <= view->size(); at += size) {
    bool last = at + 2 * size > view->size();
    layout.Decode(section.first.value + at / size, view->data() + at,
                  last ? nullptr : view->data() + at + size);
  }
}

void ReadEverything(const CrashedKernel& kernel) {
  (void)ReadUtsname(kernel);
  KernelFacts facts = KernelFacts::FromVmcoreinfo(kernel.info());
  (void)ReadFreePageCount(kernel, facts);
  Result<MemoryMap> map = ReadMemoryMap(kernel, facts);
  auto layout = PageLayout::FromVmcoreinfo(kernel.info(), kernel.machine().order,
                                           kernel.machine().word_size, kernel.page_size());
  if (!map || !layout) return;
  VisitNeededMemoryMap(kernel, *map, layout->page_struct_size(), [](const NeededRange&) {});
  for (size_t i = 0; i < std::min(map->sections.size(), kMaxSections); ++i) {
    ScanSection(kernel, *layout, map->sections[i]);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView bytes = std::as_bytes(std::span<const uint8_t>(data, size));
  FakeKernel fake;
  Damage(fake, AsText(bytes));
  auto kernel = CrashedKernel::Open(fake.memory(), {FakeKernel::kElfMachine}, fake.vmcoreinfo());
  if (kernel) ReadEverything(**kernel);
  return 0;
}
