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

# Those of makedumpfile 1.7.9 (splitting has tests of its own), and those of ours that change a dump.
OPTIONS = set("-c -l -p -z -d -L -E -f -x -i -g --config -e -F -R --num-threads -b "
              "--cyclic-buffer --work-dir --non-mmap --vtop --dump-dmesg --partial-dmesg "
              "--mem-usage --message-level -D --show-stats --check-params --dry-run -h --help -v "
              "-X --xen-syms --xen-vmcoreinfo --xen_phys_start --diskset --eppic --extension "
              "--compress-level --strict --config-lenient".split())
# The files that rows name, besides those that main() makes itself.
TEXTS = {"INFO": "OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(_stext)=ffffffff81000000\n",
         "CONF": "erase init_uts_ns.name\n", "BADCONF": "erase init_uts_ns.name size\n"}


def write_core(path, info=b""):
    """An ELF64 core of x86_64: a MiB of noise, and VMCOREINFO if any."""
    noise = random.Random(1).randbytes(1 << 20)
    note = struct.pack("<III8s", 5, 0, 1, b"CORE\0\0\0\0")
    if info:
        note += struct.pack("<III12s", 11, len(info), 0, b"VMCOREINFO\0") + info
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
    write_core(folder / "kernel", b"OSRELEASE=6.2\nPAGESIZE=4096\n\0\0\0\0")
    got.write_text("old", encoding="ascii")
    names = {"CORE": core, "OUT": folder / "out", "GOT": got, "NONE": folder / "none",
             "KERNEL": folder / "kernel"}
    for name, text in TEXTS.items():
        names[name] = folder / name.lower()
        names[name].write_text(text, encoding="ascii")
    link = folder / words[0]
    link.symlink_to(program)
    argv = [str(names.get(word, word)) for word in words[1:]]
    return subprocess.run([str(link), *argv], capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=60, check=False)


def unpaired_defects(document):
    """Tests that the document names and that are not there, or the other way round."""
    tests = document.parent.parent / "tests/vm/test_defects.py"
    there = set(re.findall(r"def (test_\w+)\(", tests.read_text(encoding="utf-8")))
    named = re.findall(r"^\|.*\| `(test_\w+)` \|$", document.read_text(encoding="utf-8"), re.M)
    return there ^ set(named)


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
    unpaired = unpaired_defects(document)
    if unpaired:
        print(f"in the table of defects or in test_defects.py only: {' '.join(sorted(unpaired))}")
    print(f"{count} rows, {failures} wrong")
    return 1 if failures or missing or unpaired or count < len(OPTIONS) else 0


if __name__ == "__main__":
    sys.exit(main())
