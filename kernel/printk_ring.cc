// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/printk_ring.h"

namespace kdumpkit {
namespace {

// Far beyond any kernel's; a structure is copied whole.
constexpr uint64_t kMaxStructSize = 4096;
// log_buf_len=1G, and descriptors for it at 64 bytes of text each (the kernel reckons with 32).
constexpr uint32_t kMaxCountBits = 24;
constexpr uint32_t kMaxSizeBits = 30;

// Members of one structure, each checked to lie inside of it.
class StructLayout {
 public:
  static Result<StructLayout> Find(const Vmcoreinfo& info, std::string_view type) {
    uint64_t size = TRY(info.RequireSize(type));
    if (size == 0 || size > kMaxStructSize)
      return Malformed("VMCOREINFO: SIZE({}) of {} bytes cannot be", type, size);
    return StructLayout(info, type, size);
  }

  size_t size() const { return size_; }

  // The offset of `member`, which has room for `width` bytes.
  Result<size_t> At(std::string_view member, uint64_t width) const {
    return Inside(member, TRY(info_.RequireOffset(type_, member)), width);
  }
  // The offset of a member of a member.
  Result<size_t> At(std::string_view member, std::string_view inner_type, std::string_view inner,
                    uint64_t width) const {
    uint64_t outer = TRY(At(member, 0));
    uint64_t offset = TRY(info_.RequireOffset(inner_type, inner));
    if (offset > kMaxStructSize)
      return Malformed("VMCOREINFO: OFFSET({}.{}) of {} cannot be", inner_type, inner, offset);
    return Inside(member, outer + offset, width);
  }

 private:
  StructLayout(const Vmcoreinfo& info, std::string_view type, size_t size)
      : info_(info), type_(type), size_(size) {}

  Result<size_t> Inside(std::string_view member, uint64_t offset, uint64_t width) const {
    if (offset > size_ || width > size_ - offset)
      return Malformed("VMCOREINFO: {}.{} at offset {} does not fit in {} bytes", type_, member,
                       offset, size_);
    return static_cast<size_t>(offset);
  }

