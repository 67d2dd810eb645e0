# SPDX-License-Identifier: GPL-2.0-or-later
"""Sets of page frames as big integers: bit n is page frame n."""

_BITS = [[bit for bit in range(8) if byte >> bit & 1] for byte in range(256)]


def members(bitmap: int) -> list[int]:
    """The page frames of a set, ascending."""
    data = bitmap.to_bytes((bitmap.bit_length() + 7) // 8, "little")
    return [index * 8 + bit for index, byte in enumerate(data) if byte for bit in _BITS[byte]]


def span(first: int, last: int) -> int:
    """The set {first ... last - 1}."""
    return (1 << last) - (1 << first) if last > first else 0


def union_of(pfns) -> int:
    """The set with the given members."""
    pfns = list(pfns)
    data = bytearray(max(pfns, default=0) // 8 + 1)
    for pfn in pfns:
        data[pfn >> 3] |= 1 << (pfn & 7)
    return int.from_bytes(data, "little")


def show(bitmap: int, most: int = 8) -> str:
    """A set for a message: its size and first members."""
    pfns = members(bitmap)
    shown = " ".join(f"{pfn:#x}" for pfn in pfns[:most])
    return f"{len(pfns)} pages: {shown}{' ...' if len(pfns) > most else ''}"
