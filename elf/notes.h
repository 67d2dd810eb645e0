// SPDX-License-Identifier: GPL-2.0-or-later
// ELF notes: a name, a type and bytes, one behind the other.
#pragma once

#include <string>
#include <vector>

#include "elf/vmcore.h"

namespace kdumpkit {

struct NoteList {
  std::vector<Note> notes;
  // Why the list ends early, empty when it does not: "note at 0x1150: …".
  std::string problem;
};

// The notes in raw[begin, raw.size()): the contents of one PT_NOTE that stands at `offset` of the
// file. A note that does not fit ends the list; what came before it stays.
NoteList ParseNotes(ByteView raw, size_t begin, ByteOrder order, FileOffset offset);

// The name of the note with the record of erased data (makedumpfile).
inline constexpr std::string_view kEraseinfoName = "ERASEINFO";

// The name of our own note in an ELF core: two 32-bit numbers, the dump level that was applied and
// the bits of a kdump header's status that are kept. It is the last note.
inline constexpr std::string_view kFilterNoteName = "KDUMPKIT";
inline constexpr size_t kFilterNoteSize = 8;

// A note of type 0 as it stands in a note segment.
ByteBuffer MakeNote(std::string_view name, ByteView desc, ByteOrder order);

}  // namespace kdumpkit
