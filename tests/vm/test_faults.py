# SPDX-License-Identifier: GPL-2.0-or-later
"""kdump-filter when something is wrong: a vmcore cut short or unreadable, a full disk, a signal."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

import account
import bitmaps
import case
import elf_core
import guest
import kdump_file
import settings

KERNEL = settings.current.kernels[0]
KIB, MIB = 1 << 10, 1 << 20
# Where the file ends: in the ELF header, the program headers, the notes, then anywhere; the last
# ones are counted from the end.
LENGTHS = (0, 1, 4, 16, 63, 64, 100, 119, 120, 200, 512, 4095, 4096, 4100, 5000, 6000, 8191, 8192,
           12288, 64 * KIB, MIB, 4 * MIB + 1, 20 * MIB, 54 * MIB, 100 * MIB + 4095, 300 * MIB,
           500 * MIB + 17, 700 * MIB, -64 * MIB, -MIB - 1, -4097, -4096, -1)
EXIT_FAILED, EXIT_PARTIAL = 1, 3


def output_of(folder: pathlib.Path) -> pathlib.Path | None:
    """The file that a failed run left: only under the name that says so."""
    found = sorted(folder.iterdir())
    assert len(found) <= 1, f"files left behind: {found}"
    return found[0] if found else None


class FaultCase(case.VmCase):
    """What every failure has to look like."""

    def fresh(self, name: str) -> pathlib.Path:
        """An empty folder for a dump."""
        folder = self.work / name
        folder.mkdir()
        return folder

    def assert_ended_well(self, done: subprocess.CompletedProcess, folder: pathlib.Path) -> None:
        """Failed or partial, never killed; said so; and what is left is marked and true."""
        self.assertIn(done.returncode, (EXIT_FAILED, EXIT_PARTIAL), done.stderr)
        left = output_of(folder)
        if done.returncode == EXIT_FAILED:
            errors = [line for line in done.stderr.replace("\r", "\n").splitlines()
                      if line.startswith("kdump-filter: ") and "warning" not in line]
            self.assertEqual(len(errors), 1, done.stderr)
            self.assertTrue(left is None or left.name.endswith("-incomplete"), left)
        else:
            self.assertIsNotNone(left, "a partial dump that is nowhere")
        if left is not None:
            self.assert_true(left)

    def assert_true(self, path: pathlib.Path) -> None:
        """Each page that the dump has is right; an unfinished file may have no header yet."""
        if path.stat().st_size > 0 and path.read_bytes()[:8] == b"KDUMP   ":
            self.assert_bytes_of(kdump_file.KdumpFile(path), KERNEL)


class TruncatedVmcore(FaultCase):
    """A vmcore that ends too early is an error with the place, never a crash or a hang."""

    _copy: pathlib.Path

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._copy = cls.work / "vmcore"

    def truncated(self, length: int) -> pathlib.Path:
        """The vmcore cut to a length; a longer one than before is copied again."""
        size = case.core_path(KERNEL).stat().st_size
        length = length if length >= 0 else size + length
        if not self._copy.exists() or self._copy.stat().st_size < length:
            subprocess.run(["cp", "--sparse=always", str(case.core_path(KERNEL)), str(self._copy)],
                           check=True)
        os.truncate(self._copy, length)
        return self._copy

    def check(self, length: int) -> None:
        """One length, the dump."""
        settings.current.need_own_filter()
        folder = self.fresh(f"dump{length}")
        done = self.run_program([*settings.current.filter(), "-l", "-d", "31",
                                 self.truncated(length), folder / "vmcore"], time_limit=60)
        self.assert_ended_well(done, folder)
        self.assertRegex(done.stderr + done.stdout, r"\b0x[0-9a-f]+", "no offset is named")

    def check_log(self, length: int) -> None:
        """One length, the log: what there is, or an error."""
        settings.current.need_own_filter()
        folder = self.fresh(f"log{length}")
        done = self.run_program([*settings.current.filter(), "--dump-dmesg",
                                 self.truncated(length), folder / "log"], time_limit=60)
        self.assertIn(done.returncode, (0, EXIT_FAILED, EXIT_PARTIAL), done.stderr)


def _add_lengths() -> None:
    """A test method a length, longest first: cutting a file is quicker than copying it."""
    order = sorted(LENGTHS, key=lambda n: (n >= 0, -abs(n) if n >= 0 else abs(n)))
    for number, length in enumerate(order):
        name = f"{length}" if length >= 0 else f"end_minus_{-length}"
        for kind, check in (("dump", TruncatedVmcore.check), ("log", TruncatedVmcore.check_log)):
            setattr(TruncatedVmcore, f"test_{number:02}_{kind}_{name}",
                    lambda self, check=check, length=length: check(self, length))


_add_lengths()


class UnreadableRange(FaultCase):
    """Memory that cannot be read becomes a hole, counted and reported; the rest is right."""

    _PAGES = 40

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._done = None
        cls._folder = cls.work / "dump"
        cls._folder.mkdir()

    def bad_pages(self) -> list[int]:
        """Page frames of a process, so that no structure of the kernel is among them."""
        known = account.Account(case.guest_vmcore(KERNEL).folder)
        zero = bytes(elf_core.PAGE)
        run: list[int] = []
        for pfn in bitmaps.members(known.anonymous & case.core(KERNEL).present()):
            run = [*run, pfn] if run and run[-1] == pfn - 1 else [pfn]
            if len(run) == self._PAGES and any(case.core(KERNEL).page(p) != zero for p in run):
                return run
        self.fail("the guest has no run of anonymous pages")

    def filtered(self) -> subprocess.CompletedProcess:
        """The filter's run at level 0 with unreadable pages, once."""
        settings.current.need_own_filter()
        cls = type(self)
        if cls._done is None:
            vmcore = case.core_path(KERNEL).resolve()
            offset = case.core(KERNEL).offset_of(self.bad_pages()[0])
            library = settings.current.program("tests/support/eio_preload.so")
            words = [*settings.current.filter(), "--json", "-l", "-d", "0", vmcore,
                     self._folder / "vmcore"]
            cls._done = self.run_program(words, env={
                **os.environ, "LD_PRELOAD": str(library),
                "KDUMPKIT_TEST_EIO": f"{vmcore}:{offset}:{self._PAGES * elf_core.PAGE}",
                "ASAN_OPTIONS": "verify_asan_link_order=0"})
        return cls._done

    def test_exit_status_says_partial(self):
        """Neither complete nor failed."""
        done = self.filtered()
        self.assertEqual(done.returncode, EXIT_PARTIAL, done.stderr)

    def test_pages_are_counted(self):
        """In the result."""
        result = json.loads(self.filtered().stdout)
        self.assertEqual(result["unreadable_pages"], self._PAGES)

    def test_addresses_are_reported(self):
        """Where the hole is."""
        result = json.loads(self.filtered().stdout)
        start = self.bad_pages()[0] * elf_core.PAGE
        self.assertEqual([(r["address"], r["bytes"]) for r in result["unreadable"]],
                         [(start, self._PAGES * elf_core.PAGE)])

    def test_other_pages_are_right(self):
        """All other memory is in the dump."""
        self.filtered()
        left = output_of(self._folder)
        self.assertIsNotNone(left)
        dump = kdump_file.KdumpFile(left)
        bad = set(self.bad_pages())
        original = case.core(KERNEL)
        pages = dict((pfn, data == original.page(pfn)) for pfn, data in dump.pages())
        self.assertEqual([pfn for pfn, same in pages.items() if not same and pfn not in bad], [])
        self.assertEqual(len(set(bitmaps.members(original.present())) - set(pages) - bad), 0)


