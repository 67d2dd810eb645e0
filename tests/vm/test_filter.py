# SPDX-License-Identifier: GPL-2.0-or-later
"""kdump-filter on the vmcores of real kernels: which pages it keeps, and what it writes."""

import functools
import hashlib
import json
import os
import re
import stat
import unittest

import account
import bitmaps
import case
import kdump_file
import reference
import settings
import test_readers

# Pages that may have changed between the account and the panic.  In most runs there are none.
RACED_PAGES = 16


@functools.cache
def page_account(kernel: str) -> account.Account:
    """The page account of a kernel's guest."""
    return account.Account(case.guest_vmcore(kernel).folder)


@case.expanded
class KeptPages(case.VmCase):
    """The kept pages are those that makedumpfile keeps, and their bytes are the vmcore's."""

    def reference_kept(self, kernel: str, level: int) -> int:
        """What makedumpfile keeps; in its default mode it loses partial pages."""
        if not reference.is_right_for(kernel):
            raise unittest.SkipTest(f"no makedumpfile is known to be right for {kernel}")
        path = self.work / f"reference-{kernel}-{level}"
        self.succeed([*reference.makedumpfile(kernel), "--message-level", "4", "-l", "-d", level,
                      case.core_path(kernel), path])
        kept = kdump_file.KdumpFile(path).kept
        path.unlink()
        return kept

    @case.for_each(level=case.LEVELS)
    def check_same_set_as_makedumpfile(self, kernel, level):
        """The one deliberate difference: the partial last page of a range is kept."""
        ours = self.dump(kernel, level).kept
        theirs = self.reference_kept(kernel, level)
        partial = bitmaps.union_of(case.core(kernel).partial())
        self.assertEqual(bitmaps.show(ours & ~theirs), bitmaps.show(partial & ~theirs),
                         "kept by us only")
        self.assertEqual(bitmaps.show(theirs & ~ours), bitmaps.show(0), "kept by them only")

    @case.for_each(level=case.LEVELS)
    def check_bytes(self, kernel, level):
        """Every kept page holds the vmcore's bytes."""
        self.assert_bytes_of(self.dump(kernel, level), kernel)

    @case.for_each(level=case.LEVELS)
    def check_structure(self, kernel, level):
        """A strict reader has nothing to object to."""
        self.assertEqual(self.dump(kernel, level).problems(), [])

    @case.for_each(level=case.LEVELS)
    def check_memory_bitmap(self, kernel, level):
        """The first bitmap is the memory that the vmcore has."""
        difference = self.dump(kernel, level).memory ^ case.core(kernel).present()
        self.assertEqual(bitmaps.show(difference), bitmaps.show(0))

    @case.for_each(level=[1, 31])
    def check_zero_pages_share_one_page(self, kernel, level):
        """All zero pages point to the same data."""
        dump = self.dump(kernel, level)
        places = {where for where, (_, data) in zip(dump.descriptors(), dump.pages())
                  if not any(data)}
        self.assertEqual(len(places), 1)


