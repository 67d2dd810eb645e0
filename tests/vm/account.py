# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guest's own kernel said of its pages just before the panic: /proc/kpageflags."""

import array
import collections
import functools
import pathlib

import bitmaps

# Bits of include/uapi/linux/kernel-page-flags.h; RESERVED and PRIVATE of kernel-page-flags.h.
FLAGS = {"LOCKED": 0, "DIRTY": 4, "LRU": 5, "ACTIVE": 6, "SLAB": 7, "BUDDY": 10, "MMAP": 11,
         "ANON": 12, "SWAPCACHE": 13, "HUGE": 17, "UNEVICTABLE": 18, "HWPOISON": 19, "NOPAGE": 20,
         "KSM": 21, "THP": 22, "OFFLINE": 23, "ZERO": 24, "PGTABLE": 26, "RESERVED": 32,
         "MLOCKED": 33, "PRIVATE": 35}


class Account:
    """Sets of page frames by what they were used for."""

    def __init__(self, folder: pathlib.Path):
        self._flags = array.array("Q")
        self._flags.frombytes((folder / "kpageflags").read_bytes())

    @functools.cache
    def having(self, flag: str) -> int:
        """The page frames with a flag, as a bitmap."""
        mask = 1 << FLAGS[flag]
        return bitmaps.union_of(pfn for pfn, flags in enumerate(self._flags) if flags & mask)

    @property
    def free(self) -> int:
        """Free pages, all pages of every free block."""
        return self.having("BUDDY")

    @property
    def slab(self) -> int:
        """Slab pages.  From 6.8 on the kernel also shows some of them as ANON: the field that
        says so is used for something else in a slab page."""
        return self.having("SLAB")

    @property
    def hugetlb(self) -> int:
        """Pages of hugetlbfs, in use or in its pool."""
        return self.having("HUGE")

    @property
    def anonymous(self) -> int:
        """Pages of processes, whatever their size, merged ones included."""
        return self.having("ANON") & ~self.slab

    @property
    def cache(self) -> int:
        """Page cache and shared memory."""
        return self.having("LRU") & ~self.anonymous

    @property
    def kernel(self) -> int:
        """Pages that are certainly the kernel's own."""
        return self.slab | self.having("PGTABLE") | self.having("RESERVED")

    def describe(self, pages: int) -> str:
        """The pages of a bitmap counted by their flags, for a message."""
        counts = collections.Counter(self._names(pfn) for pfn in bitmaps.members(pages))
        return ", ".join(f"{count} x {names}" for names, count in counts.most_common(6))

    def _names(self, pfn: int) -> str:
        flags = self._flags[pfn] if pfn < len(self._flags) else 0
        return "|".join(name for name, bit in FLAGS.items() if flags >> bit & 1) or "none"
