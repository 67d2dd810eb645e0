// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/kdump_format.h"

#include <algorithm>
#include <span>

namespace kdumpkit {
namespace {

enum class CType : uint8_t { kU32, kLong, kU64 };

// One field of a structure, in the order of its C declaration.
template <typename Header>
struct Field {
  std::string_view name;
  CType type;
  uint64_t Header::*value;
  uint64_t since_version = 0;
};

// header_version follows the signature, utsname follows it; all the others are here.
constexpr size_t kVersionOffset = 8;
constexpr size_t kUtsnameOffset = 12;
constexpr size_t kUtsnameWidth = 65;
constexpr size_t kMainFieldsOffset = kUtsnameOffset + 6 * kUtsnameWidth;
constexpr Field<KdumpHeader> kMainFields[] = {
    {"tv_sec", CType::kLong, &KdumpHeader::tv_sec},
    {"tv_usec", CType::kLong, &KdumpHeader::tv_usec},
    {"status", CType::kU32, &KdumpHeader::status},
    {"block_size", CType::kU32, &KdumpHeader::block_size},
    {"sub_hdr_size", CType::kU32, &KdumpHeader::sub_hdr_size},
    {"bitmap_blocks", CType::kU32, &KdumpHeader::bitmap_blocks},
    {"max_mapnr", CType::kU32, &KdumpHeader::max_mapnr},
    {"total_ram_blocks", CType::kU32, &KdumpHeader::total_ram_blocks},
    {"device_blocks", CType::kU32, &KdumpHeader::device_blocks},
    {"written_blocks", CType::kU32, &KdumpHeader::written_blocks},
    {"current_cpu", CType::kU32, &KdumpHeader::current_cpu},
    {"nr_cpus", CType::kU32, &KdumpHeader::nr_cpus},
};

constexpr Field<KdumpSubHeader> kSubFields[] = {
    {"phys_base", CType::kLong, &KdumpSubHeader::phys_base},
    {"dump_level", CType::kU32, &KdumpSubHeader::dump_level, 1},
    {"split", CType::kU32, &KdumpSubHeader::split, 2},
    {"start_pfn", CType::kLong, &KdumpSubHeader::start_pfn, 2},
    {"end_pfn", CType::kLong, &KdumpSubHeader::end_pfn, 2},
    {"offset_vmcoreinfo", CType::kU64, &KdumpSubHeader::offset_vmcoreinfo, 3},
    {"size_vmcoreinfo", CType::kLong, &KdumpSubHeader::size_vmcoreinfo, 3},
    {"offset_note", CType::kU64, &KdumpSubHeader::offset_note, 4},
    {"size_note", CType::kLong, &KdumpSubHeader::size_note, 4},
    {"offset_eraseinfo", CType::kU64, &KdumpSubHeader::offset_eraseinfo, 5},
    {"size_eraseinfo", CType::kLong, &KdumpSubHeader::size_eraseinfo, 5},
    {"start_pfn_64", CType::kU64, &KdumpSubHeader::start_pfn_64, 6},
    {"end_pfn_64", CType::kU64, &KdumpSubHeader::end_pfn_64, 6},
    {"max_mapnr_64", CType::kU64, &KdumpSubHeader::max_mapnr_64, 6},
};

size_t AlignUp(size_t value, size_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

size_t SizeOf(CType type, const TargetAbi& abi) {
  if (type == CType::kU32) return 4;
  return type == CType::kU64 ? 8 : static_cast<size_t>(abi.long_size);
}

size_t AlignOf(CType type, const TargetAbi& abi) {
  return type == CType::kU64 ? static_cast<size_t>(abi.u64_align) : SizeOf(type, abi);
}

// Calls `visit(field, offset)` for each field where a C compiler of `abi` puts it; returns the
// structure's size, its tail padding included.
template <typename Header, typename Visit>
size_t ForEachField(std::span<const Field<Header>> fields, size_t offset, const TargetAbi& abi,
                    Visit visit) {
  size_t largest = 1;
  for (const Field<Header>& field : fields) {
    size_t alignment = AlignOf(field.type, abi);
    offset = AlignUp(offset, alignment);
    visit(field, offset);
    offset += SizeOf(field.type, abi);
    largest = std::max(largest, alignment);
  }
  return AlignUp(offset, largest);
}

template <typename Visit>
size_t ForEachMainField(const TargetAbi& abi, Visit visit) {
  return ForEachField<KdumpHeader>(kMainFields, kMainFieldsOffset, abi, visit);
}

template <typename Visit>
size_t ForEachSubField(const TargetAbi& abi, Visit visit) {
  return ForEachField<KdumpSubHeader>(kSubFields, 0, abi, visit);
}

constexpr auto kIgnore = [](const auto&, size_t) {};

void StoreNumber(std::byte* at, size_t size, uint64_t value, ByteOrder order) {
  if (size == 4)
    StoreUnchecked(at, static_cast<uint32_t>(value), order);
  else
    StoreUnchecked(at, value, order);
}

uint64_t LoadNumber(const std::byte* at, size_t size, ByteOrder order) {
  return size == 4 ? LoadUnchecked<uint32_t>(at, order) : LoadUnchecked<uint64_t>(at, order);
}

void PutText(std::string_view text, ByteSpan out) { std::ranges::copy(AsBytes(text), out.begin()); }

std::string_view UntilNul(std::string_view text) { return text.substr(0, text.find('\0')); }

}  // namespace

size_t KdumpHeaderSize(const TargetAbi& abi) { return ForEachMainField(abi, kIgnore); }

size_t KdumpSubHeaderSize(const TargetAbi& abi) { return ForEachSubField(abi, kIgnore); }

ByteBuffer EncodeKdumpHeader(const KdumpHeader& header, const TargetAbi& abi) {
  ByteBuffer bytes(KdumpHeaderSize(abi));
  PutText(kKdumpSignature, bytes);
  StoreNumber(&bytes[kVersionOffset], 4, header.header_version, abi.order);
  for (size_t i = 0; i < header.utsname.size(); ++i)
    PutText(header.utsname[i].substr(0, kUtsnameWidth - 1),
            ByteSpan(bytes).subspan(kUtsnameOffset + i * kUtsnameWidth));
  ForEachMainField(abi, [&](const auto& field, size_t offset) {
    StoreNumber(&bytes[offset], SizeOf(field.type, abi), header.*field.value, abi.order);
  });
  return bytes;
}

ByteBuffer EncodeKdumpSubHeader(const KdumpSubHeader& header, const TargetAbi& abi) {
  ByteBuffer bytes(KdumpSubHeaderSize(abi));
  ForEachSubField(abi, [&](const auto& field, size_t offset) {
    StoreNumber(&bytes[offset], SizeOf(field.type, abi), header.*field.value, abi.order);
  });
  return bytes;
}

void EncodePageDescriptor(const PageDescriptor& descriptor, ByteOrder order, ByteSpan out) {
  CHECK(out.size() >= kPageDescriptorSize);
  StoreUnchecked(out.data(), descriptor.offset, order);
  StoreUnchecked(out.data() + 8, descriptor.size, order);
  StoreUnchecked(out.data() + 12, descriptor.flags, order);
  StoreUnchecked(out.data() + 16, uint64_t{0}, order);  // page_flags: nobody fills or reads them
}

Result<KdumpHeader> DecodeKdumpHeader(ByteView bytes, const TargetAbi& abi) {
  if (bytes.size() < KdumpHeaderSize(abi))
    return Truncated("the file ends in its header, at offset {:#x}", bytes.size());
  KdumpHeader header;
  header.header_version = LoadNumber(&bytes[kVersionOffset], 4, abi.order);
  for (size_t i = 0; i < header.utsname.size(); ++i)
    header.utsname[i] =
        UntilNul(AsText(bytes.subspan(kUtsnameOffset + i * kUtsnameWidth, kUtsnameWidth)));
  ForEachMainField(abi, [&](const auto& field, size_t offset) {
    header.*field.value = LoadNumber(&bytes[offset], SizeOf(field.type, abi), abi.order);
  });
  return header;
}

Result<KdumpSubHeader> DecodeKdumpSubHeader(ByteView bytes, const TargetAbi& abi,
                                            uint64_t version) {
  if (bytes.size() < KdumpSubHeaderSize(abi)) return Truncated("the file ends in its sub header");
  KdumpSubHeader header;
  ForEachSubField(abi, [&](const auto& field, size_t offset) {
    if (version < field.since_version) return;
    header.*field.value = LoadNumber(&bytes[offset], SizeOf(field.type, abi), abi.order);
  });
  return header;
}

PageDescriptor DecodePageDescriptor(ByteView bytes, ByteOrder order) {
  CHECK(bytes.size() >= kPageDescriptorSize);
  return {.offset = LoadUnchecked<uint64_t>(bytes.data(), order),
          .size = LoadUnchecked<uint32_t>(bytes.data() + 8, order),
          .flags = LoadUnchecked<uint32_t>(bytes.data() + 12, order)};
}

size_t KdumpHeaderFieldOffset(std::string_view name, const TargetAbi& abi) {
  size_t found = kVersionOffset;
  ForEachMainField(abi, [&](const auto& field, size_t offset) {
    if (field.name == name) found = offset;
  });
  return found;
}

size_t KdumpSubHeaderFieldOffset(std::string_view name, const TargetAbi& abi) {
  size_t found = 0;
  ForEachSubField(abi, [&](const auto& field, size_t offset) {
    if (field.name == name) found = offset;
  });
  return found;
}

}  // namespace kdumpkit
