# SPDX-License-Identifier: GPL-2.0-or-later
"""Needed pages are kept though their struct pages lie, and what the kernel counted agrees."""

import json
import pathlib
import re
import struct
import subprocess

import case
import elf_core
import kdump_file
import settings

IMAGE = 0xffffffff80000000  # __START_KERNEL_map
ADDRESS = 0x000ffffffffff000
PRESENT, LARGE = 1, 0x80
EXIT_PARTIAL = 3
COUNTERS = 32  # enum node_stat_item has more, behind those of slab, anonymous and file pages


class PageTables:
    """A walk over the dead kernel's tables; x86_64."""

    def __init__(self, core: elf_core.ElfCore):
        self.core = core
        self.info = core.vmcoreinfo()
        self.root = self.in_image("swapper_pg_dir")
        five = int(self.info.get("NUMBER(pgtable_l5_enabled)", "0"))
        self.shifts = [48, 39, 30, 21, 12] if five else [39, 30, 21, 12]

    def in_image(self, symbol: str) -> int:
        """The physical address of a variable of the image."""
        address = int(self.info[f"SYMBOL({symbol})"], 16)
        return address - IMAGE + int(self.info["NUMBER(phys_base)"])

    def word(self, physical: int) -> int:
        """A word of memory."""
        return struct.unpack("<Q", self.core.read(physical, 8))[0]

    def walk(self, address: int) -> tuple[int, list[int]]:
        """Where an address is, and the tables on the way to it."""
        tables = [self.root]
        for shift in self.shifts:
            entry = self.word(tables[-1] + (address >> shift & 0x1ff) * 8)
            if not entry & PRESENT:
                raise LookupError(f"{address:#x} is not mapped")
            target = entry & ADDRESS
            if shift == 12 or entry & LARGE and shift <= 30:
                inside = (1 << shift) - 1
                return (target & ~inside) + (address & inside), tables
            tables.append(target)
        raise LookupError(f"{address:#x}")

    def struct_page(self, pfn: int) -> tuple[int, list[int]]:
        """Where the struct page of a page frame is, with the tables; SPARSEMEM_EXTREME."""
        size = int(self.info["SIZE(mem_section)"])
        section = pfn >> int(self.info["NUMBER(SECTION_SIZE_BITS)"]) - 12
        roots = int(self.info["SYMBOL(mem_section)"], 16)
        root = self.word(self.walk(roots + section // (4096 // size) * 8)[0])
        entry = self.word(self.walk(root + section % (4096 // size) * size)[0])
        return self.walk((entry & ~0x3f) + pfn * int(self.info["SIZE(page)"]))


@case.expanded
class Guards(case.VmCase):
    """Copies of vmcores with struct pages that say of needed pages that they are free."""

    def lie(self, path: pathlib.Path, tables: PageTables, pfn: int) -> None:
        """Makes a page a free block of order 0."""
        page, _ = tables.struct_page(pfn)
        at = tables.core.offset_of(page // 4096) + page % 4096
        info = tables.info
        buddy = int(info["NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)"]) & 0xffffffff
        with open(path, "rb+") as file:
            for member, value in (("flags", bytes(8)), ("private", bytes(8)),
                                  ("_mapcount", struct.pack("<I", buddy))):
                file.seek(at + int(info[f"OFFSET(page.{member})"]))
                file.write(value)

    def check_needed_pages_survive_a_lie(self, kernel):
        """The ring of the log, and a page table."""
        settings.current.need_own_filter()
        path = self.work / "lying"
        subprocess.run(["cp", "--reflink=auto", "--sparse=always", case.core_path(kernel), path],
                       check=True)
        tables = PageTables(case.core(kernel))
        ring = tables.in_image("prb") // 4096
        table = tables.struct_page(ring)[1][-1] // 4096
        for pfn in ring, table:
            self.lie(path, tables, pfn)
        found = json.loads(self.filter("--json", "-l", "-d", 31, path, self.work / "dump").stdout)
        path.unlink()
        kept = kdump_file.KdumpFile(self.work / "dump").kept
        (self.work / "dump").unlink()
        self.assertEqual(kept, self.dump(kernel, 31).kept)
        self.assertEqual([(hit["needed"], hit["class"], hit["pages"])
                          for hit in found["needed_pages_kept"]],
                         [("the kernel image", "free", 1), ("page tables", "free", 1)])
        self.assertEqual(len(found["warnings"]), 2)

    def counter_place(self, kernel: str) -> int:
        """Where in the vmcore the kernel's counters of pages are (vm_node_stat)."""
        core = case.core(kernel)
        shown = self.succeed([settings.current.program("tests/kernel/show_symbols"),
                              case.core_path(kernel)]).stdout
        address = re.search(r"^([0-9a-f]+) \w vm_node_stat$", shown, re.MULTILINE)
        self.assertIsNotNone(address)
        physical, _ = PageTables(core).walk(int(address[1], 16))
        return core.offset_of(physical // 4096) + physical % 4096

    def check_strict_lowers_the_level(self, kernel):
        """With the counters at zero, slab, anonymous and file pages are too many."""
        settings.current.need_own_filter()
        path, out = self.work / "uncounted", self.work / "strict"
        subprocess.run(["cp", "--reflink=auto", "--sparse=always", case.core_path(kernel), path],
                       check=True)
        with open(path, "rb+") as file:
            file.seek(self.counter_place(kernel))
            file.write(bytes(COUNTERS * 8))
        words = [*settings.current.filter(), "--json", "-l", "-d", 31]
        trusting = self.succeed([*words, "--dry-run", path])
        done = self.run_program([*words, "--strict", path, out])
        path.unlink()
        self.assertEqual(done.returncode, EXIT_PARTIAL, done.stderr)
        found = json.loads(done.stdout)
        for checks in found["checks"], json.loads(trusting.stdout)["checks"]:
            self.assertEqual([(check["pages"], check["failed"]) for check in checks],
                             [("free", False), ("slab", True), ("anonymous", True),
                              ("file", True)])
        self.assertEqual(found["level"], 17)
        kept = kdump_file.KdumpFile(out).kept
        out.unlink()
        self.assertEqual(kept, self.dump(kernel, 17).kept)

    def check_no_needed_page_is_left_out(self, kernel):
        """Of a sound kernel every kind of needed page is known, and no guard is wanted."""
        settings.current.need_own_filter()
        path = case.core_path(kernel)
        layout = json.loads(self.filter("--show-layout", "--json", path).stdout)
        self.assertEqual(layout["guards_off"], [])
        found = json.loads(self.filter("--json", "--dry-run", "-d", 31, path).stdout)
        self.assertEqual(found["needed_pages_kept"], [])
        self.assertEqual([(check["pages"], check["failed"]) for check in found["checks"]],
                         [(pages, False) for pages in ("free", "slab", "anonymous", "file")])
        self.assertEqual(found["warnings"], [])
