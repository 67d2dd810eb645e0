#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/reliability.md: what becomes of a capture in which something goes wrong.

Run as a program it has every fault happen in a guest, or those that are named (as the tests call
them: DiskFull), and writes their rows of the table anew; needs all that the tests need, and for all
some 20 minutes.
"""

import argparse
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


def write(rows: list[Row], order: list[str]) -> None:
    """Replaces these rows of the table, in which the faults come in this order."""
    before, _, rest = DOC.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    known = committed() | {row.fault: str(row) for row in rows}
    table = HEAD + "".join(f"{known[fault]}\n" for fault in order if fault in known)
    DOC.write_text(before + BEGIN + table + END + after, encoding="utf-8")


def main() -> int:
    """Runs the faults."""
    # pylint: disable=import-outside-toplevel
    import case
    import run
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faults", nargs="*", metavar="FAULT")
    arguments, others = parser.parse_known_args()
    run.configure(run.parse(["--matrix", *others]))
    import test_capture_faults as faults
    rows = []
    try:
        for name in arguments.faults or faults.FAULTS:
            try:
                row = faults.observed(name).row()
            except case.unittest.SkipTest as reason:
                sys.exit(f"reliability.py: '{name}' cannot be tried here: {reason}")
            print(row, flush=True)
            rows.append(row)
    finally:
        faults.tearDownModule()
    write(rows, [fault.title for fault in faults.ALL])
    return 0


if __name__ == "__main__":
    sys.exit(main())