  const Vmcoreinfo& info_;
  std::string_view type_;
  size_t size_;
};

Status FindRing(const Vmcoreinfo& info, uint64_t word, uint64_t counter, PrintkLayout& layout) {
  StructLayout ring = TRY(StructLayout::Find(info, "printk_ringbuffer"));
  constexpr std::string_view kDescs = "desc_ring";
  constexpr std::string_view kData = "text_data_ring";
  layout.ring_size = ring.size();
  layout.count_bits = TRY(ring.At(kDescs, "prb_desc_ring", "count_bits", sizeof(uint32_t)));
  layout.descs = TRY(ring.At(kDescs, "prb_desc_ring", "descs", word));
  layout.infos = TRY(ring.At(kDescs, "prb_desc_ring", "infos", word));
  layout.head_id = TRY(ring.At(kDescs, "prb_desc_ring", "head_id", counter + word)) + counter;
  layout.tail_id = TRY(ring.At(kDescs, "prb_desc_ring", "tail_id", counter + word)) + counter;
  layout.size_bits = TRY(ring.At(kData, "prb_data_ring", "size_bits", sizeof(uint32_t)));
  layout.data = TRY(ring.At(kData, "prb_data_ring", "data", word));
  return {};
}

// Facility and level have no keys of their own: they fill the place between text_len and caller_id,
// provided that there are just two bytes.
void FindExtras(const Vmcoreinfo& info, const StructLayout& record, PrintkLayout& layout) {
  Result<size_t> caller = record.At("caller_id", sizeof(uint32_t));
  if (!caller) return;
  layout.caller_id = *caller;
  if (*caller == layout.text_len + 4) layout.facility = layout.text_len + 2;
  std::optional<uint64_t> subsystem_size = info.Length("printk_info_subsystem");
  std::optional<uint64_t> device_size = info.Length("printk_info_device");
  if (!subsystem_size || !device_size) return;
  Result<size_t> subsystem = record.At("dev_info", "dev_printk_info", "subsystem", *subsystem_size);
  Result<size_t> device = record.At("dev_info", "dev_printk_info", "device", *device_size);
  if (!subsystem || !device) return;
  layout.has_device = true;
  layout.subsystem = *subsystem;
  layout.subsystem_size = *subsystem_size;
  layout.device = *device;
  layout.device_size = *device_size;
}

Status FindRecord(const Vmcoreinfo& info, uint64_t word, uint64_t counter, PrintkLayout& layout) {
  StructLayout desc = TRY(StructLayout::Find(info, "prb_desc"));
  layout.desc_size = desc.size();
  layout.state_var = TRY(desc.At("state_var", counter + word)) + counter;
  layout.begin = TRY(desc.At("text_blk_lpos", "prb_data_blk_lpos", "begin", word));
  layout.next = TRY(desc.At("text_blk_lpos", "prb_data_blk_lpos", "next", word));
  StructLayout record = TRY(StructLayout::Find(info, "printk_info"));
  layout.info_size = record.size();
  layout.seq = TRY(record.At("seq", sizeof(uint64_t)));
  layout.ts_nsec = TRY(record.At("ts_nsec", sizeof(uint64_t)));
  layout.text_len = TRY(record.At("text_len", sizeof(uint16_t)));
  FindExtras(info, record, layout);
  return {};
}

Result<uint32_t> CheckBits(uint32_t bits, uint32_t limit, std::string_view name) {
  if (bits == 0 || bits > limit)
    return Malformed("{} is {}, not 1 to {}: the ring is corrupt", name, bits, limit);
  return bits;
}

}  // namespace

Result<PrintkLayout> PrintkLayout::Find(const Vmcoreinfo& info, TargetWord word) {
  PrintkLayout layout;
  auto width = static_cast<uint64_t>(word.size);
  uint64_t counter = TRY(info.RequireOffset("atomic_long_t", "counter"));
  if (counter > kMaxStructSize)
    return Malformed("VMCOREINFO: OFFSET(atomic_long_t.counter) of {} cannot be", counter);
  TRY(FindRing(info, width, counter, layout));
  TRY(FindRecord(info, width, counter, layout));
  return layout;
}

Result<PrintkRing> PrintkRing::Read(KernelMemory& memory, const Vmcoreinfo& info,
                                    const PrintkLayout& layout, TargetWord word) {
  // prb is a pointer: to a static ring at first, to a larger one when log_buf_len asks for it.
  uint64_t address = TRY(memory.ReadWord(TRY(info.RequireSymbol("prb"))));
  ByteBuffer bytes(layout.ring_size);
  TRY(memory.Read(VirtAddr(address), bytes));
  auto bits = [&](size_t offset) {
    return LoadUnchecked<uint32_t>(bytes.data() + offset, word.order);
  };
  auto load = [&](size_t offset) { return word.Load(bytes.data() + offset); };
  PrintkRing ring;
  ring.count = uint64_t{1} << TRY(CheckBits(bits(layout.count_bits), kMaxCountBits, "count_bits"));
  ring.size_bits = TRY(CheckBits(bits(layout.size_bits), kMaxSizeBits, "size_bits"));
  ring.descs = VirtAddr(load(layout.descs));
  ring.infos = VirtAddr(load(layout.infos));
  ring.data = VirtAddr(load(layout.data));
  ring.head_id = load(layout.head_id);
  ring.tail_id = load(layout.tail_id);
  return ring;
}

// A logical position counts on for ever; its low size_bits are the place in the ring, those above
// say how often the ring was gone through ("wrap"). A block stands in one piece: where it would
// cross the end it begins at place 0 instead. Whether a block that ends exactly at the end does so
// too depends on the kernel; either way its last byte, at next - 1, tells.
// Linux commit 67e1b0052f6b ("printk_ringbuffer: don't needlessly wrap data blocks around").
std::optional<PrintkText> LocatePrintkText(const PrintkRing& ring, TargetWord word, uint64_t begin,
                                           uint64_t next) {
  // Odd positions are FAILED_LPOS (1) and NO_LPOS (3); those of a block are aligned to words.
  if ((begin & 1) != 0 && (next & 1) != 0) return PrintkText{};
  auto id_size = static_cast<uint64_t>(word.size);
  if ((begin | next) % id_size != 0) return std::nullopt;
  auto wrap = [&](uint64_t position) { return (position & word.mask()) >> ring.size_bits; };
  uint64_t place_mask = ring.data_size() - 1;
  uint64_t end = ((next - 1) & place_mask) + 1;
  uint64_t start;
  if (wrap(begin) == wrap(next - 1))
    start = begin & place_mask;
  else if (wrap(begin + ring.data_size()) == wrap(next - 1))
    start = 0;
  else
    return std::nullopt;
  // A block begins with the id of its descriptor, one word.
  if (end < start + id_size) return std::nullopt;
  return PrintkText{start + id_size, end - start - id_size};
}

}  // namespace kdumpkit
