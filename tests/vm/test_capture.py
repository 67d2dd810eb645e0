# SPDX-License-Identifier: GPL-2.0-or-later
"""From the panic to the dump with our own kexec, kdump-capture and kdump-filter."""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import tempfile

import account
import archive
import case
import guest
import kdump_file
import kernels
import settings
import test_readers
import vmcore
import whole_path

# How each kernel's run differs, so that every way of naming the destination is taken once.
VARIANTS = {
    "5.10": {"compression": "zlib"},
    "6.1": {"compression": "lzo", "final": "reboot", "dest": f"UUID={whole_path.UUID}"},
    "6.12": {"compression": "zstd", "final": "poweroff", "path": "/var/crash"},
    "7.3": {"compression": "snappy", "dest": "/dev/vda"},
}
FAULT_KERNEL = settings.current.kernels[-1]
# Enough of every kind for a dump that is worth looking at; quick to fill.
WORKLOAD = ("clean=24 shm=16 slab=8 private=8 hugetlb=8 thp=32 anon=48 mlock=4 zero=8 pipes=4 "
            "sockets=2 freed=24 dirty=8")
QUICK = "anon=32 clean=16 slab=4"
RACED_PAGES = 16


def programs(other_filter: pathlib.Path | None = None) -> whole_path.Programs:
    """The programs under test; skips when they are not built."""
    for name in ("kexec/kexec", "capture/kdump-capture", "filter/kdump-filter",
                 "initramfs/kdump-mkinitramfs"):
        settings.current.program(name)
    return whole_path.Programs(settings.current.build_dir.resolve(), other_filter)


def scratch(name: str) -> pathlib.Path:
    """A folder for one run; removed when the tests end."""
    base = archive.cache_root() / "scratch"
    base.mkdir(parents=True, exist_ok=True)
    folder = tempfile.TemporaryDirectory(prefix=f"{name}.", dir=base)
    _scratch.append(folder)
    return pathlib.Path(folder.name)


_scratch: list[tempfile.TemporaryDirectory] = []


def tearDownModule():
    """Removes the disks of the guests."""
    for folder in _scratch:
        folder.cleanup()


@case.once
def captured(kernel: str) -> whole_path.Captured:
    """The run of a kernel that goes well."""
    return whole_path.run(programs(), kernels.find(kernel), scratch(f"capture-{kernel}"),
                          words=VARIANTS[kernel], workload=WORKLOAD, verbose=case.show)


class CaptureCase(case.VmCase):
    """What all captures have to do."""

    def assert_ended(self, ended: whole_path.Captured) -> None:
        """The machine went on by itself."""
        self.assertEqual(ended.result.how, "ended", ended.result.console[-3000:])

    def assert_clean(self, ended: whole_path.Captured) -> None:
        """The destination was unmounted."""
        self.assertEqual(ended.destination.problems(), "")


