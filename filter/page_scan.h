// SPDX-License-Identifier: GPL-2.0-or-later
// One thread's walk over struct pages: reads them, judges them, clears what the level leaves out.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "filter/select.h"

namespace kdumpkit {

// The part of a dropped block that lies behind the section of its head.
struct Overhang {
  PfnRun run;
  PageClass page_class;
};

// What a walk found; results of several threads add up.
struct ScanResult {
  std::array<ClassCount, kPageClassCount> classes = {};
  uint64_t visited = 0;     // existing pages in the sections walked
  uint64_t unreadable = 0;  // of these, pages whose struct page could not be read
  uint64_t free_pages = 0;  // in buddy blocks
  uint64_t slab_pages = 0;
  uint64_t bad_orders = 0;
  std::string first_error;  // why the first unreadable struct page was so
  std::vector<Overhang> overhangs;

  void Add(const ScanResult& other);
};

class PageScan {
 public:
  // Everything is borrowed; `kept` may be shared by scans of different sections, as sections hold
  // a multiple of 64 pages and begin at one.
  PageScan(const CrashedKernel& kernel, const PageLayout& layout, const DumpLevel& level,
           std::span<const PfnRun> existing, PageBitmap& kept, ScanResult& result);

  void Section(const MapSection& section);

 private:
  void Run(const MapSection& section, PfnRun run);
  // Judges the pages whose struct pages are in `structs`; pfn is that of the first.
  void Judge(uint64_t pfn, ByteView structs, uint64_t section_end);
  void Account(uint64_t pfn, const PageFacts& facts, uint64_t section_end);
  void Drop(uint64_t pfn, const Verdict& verdict, uint64_t section_end);
  // Bytes of whole struct pages from `address` on, at most `pages` of them; copies only where a
  // struct page crosses into another mapping.
  Result<ByteView> Structs(VirtAddr address, uint64_t pages);

  const PageLayout& layout_;
  const DumpLevel& level_;
  std::span<const PfnRun> existing_;
  PageBitmap& kept_;
  ScanResult& result_;
  std::unique_ptr<KernelMemory> memory_;
  ByteBuffer scratch_;
  // Frames up to here belong to a block whose head was judged: dropped ones need no look, kept
  // ones are counted in the head's class.
  uint64_t dropped_until_ = 0;
  uint64_t block_end_ = 0;
  PageClass block_class_ = PageClass::kKernel;
};

}  // namespace kdumpkit
