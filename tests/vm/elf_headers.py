# SPDX-License-Identifier: GPL-2.0-or-later
"""ELF64 program headers and notes, little endian, as an independent reader sees them."""

import dataclasses
import struct

PT_LOAD, PT_NOTE = 1, 4
ET_CORE, EM_X86_64 = 4, 62
MAGIC = b"\x7fELF\x02\x01\x01"
HEADER_SIZE = 64
NT_PRSTATUS = 1
PRSTATUS_PID = 32            # offset in the note's contents
PRSTATUS_RIP = 112 + 16 * 8


@dataclasses.dataclass(frozen=True)
class Segment:
    """One program header."""
    kind: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int

    @property
    def end(self) -> int:
        """The first physical address behind it."""
        return self.paddr + self.memsz

    def __str__(self):
        kind = {PT_LOAD: "load", PT_NOTE: "note"}.get(self.kind, str(self.kind))
        return (f"{kind} {self.paddr:#x}-{self.end:#x} at {self.offset:#x} vaddr {self.vaddr:#x} "
                f"filesz {self.filesz:#x} flags {self.flags} align {self.align}")


@dataclasses.dataclass(frozen=True)
class Note:
    """One note of a note segment."""
    name: str
    kind: int
    contents: bytes


def is_core(header: bytes) -> bool:
    """Whether these are the first bytes of a core file of this machine."""
    return (len(header) >= HEADER_SIZE and header.startswith(MAGIC) and
            struct.unpack_from("<HH", header, 16) == (ET_CORE, EM_X86_64))


def table(header: bytes) -> tuple[int, int]:
    """Offset and size of the program headers that the ELF header names."""
    offset, = struct.unpack_from("<Q", header, 32)
    size, count = struct.unpack_from("<HH", header, 54)
    return offset, size * count


def segments(data: bytes) -> list[Segment]:
    """The program headers of a file of which `data` has at least these."""
    offset, size = table(data)
    found = struct.iter_unpack("<IIQQQQQQ", data[offset:offset + size])
    return [Segment(*fields) for fields in found]


def notes(data: bytes) -> list[Note]:
    """The notes in the contents of a note segment."""
    found = []
    at = 0
    while at + 12 <= len(data):
        name_size, size, kind = struct.unpack_from("<III", data, at)
        if name_size == 0:
            break
        name = data[at + 12:at + 12 + name_size].rstrip(b"\0").decode("ascii", "replace")
        start = at + 12 + (name_size + 3) // 4 * 4
        found.append(Note(name, kind, data[start:start + size]))
        at = start + (size + 3) // 4 * 4
    return found
