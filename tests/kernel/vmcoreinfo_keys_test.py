#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kernel/vmcoreinfo_keys.h lists every key that kernel/ asks for, once, and no other."""

import pathlib
import re
import sys

ROOM = pathlib.Path(__file__).resolve().parents[2] / "kernel"
TABLE = ROOM / "vmcoreinfo_keys.h"

LOOKUP = re.compile(
    r'\b(?:Require)?(Symbol|Size|Length|Number|Text|Offset|Member|ByteOfNext|Flag|Type)\(\s*'
    r'"([\w.]+)"(?:,\s*"(\w+)")?')


def key(function, first, second):
    """The key that a call asks for, as VMCOREINFO spells it."""
    if function == "Text":
        return first
    if function == "Member":
        return f"OFFSET(page.{first})"
    if function in ("Offset", "ByteOfNext"):
        return f"OFFSET({first}.{second})"
    if function in ("Flag", "Type"):
        return f"NUMBER({first})"
    return f"{function.upper()}({first})"


def main():
    used = {"PAGESIZE"}  # Vmcoreinfo::PageSize()
    for path in sorted(ROOM.rglob("*.cc")):
        # The ring has a function of its own to look up its many members.
        if not path.name.startswith("printk"):
            used |= {key(*match) for match in LOOKUP.findall(path.read_text())}
    used.discard("OFFSET(page.)")  # PageKeys::Member(), whose callers name the member
    listed = re.findall(r'^    \{"([^"]+)",', TABLE.read_text(), re.M)
    wrong = [f"not in {TABLE.name}: {name}" for name in sorted(used - set(listed))]
    wrong += [f"not used: {name}" for name in sorted(set(listed) - used)]
    wrong += [f"listed twice: {name}" for name in sorted({n for n in listed if listed.count(n) > 1})]
    print("\n".join(wrong) or f"{len(listed)} keys")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
