# SPDX-License-Identifier: GPL-2.0-or-later
"""Defects of makedumpfile (docs/compatibility.md): what is right is asserted here; its own program
runs beside, and what came of that is printed."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import unittest

import account
import bitmaps
import case
import elf_core
import elf_headers
import kdump_file
import settings

KERNEL = settings.current.kernels[0]
PAGE = elf_core.PAGE
EXIT_PARTIAL = 3
STRUCT_PAGE = 64
PADDR, FILESZ, MEMSZ = 4, 5, 6  # of a program header's fields
# Runs a program and prints the most memory that it had, in KiB.
PEAK = ("import resource, subprocess, sys; status = subprocess.call(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(status)")


class DefectCase(case.VmCase):
    """Runs both programs on the same input."""

    def beside(self, *words, before=(), env=None) -> None:
        """Debian's makedumpfile on the same input, for the record; it may hang or die."""
        program = shutil.which("makedumpfile")
        if program is None:
            return
        line = " ".join(map(str, words))
        try:
            done = subprocess.run([*before, program, *map(str, words)], capture_output=True,
                                  timeout=10, check=False, stdin=subprocess.DEVNULL, env=env)
            case.show(f"makedumpfile {line}: status {done.returncode}")
        except subprocess.TimeoutExpired:
            case.show(f"makedumpfile {line}: no end within 10 s")

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


class Defects(DefectCase):
    """One method a row of the table; inputs as they come."""

    def test_numbers(self):
        """Numbers that are none, or that no buffer can have."""
        core, out = case.core_path(KERNEL), self.work / "numbers"
        for words in (("-d", "3x"), ("-d", "abc"), ("--num-threads", "-3"), ("-b", "-1"),
                      ("-b", "40"), ("-b", "60"), ("--cyclic-buffer", "0"),
                      ("--reassemble", "--check-params")):
            with self.subTest(words=words):
                self.assertEqual(self.ours(*words, core, out).returncode, 2)
                self.assertFalse(out.exists())
        self.beside("-b", "-1", "-d", "31", core, self.work / "theirs-b")

    def test_partial_page(self):
        """The page in which RAM ends is in the dump."""
        kept = self.dump(KERNEL, 0).kept
        for pfn in case.core(KERNEL).partial():
            self.assertTrue(kept >> pfn & 1, f"{pfn:#x}")

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
        pipe = self.work / "pipe"
        os.mkfifo(pipe)
        done = self.ours("-f", "-d", "31", case.core_path(KERNEL), pipe)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is a pipe", done.stderr)
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

    def test_memory(self):
        """Whatever buffer is asked for, some tens of MiB are used."""
        out = self.work / "small"
        done = self.run_program([sys.executable, "-c", PEAK, *settings.current.filter(),
                                 "--cyclic-buffer", "9999999", "-l", "-d", "31",
                                 case.core_path(KERNEL), out], time_limit=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(int(done.stdout.split()[-1]), 200 << 10)

    def test_standard_input(self):
        """Threads close nothing that is not theirs: with standard input closed, 0 is the vmcore."""
        settings.current.need_own_filter()
        out = self.work / "closed"
        with subprocess.Popen([*settings.current.filter(), "-l", "-d", "31", "--num-threads", "2",
                               case.core_path(KERNEL), out], stderr=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL,
                              preexec_fn=lambda: os.close(0)) as running:
            self.assertEqual(running.wait(timeout=60), 0)
        self.succeed(["cmp", out, self.dump_path(KERNEL, 31)])

    def test_log_stream(self):
        """--dump-dmesg -F writes the same log to standard output, for any number of threads."""
        log = self.work / "log"
        self.assertEqual(self.ours("--dump-dmesg", case.core_path(KERNEL), log).returncode, 0)
        done = self.ours("--dump-dmesg", "-F", "--num-threads", "4", case.core_path(KERNEL))
        self.assertEqual(done.stdout, log.read_text(errors="replace"))

    def test_other_release(self):
        """Names of another kernel are refused, with both releases."""
        text = self.work / "vmcoreinfo"
        text.write_text("OSRELEASE=5.0\nPAGESIZE=4096\n", encoding="ascii")
        done = self.ours("-i", text, "-d", "31", case.core_path(KERNEL), self.work / "other")
        self.assertEqual(done.returncode, 1)
        self.assertIn(case.core(KERNEL).vmcoreinfo()["OSRELEASE"], done.stderr)
        self.assertNotIn("null", done.stderr)
        self.assertFalse((self.work / "other").exists())
        self.beside("-i", text, "-d", "31", case.core_path(KERNEL), self.work / "theirs-other")

    def test_erase_syntax(self):
        """A mistake in a script stops before a byte is written."""
        script, out = self.work / "erase.conf", self.work / "erased"
        script.write_text("erase init_uts_ns size\nerase saved_command_line\n", encoding="ascii")
        done = self.ours("--config", script, "-d", "31", case.core_path(KERNEL), out)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "erase.conf:2:1: a size is missing")
        self.assertEqual(list(self.work.glob("erased*")), [])

    def test_unreadable_with_threads(self):
        """What cannot be read is a hole; other threads go on."""
        known = account.Account(case.guest_vmcore(KERNEL).folder)
        pfn = bitmaps.members(known.anonymous & case.core(KERNEL).present())[0]
        core = case.core_path(KERNEL).resolve()
        env = {**os.environ, "ASAN_OPTIONS": "verify_asan_link_order=0",
               "LD_PRELOAD": str(settings.current.program("tests/support/eio_preload.so")),
               "KDUMPKIT_TEST_EIO": f"{core}:{case.core(KERNEL).offset_of(pfn)}:{PAGE}"}
        for threads in (1, 4):
            done = self.ours("--json", "-f", "-l", "-d", "0", "--num-threads", threads, core,
                             self.work / "holes", env=env)
            self.assertEqual(done.returncode, EXIT_PARTIAL, done.stderr)
            self.assertEqual(json.loads(done.stdout)["unreadable_pages"], 1)
        self.beside("-l", "-d", "0", "--num-threads", 2, core, self.work / "theirs-holes", env=env)


