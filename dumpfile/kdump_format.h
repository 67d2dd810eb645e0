// SPDX-License-Identifier: GPL-2.0-or-later
// The headers of a kdump-compressed file, as values and as bytes of any machine. Layout and meaning
// of every field: docs/dump-formats.md.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace kdumpkit {

// Sizes and alignment of C types on the dumped machine; the headers are written in them.
struct TargetAbi {
  ByteOrder order = ByteOrder::kLittle;
  int long_size = 8;
  int u64_align = 8;

  bool operator==(const TargetAbi&) const = default;
};

inline constexpr std::string_view kKdumpSignature = "KDUMP   ";
// Header status: data is missing; page descriptors with offset 0 are pages that were lost.
inline constexpr uint32_t kKdumpIncomplete = 0x8;
inline constexpr size_t kPageDescriptorSize = 24;  // on every ABI
// Header status: struct pages of left out pages were left out, too (makedumpfile -e).
inline constexpr uint32_t kKdumpVmemmapExcluded = 0x10;
// Bytes of a block, the page size of the dumped kernel: Linux has pages of 4 KiB to 1 MiB.
inline constexpr uint64_t kMinKdumpBlock = uint64_t{4} << 10;
inline constexpr uint64_t kMaxKdumpBlock = uint64_t{1} << 20;

// struct disk_dump_header; numbers are wide enough for every ABI and cut to their field.
struct KdumpHeader {
  uint64_t header_version = 0;
  std::array<std::string, 6> utsname;  // as uname(2): sysname, nodename, release, …
  uint64_t tv_sec = 0;                 // time of the crash
  uint64_t tv_usec = 0;
  uint64_t status = 0;
  uint64_t block_size = 0;     // bytes
  uint64_t sub_hdr_size = 0;   // blocks
  uint64_t bitmap_blocks = 0;  // of both bitmaps
  uint64_t max_mapnr = 0;      // 32 bits, saturated
  uint64_t total_ram_blocks = 0;
  uint64_t device_blocks = 0;
  uint64_t written_blocks = 0;
  uint64_t current_cpu = 0;
  uint64_t nr_cpus = 0;
};

// struct kdump_sub_header. Offsets are in the file, sizes in bytes.
struct KdumpSubHeader {
  uint64_t phys_base = 0;
  uint64_t dump_level = 0;
  uint64_t split = 0;
  uint64_t start_pfn = 0;
  uint64_t end_pfn = 0;
  uint64_t offset_vmcoreinfo = 0;
  uint64_t size_vmcoreinfo = 0;
  uint64_t offset_note = 0;
  uint64_t size_note = 0;
  uint64_t offset_eraseinfo = 0;
  uint64_t size_eraseinfo = 0;
  uint64_t start_pfn_64 = 0;
  uint64_t end_pfn_64 = 0;
  uint64_t max_mapnr_64 = 0;
};

// The page frames [first, end) whose pages one part of a split dump has.
struct KdumpPart {
  uint64_t first = 0;
  uint64_t end = 0;

  bool Has(uint64_t pfn) const { return pfn >= first && pfn < end; }
  bool operator==(const KdumpPart&) const = default;
};

// What struct page_desc holds for one page.
struct PageDescriptor {
  uint64_t offset = 0;  // in the file; 0 marks a page that could not be written
  uint32_t size = 0;
  uint32_t flags = 0;

  bool operator==(const PageDescriptor&) const = default;
};

// Bytes of the two structures: 464 and 104 (LP64), 452 and 80 (i386), 452 and 96 (arm).
size_t KdumpHeaderSize(const TargetAbi& abi);
size_t KdumpSubHeaderSize(const TargetAbi& abi);

// With the signature at its beginning.
ByteBuffer EncodeKdumpHeader(const KdumpHeader& header, const TargetAbi& abi);
ByteBuffer EncodeKdumpSubHeader(const KdumpSubHeader& header, const TargetAbi& abi);
void EncodePageDescriptor(const PageDescriptor& descriptor, ByteOrder order, ByteSpan out);

// `bytes` begin with the structure; the signature is not looked at. Fields that the format had not
// yet in `version` stay 0.
Result<KdumpHeader> DecodeKdumpHeader(ByteView bytes, const TargetAbi& abi);
Result<KdumpSubHeader> DecodeKdumpSubHeader(ByteView bytes, const TargetAbi& abi, uint64_t version);
PageDescriptor DecodePageDescriptor(ByteView bytes, ByteOrder order);

// Offset of a field within its structure, by the names above; for messages.
size_t KdumpHeaderFieldOffset(std::string_view name, const TargetAbi& abi);
size_t KdumpSubHeaderFieldOffset(std::string_view name, const TargetAbi& abi);

}  // namespace kdumpkit
