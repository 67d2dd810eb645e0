#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/reliability.md: what becomes of a capture in which something goes wrong.

Run as a program it has every fault happen in a guest, and writes the table anew; needs all that the
tests need, and some 20 minutes.
"""

import dataclasses
import pathlib
import sys

DOC = pathlib.Path(__file__).resolve().parents[2] / "docs/reliability.md"
BEGIN, END = "<!-- table: written by tests/vm/reliability.py -->\n", "<!-- end of the table -->\n"
HEAD = "| fault | what the console says at the end | what is left | bound |\n|---|---|---|---|\n"


@dataclasses.dataclass(frozen=True)
class Row:
    """What became of one fault."""
    fault: str
    outcome: str
    left: str
    bound: int           # seconds from the crash kernel's start to the restart

    def __str__(self) -> str:
        return f"| {self.fault} | {self.outcome} | {self.left} | {self.bound} s |"


def committed() -> dict[str, str]:
    """The rows of the document, by their fault."""
    table = DOC.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = table.removeprefix(HEAD).splitlines()
    return {row.split("|")[1].strip(): row for row in rows}


def write(rows: list[Row]) -> None:
    """Replaces the table."""
    before, _, rest = DOC.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    table = HEAD + "".join(f"{row}\n" for row in rows)
    DOC.write_text(before + BEGIN + table + END + after, encoding="utf-8")


def main() -> int:
    """Runs all faults."""
    # pylint: disable=import-outside-toplevel
    import case
    import run
    options = run.parse(["--matrix", *sys.argv[1:]])
    run.configure(options)
    import test_capture_faults as faults
    rows = []
    try:
        for name in faults.FAULTS:
            try:
                row = faults.observed(name).row()
            except case.unittest.SkipTest as reason:
                sys.exit(f"reliability.py: '{name}' cannot be tried here: {reason}")
            print(row, flush=True)
            rows.append(row)
    finally:
        faults.tearDownModule()
    write(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
