// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/kdump_info.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace kdumpkit {
namespace {

constexpr uint64_t kMaxU32 = std::numeric_limits<uint32_t>::max();
constexpr uint64_t kNewestVersion = 6;
constexpr size_t kVersionOffset = 8;
// 256 TiB of 4 KiB pages: more is no machine but a corrupt field of a sparse file. Bounds memory.
constexpr uint64_t kMaxFrames = uint64_t{1} << 36;
// The largest header of any ABI (LP64); in a valid file it ends long before the first block does.
constexpr size_t kHeaderBytes = 464;
constexpr size_t kSubHeaderBytes = 104;

Error BadField(const KdumpInfo& info, std::string_view name, uint64_t value,
               std::string_view reason) {
  return Malformed("header field {} is {:#x} at offset {:#x}: {}", name, value,
                   KdumpHeaderFieldOffset(name, info.abi), reason);
}

Error BadSubField(const KdumpInfo& info, std::string_view name, uint64_t value,
                  std::string_view reason) {
  return Malformed("sub header field {} is {:#x} at offset {:#x}: {}", name, value,
                   info.block_size() + KdumpSubHeaderFieldOffset(name, info.abi), reason);
}

bool IsBlockSize(uint64_t size) {
  return std::has_single_bit(size) && size >= kMinKdumpBlock && size <= kMaxKdumpBlock;
}

Status CheckSignature(ByteView bytes) {
  std::string_view text = AsText(bytes);
  if (text.starts_with(kKdumpSignature)) return {};
  if (text.starts_with("DISKDUMP")) return Unsupported("a diskdump file, not a kdump file");
  if (text.starts_with("makedumpfile"))
    return Unsupported("a flattened stream; make the dump file of it first (kdump-filter -R)");
  return Malformed("no kdump-compressed file: it does not begin with the signature 'KDUMP   '");
}

Result<ByteOrder> FindByteOrder(ByteView bytes) {
  for (ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
    auto version = LoadUnchecked<uint32_t>(&bytes[kVersionOffset], order);
    if (version >= 1 && version <= kNewestVersion) return order;
  }
  return Unsupported("header field header_version at offset {:#x} is in neither byte order 1 to {}",
                     kVersionOffset, kNewestVersion);
}

// The fields of the main header. Nothing here can overflow: counts of blocks have 32 bits, a block
// at most 20.
Status CheckHeader(const KdumpInfo& info) {
  const KdumpHeader& header = info.header;
  if (!IsBlockSize(header.block_size))
    return BadField(info, "block_size", header.block_size, "not a page size");
  uint64_t file_blocks = info.file_size / header.block_size;
  if (header.sub_hdr_size == 0 || header.sub_hdr_size >= file_blocks)
    return BadField(info, "sub_hdr_size", header.sub_hdr_size,
                    fmt::format("the file has {} blocks", file_blocks));
  if (header.bitmap_blocks == 0 || header.bitmap_blocks % 2 != 0)
    return BadField(info, "bitmap_blocks", header.bitmap_blocks, "not two bitmaps");
  if (header.bitmap_blocks > file_blocks - 1 - header.sub_hdr_size)
    return BadField(info, "bitmap_blocks", header.bitmap_blocks,
                    fmt::format("the file has {} blocks", file_blocks));
  if (header.max_mapnr == 0 || header.max_mapnr > info.bitmap_bytes() * 8)
    return BadField(info, "max_mapnr", header.max_mapnr,
                    fmt::format("each bitmap has {:#x} bits", info.bitmap_bytes() * 8));
  return {};
}

Status CheckMaxMapnr(const KdumpInfo& info) {
  if (info.header.header_version < 6) return {};
  uint64_t frames = info.sub_header.max_mapnr_64;
  if (frames > kMaxFrames) return BadSubField(info, "max_mapnr_64", frames, "no machine has that");
  if (frames > info.bitmap_bytes() * 8)
    return BadSubField(info, "max_mapnr_64", frames,
                       fmt::format("each bitmap has {:#x} bits", info.bitmap_bytes() * 8));
  if (std::min(frames, kMaxU32) != info.header.max_mapnr)
    return BadSubField(info, "max_mapnr_64", frames,
                       fmt::format("max_mapnr is {:#x}", info.header.max_mapnr));
  return {};
}

// A part of the file that the sub header points at; offset and size 0 mean that there is none. An
// offset is checked even without a size: in the wrong ABI it holds another field's bytes.
Status CheckPart(const KdumpInfo& info, std::string_view name, uint64_t offset, uint64_t size) {
  if (size == 0 && offset == 0) return {};
  if (size > info.file_size)
    return BadSubField(info, fmt::format("size_{}", name), size,
                       fmt::format("the file has {:#x} bytes", info.file_size));
  if (offset < info.block_size() || offset > info.file_size - size)
    return BadSubField(
        info, fmt::format("offset_{}", name), offset,
        fmt::format("{:#x} bytes there are not within the file's {:#x}", size, info.file_size));
  return {};
}

Status CheckSplit(const KdumpInfo& info) {
  if (!info.part) return {};
  bool wide = info.header.header_version >= 6;
  if (info.part->first > info.part->end)
    return BadSubField(info, wide ? "start_pfn_64" : "start_pfn", info.part->first,
                       fmt::format("the part ends at {:#x}", info.part->end));
  if (info.part->end > info.max_mapnr)
    return BadSubField(info, wide ? "end_pfn_64" : "end_pfn", info.part->end,
                       fmt::format("max_mapnr is {:#x}", info.max_mapnr));
  return {};
}

Status CheckSubHeader(const KdumpInfo& info) {
  const KdumpSubHeader& sub = info.sub_header;
  TRY(CheckMaxMapnr(info));
  TRY(CheckPart(info, "vmcoreinfo", sub.offset_vmcoreinfo, sub.size_vmcoreinfo));
  TRY(CheckPart(info, "note", sub.offset_note, sub.size_note));
  TRY(CheckPart(info, "eraseinfo", sub.offset_eraseinfo, sub.size_eraseinfo));
  if (sub.split > 1) return BadSubField(info, "split", sub.split, "neither 0 nor 1");
  return CheckSplit(info);
}

Status ReadSubHeader(const DumpSource& source, KdumpInfo& info) {
  ByteBuffer bytes(kSubHeaderBytes);
  TRY(source.ReadFullyAt(FileOffset(info.block_size()), bytes).In("reading the sub header"));
  uint64_t version = info.header.header_version;
  info.sub_header = TRY(DecodeKdumpSubHeader(bytes, info.abi, version));
  info.max_mapnr = version >= 6 ? info.sub_header.max_mapnr_64 : info.header.max_mapnr;
  const KdumpSubHeader& sub = info.sub_header;
  if (sub.split == 1)
    info.part = version >= 6 ? KdumpPart{sub.start_pfn_64, sub.end_pfn_64}
                             : KdumpPart{sub.start_pfn, sub.end_pfn};
  return CheckSubHeader(info);
}

// Everything, under the assumption that the file is written in `abi`.
Result<KdumpInfo> ReadAs(const TargetAbi& abi, const DumpSource& source, ByteView bytes) {
  KdumpInfo info;
  info.abi = abi;
  info.file_size = source.size();
  info.header = TRY(DecodeKdumpHeader(bytes, abi));
  TRY(CheckHeader(info));
  TRY(ReadSubHeader(source, info));
  return info;
}

bool HasBlockSizeAs(const TargetAbi& abi, ByteView bytes) {
  auto header = DecodeKdumpHeader(bytes, abi);
  return header && IsBlockSize(header->block_size);
}

}  // namespace

Result<KdumpInfo> ReadKdumpInfo(const DumpSource& source) {
  ByteBuffer bytes(kHeaderBytes);
  TRY(source.ReadFullyAt(FileOffset(0), bytes).In("reading the dump header"));
  TRY(CheckSignature(bytes));
  ByteOrder order = TRY(FindByteOrder(bytes));
  const TargetAbi candidates[] = {{order, 8, 8}, {order, 4, 4}, {order, 4, 8}};
  // When none fits, the first with a page size where it belongs has the error to report.
  Result<KdumpInfo> failure = Malformed("header field block_size at offset {:#x} is no page size",
                                        KdumpHeaderFieldOffset("block_size", candidates[0]));
  bool found = false;
  for (const TargetAbi& abi : candidates) {
    if (!HasBlockSizeAs(abi, bytes)) continue;
    auto info = ReadAs(abi, source, bytes);
    if (info) return info;
    if (!found) failure = std::move(info);
    found = true;
  }
  return failure;
}

}  // namespace kdumpkit