@case.expanded
class PageAccount(case.VmCase):
    """The kept pages agree with the guest's own account of its pages."""

    def assert_none(self, kernel: str, pages: int, what: str) -> None:
        """Allows for pages that changed after the account was taken."""
        if pages:
            print(f"  {kernel}: {what}: {page_account(kernel).describe(pages)}")
        self.assertLessEqual(pages.bit_count(), RACED_PAGES,
                             f"{what}: {page_account(kernel).describe(pages)}")

    def kept(self, kernel: str, level: int = 31) -> int:
        """Of the pages that the account covers."""
        return self.dump(kernel, level).kept

    def dropped(self, kernel: str, level: int) -> int:
        """Memory that is not in the dump."""
        dump = self.dump(kernel, level)
        return dump.memory & ~dump.kept

    def check_every_class_is_in_the_guest(self, kernel):
        """The other tests say something only when the guest has such pages."""
        known = page_account(kernel)
        memory = case.core(kernel).present()
        few = [name for name in ("free", "slab", "hugetlb", "anonymous", "cache", "kernel")
               if (getattr(known, name) & memory).bit_count() < 1000]
        few += [name for name in ("KSM", "THP", "MLOCKED", "DIRTY", "PGTABLE", "PRIVATE", "MMAP")
                if (known.having(name) & memory).bit_count() < 20]
        self.assertEqual(few, [])

    @case.for_each(pages=["free", "anonymous", "hugetlb", "cache"])
    def check_none_kept_at_31(self, kernel, pages):
        """Nothing that level 31 is to drop is in the dump."""
        wrong = self.kept(kernel) & getattr(page_account(kernel), pages)
        self.assert_none(kernel, wrong, f"{pages} pages kept")

    @case.for_each(pages=["slab", "kernel"], level=[8, 16, 31])
    def check_none_dropped(self, kernel, pages, level):
        """The kernel's own memory is in every dump."""
        wrong = self.dropped(kernel, level) & getattr(page_account(kernel), pages)
        self.assert_none(kernel, wrong, f"{pages} pages dropped")

    @case.for_each(pages=["PGTABLE", "RESERVED"])
    def check_none_with_flag_dropped(self, kernel, pages):
        """Page tables and reserved pages, each for itself."""
        wrong = self.dropped(kernel, 31) & page_account(kernel).having(pages)
        self.assert_none(kernel, wrong, f"{pages} pages dropped")

    def check_every_dropped_page_has_a_reason(self, kernel):
        """What is dropped at 31 is free, a process's, or page cache."""
        known = page_account(kernel)
        reasons = known.free | known.anonymous | known.hugetlb | known.cache
        self.assert_none(kernel, self.dropped(kernel, 31) & ~reasons, "dropped without a reason")

    def check_level_16_drops_free_pages_only(self, kernel):
        """All free pages, and nothing else."""
        wrong = self.dropped(kernel, 16) ^ (page_account(kernel).free & case.core(kernel).present())
        self.assert_none(kernel, wrong, "level 16")

    def check_level_8_drops_user_pages_only(self, kernel):
        """All anonymous and hugetlb pages, and nothing else."""
        known = page_account(kernel)
        user = (known.anonymous | known.hugetlb) & case.core(kernel).present()
        self.assert_none(kernel, self.dropped(kernel, 8) ^ user, "level 8")

    def check_level_4_drops_cache_only(self, kernel):
        """All page cache, and nothing else."""
        cache = page_account(kernel).cache & case.core(kernel).present()
        self.assert_none(kernel, self.dropped(kernel, 4) ^ cache, "level 4")

    def check_level_2_drops_cache_without_private_data(self, kernel):
        """Page cache that no file system has private data for."""
        known = page_account(kernel)
        cache = known.cache & ~known.having("PRIVATE") & case.core(kernel).present()
        self.assert_none(kernel, self.dropped(kernel, 2) ^ cache, "level 2")


@case.expanded
class Codecs(case.VmCase):
    """Every codec gives back the vmcore's bytes."""

    def tearDown(self):
        for path in self.work.iterdir():
            path.unlink()

    @case.for_each(codec=case.CODECS)
    def check_bytes_at_31(self, kernel, codec):
        """The dump of interest."""
        dump = self.dump(kernel, 31, codec)
        self.assert_bytes_of(dump, kernel)
        self.assertEqual(dump.problems(), [])

    @case.for_each(codec=case.CODECS)
    def check_bytes_of_all_memory(self, kernel, codec):
        """Every page of the guest."""
        self.assert_bytes_of(self.dump(kernel, 0, codec), kernel)

    @case.for_each(codec=case.CODEC_FLAGS)
    def check_codec_is_used(self, kernel, codec):
        """Header and descriptors name the codec; pages that do not shrink are raw."""
        dump = self.dump(kernel, 31, codec)
        self.assertEqual(dump.status & 0x27, case.CODEC_FLAGS[codec])
        self.assertEqual(dump.codecs(), {0, case.CODEC_FLAGS[codec]})

    @case.for_each(codec=case.CODECS)
    def check_threads_do_not_change_the_bytes(self, kernel, codec):
        """The file is the same for every number of threads."""
        settings.current.need_own_filter()
        digests = set()
        for threads in (1, 2, 3, 8):
            path = self.work / f"threads-{threads}"
            self.filter(*case.CODECS[codec], "-d", 31, "--num-threads", threads,
                        case.core_path(kernel), path)
            digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
            path.unlink()
        self.assertEqual(len(digests), 1)


@case.expanded
class Headers(case.VmCase):
    """What the dump says about the machine."""

    def check_notes_are_carried_over(self, kernel):
        """The note segment, byte by byte."""
        self.assertEqual(self.dump(kernel, 31).notes, case.core(kernel).notes())

    def check_vmcoreinfo_is_carried_over(self, kernel):
        """VMCOREINFO is where the header says."""
        text = self.dump(kernel, 31).vmcoreinfo.decode()
        self.assertIn(f"OSRELEASE={case.guest_vmcore(kernel).kernel.release}\n", text)
        lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        self.assertEqual(lines, case.core(kernel).vmcoreinfo())

    def check_utsname(self, kernel):
        """Taken from the dead kernel's memory."""
        settings.current.need_own_filter()
        found = self.dump(kernel, 31).utsname
        self.assertEqual((found["sysname"], found["release"], found["machine"]),
                         ("Linux", case.guest_vmcore(kernel).kernel.release, "x86_64"))

    def check_cpus(self, kernel):
        """The guest has two."""
        self.assertEqual(self.dump(kernel, 31).cpus, 2)

    def check_physical_base(self, kernel):
        """The same as VMCOREINFO says."""
        base = int(case.core(kernel).vmcoreinfo()["NUMBER(phys_base)"])
        self.assertEqual(self.dump(kernel, 31).phys_base, base % (1 << 64))

    def check_time(self, kernel):
        """The time of the crash."""
        crash_time = int(case.core(kernel).vmcoreinfo()["CRASHTIME"])
        self.assertEqual(self.dump(kernel, 31).timestamp, crash_time)

    def check_level(self, kernel):
        """The level that was asked for."""
        self.assertEqual(self.dump(kernel, 31).level, 31)


