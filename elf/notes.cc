// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/notes.h"

namespace kdumpkit {
namespace {

constexpr size_t kHeaderSize = 12;  // n_namesz, n_descsz, n_type: 32 bits each (System V gABI)
constexpr uint64_t kMaxName = 256;  // the longest known, "VMCOREINFO_XEN", has 15 with its NUL
// A handful a CPU; Linux knows at most 8192 CPUs.
constexpr size_t kMaxNotes = size_t{1} << 18;

// Name and contents are each padded to 4 bytes in a core, also in 64-bit ones.
constexpr uint64_t Pad(uint64_t size) { return (size + 3) & ~uint64_t{3}; }

struct Header {
  uint32_t name_size;
  uint32_t desc_size;
  uint32_t type;
  bool IsZero() const { return name_size == 0 && desc_size == 0 && type == 0; }
};

Header LoadHeader(const std::byte* at, ByteOrder order) {
  return {LoadUnchecked<uint32_t>(at, order), LoadUnchecked<uint32_t>(at + 4, order),
          LoadUnchecked<uint32_t>(at + 8, order)};
}

std::string_view NameText(ByteView bytes) {
  std::string_view text = AsText(bytes);
  return text.substr(0, text.find('\0'));
}

}  // namespace

NoteList ParseNotes(ByteView raw, size_t begin, ByteOrder order, FileOffset offset) {
  NoteList list;
  size_t at = begin;
  auto fail = [&](std::string_view what) {
    list.problem = fmt::format("note at {:#x}: {}", offset.value + (at - begin), what);
    return std::move(list);
  };
  while (at < raw.size()) {
    if (raw.size() - at < kHeaderSize)
      return IsZero(raw.subspan(at)) ? std::move(list) : fail("its header is cut off");
    Header header = LoadHeader(raw.data() + at, order);
    // Linux fills the notes of /proc/vmcore up with zeros.
    if (header.IsZero()) return list;
    uint64_t desc_at = at + kHeaderSize + Pad(header.name_size);
    if (header.name_size > kMaxName)
      return fail(fmt::format("a name of {} bytes", header.name_size));
    if (desc_at > raw.size() || header.desc_size > raw.size() - desc_at)
      return fail(fmt::format("{} bytes of name and {} of contents reach past the end of the notes",
                              header.name_size, header.desc_size));
    if (list.notes.size() == kMaxNotes) return fail("too many notes");
    list.notes.push_back({std::string(NameText(raw.subspan(at + kHeaderSize, header.name_size))),
                          header.type, raw.subspan(desc_at, header.desc_size), desc_at});
    at = desc_at + Pad(header.desc_size);
  }
  return list;
}

ByteBuffer MakeNote(std::string_view name, ByteView desc, ByteOrder order) {
  ByteWriter note(order);
  note.Put(static_cast<uint32_t>(name.size() + 1));
  note.Put(static_cast<uint32_t>(desc.size()));
  note.Put(uint32_t{0});
  note.PutText(name, Pad(name.size() + 1));
  note.PutBytes(desc);
  note.PadTo(Pad(note.size()));
  return std::move(note).Take();
}

}  // namespace kdumpkit
