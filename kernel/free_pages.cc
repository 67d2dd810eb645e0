// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/free_pages.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kMaxNodes = 1 << 16;  // MAX_NUMNODES is 1024 at most
constexpr uint64_t kMaxZones = 16;       // MAX_NR_ZONES is 6 at most

// Where the counter is in struct pglist_data.
struct ZoneLayout {
  uint64_t node_zones = 0;  // offset of the array of zones
  uint64_t nr_zones = 0;    // offset of the count of zones, an int
  uint64_t zone_size = 0;
  uint64_t counter = 0;  // offset of vm_stat[NR_FREE_PAGES] in struct zone

  static Result<ZoneLayout> FromKernel(const CrashedKernel& kernel, const KernelFacts& facts);
};

Result<ZoneLayout> ZoneLayout::FromKernel(const CrashedKernel& kernel, const KernelFacts& facts) {
  ZoneLayout layout;
  layout.node_zones = TRY(facts.Offset("pglist_data", "node_zones"));
  layout.nr_zones = TRY(facts.Offset("pglist_data", "nr_zones"));
  layout.zone_size = TRY(facts.Size("zone"));
  uint64_t vm_stat = TRY(facts.Offset("zone", "vm_stat"));
  int64_t item = TRY(facts.Number("NR_FREE_PAGES"));
  uint64_t word = static_cast<uint64_t>(kernel.machine().word_size);
  layout.counter = vm_stat + static_cast<uint64_t>(item) * word;
  if (item < 0 || layout.zone_size < word || layout.counter > layout.zone_size - word) {
    return Malformed("NR_FREE_PAGES={} is outside of struct zone", item);
  }
  return layout;
}

Result<uint64_t> FreePagesOfNode(const CrashedKernel& kernel, KernelMemory& memory,
                                 const ZoneLayout& layout, VirtAddr node) {
  uint64_t zones = TRY(memory.ReadU32(node + layout.nr_zones));
  if (zones > kMaxZones) return Malformed("node at 0x{:x} with {} zones", node.value, zones);
  uint64_t most = kernel.machine().word_size == 8 ? INT64_MAX : INT32_MAX;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < zones; ++i) {
    VirtAddr zone = node + layout.node_zones + i * layout.zone_size;
    uint64_t count = TRY(memory.ReadWord(zone + layout.counter));
    // A signed counter that processors update in batches: it may be a little below zero.
    if (count <= most) sum += count;
  }
  return sum;
}

}  // namespace

Result<uint64_t> ReadFreePageCount(const CrashedKernel& kernel, const KernelFacts& facts) {
  ZoneLayout layout = TRY(ZoneLayout::FromKernel(kernel, facts));
  std::unique_ptr<KernelMemory> memory = kernel.NewMemory();
  // Without NUMA there is one node, a variable.
  if (Result<VirtAddr> node = facts.Symbol("contig_page_data")) {
    return FreePagesOfNode(kernel, *memory, layout, *node);
  }
  VirtAddr node_data = TRY(facts.Symbol("node_data"));
  uint64_t nodes = TRY(facts.Length("node_data"));
  if (nodes > kMaxNodes) return Malformed("LENGTH(node_data)={}", nodes);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < nodes; ++i) {
    uint64_t word = static_cast<uint64_t>(kernel.machine().word_size);
    VirtAddr node(TRY(memory->ReadWord(node_data + i * word).In("reading node_data")));
    if (node.value == 0) continue;
    sum += TRY(FreePagesOfNode(kernel, *memory, layout, node));
  }
  return sum;
}

}  // namespace kdumpkit
