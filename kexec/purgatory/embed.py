#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns purgatory, an ELF file, into C++ source that holds it as flat bytes.

Usage: embed.py PURGATORY-ELF OUTPUT.cc

The bytes are loaded anywhere and entered as they are, so that a file which needs more than that
(relocation, zeroed memory, a dynamic linker, symbols from elsewhere) is refused.
"""

import pathlib
import struct
import sys

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
ELF64_LITTLE = b"\x7fELF\x02\x01"
X86_64 = 62
PT_LOAD = 1
SHT_SYMTAB, SHT_RELA, SHT_DYNAMIC, SHT_REL, SHT_DYNSYM = 2, 4, 6, 9, 11

SOURCE = """// Made by kexec/purgatory/embed.py.
#include "kexec/purgatory/built_image.h"

namespace kdumpkit::purgatory {{
namespace {{

constexpr unsigned char kBytes[] = {{
{bytes}
}};

}}  // namespace

std::optional<BuiltImage> X86Image() {{ return BuiltImage{{std::as_bytes(std::span(kBytes)), {entry}}}; }}

}}  // namespace kdumpkit::purgatory
"""


class NotFlat(Exception):
    """Why the file cannot be used."""


def table(data: bytes, kind: struct.Struct, offset: int, count: int) -> list[tuple]:
    """`count` entries from `offset` on."""
    return [kind.unpack_from(data, offset + i * kind.size) for i in range(count)]


def check_sections(data: bytes, sections: list[tuple]) -> None:
    """No relocations, no dynamic section, no symbol from elsewhere."""
    for _, kind, _, _, offset, size, *_ in sections:
        if kind in (SHT_RELA, SHT_REL) and size:
            raise NotFlat("it has relocations")
        if kind in (SHT_DYNAMIC, SHT_DYNSYM):
            raise NotFlat("it wants a dynamic linker")
        if kind == SHT_SYMTAB:
            symbols = table(data, SYMBOL, offset, size // SYMBOL.size)[1:]
            if any(section == 0 for _, _, _, section, _, _ in symbols):
                raise NotFlat("it has undefined symbols")


def flatten(data: bytes) -> tuple[bytes, int]:
    """The bytes in memory and the offset of the entry."""
    (magic, _, machine, _, entry, programs, sections, _, _, _, program_count, _, section_count,
     _) = HEADER.unpack_from(data)
    if not magic.startswith(ELF64_LITTLE) or machine != X86_64:
        raise NotFlat("it is no ELF file for x86_64")
    check_sections(data, table(data, SECTION_HEADER, sections, section_count))
    loads = table(data, PROGRAM_HEADER, programs, program_count)
    if len(loads) != 1 or loads[0][0] != PT_LOAD:
        raise NotFlat("it is not one segment")
    _, _, offset, address, _, file_size, memory_size, _ = loads[0]
    if address != 0 or file_size != memory_size:
        raise NotFlat("its segment is not all bytes, from address 0 on")
    if not entry < file_size:
        raise NotFlat("its entry is outside")
    return data[offset:offset + file_size], entry


def source_of(image: bytes, entry: int) -> str:
    """The C++ source."""
    lines = [",".join(map(str, image[i:i + 24])) + "," for i in range(0, len(image), 24)]
    return SOURCE.format(bytes="\n".join(lines), entry=entry)


def main() -> int:
    elf, output = map(pathlib.Path, sys.argv[1:])
    try:
        output.write_text(source_of(*flatten(elf.read_bytes())), encoding="ascii")
    except NotFlat as error:
        print(f"embed.py: '{elf}': {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