@case.expanded
class WholePath(CaptureCase):
    """A panic leaves a dump on the disk."""

    def check_machine_goes_on(self, kernel):
        """It restarts or powers off, as told."""
        ended = captured(kernel)
        self.assert_ended(ended)
        last = "Power down" if VARIANTS[kernel].get("final") == "poweroff" else "Restarting system"
        self.assertIn(f"reboot: {last}", ended.console)

    def check_console_says_where_the_dump_is(self, kernel):
        """The line that an administrator looks for."""
        console = captured(kernel).console
        self.assertRegex(console, r"kdump: dump saved: \S+/vmcore, ")

    def check_files(self, kernel):
        """One folder, four files, no unfinished one."""
        folders = captured(kernel).folders
        self.assertEqual(len(folders), 1, folders)
        self.assertEqual(sorted(os.listdir(folders[0])),
                         ["capture.log", "manifest.json", "vmcore", "vmcore-dmesg.txt"])
        self.assertRegex(folders[0].name, r"^\S+-\d{4}-?\d\d-?\d\d\S*$")

    def check_file_system_is_clean(self, kernel):
        """The destination was unmounted."""
        self.assert_clean(captured(kernel))

    def check_log_of_the_dead_kernel(self, kernel):
        """From its first line to the panic."""
        text = captured(kernel).text("vmcore-dmesg.txt")
        self.assertIn("Linux version", text.splitlines()[0])
        self.assertIn("Kernel panic - not syncing: sysrq triggered crash", text)

    def check_capture_log(self, kernel):
        """Says what was done."""
        text = captured(kernel).text("capture.log")
        self.assertIn("log of the dead kernel saved", text)
        self.assertIn("vmcore written", text)

    def check_manifest(self, kernel):
        """Agrees with the files, and knows the kernel and why it panicked."""
        ended = captured(kernel)
        manifest = json.loads(ended.text("manifest.json"))
        self.assertEqual(manifest["outcome"], "complete", manifest)
        self.assertEqual(manifest["panic"], "sysrq triggered crash")
        self.assertEqual(manifest["kernel"], kernels.find(kernel).release)
        self.assertEqual(manifest["compression"], VARIANTS[kernel]["compression"])
        self.assertGreater(manifest["pages"]["classes"]["kernel"]["kept"], 1000)
        self.assertGreater(manifest["memory"]["total"], manifest["memory"]["lowest_available"])
        self.assertGreater(manifest["memory"]["lowest_available"], 1 << 20)
        self.assertEqual([file["name"] for file in manifest["files"]],
                         ["vmcore-dmesg.txt", "vmcore"])
        for file in manifest["files"]:
            data = (ended.folder / file["name"]).read_bytes()
            self.assertEqual(len(data), file["size"])
            self.assertEqual(hashlib.sha256(data).hexdigest(), file["sha256"])
            self.assertIn(file["verified"], ("yes", "sample"))

    def check_dump_is_whole(self, kernel):
        """Complete, sound, of the level and codec that were asked for."""
        dump = kdump_file.KdumpFile(captured(kernel).folder / "vmcore")
        wanted = VARIANTS[kernel]
        self.assertEqual(dump.problems(), [])
        self.assertEqual(dump.level, int(wanted.get("level", 31)))
        self.assertIn(case.CODEC_FLAGS[wanted["compression"]], dump.codecs())
        self.assertEqual(dump.utsname["release"], kernels.find(kernel).release)

    def check_every_page_decompresses(self, kernel):
        """Each kept page is there."""
        dump = kdump_file.KdumpFile(captured(kernel).folder / "vmcore")
        self.assertEqual(sum(1 for _ in dump.pages()), dump.kept.bit_count())

    def check_pages_agree_with_the_guests_account(self, kernel):
        """No user, free or cache page is kept at level 31; no kernel page is ever dropped."""
        ended = captured(kernel)
        dump = kdump_file.KdumpFile(ended.folder / "vmcore")
        known = account.Account(ended.account)
        unwanted = known.free | known.anonymous | known.hugetlb | known.cache
        wrong = dump.memory & ~dump.kept & known.kernel
        if dump.level == 31:
            wrong |= dump.kept & unwanted
        self.assertLessEqual(wrong.bit_count(), RACED_PAGES, known.describe(wrong))
        self.assertGreater((dump.memory & unwanted).bit_count(), 20000)

    def check_crash_opens_it(self, kernel):
        """The panic task's stack and the workload's processes are in it."""
        shown = test_readers.shown_by_crash(kernel, captured(kernel).folder / "vmcore")
        self.assertEqual(shown["status"], "0", shown["errors"])
        self.assertIn("sysrq_handle_crash", shown["bt"])
        self.assertIn("workload", shown["ps"])
        self.assertIn("sysrq triggered crash", shown["log"])
        self.assertIn("TOTAL MEM", shown["kmem -i"])

    def check_drgn_opens_it(self, kernel):
        """All tasks, stacks, modules and slab objects can be read."""
        digest = test_readers.run_drgn(kernel, captured(kernel).folder / "vmcore")
        self.assertGreater(len(re.findall(r"^task \d+ \d+ workload", digest, re.MULTILINE)), 10)
        self.assertIn("sysrq_handle_crash", digest)
        self.assertNotIn("FAULT", digest)


class FaultCase(CaptureCase):
    """One guest a class: `ended` runs it, the test methods look at what it left."""

    words: dict[str, str] = {}
    disk_mib = 256
    formatted = True

    def other_filter(self) -> pathlib.Path | None:
        """Stands in for the filter."""
        return None

    def image_options(self) -> tuple[str, ...]:
        """More words for kdump-mkinitramfs."""
        return ()

    def ended(self) -> whole_path.Captured:
        """The guest's end; run once."""
        return run_fault(type(self))


@case.once
def run_fault(cls: type[FaultCase]) -> whole_path.Captured:
    """Runs the guest of a class."""
    test = cls()
    work = scratch(cls.__name__)
    kernel = kernels.find(FAULT_KERNEL)
    chosen = programs(test.other_filter())
    image = whole_path.capture_image(chosen, kernel, work / "capture.img", test.image_options())
    disk = whole_path.Destination.make(work / "destination", cls.disk_mib, cls.formatted)
    return whole_path.run(chosen, kernel, work, words=cls.words, workload=QUICK, destination=disk,
                          image=image, verbose=case.show)


class SmallDisk(FaultCase):
    """The destination has room for a dump, but not for the one that was asked for."""

    words = {"level": "0", "min_free": "0"}
    disk_mib = 64

    def test_machine_goes_on(self):
        """It restarts all the same."""
        self.assert_ended(self.ended())

    def test_dump_is_whole_at_a_higher_level(self):
        """The next step of the ladder."""
        dump = kdump_file.KdumpFile(self.ended().folder / "vmcore")
        self.assertEqual(dump.problems(), [])
        self.assertEqual(dump.level, 31)

    def test_it_is_said(self):
        """On the console and in the manifest."""
        self.assertIn("instead of level 0", self.ended().console)
        manifest = json.loads(self.ended().text("manifest.json"))
        self.assertEqual(manifest["level"], 31)
        self.assertIn("instead of level 0", manifest["warnings"][0])

    def test_file_system_is_clean(self):
        """The destination was unmounted."""
        self.assert_clean(self.ended())


