# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of kexec in crashing guests share."""

import case
from core_segments import placed
from crashed import Crashed
from elf_headers import Segment

MIB = 1 << 20
FIRST_MIB = [(0, MIB)]


class LoaderCase(case.VmCase):
    """What all guests of kexec share."""

    def assert_reported(self, ended: Crashed) -> None:
        """The crash kernel came up, told what its vmcore has, and restarted."""
        self.assertTrue(ended.result.has("REPORT done") and ended.result.how == "ended",
                        f"{ended.result.how}: {ended.result.console[-3000:]}")

    def assert_same(self, one: list[Segment], other: list[Segment]) -> None:
        """The same segments, but for where the contents are in the file."""
        self.assertEqual(placed(one), placed(other))
