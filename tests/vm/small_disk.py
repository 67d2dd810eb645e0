#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a program with a small file system of its own mounted: small_disk.py MIB AT OUT COMMAND...

Has to be started under `unshare --mount`, so that the mount is nobody else's.  What the program
left on the file system is moved to the folder OUT; the exit status is the program's, or 128 and
the number of the signal that killed it.
"""

import pathlib
import shutil
import subprocess
import sys


def main() -> int:
    """The command line."""
    size, place, out, *command = sys.argv[1:]
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", place], check=True)
    status = subprocess.run(command, check=False).returncode
    for path in pathlib.Path(place).iterdir():
        shutil.move(str(path), out)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
