#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""compatibility_test.py DOCUMENT PROGRAM: runs the command of every row of docs/compatibility.md."""

import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile

# Those of makedumpfile 1.7.9; a vmlinux and erasing have tests of their own.
OPTIONS = set("-c -l -p -z -d -L -E -f -e -F -R --num-threads -b --cyclic-buffer --work-dir "
              "--non-mmap --vtop --dump-dmesg --partial-dmesg --mem-usage --message-level -D "
              "--show-stats --check-params --dry-run -h --help -v -X --xen-syms --xen-vmcoreinfo "
              "--xen_phys_start --diskset --eppic --extension --split --splitblock-size "
              "--reassemble".split())


def write_core(path):
    """An ELF64 core of x86_64: a MiB of noise, no notes worth the name."""
    noise = random.Random(1).randbytes(1 << 20)
    note = struct.pack("<III8s", 5, 0, 1, b"CORE\0\0\0\0")
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 4, 62, 1, 0, 64, 0, 0, 64, 56,
                         2, 0, 0, 0)
    programs = struct.pack("<IIQQQQQQ", 4, 0, 64 + 2 * 56, 0, 0, len(note), len(note), 0)
    programs += struct.pack("<IIQQQQQQ", 1, 7, 4096, 0, 0x100000, len(noise), len(noise), 0)
    path.write_bytes((header + programs + note).ljust(4096, b"\0") + noise)


def rows_of(document):
    """The rows of all tables with a command: option, command, status, words."""
    for line in document.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 6 and cells[4].isdigit():
            yield cells[0], cells[3].strip("`").split(), int(cells[4]), cells[5]


def run(words, program, folder):
    """One command in a folder of its own."""
    core, got = folder / "core", folder / "got"
    write_core(core)
    got.write_text("old", encoding="ascii")
    names = {"CORE": core, "OUT": folder / "out", "OUT2": folder / "out2", "GOT": got,
             "NONE": folder / "none"}
    link = folder / words[0]
    link.symlink_to(program)
    argv = [str(names.get(word, word)) for word in words[1:]]
    return subprocess.run([str(link), *argv], capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=60, check=False)


def main():
    """Prints every row that is not as the document says."""
    document, program = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    failures, seen, count = 0, set(), 0
    for option, words, status, text in rows_of(document):
        seen |= set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", option))
        count += 1
        with tempfile.TemporaryDirectory() as folder:
            done = run(words, program, pathlib.Path(folder))
        shown = (done.stdout + done.stderr).decode(errors="replace")
        if done.returncode != status or text not in shown:
            failures += 1
            print(f"{' '.join(words)}: status {done.returncode}, not {status} and '{text}':\n"
                  f"{shown[-600:]}")
    missing = OPTIONS - seen
    if missing:
        print(f"options without a row: {' '.join(sorted(missing))}")
    print(f"{count} rows, {failures} wrong")
    return 1 if failures or missing or count < len(OPTIONS) else 0


if __name__ == "__main__":
    sys.exit(main())
