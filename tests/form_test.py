#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every source file has its SPDX line and is as clang-format 14 leaves it."""

import pathlib
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
SPDX = "SPDX-License-Identifier: GPL-2.0-or-later"
SKIPPED = 77


def sources(*suffixes):
    names = subprocess.run(["git", "-C", str(TOP), "ls-files", "-co", "--exclude-standard"],
                           check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return [TOP / name for name in names if name.endswith(suffixes) and (TOP / name).exists()]


def main():
    if not (TOP / ".git").exists():
        print("not a git checkout")
        return SKIPPED
    found = [f"{path}: no SPDX line" for path in
             sources(".cc", ".h", ".c", ".S", ".ld", ".py", ".sh", "meson.build")
             if SPDX not in path.read_text()[:300]]
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        print("clang-format is not installed")
        return 1 if found else SKIPPED
    style = subprocess.run([tool, "--dry-run", "-Werror", *map(str, sources(".cc", ".h"))],
                           stderr=subprocess.PIPE, text=True)
    if style.returncode != 0:
        found.append(style.stderr)
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
