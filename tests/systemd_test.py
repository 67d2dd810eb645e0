#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""systemd_test.py PROGRAM UNIT...: systemd-analyze verify has nothing to say about the units."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77


def verify(paths):
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    # Units of this machine that ours mention may have faults of their own.
    names = [path.name for path in paths]
    lines = [line for line in done.stdout.splitlines() if any(name in line for name in names)]
    return done.returncode, lines


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    sources = [pathlib.Path(name) for name in sys.argv[2:]]
    if shutil.which("systemd-analyze") is None:
        print("systemd-analyze is not installed")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for source in sources:
            paths.append(pathlib.Path(folder) / source.name.removesuffix(".in"))
            # The program is looked for where it is built.
            paths[-1].write_text(source.read_text().replace("@sbindir@/kdumpctl", program))
        status, lines = verify(paths)
        print("\n".join(lines))
        # A judge that takes everything would be worthless.
        bad = pathlib.Path(folder) / "bad.service"
        bad.write_text(re.sub("(?m)^NoNewPrivileges=.*", "NoNewPrivilege=yes", paths[0].read_text()))
        if not verify([bad])[1]:
            print("systemd-analyze did not see a directive that does not exist")
            return 1
    return 1 if status != 0 or lines else 0


if __name__ == "__main__":
    sys.exit(main())