class FullDisk(FaultCase):
    """No room left: what is there is marked incomplete and true."""

    def fill_up(self, mib: int, *options) -> tuple[subprocess.CompletedProcess, pathlib.Path]:
        """Runs the filter with its output on a file system of that size."""
        settings.current.need_own_filter()
        place, out = self.fresh(f"disk{mib}"), self.fresh(f"out{mib}")
        root = [] if os.geteuid() == 0 else ["--map-root-user"]
        done = self.run_program(["unshare", "--mount", *root, sys.executable,
                                 guest.HERE / "small_disk.py", mib, place, out,
                                 *settings.current.filter(), *options,
                                 case.core_path(KERNEL), place / "vmcore"])
        if "mount:" in done.stderr or "unshare:" in done.stderr:
            raise unittest.SkipTest(f"no file system can be mounted here: {done.stderr.strip()}")
        return done, out

    def check(self, mib: int) -> kdump_file.KdumpFile:
        """An all-memory dump onto that many MiB."""
        done, out = self.fill_up(mib, "-l", "-d", "0")
        self.assert_ended_well(done, out)
        self.assertIn("No space left", done.stderr)
        left = output_of(out)
        self.assertIsNotNone(left)
        self.assertTrue(left.name.endswith("-incomplete"), left.name)
        dump = kdump_file.KdumpFile(left)
        self.assertTrue(dump.incomplete)
        return dump

    def test_room_for_a_tenth(self):
        """A good part of memory is in the dump."""
        dump = self.check(48)
        self.assertGreater(len(list(dump.pages())), 5000)

    def test_room_for_little(self):
        """The descriptors take most of it."""
        self.check(6)

    def test_no_room_for_the_headers(self):
        """An error, and nothing that looks like a dump."""
        done, out = self.fill_up(1, "-l", "-d", "0")
        self.assertGreater(done.returncode, 0)
        self.assertFalse((out / "vmcore").exists())


