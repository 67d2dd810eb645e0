# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that is plugged in between the load and the panic."""

import case
import crash_load
import crash_script
import loads
import probe
import ranges
import settings
from core_segments import covered, of_kind, ram
from crash_script import Load
from crashed import Crashed
from elf_headers import PT_NOTE
from loader_case import FIRST_MIB, MIB, LoaderCase


@case.once
def grown(kernel: str) -> Crashed:
    """The guest of a kernel that gets more memory after the load."""
    loader = "-s" if kernel == "6.12" else "-c"
    load = Load(kernel, loader, 2, loads.LOW, loads.PLAIN, "sysrq", 0)
    return crash_load.run(load, settings.current.kexec(), crash_script.grow_script(load),
                          memory_slots=crash_load.ROOM, verbose=case.show)


@case.expanded_over(kernel=settings.current.loader_kernels)
class HotAdd(LoaderCase):
    """Memory that is plugged in after the load: newer kernels keep the headers up to date."""

    def _supported(self, kernel: str) -> bool:
        return kernel not in ("5.10", "6.1")       # CONFIG_CRASH_HOTPLUG, since 6.6

    def _wanted(self, kernel: str) -> ranges.Ranges:
        """The memory once it has grown, as the kernel lists it."""
        ended = grown(kernel)
        return ranges.without(ended.iomem("System RAM"), ended.iomem("Crash kernel") + FIRST_MIB)

    def check_kernel_says_what_it_does(self, kernel):
        """That it keeps the headers up to date, whichever system call loaded them."""
        ended = grown(kernel)
        self.assertEqual(set(ended.lines("GUEST: hotplug")),
                         {f"{option} {'1' if self._supported(kernel) else 'absent'}"
                          for option in ("-s", "-c")})

    def check_memory_grows(self, kernel):
        """The guest has two more pieces of memory in the end."""
        before, after = grown(kernel).headers["-s"], self._wanted(kernel)
        size = sum(end - start for start, end in after)
        loaded = sum(s.memsz for s in ram(before) if s.paddr >= MIB)
        added = 2 if grown(kernel).load.loader == "-c" else 1     # -s was loaded first, or later
        self.assertEqual(size - loaded, added * probe.GROWTH_MIB * MIB)

    def check_headers_follow(self, kernel):
        """They have the new memory, or are as they were."""
        headers = grown(kernel).headers
        for option in ("-s", "-c"):
            now = headers[f"{option}-grown"]
            if not self._supported(kernel):
                self.assertEqual(now, headers[option])
                continue
            new = ranges.without(covered(ram(now)), covered(ram(headers[option])))
            self.assertEqual(sum(end - start for start, end in new),
                             probe.GROWTH_MIB * MIB, ranges.shown(new))
            self.assertEqual(of_kind(now, PT_NOTE), of_kind(headers[option], PT_NOTE))

    def check_vmcore_has_it(self, kernel):
        """The crash kernel sees all memory; without support, all but the last piece."""
        ended = grown(kernel)
        self.assert_reported(ended)
        missing = ranges.without(self._wanted(kernel), covered(ram(ended.segments)))
        pieces = 0 if self._supported(kernel) else probe.GROWTH_MIB * MIB
        self.assertEqual(sum(end - start for start, end in missing), pieces)

    def check_pages_of_new_memory(self, kernel):
        """A process's pages there are as they were; without support they are not to be had."""
        ended = grown(kernel)
        self.assert_reported(ended)
        self.assertTrue(all(at >= 4096 * MIB for at in ended.markers), ended.markers)
        told = {at: ended.memory[at] for at in ended.markers}
        if self._supported(kernel):
            self.assertEqual(told, ended.markers)
        else:
            self.assertIn("unreadable", told.values())
