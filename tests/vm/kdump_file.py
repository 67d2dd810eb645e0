# SPDX-License-Identifier: GPL-2.0-or-later
"""An independent reader of kdump-compressed files (LP64, little endian), for judging dumps.

The layout is that of makedumpfile's IMPLEMENTATION and diskdump_mod.h: a header block, the
sub header with the notes, two bitmaps, one descriptor a kept page, the data.
"""

import array
import ctypes
import ctypes.util
import mmap
import pathlib
import struct
import zlib

import bitmaps

ZLIB, LZO, SNAPPY, ZSTD = 0x1, 0x2, 0x4, 0x20
INCOMPLETE = 0x8
DESCRIPTOR = struct.Struct("<qIIQ")


class KdumpError(Exception):
    """The file contradicts itself."""


def _library(name: str) -> ctypes.CDLL:
    found = ctypes.util.find_library(name)
    if found is None:
        raise KdumpError(f"the library {name} is missing: see tests/vm/packages.txt")
    return ctypes.CDLL(found)


def _call(function, expected, block: int, data: bytes) -> bytes:
    """Runs a `function(data, size, out, &size)` of the lzo and snappy kind."""
    out = ctypes.create_string_buffer(block)
    size = ctypes.c_size_t(block)
    status = function(data, ctypes.c_size_t(len(data)), out, ctypes.byref(size))
    if status != expected:
        raise KdumpError(f"a page cannot be decompressed: status {status}")
    return out.raw[:size.value]


def _lzo(block: int):
    function = _library("lzo2").lzo1x_decompress_safe
    function.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p,
                         ctypes.c_void_p]
    return lambda data: _call(lambda *args: function(*args, None), 0, block, data)


def _snappy(block: int):
    function = _library("snappy").snappy_uncompress
    return lambda data: _call(function, 0, block, data)


def _zstd(block: int):
    function = _library("zstd").ZSTD_decompress
    function.restype = ctypes.c_size_t
    function.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    out = ctypes.create_string_buffer(block)

    def decompress(data: bytes) -> bytes:
        size = function(out, block, data, len(data))
        if size > block:
            raise KdumpError("a page cannot be decompressed with zstd")
        return out.raw[:size]
    return decompress


def _zlib(_block: int):
    return zlib.decompress


_CODECS = {ZLIB: _zlib, LZO: _lzo, SNAPPY: _snappy, ZSTD: _zstd}


class KdumpFile:
    """A kdump-compressed file."""

    def __init__(self, path: pathlib.Path):
        with open(path, "rb") as file:
            self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._read_header()
        self._read_sub_header()
        self._read_bitmaps()
        self._decoders = {flag: make(self.block_size) for flag, make in _CODECS.items()}

    def _read_header(self) -> None:
        signature, self.version = struct.unpack_from("<8si", self._file, 0)
        if signature != b"KDUMP   ":
            raise KdumpError(f"bad signature {signature!r}")
        raw = struct.unpack_from("65s" * 6, self._file, 12)
        names = ("sysname", "nodename", "release", "version", "machine", "domainname")
        self.utsname = {name: text.rstrip(b"\0").decode() for name, text in zip(names, raw)}
        self.timestamp, = struct.unpack_from("<q", self._file, 408)
        (self.status, self.block_size, self.sub_blocks, self.bitmap_blocks, _, _, _, _, _,
         self.cpus) = struct.unpack_from("<IiiIIIIIIi", self._file, 424)

    def _read_sub_header(self) -> None:
        fields = struct.unpack_from("<QiiQQQQQQQQQQQ", self._file, self.block_size)
        (self.phys_base, self.level, self.split, _, _, info_at, info_size, note_at, note_size,
         erase_at, erase_size, self.start_pfn, self.end_pfn, self.max_pfn) = fields
        self.vmcoreinfo = self._file[info_at:info_at + info_size]
        self.notes = self._file[note_at:note_at + note_size]
        self.eraseinfo = self._file[erase_at:erase_at + erase_size]

    def _read_bitmaps(self) -> None:
        at = (1 + self.sub_blocks) * self.block_size
        size = self.bitmap_blocks // 2 * self.block_size
        if size * 8 < self.max_pfn:
            raise KdumpError(f"bitmaps of {size} bytes for {self.max_pfn} page frames")
        self.memory = int.from_bytes(self._file[at:at + size], "little")
        self.kept = int.from_bytes(self._file[at + size:at + 2 * size], "little")
        self._descriptors_at = at + 2 * size

    def descriptors(self):
        """(offset, size, flags) of the kept pages in ascending order of page frames."""
        size = self.kept.bit_count() * DESCRIPTOR.size
        table = self._file[self._descriptors_at:self._descriptors_at + size]
        if self.incomplete:
            table += bytes(size - len(table))
        if len(table) != size:
            raise KdumpError("the descriptor table is cut short")
        return [(offset, length, flags) for offset, length, flags, _ in
                DESCRIPTOR.iter_unpack(table)]

    @property
    def incomplete(self) -> bool:
        """Whether the writer says that it could not finish."""
        return bool(self.status & INCOMPLETE)

    def pages(self):
        """Yields (pfn, bytes) of every kept page, ascending; of an incomplete dump those it has."""
        for pfn, (offset, size, flags) in zip(bitmaps.members(self.kept), self.descriptors()):
            if offset != 0 or not self.incomplete:
                yield pfn, self._page(pfn, offset, size, flags)

    def _page(self, pfn: int, offset: int, size: int, flags: int) -> bytes:
        data = self._file[offset:offset + size]
        if len(data) != size or offset < self._descriptors_at:
            raise KdumpError(f"page frame {pfn:#x}: data at {offset:#x} is outside of the file")
        if flags:
            if flags not in self._decoders:
                raise KdumpError(f"page frame {pfn:#x}: unknown flags {flags:#x}")
            data = self._decoders[flags](data)
        if len(data) != self.block_size:
            raise KdumpError(f"page frame {pfn:#x}: {len(data)} bytes instead of a page")
        return data

    def codecs(self) -> set[int]:
        """The flags that occur in descriptors."""
        return {flags for _, _, flags in self.descriptors()}

    def problems(self) -> list[str]:
        """What a strict reader would object to."""
        found = []
        if self.version != 6:
            found.append(f"header version {self.version}")
        if self.kept & ~self.memory:
            found.append("kept pages that are no memory: "
                         + bitmaps.show(self.kept & ~self.memory))
        if self.memory >> self.max_pfn:
            found.append(f"pages at or above max_mapnr {self.max_pfn:#x}")
        if self.incomplete:
            found.append("marked incomplete")
        return found + self._overlaps()

    def _overlaps(self) -> list[str]:
        placed = sorted({(offset, size) for offset, size, _ in self.descriptors()})
        starts = array.array("q", [offset for offset, _ in placed[1:]])
        return [f"data at {offset:#x} overlaps the next"
                for (offset, size), following in zip(placed, starts) if offset + size > following]
