#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""man_test.py PAGE [PROGRAM]: the page has no roff warnings and names every option of --help."""

import re
import shutil
import subprocess
import sys

SKIPPED = 77


def options_of(help_text):
    found = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", help_text))
    return found | set(re.findall(r"(?m)^\s+(-[A-Za-z])\b", help_text))


def main():
    page = sys.argv[1]
    if shutil.which("man") is None:
        print("man is not installed")
        return SKIPPED
    shown = subprocess.run(["man", "--warnings=all", "-E", "ascii", "-l", page],
                           env={"MANWIDTH": "100", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
                                "MAN_KEEP_FORMATTING": "", "GROFF_NO_SGR": "1"},
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    text = re.sub(".\b", "", shown.stdout)
    if shown.returncode != 0 or shown.stderr or not text:
        print(f"man -l {page}: status {shown.returncode}\n{shown.stderr}")
        return 1
    if len(sys.argv) == 2:
        return 0
    program = sys.argv[2]
    help_text = subprocess.run([program, "--help"], check=True, stdout=subprocess.PIPE,
                               text=True).stdout
    wanted = options_of(help_text)
    missing = sorted(option for option in wanted
                     if not re.search(re.escape(option) + r"(?![\w-])", text))
    if len(wanted) < 3:
        print(f"{program} --help shows only {len(wanted)} options")
        return 1
    if missing:
        print(f"{page} does not describe: {' '.join(missing)}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
