# SPDX-License-Identifier: GPL-2.0-or-later
"""An independent reader of ELF64 vmcores, for judging dumps.  Little endian, 4 KiB pages."""

import bisect
import mmap
import pathlib
import struct

import bitmaps
from elf_headers import PT_LOAD, PT_NOTE, segments

PAGE = 4096


class ElfCore:
    """Physical memory in an ELF64 file."""

    def __init__(self, path: pathlib.Path):
        with open(path, "rb") as file:
            self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if self._file[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"'{path}' is not a little-endian ELF64 file")
        self.headers = segments(self._file)
        loads = sorted((load.paddr, load.offset, load.filesz, load.memsz)
                       for load in self.headers if load.kind == PT_LOAD)
        self.segments = _without_overlap(loads)
        self._starts = [segment[0] for segment in self.segments]

    def __len__(self) -> int:
        return len(self._file)

    def present(self) -> int:
        """The page frames that a segment touches, as a bitmap."""
        result = 0
        for paddr, _, _, memsz in self.segments:
            result |= bitmaps.span(paddr // PAGE, -(-(paddr + memsz) // PAGE))
        return result

    def partial(self) -> list[int]:
        """The page frames of which the file has a part only."""
        edges = {paddr for paddr, *_ in self.segments}
        edges ^= {paddr + memsz for paddr, _, _, memsz in self.segments}
        return sorted({edge // PAGE for edge in edges if edge % PAGE})

    def offset_of(self, pfn: int) -> int:
        """Where in the file the page frame is."""
        index = bisect.bisect_right(self._starts, pfn * PAGE) - 1
        paddr, offset, _, _ = self.segments[index]
        return offset + pfn * PAGE - paddr

    def read(self, address: int, size: int) -> bytes:
        """Physical memory; bytes that the file does not have are zero."""
        index = max(0, bisect.bisect_right(self._starts, address) - 1)
        result = b""
        for paddr, offset, filesz, _ in self.segments[index:]:
            if paddr >= address + size:
                break
            begin, end = max(address, paddr), min(address + size, paddr + filesz)
            if begin < end:
                result += bytes(begin - address - len(result))
                result += self._file[offset + begin - paddr:offset + end - paddr]
        return result + bytes(size - len(result))

    def page(self, pfn: int) -> bytes:
        """One page frame."""
        return self.read(pfn * PAGE, PAGE)

    def notes(self) -> bytes:
        """The contents of the note segments."""
        return b"".join(self._file[note.offset:note.offset + note.filesz]
                        for note in self.headers if note.kind == PT_NOTE)

    def vmcoreinfo(self) -> dict[str, str]:
        """The lines of VMCOREINFO."""
        data = self.notes()
        at = data.index(b"VMCOREINFO\0")
        size, = struct.unpack_from("<I", data, at - 8)
        text = data[at + 12:at + 12 + size].decode("ascii", "replace")
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _without_overlap(loads):
    """Segments sorted by address, cut so that each address is in one only."""
    result = []
    end = 0
    for paddr, offset, filesz, memsz in loads:
        cut = max(0, end - paddr)
        if cut < memsz:
            result.append((paddr + cut, offset + cut, max(0, filesz - cut), memsz - cut))
            end = paddr + memsz
    return result
