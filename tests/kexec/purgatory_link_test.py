#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The build refuses a purgatory that would not run at any address.

Usage: purgatory_link_test.py SOURCE-FOLDER COMPILER-AND-FLAGS...

Each planted piece of code would go wrong on the bare machine, so the link or embed.py has to fail;
the clean one has to pass, or the others would prove nothing.
"""

import pathlib
import subprocess
import sys
import tempfile

HEAD = """
  .section .head, "ax"
  .globl entry
entry:
  call Planted
  hlt
  .section .note.GNU-stack, "", @progbits
"""
CLEAN = "int Planted(int i) { return i + 1; }"
PLANTED = {
    "absolute addresses": ("int A() { return 1; }\nint (*const volatile table[])() = {A};\n"
                           "int Planted() { return table[0](); }", "relocated"),
    "a variable": ("int counter;\nint Planted() { return ++counter; }", "variables"),
    "a variable with a value": ("int counter = 7;\nint Planted() { return ++counter; }",
                                "variables"),
    "a function from elsewhere": ("int Elsewhere();\nint Planted() { return Elsewhere(); }",
                                  "undefined"),
    "a floating-point number": ("double Planted(double d) { return d * 2; }", "error"),
}


def build(folder: pathlib.Path, command: list[str], code: str) -> tuple[bool, str]:
    """Whether the code became a purgatory, and what was said."""
    (folder / "head.S").write_text(HEAD, encoding="ascii")
    (folder / "planted.cc").write_text(f'extern "C" {{\n{code}\n}}\n', encoding="ascii")
    done = subprocess.run([*command, "head.S", "planted.cc", "-o", "planted.elf"], cwd=folder,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode == 0, done.stdout


def embed(source: pathlib.Path, folder: pathlib.Path, elf: str) -> bool:
    """Whether embed.py takes the file."""
    return subprocess.run([sys.executable, source / "embed.py", elf, "out.cc"], cwd=folder,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def faults(source: pathlib.Path, command: list[str], folder: pathlib.Path):
    """What is not as it should be."""
    for what, (code, said) in PLANTED.items():
        built, output = build(folder, command, code)
        if built or said not in output:
            yield f"{what}: built: {built}, '{said}' expected in:\n{output}"
    built, output = build(folder, command, CLEAN)
    if not built:
        yield f"the clean code does not build:\n{output}"
        return
    if not embed(source, folder, "planted.elf"):
        yield "embed.py refuses the clean code"
    # An ordinary program is an ELF file, too.
    if embed(source, folder, sys.executable):
        yield "embed.py takes an ordinary program"


def main() -> int:
    source, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        found = list(faults(pathlib.Path(source).resolve(), command, pathlib.Path(folder)))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