class FullDisk(FaultCase):
    """The destination has no room for any dump."""

    words = {"level": "0"}
    disk_mib = 24

    def test_machine_goes_on(self):
        """It restarts all the same."""
        self.assert_ended(self.ended())

    def test_console_tells(self):
        """The reason stands on the console."""
        self.assertIn("dump failed: too little room", self.ended().console)
        self.assertNotIn("kdump: dump saved:", self.ended().console)

    def test_log_of_the_dead_kernel_is_saved(self):
        """It was written first."""
        self.assertIn("sysrq triggered crash", self.ended().text("vmcore-dmesg.txt"))

    def test_manifest_tells(self):
        """There is the log and no dump."""
        manifest = json.loads(self.ended().text("manifest.json"))
        self.assertEqual(manifest["outcome"], "dmesg-only")
        self.assertEqual([file["name"] for file in manifest["files"]], ["vmcore-dmesg.txt"])

    def test_nothing_passes_for_a_dump(self):
        """No file has the final name."""
        self.assertFalse((self.ended().folder / "vmcore").exists())

    def test_file_system_is_clean(self):
        """The destination was unmounted."""
        self.assert_clean(self.ended())


class KilledFilter(FaultCase):
    """The filter is killed each time, as for lack of memory."""

    always = True

    def other_filter(self):
        return guest.compile_static("killed_filter.c")

    def image_options(self):
        real = settings.current.program("filter/kdump-filter")
        flag = ("--file", "/dev/null=/kill-always") if self.always else ()
        return ("--program", f"{real}=/real-filter", *flag)

    def test_machine_goes_on(self):
        """It restarts all the same."""
        self.assert_ended(self.ended())

    def test_it_was_tried_again(self):
        """Once, with fewer threads; console and capture.log tell."""
        for text in (self.ended().console, self.ended().text("capture.log")):
            self.assertRegex(text, r"(?i)signal 9|SIGKILL|Killed")
            self.assertEqual(len(re.findall("trying once more", text)), 1)

    def test_console_tells(self):
        """That there is no dump."""
        self.assertIn("kdump: dump failed", self.ended().console)

    def test_log_of_the_dead_kernel_is_saved(self):
        """It is kept."""
        self.assertIn("sysrq triggered crash", self.ended().text("vmcore-dmesg.txt"))

    def test_nothing_passes_for_a_dump(self):
        """No file has the final name."""
        self.assertFalse((self.ended().folder / "vmcore").exists())

    def test_file_system_is_clean(self):
        """The destination was unmounted."""
        self.assert_clean(self.ended())


class FilterKilledOnce(FaultCase):
    """The filter is killed the first time only."""

    other_filter = KilledFilter.other_filter
    image_options = KilledFilter.image_options
    always = False

    def test_second_attempt_gives_a_dump(self):
        """A whole one."""
        self.assertEqual(kdump_file.KdumpFile(self.ended().folder / "vmcore").problems(), [])

    def test_console_tells(self):
        """Both that it failed and that there is a dump now."""
        self.assertIn("trying once more", self.ended().console)
        self.assertIn("kdump: dump saved:", self.ended().console)

    def test_no_unfinished_file_is_left(self):
        """The first attempt's was replaced."""
        self.assertFalse((self.ended().folder / "vmcore-incomplete").exists())


class MissingDestination(FaultCase):
    """No disk has the UUID."""

    words = {"dest": "UUID=01234567-89ab-cdef-0123-456789abcdef", "timeout": "5"}

    def test_machine_goes_on(self):
        """It does not wait for ever."""
        self.assert_ended(self.ended())

    def test_console_names_the_destination(self):
        """What was looked for."""
        self.assertIn("01234567-89ab-cdef-0123-456789abcdef",
                      self.ended().console.partition("dump failed")[2])

    def test_console_shows_the_dead_kernels_last_words(self):
        """The only place left for them."""
        self.assertIn("sysrq triggered crash", self.ended().console.partition("kdump: ")[2])

    def test_nothing_is_written(self):
        """To any other disk."""
        self.assertEqual(self.ended().folders, [])


class UnmountableDestination(FaultCase):
    """The disk is there and has no file system: nothing may be written below its mount point."""

    words = {"dest": "/dev/vda", "timeout": "5"}
    formatted = False

    def test_machine_goes_on(self):
        """It restarts all the same."""
        self.assert_ended(self.ended())

    def test_console_tells(self):
        """And no dump is claimed."""
        self.assertIn("dump failed", self.ended().console)
        self.assertNotIn("kdump: dump saved:", self.ended().console)
        self.assertIn("/dev/vda", self.ended().console.partition("dump failed")[2])

    def test_disk_is_untouched(self):
        """Still all zero."""
        done = subprocess.run(["cmp", "-n", str(24 << 20), str(self.ended().destination.path),
                               "/dev/zero"], capture_output=True, check=False)
        self.assertEqual(done.returncode, 0)
