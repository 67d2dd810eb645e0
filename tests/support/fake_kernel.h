// SPDX-License-Identifier: GPL-2.0-or-later
// A small x86_64 kernel that died: page tables, memory sections, struct pages, zones, utsname and
// VMCOREINFO, built in FakeMemory.
#pragma once

#include <map>
#include <string>

#include "base/address.h"
#include "tests/support/fake_memory.h"
#include "tests/support/page_structs.h"

namespace kdumpkit {

struct FakeKernelOptions {
  enum class SectionTable { kExtreme, kPointerToExtreme, kFlat };

  std::string era = "6.12";  // see KernelEras()
  bool five_levels = false;
  uint64_t memory = uint64_t{256} << 20;  // bytes from physical address 0 on
  SectionTable sections = SectionTable::kExtreme;
  bool numa = true;
};

class FakeKernel {
 public:
  static constexpr uint16_t kElfMachine = 62;  // EM_X86_64
  static constexpr uint64_t kSectionPages = uint64_t{1} << 15;
  static constexpr int kZones = 3;

  explicit FakeKernel(const FakeKernelOptions& options = {});

  FakeMemory& memory() { return memory_; }
  const FakeMemory& memory() const { return memory_; }

  std::string vmcoreinfo() const;
  void SetKey(const std::string& key, const std::string& value) { keys_[key] = value; }
  void RemoveKey(const std::string& key) { keys_.erase(key); }

  // Overwrites the struct pages of page frames first_pfn and on.
  void PutPages(uint64_t first_pfn, const PageStructs& pages);
  // Overwrites the flags of a section's section_mem_map (bits 0 to 5).
  void SetSectionFlags(uint64_t section, uint64_t flags);
  void SetFreePages(int zone, int64_t pages);

  // The kernel image is one 2 MiB page: virtual addresses in it, by offset.
  VirtAddr InImage(uint64_t offset) const;
  PhysAddr Physical(VirtAddr image_address) const;
  // Where things are in the image.
  static constexpr uint64_t kTopTable = 0;
  static constexpr uint64_t kUtsname = 0x100000;
  static constexpr uint64_t kNodeData = 0x101000;
  static constexpr uint64_t kNode = 0x150000;
  static constexpr uint64_t kSectionPointer = 0x120000;
  static constexpr uint64_t kSectionArray = 0x121000;
  static constexpr uint64_t kSectionRoot = 0x130000;
  // Not used by this class: free for a test.
  static constexpr uint64_t kScratch = 0x140000;  // 64 KiB

  VirtAddr vmemmap() const;
  VirtAddr direct_map() const;  // of the first 1 GiB, by one page
  PhysAddr struct_page(uint64_t pfn) const;
  // The page table entry for 2^shift bytes at `address`; makes the tables on the way to it.
  PhysAddr TableEntry(VirtAddr address, int shift);

 private:
  void BuildTables();
  void BuildSections();
  void BuildNodes();
  void BuildUtsname();
  void Map(VirtAddr address, PhysAddr target, int shift);
  void PutWord(uint64_t image_offset, uint64_t value);
  PhysAddr SectionEntry(uint64_t section) const;

  FakeKernelOptions options_;
  FakeMemory memory_;
  std::map<std::string, std::string> keys_;
  uint64_t next_table_ = 0x1000;  // offset in the image
};

}  // namespace kdumpkit