@case.expanded
class CommandLine(case.VmCase):
    """The options of makedumpfile that scripts use."""

    def dmesg(self, program, kernel: str, name: str) -> str:
        """A program's --dump-dmesg."""
        path = self.work / f"{name}-{kernel}"
        self.succeed([*program, "--dump-dmesg", case.core_path(kernel), path])
        return path.read_text(encoding="utf-8")

    def check_dmesg_is_the_same_as_makedumpfiles(self, kernel):
        """The dead kernel's log, but for two habits of theirs: the caller where the kernel has it,
        and continuation lines moved to the right."""
        theirs = self.dmesg(reference.newest(), kernel, "theirs")
        ours = self.dmesg(settings.current.filter(), kernel, "ours")
        theirs = re.sub(r"^(\[ *\d+\.\d+\]) \[ *[TC]\d+\]", r"\1", theirs, flags=re.MULTILINE)
        theirs = re.sub(r"^ +", "", theirs, flags=re.MULTILINE)
        self.assertEqual(re.sub(r"^ +", "", ours, flags=re.MULTILINE), theirs)

    def check_dmesg_is_the_same_as_drgns(self, kernel):
        """The dead kernel's log, byte by byte."""
        settings.current.need_own_filter()
        ours = self.dmesg(settings.current.filter(), kernel, "for-drgn")
        self.assertEqual(ours, test_readers.run_drgn(kernel, case.core_path(kernel), "dmesg.py"))

    def check_dmesg_ends_with_the_panic(self, kernel):
        """The reason for all this is in it."""
        text = self.dmesg(settings.current.filter(), kernel, "last")
        self.assertIn("Kernel panic - not syncing: sysrq triggered crash", text)

    def check_dry_run_writes_nothing(self, kernel):
        """Nothing appears."""
        path = self.work / f"dry-{kernel}"
        self.filter("--dry-run", "-l", "-d", 31, case.core_path(kernel), path)
        self.assertFalse(path.exists())

    def check_mode_of_the_file(self, kernel):
        """Memory of a machine is nobody else's business."""
        mode = stat.S_IMODE(self.dump_path(kernel, 31).stat().st_mode)
        self.assertEqual(mode, 0o600)

    def check_an_existing_file_is_kept(self, kernel):
        """Without -f it is refused and left as it was."""
        path = self.work / f"existing-{kernel}"
        path.write_text("precious", encoding="ascii")
        done = self.run_program([*settings.current.filter(), "-l", "-d", 31,
                                 case.core_path(kernel), path])
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(path.read_text(encoding="ascii"), "precious")

    def check_force_replaces_a_file(self, kernel):
        """With -f it is replaced."""
        path = self.work / f"forced-{kernel}"
        path.write_text("old", encoding="ascii")
        self.filter("-f", "-l", "-d", 31, case.core_path(kernel), path)
        self.assertEqual(kdump_file.KdumpFile(path).kept, self.dump(kernel, 31).kept)

    def check_works_by_the_name_makedumpfile(self, kernel):
        """Called through a link, as scripts do."""
        settings.current.need_own_filter()
        link = self.work / "makedumpfile"
        if not link.exists():
            link.symlink_to(settings.current.filter()[0])
        path = self.work / f"linked-{kernel}"
        self.succeed([link, "-l", "--message-level", "1", "-d", "31", case.core_path(kernel), path])
        self.assertEqual(path.read_bytes(), self.dump_path(kernel, 31).read_bytes())

    def check_nothing_else_is_left_behind(self, kernel):
        """No temporary file stays beside the dump."""
        folder = self.work / f"alone-{kernel}"
        folder.mkdir()
        self.filter("-l", "-d", 31, case.core_path(kernel), folder / "vmcore")
        self.assertEqual(os.listdir(folder), ["vmcore"])

    def check_json_result(self, kernel):
        """The result as JSON is one object and tells no warnings for a sound vmcore."""
        settings.current.need_own_filter()
        path = self.work / f"json-{kernel}"
        done = self.filter("--json", "-l", "-d", 31, case.core_path(kernel), path)
        result = json.loads(done.stdout)
        self.assertIsInstance(result, dict)
        self.assertEqual(result.get("warnings", []), [])
