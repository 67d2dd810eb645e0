# SPDX-License-Identifier: GPL-2.0-or-later
"""The incumbent: makedumpfile in the version that is right for a kernel."""

import functools
import shutil

import tools

# Debian 12's own, or a suite that has a newer one.  None is right for 7.3: sid's wrongly drops
# kernel pages there.
_SUITES = {"5.10": None, "6.1": None, "6.12": "sid"}


def is_right_for(kernel: str) -> bool:
    """Whether a version of makedumpfile is known to be right for the kernel."""
    return kernel in _SUITES


@functools.cache
def newest() -> list[str]:
    """sid's makedumpfile, which knows every codec."""
    return tools.tool("makedumpfile", "sid")


@functools.cache
def makedumpfile(kernel: str) -> list[str]:
    """The words that run the version for the kernel."""
    suite = _SUITES.get(kernel, "sid")
    if suite is None:
        return [shutil.which("makedumpfile") or "/usr/bin/makedumpfile"]
    return tools.tool("makedumpfile", suite)