class Places(DefectCase):
    """Without the folders that makedumpfile needs."""

    def without(self, mounts: str, name: str, env=None) -> None:
        """The dump is the same after these commands in a mount namespace of its own."""
        settings.current.need_own_filter()
        out = self.work / name
        root = [] if os.geteuid() == 0 else ["--map-root-user"]
        before = ["unshare", "--mount", *root, "sh", "-c", f'{mounts} && exec "$@"', "sh"]
        done = self.run_program([*before, *settings.current.filter(), "-l", "-d", "31",
                                 case.core_path(KERNEL), out], time_limit=60, env=env)
        if "mount:" in done.stderr or "unshare:" in done.stderr:
            raise unittest.SkipTest(f"nothing can be mounted here: {done.stderr.strip()}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.succeed(["cmp", out, self.dump_path(KERNEL, 31)])
        self.beside("-l", "-d", "31", case.core_path(KERNEL), self.work / f"theirs-{name}",
                    before=before, env=env)

    def test_read_only_tmp(self):
        """Nothing is written but the dump."""
        self.without("mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp", "tmp")

    def test_no_temporary_folder(self):
        """TMPDIR may be anything."""
        self.without("true", "tmpdir", {**os.environ, "TMPDIR": "/nonexistent"})

    def test_without_proc(self):
        """What /proc would tell is not needed."""
        self.without("umount --lazy /proc", "proc")


class Elf(DefectCase):
    """-E."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.path = cls.work / "elf"

    def core(self, level: int) -> elf_core.ElfCore:
        """The ELF core of a level."""
        self.path.unlink(missing_ok=True)   # before it gets to the disk
        done = self.ours("-E", "-d", level, case.core_path(KERNEL), self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.progress = done.stderr
        return elf_core.ElfCore(self.path)

    @staticmethod
    def filed(core: elf_core.ElfCore) -> int:
        """The page frames that the file has bytes of."""
        found = 0
        for paddr, _, filesz, _ in core.segments:
            found |= bitmaps.span(paddr // PAGE, -(-(paddr + filesz) // PAGE))
        return found

    def test_short_runs(self):
        """A page that is left out is not in the file, however short its run."""
        for level in (30, 31):
            core = self.core(level)
            kept = self.dump(KERNEL, level).kept
            self.assertEqual(bitmaps.show(self.filed(core) & ~kept), bitmaps.show(0))
            lost = kept & ~self.filed(core)
            needed = [pfn for pfn in bitmaps.members(lost) if any(case.core(KERNEL).page(pfn))]
            self.assertEqual(needed, [])

    def test_elf_overlap(self):
        """Memory that two segments have is once in the file."""
        core = self.core(31)
        # Headers have some MiB; the kernel's image, which is in two segments, has tens.
        self.assertLess(len(core), self.filed(core).bit_count() * PAGE + (8 << 20))

    def test_elf_progress(self):
        """It ends at 100 %, in few lines."""
        self.core(31)
        percents = [float(text) for text in re.findall(r"([0-9.]+) ?%", self.progress)]
        self.assertEqual(max(percents), 100)
        self.assertLess(len(re.split(r"[\r\n]", self.progress)), 100)


class Crafted(DefectCase):
    """On a copy of the vmcore that is changed, and put right again after each test."""

    copy: pathlib.Path

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        settings.current.need_own_filter()
        cls.copy = cls.work / "vmcore"
        subprocess.run(["cp", "--sparse=always", case.core_path(KERNEL), cls.copy], check=True)

    @contextlib.contextmanager
    def patched(self, offset: int, data: bytes):
        """The copy with other bytes there."""
        with open(self.copy, "rb+") as file:
            file.seek(offset)
            before = file.read(len(data))
            file.seek(offset)
            file.write(data)
            file.flush()
            try:
                yield
            finally:
                file.seek(offset)
                file.write(before)

    def headers(self) -> tuple[int, list[bytes]]:
        """Where the program headers are, and each."""
        head = case.core_path(KERNEL).open("rb").read(PAGE)
        offset, size = elf_headers.table(head)
        return offset, [head[at:at + 56] for at in range(offset, offset + size, 56)]

    def test_truncated(self):
        """What the file lacks at its end is a hole."""
        size = self.copy.stat().st_size
        for lost in (1, (100 << 20) // PAGE):
            with self.subTest(pages=lost):
                with open(self.copy, "rb") as file:
                    file.seek(size - lost * PAGE)
                    tail = file.read()
                os.truncate(self.copy, size - lost * PAGE)
                try:
                    done = self.ours("--json", "-f", "-l", "-d", "0", self.copy,
                                     self.work / "from-truncated")
                    self.beside("-f", "-l", "-d", "0", self.copy, self.work / "theirs-truncated")
                finally:
                    with open(self.copy, "rb+") as file:
                        file.seek(size - lost * PAGE)
                        file.write(tail)
                self.assertEqual(done.returncode, EXIT_PARTIAL, done.stderr)
                self.assertEqual(json.loads(done.stdout)["unreadable_pages"], lost)

    def test_segment_order(self):
        """Segments in another order are the same memory."""
        offset, headers = self.headers()
        loads = [header for header in headers if header[0] == elf_headers.PT_LOAD]
        others = [header for header in headers if header[0] != elf_headers.PT_LOAD]
        out = self.work / "other-order"
        with self.patched(offset, b"".join([*others, *reversed(loads)])):
            done = self.ours("-l", "-d", "31", self.copy, out)
            self.beside("-l", "-d", "31", self.copy, self.work / "theirs-order")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(kdump_file.KdumpFile(out).kept, self.dump(KERNEL, 31).kept)
        self.assert_bytes_of(kdump_file.KdumpFile(out), KERNEL)

    def test_shorter_segment(self):
        """A page less of memory is a page less in the dump, though the kernel needed that page."""
        offset, headers = self.headers()
        fields = [list(struct.unpack("<IIQQQQQQ", header)) for header in headers]
        last = max(fields, key=lambda f: f[PADDR] + f[MEMSZ])
        last[FILESZ] -= PAGE
        last[MEMSZ] -= PAGE
        gone, out = (last[PADDR] + last[MEMSZ]) // PAGE, self.work / "shorter"
        with self.patched(offset, b"".join(struct.pack("<IIQQQQQQ", *f) for f in fields)):
            done = self.ours("-l", "-d", "0", self.copy, out)
            self.beside("-l", "-d", "0", self.copy, self.work / "theirs-shorter")
        self.assertIn(done.returncode, (0, EXIT_PARTIAL), done.stderr)
        self.assertEqual(kdump_file.KdumpFile(out).kept, self.dump(KERNEL, 0).kept & ~(1 << gone))

    def test_cleared_log(self):
        """A number of the first record that is newer than all: no end of the search for it."""
        core = case.core(KERNEL)
        info = core.vmcoreinfo()
        clear = int(info["SYMBOL(clear_seq)"], 16) - 0xffffffff80000000
        clear += int(info["NUMBER(phys_base)"])
        at = core.offset_of(clear // PAGE) + clear % PAGE
        log = self.work / "partial"
        for number in (4095, 2 ** 63):
            with self.subTest(number=number):
                with self.patched(at, struct.pack("<QQQ", 0, number, number)):
                    done = self.ours("-f", "--dump-dmesg", "--partial-dmesg", self.copy, log)
                    self.beside("-f", "--dump-dmesg", "--partial-dmesg", self.copy,
                                self.work / "theirs-partial")
                self.assertIn(done.returncode, (0, EXIT_PARTIAL), done.stderr)
                self.assertEqual(log.read_bytes(), b"")

    def test_zeroed_descriptors(self):
        """Pages without a descriptor stay lost, and the mark stays."""
        source, out = self.work / "zeroed", self.work / "from-zeroed"
        shutil.copyfile(self.dump_path(KERNEL, 31), source)
        dump = kdump_file.KdumpFile(source)
        lost = bitmaps.members(dump.kept)[1000:1100]
        table = (1 + dump.sub_blocks + dump.bitmap_blocks) * PAGE
        with open(source, "rb+") as file:
            file.seek(424)
            file.write(struct.pack("<I", dump.status | kdump_file.INCOMPLETE))
            file.seek(table + 1000 * kdump_file.DESCRIPTOR.size)
            file.write(bytes(100 * kdump_file.DESCRIPTOR.size))
        done = self.ours("-l", "-d", "31", source, out)
        self.assertEqual(done.returncode, EXIT_PARTIAL, done.stderr)
        again = kdump_file.KdumpFile(out)
        self.assertTrue(again.incomplete)
        self.assertEqual({pfn for pfn, _ in again.pages()} & set(lost), set())
        self.assert_bytes_of(again, KERNEL)
        self.beside("-l", "-d", "31", source, self.work / "theirs-zeroed")
