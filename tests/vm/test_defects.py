# SPDX-License-Identifier: GPL-2.0-or-later
"""Defects of makedumpfile (docs/compatibility.md): what is right is asserted here; its own program
runs beside, and what came of that is printed."""

import json
import os
import shutil
import struct
import subprocess

import bitmaps
import case
import elf_core
import kdump_file
import settings

KERNEL = settings.current.kernels[0]
PAGE = elf_core.PAGE
EXIT_PARTIAL = 3
STRUCT_PAGE = 64


class Defects(case.VmCase):
    """One method a row of the table."""

    def beside(self, *words) -> None:
        """Debian's makedumpfile on the same input, for the record; it may hang or die."""
        program = shutil.which("makedumpfile")
        if program is None:
            return
        try:
            done = subprocess.run([program, *map(str, words)], capture_output=True, timeout=10,
                                  check=False, stdin=subprocess.DEVNULL)
            case.show(f"makedumpfile {words[0]}: status {done.returncode}")
        except subprocess.TimeoutExpired:
            case.show(f"makedumpfile {words[0]}: no end within 10 s")

    def ours(self, *words, **options) -> subprocess.CompletedProcess:
        """The filter under test, with a time limit."""
        settings.current.need_own_filter()
        return self.run_program([*settings.current.filter(), *words], time_limit=60, **options)

    def limited(self, name: str, *words):
        """A dump of all memory with a limit of 10 MiB."""
        path = self.work / name
        done = self.ours("-l", "-d", "0", "-L", "10M", *words, case.core_path(KERNEL), path)
        self.assertEqual(done.returncode, EXIT_PARTIAL, done.stderr)
        left = path.with_name(f"{name}-incomplete")
        self.assertLessEqual(left.stat().st_size, 10 << 20)
        return left

    def test_numbers(self):
        """Numbers that are none, or that no buffer can have."""
        core, out = case.core_path(KERNEL), self.work / "numbers"
        for words in (("-d", "3x"), ("-d", "abc"), ("--num-threads", "-3"), ("-b", "-1"),
                      ("-b", "60"), ("--reassemble", "--check-params")):
            with self.subTest(words=words):
                self.assertEqual(self.ours(*words, core, out).returncode, 2)
                self.assertFalse(out.exists())
        self.beside("-b", "-1", "-d", "31", core, self.work / "theirs-b")

    def test_partial_page(self):
        """The page in which RAM ends is in the dump."""
        kept = self.dump(KERNEL, 0).kept
        for pfn in case.core(KERNEL).partial():
            self.assertTrue(kept >> pfn & 1, f"{pfn:#x}")

    def test_truncated(self):
        """A page less at the end of the file is a hole of a page."""
        copy = self.work / "truncated"
        subprocess.run(["cp", "--sparse=always", case.core_path(KERNEL), copy], check=True)
        os.truncate(copy, copy.stat().st_size - PAGE)
        done = self.ours("--json", "-l", "-d", "0", copy, self.work / "from-truncated")
        self.assertEqual(done.returncode, EXIT_PARTIAL, done.stderr)
        self.assertEqual(json.loads(done.stdout)["unreadable_pages"], 1)
        self.beside("-l", "-d", "0", copy, self.work / "theirs-truncated")
        copy.unlink()

    def test_cut_stream(self):
        """-R of the first half of a stream."""
        settings.current.need_own_filter()
        stream = subprocess.run([*settings.current.filter(), "-F", "-l", "-d", "31",
                                 case.core_path(KERNEL)], capture_output=True, check=True).stdout
        half = self.work / "half"
        half.write_bytes(stream[:len(stream) // 2])
        done = self.ours("-R", self.work / "from-half", half)
        self.assertEqual(done.returncode, EXIT_PARTIAL, done.stderr)
        self.assertTrue(kdump_file.KdumpFile(self.work / "from-half-incomplete").incomplete)

    def test_limit_with_threads(self):
        """What has a descriptor has its data, for any number of threads."""
        for threads in (1, 4):
            dump = kdump_file.KdumpFile(self.limited(f"limit{threads}", "--num-threads", threads))
            self.assertTrue(dump.incomplete)
            self.assertGreater(len(list(dump.pages())), 100)
            self.assert_bytes_of(dump, KERNEL)

    def test_refilter_incomplete(self):
        """Lost pages stay lost, and the mark stays."""
        left = self.limited("once")
        again = self.work / "again"
        self.assertEqual(self.ours("-l", "-d", "1", left, again).returncode, EXIT_PARTIAL)
        dump = kdump_file.KdumpFile(again)
        self.assertTrue(dump.incomplete)
        self.assert_bytes_of(dump, KERNEL)
        self.assertEqual(len(list(dump.pages())), len(list(kdump_file.KdumpFile(left).pages())))
        self.beside("-l", "-d", "1", left, self.work / "theirs-again")

    def test_page_count(self):
        """The kernel's text stands in two segments, and is memory once."""
        done = self.ours("--json", "--dry-run", "-d", "31", case.core_path(KERNEL))
        self.assertEqual(json.loads(done.stdout)["memory_pages"],
                         case.core(KERNEL).present().bit_count())

    def test_device(self):
        """No dump goes into a device, and that is said."""
        done = self.ours("-f", "-d", "31", case.core_path(KERNEL), "/dev/full")
        self.assertEqual(done.returncode, 1)
        self.assertIn("character device", done.stderr)
        self.beside("-f", "-d", "31", case.core_path(KERNEL), "/dev/full")

    def test_vmemmap_page_by_page(self):
        """-e leaves out what another walk of the page tables finds, and nothing else."""
        before = self.dump(KERNEL, 31).kept
        path = self.work / "without-map"
        self.filter("-l", "-d", "31", "-e", case.core_path(KERNEL), path)
        dump = kdump_file.KdumpFile(path)
        self.assertEqual(self._idle_map(before) & before, before & ~dump.kept)
        self.assertEqual(dump.kept & ~before, 0)
        self.assertNotEqual(before, dump.kept)
        self.assert_bytes_of(dump, KERNEL)
        case.show(f"-e: {(before & ~dump.kept).bit_count()} pages of the memory map left out")

    def _word(self, address: int) -> int:
        return struct.unpack("<Q", case.core(KERNEL).read(address, 8))[0]

    def _physical(self, address: int) -> int | None:
        """A kernel address through the dead kernel's page tables."""
        info = case.core(KERNEL).vmcoreinfo()
        top = int(info["SYMBOL(init_top_pgt)"], 16) - 0xffffffff80000000
        table = (top + int(info["NUMBER(phys_base)"])) & (1 << 52) - 1
        five = int(info["NUMBER(pgtable_l5_enabled)"]) != 0
        for shift in ([48] if five else []) + [39, 30, 21, 12]:
            entry = self._word(table + (address >> shift & 511) * 8)
            if not entry & 1:
                return None
            table = entry & 0x000ffffffffff000
            if shift == 12 or shift in (21, 30) and entry & 0x80:
                inside = (1 << shift) - 1
                return table & ~inside | address & inside
        return None

    def _vmemmap(self) -> int:
        """Where the struct page of page frame 0 would be: as section 0 has it."""
        info = case.core(KERNEL).vmcoreinfo()
        roots = self._physical(int(info["SYMBOL(mem_section)"], 16))
        root = self._physical(self._word(roots))
        return self._word(root + int(info["OFFSET(mem_section.section_mem_map)"])) & ~63

    def _idle_map(self, kept: int) -> int:
        """Pages of the map all of whose frames exist and are not in `kept`."""
        base, present = self._vmemmap(), case.core(KERNEL).present()
        per_page = PAGE // STRUCT_PAGE
        idle = needed = 0
        for first in range(0, present.bit_length(), per_page):
            physical = self._physical(base + first * STRUCT_PAGE)
            if physical is None:
                continue
            described = bitmaps.span(first, first + per_page)
            if present & described == described and not kept & described:
                idle |= 1 << physical // PAGE
            else:
                needed |= 1 << physical // PAGE
        return idle & ~needed