class Stopped(FaultCase):
    """A signal ends the dump; what is left is marked incomplete."""

    def stop(self, number: int) -> tuple[int, pathlib.Path]:
        """Sends a signal in the middle of a long run."""
        settings.current.need_own_filter()
        folder = self.fresh(f"signal{number}")
        words = [*settings.current.filter(), "-c", "-d", "0", "--num-threads", "1",
                 str(case.core_path(KERNEL)), str(folder / "vmcore")]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as running:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and running.poll() is None:
                left = output_of(folder)
                if left is not None and left.stat().st_size > 16 * MIB:
                    break
                time.sleep(0.05)
            self.assertIsNone(running.poll(), "the filter ended before it could be stopped")
            running.send_signal(number)
            status = running.wait(timeout=60)
        return status, folder

    def test_terminated(self):
        """SIGTERM: an orderly end."""
        status, folder = self.stop(signal.SIGTERM)
        self.assertNotEqual(status, 0)
        left = output_of(folder)
        if left is not None:
            self.assertTrue(left.name.endswith("-incomplete"))
            self.assertTrue(kdump_file.KdumpFile(left).incomplete)
            self.assert_true(left)

    def test_killed(self):
        """SIGKILL: there is no time to write anything, so it must have been marked before."""
        status, folder = self.stop(signal.SIGKILL)
        self.assertEqual(status, -signal.SIGKILL)
        self.assertFalse((folder / "vmcore").exists())


class Missing(FaultCase):
    """Files that are not there or are something else."""

    def refused(self, vmcore: pathlib.Path, name: str, what: str) -> None:
        """The error names the file."""
        settings.current.need_own_filter()
        folder = self.fresh(f"for-{name}")
        done = self.run_program([*settings.current.filter(), "-l", "-d", "31", vmcore,
                                 folder / "vmcore"])
        self.assertEqual(done.returncode, EXIT_FAILED, done.stderr)
        self.assert_ended_well(done, folder)
        self.assertIn(what, done.stderr)

    def test_no_such_vmcore(self):
        """The usual typing mistake."""
        self.refused(self.work / "nothing", "nothing", "No such file")

    def test_vmcore_is_a_folder(self):
        """Of no use."""
        self.refused(self.work, "folder", str(self.work))

    def test_vmcore_is_text(self):
        """Not a dump of any kind."""
        path = self.work / "text"
        path.write_text("not a vmcore\n" * 1000, encoding="ascii")
        self.refused(path, "texts", str(path))

    def test_no_such_folder_for_the_dump(self):
        """The destination is what is wrong, and is named."""
        settings.current.need_own_filter()
        target = self.work / "none" / "vmcore"
        done = self.run_program([*settings.current.filter(), "-l", "-d", "31",
                                 case.core_path(KERNEL), target])
        self.assertEqual(done.returncode, EXIT_FAILED)
        self.assertIn(str(target.parent), done.stderr)
