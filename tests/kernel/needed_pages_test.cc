// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/needed_pages.h"

#include <gtest/gtest.h>

#include "tests/support/btf_builder.h"
#include "tests/support/fake_kernel.h"
#include "tests/support/kallsyms_builder.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kPage = 4096;
// Physical addresses, mapped by the direct map.
constexpr uint64_t kFirstCpu = 0x4000000, kSecondCpu = 0x4100000;
constexpr uint64_t kTask = 0x4200000, kStack = 0x4300000, kArea = 0x4400000, kChunk = 0x4500000;
constexpr uint64_t kOldLog = 0x4700000, kDynamic = 0x20000;
// Offsets in the image's scratch.
constexpr uint64_t kOffsets = 0x8000, kUnits = 0x8100, kNumbers = 0x8200, kTables = 0xa000;
constexpr uint64_t kPercpuStart = 0x1000, kPercpuSize = 0x3000, kCurrent = 0x1100;

class NeededPagesTest : public testing::Test {
 protected:
  NeededPagesTest() {
    Word(kOffsets, Direct(kFirstCpu) - kPercpuStart);
    Word(kOffsets + 8, Direct(kSecondCpu) - kPercpuStart);
    Word(kNumbers, 2);
    Word(kNumbers + 0x10, Direct(kChunk));
    Word(kNumbers + 0x18, Scratch(kUnits));
    Word(kNumbers + 0x20, kCurrent + 0x40);  // crash_notes, a per-cpu pointer
    Word(kNumbers + 0x28, Direct(kOldLog));
    fake_.memory().Put(Physical(kNumbers + 0x30), uint32_t{0x5000});
    Word(kUnits + 8, kSecondCpu - kFirstCpu);
    Put(kChunk, Direct(kFirstCpu + kDynamic));
    fake_.memory().Put(PhysAddr(kChunk + 8), uint32_t{3});
    Put(kFirstCpu + kCurrent - kPercpuStart, Direct(kTask));
    Put(kTask + 8, Direct(kStack));
    Put(kTask + 16, Direct(kArea));
    fake_.memory().Put(PhysAddr(kArea), uint32_t{4});
    symbols_.symbols = {{'A', "__per_cpu_start", kPercpuStart},
                        {'A', "current_task", kCurrent},
                        {'A', "__per_cpu_end", kPercpuStart + kPercpuSize},
                        {'T', "_stext", fake_.InImage(0).value},
                        {'T', "_etext", fake_.InImage(0x5001).value},
                        {'D', "__per_cpu_offset", Scratch(kOffsets)},
                        {'D', "nr_cpu_ids", Scratch(kNumbers)},
                        {'D', "pcpu_first_chunk", Scratch(kNumbers + 0x10)},
                        {'D', "pcpu_unit_offsets", Scratch(kNumbers + 0x18)},
                        {'B', "crash_notes", Scratch(kNumbers + 0x20)}};
    // The image is above 2 GiB, the per-cpu symbols are not: whole addresses.
    symbols_.kind = KallsymsAddress::kAbsolute;
    fake_.SetKey("SYMBOL(log_buf)", fmt::format("{:x}", Scratch(kNumbers + 0x28)));
    fake_.SetKey("SYMBOL(log_buf_len)", fmt::format("{:x}", Scratch(kNumbers + 0x30)));
  }

  static ByteBuffer Types() {
    BtfBuilder builder;
    uint32_t word = builder.Int("long unsigned int", 8);
    uint32_t number = builder.Int("int", 4);
    builder.Struct("page", 64, {{"flags", word, 0}});
    builder.Struct("pcpu_chunk", 64, {{"base_addr", word, 0}, {"nr_pages", number, 64}});
    builder.Struct("task_struct", 0x2800, {{"stack", word, 64}, {"stack_vm_area", word, 128}});
    builder.Struct("vm_struct", 64, {{"nr_pages", number, 0}});
    builder.Reference(Btf::kTypedef, builder.Array(number, 100), "note_buf_t");
    return builder.Build();
  }

  uint64_t Direct(uint64_t physical) const { return fake_.direct_map().value + physical; }
  uint64_t Scratch(uint64_t at) const { return fake_.InImage(FakeKernel::kScratch + at).value; }
  PhysAddr Physical(uint64_t at) const { return fake_.Physical(VirtAddr(Scratch(at))); }
  void Word(uint64_t at, uint64_t value) { fake_.memory().Put(Physical(at), value); }
  void Put(uint64_t at, uint64_t value) { fake_.memory().Put(PhysAddr(at), value); }

