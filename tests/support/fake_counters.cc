// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/fake_counters.h"

#include "tests/support/btf_builder.h"
#include "tests/support/kallsyms_builder.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kStats = FakeKernel::kScratch, kBtf = kStats + 0x1000, kTables = kStats + 0x4000;

// Items of enum node_stat_item; the kernel's slab counter is the sum of two.
constexpr uint64_t kSlabReclaimable = 5, kSlabUnreclaimable = 6, kAnonMapped = 2, kFilePages = 9;

uint64_t ItemOf(FakeCounter counter) {
  switch (counter) {
    case FakeCounter::kSlab:
      return kSlabReclaimable;
    case FakeCounter::kAnonymous:
      return kAnonMapped;
    case FakeCounter::kFile:
      return kFilePages;
  }
  return 0;
}

ByteBuffer Types() {
  BtfBuilder builder;
  builder.Struct("page", 64, {{"flags", builder.Int("long unsigned int", 8), 0}});
  builder.Enum("node_stat_item", {{"NR_SLAB_RECLAIMABLE_B", kSlabReclaimable},
                                  {"NR_SLAB_UNRECLAIMABLE_B", kSlabUnreclaimable},
                                  {"NR_ANON_MAPPED", kAnonMapped},
                                  {"NR_FILE_PAGES", kFilePages}});
  return builder.Build();
}

}  // namespace

FakeCounters::FakeCounters(FakeKernel& kernel) : kernel_(kernel) {
  ByteBuffer types = Types();
  kernel_.memory().Write(kernel_.Physical(kernel_.InImage(kBtf)), types);
  KallsymsBuilder symbols;
  symbols.base = kernel_.InImage(0).value;
  symbols.symbols = {{'T', "_stext", symbols.base},
                     {'D', "vm_node_stat", kernel_.InImage(kStats).value},
                     {'R', "__start_BTF", kernel_.InImage(kBtf).value},
                     {'R', "__stop_BTF", kernel_.InImage(kBtf + types.size()).value}};
  VirtAddr tables = kernel_.InImage(kTables);
  std::string lines = symbols.Put(kernel_.memory(), tables, kernel_.Physical(tables));
  for (size_t at = 0, end = 0; at < lines.size(); at = end + 1) {
    end = lines.find('\n', at);
    size_t equals = lines.find('=', at);
    kernel_.SetKey(lines.substr(at, equals - at), lines.substr(equals + 1, end - equals - 1));
  }
}

void FakeCounters::Set(FakeCounter counter, uint64_t pages) {
  VirtAddr at = kernel_.InImage(kStats + ItemOf(counter) * 8);
  kernel_.memory().Put(kernel_.Physical(at), pages);
}

void FakeCounters::Clear() {
  for (FakeCounter counter : {FakeCounter::kSlab, FakeCounter::kAnonymous, FakeCounter::kFile})
    Set(counter, 0);
}

}  // namespace kdumpkit
