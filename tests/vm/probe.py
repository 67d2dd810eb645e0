# SPDX-License-Identifier: GPL-2.0-or-later
"""Does what a guest asks for while it loads and crashes, and looks into its memory from outside.

The headers of whatever is loaded lie in the reservation: they are found by their magic.
"""

import control
import elf_headers
import guest
import ranges
from crashed import Crashed

LOW_END = 0xA0000            # what firmware and real mode leave of the first MiB
PAGE = 4096
GROWTH_MIB = 256             # of memory that is plugged in


def _occurrences(data: bytes, sample: bytes) -> list[int]:
    """Where the sample begins in the data."""
    found = []
    at = data.find(sample)
    while at >= 0:
        found.append(at)
        at = data.find(sample, at + 1)
    return found


def find_headers(memory: control.Memory, reserved: ranges.Ranges) -> dict[int, list]:
    """The program headers of every elfcorehdr in the reservation, by the address of each."""
    found = {}
    for start, end in reserved:
        data = memory.read(start, end - start)
        for at in _occurrences(data, elf_headers.MAGIC):
            if at % 1024 == 0 and elf_headers.is_core(data[at:at + elf_headers.HEADER_SIZE]):
                found[start + at] = elf_headers.segments(data[at:at + (1 << 20)])
    return found


class Answers:
    """Does what the guest asks for; `loaded` are the files that it loads, by name."""

    def __init__(self, crashed: Crashed, loaded: dict[str, bytes], verbose):
        self.crashed = crashed
        self._loaded = loaded
        self._verbose = verbose
        self._console: list[str] = []

    def see(self, line: str) -> None:
        """Remembers a line of the console."""
        self._console.append(line + "\n")
        if self._verbose:
            self._verbose(line)

    def __call__(self, words: list[str], machine: control.Machine) -> str:
        self.crashed.result = guest.Result("".join(self._console), "running", 0, 0)
        return getattr(self, "_" + words[0])(machine, *words[1:]) or ""

    def _look(self, machine, name: str, keep: str = "") -> None:
        """Takes down the headers that are loaded; spoils them unless they are to be kept."""
        found = find_headers(machine.memory, self.crashed.iomem("Crash kernel"))
        if len(found) != 1:
            raise control.ControlError(f"after {name}, elfcorehdr at {list(map(hex, found))}")
        (address, segments), = found.items()
        self.crashed.headers[name] = segments
        if not keep:
            # The next load need not overwrite it, and is not to be mistaken for it.
            machine.memory.write(address, bytes(elf_headers.HEADER_SIZE))

    def _grow(self, machine, number: str) -> None:
        """Plugs memory in."""
        machine.execute("object-add", qom_type="memory-backend-ram", id=f"backend{number}",
                        size=GROWTH_MIB << 20)
        machine.execute("device_add", driver="pc-dimm", id=f"dimm{number}",
                        memdev=f"backend{number}")

    def _spoil(self, machine, name: str) -> None:
        """Changes one byte of what was loaded, wherever it is in the reservation."""
        middle = len(self._loaded[name]) // 2
        sample = self._loaded[name][middle:middle + 64]
        places = [start + at for start, end in self.crashed.iomem("Crash kernel")
                  for at in _occurrences(machine.memory.read(start, end - start), sample)]
        if len(places) != 1:
            raise control.ControlError(f"'{name}' is in the reservation {len(places)} times")
        machine.memory.write(places[0], bytes([sample[0] ^ 1]))

    def _panic(self, machine) -> None:
        self.crashed.low_memory = machine.memory.read(0, LOW_END)
        for start, _ in self.crashed.iomem("Kernel code"):
            inside = start + (1 << 20)
            self.crashed.text[inside] = machine.memory.read(inside, 16).hex()

    def _press(self, machine) -> str:
        self._panic(machine)
        if self.crashed.load.panic == "nmi":
            machine.execute("inject-nmi")
            return ""
        machine.send_break()
        return "c"

    def _read(self, machine) -> str:
        self.crashed.overwritten = machine.memory.read(0, LOW_END)
        low = self.crashed.low_memory
        used = [at for at in range(0, LOW_END, PAGE) if any(low[at:at + 16])]
        return " ".join(f"{address:x}" for address in
                        [*self.crashed.markers, *self.crashed.text, *used])
