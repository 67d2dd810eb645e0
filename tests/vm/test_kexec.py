# SPDX-License-Identifier: GPL-2.0-or-later
"""Crash loads by both system calls on real kernels: what is loaded, and what the vmcore has."""

import re
import struct

import case
import crash_load
import crash_script
import elf_headers
import guest
import kernels
import loads
import probe
import ranges
import settings
from core_segments import covered, kernel_text, of_kind, ram
from crash_script import Load
from crashed import Crashed
from elf_headers import PT_LOAD, PT_NOTE, Segment
from loader_case import FIRST_MIB, MIB, LoaderCase


@case.once
def crashed(load: Load) -> Crashed:
    """The guest of a load, run on first use."""
    return crash_load.run(load, settings.current.kexec(), crash_script.compare_script(load),
                          verbose=case.show)


def pages(size: int) -> int:
    """The size in pages, rounded up."""
    return -(-size // probe.PAGE)


@case.expanded_over(load=loads.chosen())
class CrashLoad(LoaderCase):
    """A panic leads to the crash kernel, and it sees all of the dead kernel's memory."""

    def check_crash_kernel_tells(self, load):
        """It comes up, tells, and restarts."""
        self.assert_reported(crashed(load))

    def check_panic_was_the_wanted_one(self, load):
        """Its kind and its CPU stand on the console, but for an NMI: that cannot print."""
        console = crashed(load).console.partition("REPORT")[0]
        self.assertEqual("sysrq triggered crash" in console, load.panic in ("sysrq", "interrupt"))
        self.assertEqual("NULL pointer dereference" in console, load.panic == "oops")
        self.assertEqual("<IRQ>" in console, load.panic == "interrupt")
        if load.panic != "nmi":
            self.assertEqual(re.search(r"CPU: (\d+) ", console)[1], str(load.cpu))

    def check_vmcore_has_what_was_loaded(self, load):
        """The segments of /proc/vmcore are those of the elfcorehdr that was loaded last."""
        ended = crashed(load)
        self.assert_reported(ended)
        self.assert_same(of_kind(ended.segments, PT_LOAD),
                         of_kind(ended.headers[f"ours{load.loader}"], PT_LOAD))

    def check_vmcore_has_all_memory(self, load):
        """All but the reservation, and but the first MiB when the kernel made the headers."""
        ended = crashed(load)
        self.assert_reported(ended)
        excluded = ended.iomem("Crash kernel") + (FIRST_MIB if load.loader == "-s" else [])
        wanted = ranges.without(ended.iomem("System RAM"), excluded)
        self.assertEqual(ranges.shown(covered(ram(ended.segments))), ranges.shown(wanted))
        self.assertEqual(any(end > 4096 * MIB for _, end in wanted), load.memory_mib == loads.HIGH)

    def check_notes(self, load):
        """The registers of each CPU, those of the panic's process among them, and VMCOREINFO."""
        ended = crashed(load)
        self.assert_reported(ended)
        notes = ended.notes
        self.assertEqual([note.name for note in notes], ["CORE"] * load.cpus + ["VMCOREINFO"])
        told = re.findall(r"CPU: \d+ .*PID: (\d+)", ended.console)
        self.assertLessEqual({int(process) for process in told},
                             {struct.unpack_from("<I", note.contents,
                                                 elf_headers.PRSTATUS_PID)[0]
                              for note in notes[:-1] if note.kind == elf_headers.NT_PRSTATUS})
        release = f"OSRELEASE={kernels.find(load.kernel).release}\n".encode()
        self.assertTrue(notes[-1].contents.startswith(release), notes[-1].contents[:100])

    def check_memory_is_as_it_was(self, load):
        """Pages of a process, and the kernel's own text."""
        ended = crashed(load)
        self.assert_reported(ended)
        known = {**ended.markers, **ended.text}
        self.assertGreater(len(known), 8)
        self.assertEqual({hex(at): ended.memory.get(at) for at in known},
                         {hex(at): data for at, data in known.items()})

    def check_memory_below_640_kib_is_as_it_was(self, load):
        """With kexec_load it is saved before the crash kernel uses it; else it is left out."""
        ended = crashed(load)
        self.assert_reported(ended)
        told = {at: data for at, data in ended.memory.items() if at < probe.LOW_END}
        saved = {at: data for at, data in told.items() if data != "unreadable"}
        self.assertEqual(bool(saved), load.loader == "-c")
        self.assertEqual(saved, {at: ended.low_memory[at:at + 16].hex() for at in saved})
        # The judge is judged: some of it has changed in the meantime.
        self.assertTrue(any(ended.low_memory[at:at + 16] != ended.overwritten[at:at + 16]
                            for at in told))

    def check_crash_kernel_stays_in_its_memory(self, load):
        """It was told of the reservation, of both its parts, and of the first MiB; no more."""
        ended = crashed(load)
        self.assert_reported(ended)
        used = ended.iomem("System RAM", by="REPORT iomem")
        reserved = ended.iomem("Crash kernel")
        outside = ranges.without(used, reserved + FIRST_MIB)
        self.assertEqual(ranges.shown(outside), "none")
        self.assertEqual(len(reserved), 2 if "high" in load.crashkernel else 1)
        for start, end in reserved:
            missing = ranges.without([(start, end)], used)
            self.assertLess(sum(last - first for first, last in missing), 20 * MIB)


@case.expanded_over(load=loads.chosen())
class Headers(LoaderCase):
    """The headers of the same guest by both system calls, and by kexec-tools."""

    def check_file_load_is_as_kexec_tools(self, load):
        """The kernel makes them: not a bit differs."""
        headers = crashed(load).headers
        self.assertEqual(headers["ours-s"], headers["incumbent-s"])

    def check_notes_are_as_by_the_kernel(self, load):
        """One a CPU and VMCOREINFO, at the same addresses and of the same size.

        Newer kernels have notes of CPUs that are not there yet; a program cannot know of those.
        """
        headers = crashed(load).headers
        notes, judge = (of_kind(headers[name], PT_NOTE) for name in ("ours-c", "ours-s"))
        self.assertEqual([note for note in judge if note in notes], notes)
        self.assertEqual(len(notes), load.cpus + 1)
        self.assertIn(len(judge) - len(notes), {0, load.spare_cpus})

    def check_notes_are_as_by_kexec_tools(self, load):
        """The same."""
        headers = crashed(load).headers
        self.assertEqual(of_kind(headers["ours-c"], PT_NOTE),
                         of_kind(headers["incumbent-c"], PT_NOTE))

    def check_kernel_text_is_as_by_the_kernel(self, load):
        """The same addresses; the size may be rounded up to pages."""
        headers = crashed(load).headers
        ours, judge = kernel_text(headers["ours-c"]), kernel_text(headers["ours-s"])
        self.assertEqual((hex(ours.paddr), hex(ours.vaddr), pages(ours.memsz)),
                         (hex(judge.paddr), hex(judge.vaddr), pages(judge.memsz)))
        self.assertEqual((ours.offset, ours.filesz), (ours.paddr, ours.memsz))

    def check_memory_is_as_by_the_kernel(self, load):
        """The same, and what is below 640 KiB besides, at the place it is saved to."""
        headers = crashed(load).headers
        low, rest = self._split(headers["ours-c"])
        self.assertEqual(rest, ram(headers["ours-s"]))
        self.assertEqual(len(low), 1)
        saved = [(low[0].offset, low[0].offset + low[0].filesz)]
        self.assertEqual(ranges.without(saved, crashed(load).iomem("Crash kernel")), [])

    def check_memory_is_as_by_kexec_tools(self, load):
        """The same; the place for what is below 640 KiB may be another."""
        headers = crashed(load).headers
        low, rest = self._split(headers["ours-c"])
        judge_low, judge_rest = self._split(headers["incumbent-c"])
        self.assertEqual(rest, judge_rest)
        self.assert_same(low, judge_low)

    def _split(self, headers: list[Segment]) -> tuple[list[Segment], list[Segment]]:
        """The segments below 1 MiB, and the others."""
        found = ram(headers)
        return [s for s in found if s.paddr < MIB], [s for s in found if s.paddr >= MIB]


@case.once
def crashed_image(kernel: str, way: str) -> Crashed:
    """The guest of a kernel that is loaded in some wrapping, by a system call: "uki-s"."""
    image, loader = way[:-2], way[-2:]
    load = Load(kernel, loader, 1, loads.LOW, loads.PLAIN, "sysrq", 0)
    return crash_load.run(load, settings.current.kexec(), crash_script.plain_script(load),
                          image=image, verbose=case.show)


WAYS = ("uki-s", "vmlinux-c", "zboot-zstd-c")
MORE_WAYS = ("uki-c", "zboot-s")


@case.expanded_over(kernel=settings.current.loader_kernels[-1:], way=WAYS + (
    MORE_WAYS if settings.current.all_kernels or settings.current.matrix else ()))
class CrashImage(LoaderCase):
    """A crash kernel in other wrappings than a bzImage."""

    def check_crash_kernel_tells(self, kernel, way):
        """It comes up with its command line and initramfs, and sees the dead one's memory."""
        ended = crashed_image(kernel, way)
        self.assert_reported(ended)
        self.assertIn(guest.CRASH_COMMAND_LINE, " ".join(ended.lines("REPORT cmdline")))
        self.assertEqual({at: ended.memory.get(at) for at in ended.markers}, ended.markers)


@case.once
def spoiled(kernel: str, what: str) -> Crashed:
    """The guest of a kernel of whose loaded crash kernel a byte is changed."""
    load = Load(kernel, "-c", 1, loads.LOW, loads.PLAIN, "sysrq", 0)
    return crash_load.run(load, settings.current.kexec(), crash_script.spoil_script(load, what),
                          time_limit=120, verbose=case.show)


@case.expanded_over(kernel=settings.current.loader_kernels[-1:])
class Spoiled(LoaderCase):
    """What was loaded by kexec_load is overwritten: it is not started, and the console tells."""

    @case.for_each(what=("kernel", "initrd"))
    def check_console_names_the_segment(self, kernel, what):
        """Which one was overwritten."""
        console = spoiled(kernel, what).console
        self.assertRegex(console, rf"kdumpkit purgatory: segment '{what}' at 0x\w+ .*overwritten")
        self.assertNotIn("Linux version", console)

    @case.for_each(what=("kernel", "initrd"))
    def check_machine_is_reset(self, kernel, what):
        """After kernel.panic seconds, as after any panic."""
        ended = spoiled(kernel, what)
        self.assertIn("the machine is reset in 5 seconds", ended.console)
        self.assertEqual(ended.result.how, "ended", ended.console[-2000:])
