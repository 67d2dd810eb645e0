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


# printk_ring.cc finds a structure once and then its members.
CONSTANT = re.compile(r'string_view (k\w+) = ("\w+");')
STRUCT = re.compile(r'StructLayout (\w+) = TRY\(StructLayout::Find\(info, "(\w+)"\)\)')
MEMBER = re.compile(r'\b(\w+)\.At\("(\w+)",(?: "(\w+)", "(\w+)",)?')


def struct_keys(text):
    """The keys that uses of StructLayout ask for."""
    for name, value in CONSTANT.findall(text):
        text = re.sub(rf"\b{name}\b", value, text)
    types = dict(STRUCT.findall(text))
    keys = {f"SIZE({name})" for name in types.values()}
    for variable, member, inner_type, inner in MEMBER.findall(text):
        keys.add(f"OFFSET({types[variable]}.{member})")
        keys |= {f"OFFSET({inner_type}.{inner})"} if inner else set()
    return keys


def main():
    used = {"PAGESIZE"}  # Vmcoreinfo::PageSize()
    for path in sorted(ROOM.rglob("*.cc")):
        text = path.read_text()
        used |= {key(*match) for match in LOOKUP.findall(text)} | struct_keys(text)
    used.discard("OFFSET(page.)")  # PageKeys::Member(), whose callers name the member
    listed = re.findall(r'^    \{"([^"]+)",', TABLE.read_text(), re.M)
    wrong = [f"not in {TABLE.name}: {name}" for name in sorted(used - set(listed))]
    wrong += [f"not used: {name}" for name in sorted(set(listed) - used)]
    wrong += [f"listed twice: {name}" for name in sorted({n for n in listed if listed.count(n) > 1})]
    print("\n".join(wrong) or f"{len(listed)} keys")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
