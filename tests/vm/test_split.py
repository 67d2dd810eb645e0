# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps in several files: --split and --reassemble, with makedumpfile and crash as judges."""

import pathlib
import re
import tempfile
import unittest

import case
import reference
import settings
import test_readers


@case.expanded_over(kernel=settings.current.kernels[:1])
class Split(case.VmCase):
    """Three parts of a real vmcore, by us and by makedumpfile."""

    def names(self, whose: str, kernel: str) -> list[pathlib.Path]:
        """Where three parts go."""
        return [self.work / f"{whose}-{kernel}-{number}" for number in range(3)]

    def ours(self, kernel: str) -> list[pathlib.Path]:
        """Parts by the filter under test, made once a class."""
        names = self.names("ours", kernel)
        if not names[0].exists():
            self.filter("--split", "-l", "-d", 31, case.core_path(kernel), *names)
        return names

    def theirs(self, kernel: str) -> list[pathlib.Path]:
        """The same by makedumpfile, with blocks small enough for every part to have some."""
        if not reference.is_right_for(kernel):
            raise unittest.SkipTest(f"no makedumpfile is known to be right for {kernel}")
        names = self.names("theirs", kernel)
        if not names[0].exists():
            self.succeed([*reference.makedumpfile(kernel), "--split", "--splitblock-size", 16384,
                          "--message-level", 4, "-l", "-d", 31, case.core_path(kernel), *names])
        return names

    def check_our_parts_joined_by_us(self, kernel):
        """In the wrong order; the result is the direct dump."""
        settings.current.need_own_filter()
        first, second, third = self.ours(kernel)
        joined = self.work / f"joined-{kernel}"
        self.filter("--reassemble", third, first, second, joined)
        self.succeed(["cmp", joined, self.dump_path(kernel, 31)])

    def check_our_parts_joined_by_makedumpfile(self, kernel):
        """The same pages."""
        settings.current.need_own_filter()
        joined = self.work / f"joined-by-them-{kernel}"
        self.succeed([*reference.makedumpfile(kernel), "--reassemble", *self.ours(kernel), joined])
        self.filter("--verify", joined)
        self.filter("--compare", joined, self.dump_path(kernel, 31))

    def check_their_parts_joined_by_us(self, kernel):
        """As they join them; and each part is whole."""
        settings.current.need_own_filter()
        parts = self.theirs(kernel)
        for part in parts:
            self.filter("--verify", part)
        ours, wanted = self.work / f"joined-theirs-{kernel}", self.work / f"wanted-{kernel}"
        self.filter("--reassemble", *reversed(parts), ours)
        self.succeed([*reference.makedumpfile(kernel), "--reassemble", *parts, wanted])
        self.filter("--verify", ours)
        self.filter("--compare", ours, wanted)

    def check_parts_are_about_equally_large(self, kernel):
        """Within a tenth, headers and bitmaps included."""
        settings.current.need_own_filter()
        sizes = [part.stat().st_size for part in self.ours(kernel)]
        self.assertLess(max(sizes), 1.1 * min(sizes))

    def check_parts_of_two_dumps_are_refused(self, kernel):
        """Before anything is written."""
        settings.current.need_own_filter()
        output = self.work / f"foreign-{kernel}"
        mixed = [*self.ours(kernel)[:2], self.theirs(kernel)[2]]
        for parts, words in ((mixed, "not parts of one dump"),
                             (self.ours(kernel)[1:], "in none of the 2 parts")):
            done = self.run_program([*settings.current.filter(), "--reassemble", *parts, output])
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, words)
            self.assertEqual(list(self.work.glob(f"{output.name}*")), [])

    def check_crash_opens_our_parts_together(self, kernel):
        """And shows what it shows of the direct dump."""
        settings.current.need_own_filter()
        program = tuple(test_readers.crash_program(kernel))
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder) / "commands"
            shown = test_readers.run_crash(program, kernel, self.ours(kernel), script)
            wanted = test_readers.run_crash(program, kernel, [self.dump_path(kernel, 31)], script)
        self.assertEqual(shown["status"], "0")
        self.assertTrue(re.search(r"sysrq_handle_crash", shown["bt"]))
        for command in test_readers.COMMANDS:
            self.assertEqual(shown[command], wanted[command])
