// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/page_counters.h"

#include "kernel/struct_field.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kMaxItems = 1024;  // NR_VM_NODE_STAT_ITEMS is about 60
constexpr uint64_t kMaxPools = 64;    // HUGE_MAX_HSTATE is 4 at most
constexpr uint64_t kMaxOrder = 32;

class CounterReader {
 public:
  CounterReader(const CrashedKernel& kernel, const KernelNames& names)
      : kernel_(kernel), names_(names), memory_(kernel.NewMemory()) {
    auto found = names.Symbols({"vm_node_stat", "hugetlb_max_hstate", "hstates"});
    node_stat_ = found[0];
    pool_count_ = found[1];
    pools_ = found[2];
  }

  // The sum over items of enum node_stat_item. vm_node_stat counts in pages, also what is named
  // after bytes (Linux commit ea426c2a7de8, "mm: memcg: prepare for byte-sized vmstat items").
  std::optional<uint64_t> NodeStat(std::initializer_list<std::string_view> items) {
    if (!node_stat_ || names_.types() == nullptr) return std::nullopt;
    uint64_t sum = 0;
    for (std::string_view item : items) {
      std::optional<int64_t> index = names_.types()->Enumerator("node_stat_item", item);
      if (!index || *index < 0 || static_cast<uint64_t>(*index) >= kMaxItems) return std::nullopt;
      uint64_t word = static_cast<uint64_t>(kernel_.machine().word_size);
      Result<uint64_t> count =
          memory_->ReadWord(*node_stat_ + static_cast<uint64_t>(*index) * word);
      if (!count) return std::nullopt;
      uint64_t most = word == 8 ? INT64_MAX : INT32_MAX;
      // Updated in batches: it may be a little below zero.
      if (*count <= most) sum += *count;
    }
    return sum;
  }

  std::optional<uint64_t> Hugetlb() {
    if (!pool_count_ || !pools_) return 0;
    Result<uint64_t> pages = SumPools();
    return pages ? std::optional(*pages) : std::nullopt;
  }

 private:
  Result<uint64_t> SumPools() {
    if (names_.types() == nullptr) return Unsupported("no types");
    const Btf& types = *names_.types();
    uint64_t pools = TRY(memory_->ReadU32(*pool_count_));
    if (pools > kMaxPools) return Malformed("{} pools of huge pages", pools);
    VirtAddr pool = *pools_;
    StructField order = TRY(FindField(types, "hstate", "order"));
    StructField pages = TRY(FindField(types, "hstate", "nr_huge_pages"));
    uint64_t size = types.SizeOf(types.FindType(Btf::kStruct, "hstate")).value_or(0);
    uint64_t sum = 0;
    for (; pools > 0; --pools, pool = pool + size) {
      uint64_t shift = TRY(ReadField(kernel_, *memory_, pool, order));
      if (shift > kMaxOrder) return Malformed("huge pages of order {}", shift);
      sum += TRY(ReadField(kernel_, *memory_, pool, pages)) << shift;
    }
    return sum;
  }

  const CrashedKernel& kernel_;
  const KernelNames& names_;
  std::unique_ptr<KernelMemory> memory_;
  std::optional<VirtAddr> node_stat_, pool_count_, pools_;
};

}  // namespace

PageCounters ReadPageCounters(const CrashedKernel& kernel, const KernelNames& names) {
  CounterReader reader(kernel, names);
  PageCounters counters;
  counters.slab = reader.NodeStat({"NR_SLAB_RECLAIMABLE_B", "NR_SLAB_UNRECLAIMABLE_B"});
  counters.anonymous = reader.NodeStat({"NR_ANON_MAPPED"});
  counters.file = reader.NodeStat({"NR_FILE_PAGES"});
  counters.hugetlb = reader.Hugetlb();
  return counters;
}

}  // namespace kdumpkit