  NeededPages Find() {
    ByteBuffer types = Types();
    fake_.memory().Write(Physical(0), types);
    symbols_.symbols.push_back({'R', "__start_BTF", Scratch(0)});
    symbols_.symbols.push_back({'R', "__stop_BTF", Scratch(0) + types.size()});
    std::string keys = symbols_.Put(fake_.memory(), VirtAddr(Scratch(kTables)), Physical(kTables));
    kernel_ = std::move(CrashedKernel::Open(fake_.memory(), {FakeKernel::kElfMachine},
                                            fake_.vmcoreinfo() + keys))
                  .value();
    return FindNeededPages(*kernel_, KernelNames::Learn(*kernel_));
  }
  // The ranges of one kind.
  static std::vector<PhysRange> Of(const NeededPages& needed, NeededKind kind) {
    std::vector<PhysRange> ranges;
    for (const NeededRange& range : needed.ranges)
      if (range.kind == kind) ranges.push_back(range.range);
    return ranges;
  }
  static PhysRange Range(uint64_t base, uint64_t size) { return {PhysAddr(base), size}; }
  static bool Names(const NeededPages& needed, std::string_view text) {
    for (const std::string& line : needed.unknown)
      if (line.find(text) != std::string::npos) return true;
    return false;
  }

  FakeKernel fake_;
  KallsymsBuilder symbols_;
  std::unique_ptr<CrashedKernel> kernel_;
};

TEST_F(NeededPagesTest, FindsWhatBelongsToEachCpu) {
  NeededPages needed = Find();
  EXPECT_EQ(Of(needed, NeededKind::kPerCpu),
            (std::vector{Range(kFirstCpu, kPercpuSize), Range(kSecondCpu, kPercpuSize),
                         Range(kFirstCpu + kDynamic, 3 * kPage),
                         Range(kSecondCpu + kDynamic, 3 * kPage)}));
  EXPECT_EQ(Of(needed, NeededKind::kTask),
            (std::vector{Range(kTask, 0x2800), Range(kStack, 4 * kPage)}));
  std::vector<PhysRange> info = Of(needed, NeededKind::kCrashInfo);
  uint64_t notes = kCurrent + 0x40 - kPercpuStart;
  EXPECT_NE(std::find(info.begin(), info.end(), Range(kSecondCpu + notes, 400)), info.end());
}

TEST_F(NeededPagesTest, FindsLogAndImage) {
  NeededPages needed = Find();
  EXPECT_EQ(Of(needed, NeededKind::kLog), std::vector{Range(kOldLog, 0x5000)});
  uint64_t image = fake_.Physical(fake_.InImage(0)).value;
  EXPECT_EQ(Of(needed, NeededKind::kImage), std::vector{Range(image, 0x5001)});
  EXPECT_TRUE(Names(needed, "the kernel image: the kernel has no symbol __start_rodata"));
  EXPECT_FALSE(Names(needed, "running tasks"));
}

TEST_F(NeededPagesTest, GarbageIsBoundedAndNamed) {
  Word(kNumbers, ~uint64_t{0});
  Put(kTask + 8, ~uint64_t{0});
  fake_.memory().Put(Physical(kNumbers + 0x30), ~uint32_t{0});
  NeededPages needed = Find();
  EXPECT_TRUE(Names(needed, "nr_cpu_ids is 4294967295"));
  EXPECT_TRUE(Of(needed, NeededKind::kPerCpu).empty());
  // What is beyond the mapping of 1 GiB is left out.
  EXPECT_LE(Of(needed, NeededKind::kLog).at(0).size, uint64_t{1} << 30);
}

TEST_F(NeededPagesTest, WithoutNamesEachKindIsNamed) {
  kernel_ =
      std::move(CrashedKernel::Open(fake_.memory(), {FakeKernel::kElfMachine}, fake_.vmcoreinfo()))
          .value();
  NeededPages needed = FindNeededPages(*kernel_, KernelNames::Learn(*kernel_));
  for (const char* kind : {"the kernel image: ", "per-cpu data: ", "running tasks: "})
    EXPECT_TRUE(Names(needed, kind)) << kind;
  EXPECT_FALSE(Of(needed, NeededKind::kCrashInfo).empty());
}

TEST_F(NeededPagesTest, TablesThatPointAtThemselvesEnd) {
  PhysAddr root = fake_.Physical(fake_.InImage(FakeKernel::kTopTable));
  for (uint64_t i = 256; i < 512; ++i)
    fake_.memory().Put(root + i * 8, (root.value | 0x63) ^ (i % 2 << 9));  // bit 9 is the system's
  kernel_ =
      std::move(CrashedKernel::Open(fake_.memory(), {FakeKernel::kElfMachine}, fake_.vmcoreinfo()))
          .value();
  uint64_t tables = 0;
  VisitNeededTables(*kernel_, [&](const NeededRange& range) {
    EXPECT_EQ(range.range, Range(root.value, kPage));
    ++tables;
  });
  EXPECT_GT(tables, 1u);
}

}  // namespace
}  // namespace kdumpkit
