#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads every #include "room/..." and fails on an arrow that ARCHITECTURE.md does not allow."""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent

# Room: the rooms it may include, itself aside. ARCHITECTURE.md shows the same as a picture.
ALLOWED = {
    "base": set(),
    "elf": {"base"},
    "kernel": {"base", "elf"},
    "dumpfile": {"base", "elf"},
    "erase": {"base", "kernel"},
    "filter": {"base", "elf", "kernel", "erase", "dumpfile"},
    "kexec": {"base", "elf"},
    "config": {"base"},
    "initramfs": {"base", "elf"},
    "capture": {"base", "config"},
    "kdumpctl": {"base", "config", "initramfs"},
}
# Inside filter/ only these files may meet dumpfile/ (codec.h, a list of names, is free to all):
# the pipeline, the run that opens its output and what checks that before, what begins it (a kdump
# file, or the segments of an ELF core), what opens its input, and what is done with dumps that are
# there already.
DUMPFILE_USERS = {"filter/check_params.cc", "filter/pipeline.h", "filter/pipeline.cc",
                  "filter/dump.cc", "filter/input.h", "filter/input.cc", "filter/join.cc",
                  "filter/verify.cc", "filter/dump_file.h", "filter/dump_file.cc",
                  "filter/core_segments.h", "filter/core_segments.cc"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def violations(path, text):
    name = path.as_posix()
    room = path.parts[0]
    for target in INCLUDE.findall(text):
        if "/" not in target:
            yield f"{name}: '{target}' is not written from the project's root"
            continue
        other = target.split("/")[0]
        if other != room and other not in ALLOWED[room]:
            yield f"{name}: {room}/ may not include '{target}'"
        elif (room == "filter" and other == "dumpfile" and target != "dumpfile/codec.h"
              and name not in DUMPFILE_USERS):
            yield f"{name}: only the pipeline may include '{target}'"


def main():
    found = []
    for room in ALLOWED:
        for path in sorted((TOP / room).rglob("*")):
            if path.suffix in (".cc", ".h"):
                found += violations(path.relative_to(TOP), path.read_text())
    # A checker that accepts everything would be worthless: it must refuse these.
    planted = ['#include "filter/x.h"', '#include "dumpfile/codec.h"', '#include "x.h"']
    for line in planted:
        if not list(violations(pathlib.Path("kernel/planted.cc"), line)):
            found.append(f"the checker did not refuse {line} in kernel/")
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
