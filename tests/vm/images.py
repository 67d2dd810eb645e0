# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel in every wrapping that a loader has to take off, made from Debian's bzImage.

PE/COFF: the format's specification by Microsoft.  EFI zboot: drivers/firmware/efi/libstub/
zboot-header.S in Linux.  Unified kernel image: the UAPI group's specification.
"""

import bz2
import gzip
import lzma
import struct
import subprocess

import elf_headers

FILE_ALIGNMENT, MEMORY_ALIGNMENT = 0x200, 0x1000
MACHINE_AMD64 = 0x8664
SETUP_SECTORS, PAYLOAD_OFFSET, PAYLOAD_SIZE = 0x1F1, 0x248, 0x24C    # of a bzImage


def _piped(argv: list[str], data: bytes) -> bytes:
    return subprocess.run(argv, input=data, capture_output=True, check=True).stdout


def _xz_stream(data: bytes) -> bytes:
    """The first xz stream; the kernel's own is followed by four bytes of its size."""
    return lzma.LZMADecompressor().decompress(data)


# How a bzImage's payload is unpacked, by its first bytes.
UNPACKERS = {
    b"\xfd7zXZ\0": _xz_stream,
    b"\x28\xb5\x2f\xfd": lambda data: _piped(["zstd", "-dcq"], data[:-4]),
}


def vmlinux(bzimage: bytes) -> bytes:
    """The ELF file that a bzImage unpacks when it starts."""
    start = (bzimage[SETUP_SECTORS] + 1) * 512
    offset, size = (struct.unpack_from("<I", bzimage, at)[0]
                    for at in (PAYLOAD_OFFSET, PAYLOAD_SIZE))
    payload = bzimage[start + offset:start + offset + size]
    unpack, = (unpack for magic, unpack in UNPACKERS.items() if payload.startswith(magic))
    elf = unpack(payload)
    # Behind the file are the places to be changed when it runs at another virtual address.
    loads = [s for s in elf_headers.segments(elf) if s.kind == elf_headers.PT_LOAD]
    return elf[:_elf_size(elf, loads)]


def _elf_size(elf: bytes, loads: list[elf_headers.Segment]) -> int:
    sections, = struct.unpack_from("<Q", elf, 40)
    size, count = struct.unpack_from("<HH", elf, 58)
    return max(sections + size * count, *(load.offset + load.filesz for load in loads))


def _aligned(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment


def pe(sections: dict[str, bytes], dos_header: bytes = b"MZ") -> bytes:
    """A PE32+ file with these sections; the DOS header gets the place of the PE header."""
    start = _aligned(64 + 24 + 240 + 40 * len(sections), FILE_ALIGNMENT)
    table, contents, address = b"", b"", MEMORY_ALIGNMENT
    for name, data in sections.items():
        place = start + len(contents)
        table += struct.pack("<8sIIIIIIHHI", name.encode(), len(data), address,
                             _aligned(len(data), FILE_ALIGNMENT), place, 0, 0, 0, 0, 0x40000040)
        contents += data + bytes(-len(data) % FILE_ALIGNMENT)
        address += _aligned(len(data), MEMORY_ALIGNMENT)
    dos = dos_header.ljust(60, b"\0") + struct.pack("<I", 64)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", MACHINE_AMD64, len(sections), 0, 0, 0, 240, 0x22E)
    optional = struct.pack("<HBBIIIIIQII", 0x20B, 0, 0, 0, 0, 0, 0x1000, 0x1000, 0,
                           MEMORY_ALIGNMENT, FILE_ALIGNMENT)
    optional += struct.pack("<HHHHHHIIIIHHQQQQII", 0, 0, 0, 0, 0, 0, 0, address, start, 0, 10,
                            0x100, 0, 0, 0, 0, 0, 16)
    headers = dos + coff + optional.ljust(240, b"\0") + table
    return headers.ljust(start, b"\0") + contents


def unified(kernel: bytes, initrd: bytes, command_line: str) -> bytes:
    """A unified kernel image, without the program that firmware would start."""
    return pe({".text": b"\xc3", ".osrel": b"ID=kdumpkit\n", ".cmdline": command_line.encode(),
               ".initrd": initrd, ".linux": kernel})


def zboot(kernel: bytes, compression: str = "gzip") -> bytes:
    """An EFI zboot image of a kernel, without the program that firmware would start."""
    data = COMPRESSIONS[compression](kernel)
    size = b"" if compression == "gzip" else struct.pack("<I", len(kernel))
    start = _aligned(64 + 24 + 240 + 40, FILE_ALIGNMENT)
    header = struct.pack("<4s4sII8x32s", b"MZ\0\0", b"zimg", start, len(data),
                         {"zstd": "zstd22"}.get(compression, compression).encode())
    return pe({".text": data + size}, header[:56] + struct.pack("<I", 0x818223CD))


def make(kind: str, kernel: bytes, initrd: bytes, command_line: str) -> bytes:
    """The image of that kind: "bzImage", "vmlinux", "uki", "zboot", "zboot-zstd", "gzip", ..."""
    if kind == "bzImage":
        return kernel
    if kind == "vmlinux":
        return vmlinux(kernel)
    if kind == "uki":
        return unified(kernel, initrd, command_line)
    if kind.startswith("zboot"):
        return zboot(kernel, kind.partition("-")[2] or "gzip")
    return COMPRESSIONS[kind](kernel)


COMPRESSIONS = {
    "gzip": lambda data: gzip.compress(data, 1),
    "xz": lambda data: lzma.compress(data, check=lzma.CHECK_CRC32, preset=0),
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE, preset=0),
    "bzip2": lambda data: bz2.compress(data, 1),
    "zstd": lambda data: _piped(["zstd", "-1cq"], data),
    "lz4": lambda data: _piped(["lz4", "-1cq"], data),
}
