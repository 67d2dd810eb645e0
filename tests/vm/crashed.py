# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest that crashed has told."""

import dataclasses
import re

import elf_headers
import guest
import ranges
from crash_script import Load


@dataclasses.dataclass
class Crashed:
    """What became of a guest, and what was seen on the way."""
    load: Load
    result: guest.Result
    headers: dict[str, list[elf_headers.Segment]]   # elfcorehdr of each load, by its name
    text: dict[int, str] = dataclasses.field(default_factory=dict)   # like `memory`, by the host
    low_memory: bytes = b""                         # the first 640 KiB, just before the panic
    overwritten: bytes = b""                        # the same once the crash kernel runs

    def lines(self, what: str) -> list[str]:
        """The rests of the console's lines that begin so."""
        return re.findall(rf"^{re.escape(what)} (.*)$", self.result.console, re.MULTILINE)

    @property
    def console(self) -> str:
        """The console from the panic on."""
        return self.result.console.rpartition("GUEST: panicking")[2]

    @property
    def vmcore(self) -> dict[int, bytes]:
        """The bytes of /proc/vmcore that were told, by offset."""
        return {int(offset, 16): bytes.fromhex(data) for offset, data in
                (line.split() for line in self.lines("REPORT data"))}

    @property
    def segments(self) -> list[elf_headers.Segment]:
        """The program headers of /proc/vmcore."""
        return elf_headers.segments(_join(self.vmcore, 0))

    @property
    def notes(self) -> list[elf_headers.Note]:
        """The notes of /proc/vmcore."""
        return [note for segment in self.segments if segment.kind == elf_headers.PT_NOTE
                for note in elf_headers.notes(_join(self.vmcore, segment.offset))]

    @property
    def memory(self) -> dict[int, str]:
        """The memory that was told: 16 bytes in hexadecimal by address."""
        return {int(address, 16): data for address, data in
                (line.split() for line in self.lines("REPORT memory"))}

    @property
    def markers(self) -> dict[int, str]:
        """What the dead kernel's marker programs had, likewise."""
        return {int(address, 16): data for address, data in
                (line.split() for line in self.lines("MARKER:"))}

    def iomem(self, name: str, by: str = "GUEST: iomem") -> ranges.Ranges:
        """The ranges of that name in the last /proc/iomem that was told."""
        text = "\n" + "\n".join(self.lines(by))
        return ranges.of_iomem(text[text.rfind("\n00000000-"):], name)


def _join(pieces: dict[int, bytes], start: int) -> bytes:
    """The bytes from `start` on, as far as they follow each other."""
    result = b""
    while start + len(result) in pieces:
        result += pieces[start + len(result)]
    return result
