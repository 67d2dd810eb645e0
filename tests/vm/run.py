#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the tests on real kernels."""

import argparse
import fnmatch
import json
import pathlib
import shlex
import sys
import time
import unittest

import archive
import guest
import kernels
import settings

MODULES = ["test_filter", "test_layout", "test_guards", "test_erase", "test_faults", "test_defects",
           "test_readers", "test_inputs", "test_split", "test_capture", "test_destinations",
           "test_capture_faults", "test_dracut", "test_service", "test_debian",
           "test_purgatory", "test_kexec", "test_hotadd", "test_reboot"]


def name_of(test: unittest.TestCase) -> str:
    """A test as results and -k name it: file.Class.method without "test_"."""
    module, case, method = test.id().split(".", 2)
    return f"{module.removeprefix('test_')}.{case}.{method.removeprefix('test_')}"


class Recorder(unittest.TestResult):
    """Prints a line a test and keeps what the JSON file needs."""

    def __init__(self):
        super().__init__()
        self.records: list[dict] = []
        self._start = 0.0
        self._restarts = 0

    def startTest(self, test):
        super().startTest(test)
        self._start = time.monotonic()
        self._restarts = len(guest.started_again)

    def _record(self, test, status: str, message: str = "") -> None:
        seconds = round(time.monotonic() - self._start, 2)
        name = name_of(test)
        restarts = len(guest.started_again) - self._restarts
        self.records.append({"name": name, "status": status, "seconds": seconds,
                             "message": message, "guests_started_again": restarts})
        reason = f": {message}" if status == "skipped" else ""
        print(f"{status:7} {seconds:6.1f} s  {name}{reason}", flush=True)
        if status == "failed":
            print("    " + message.strip().replace("\n", "\n    "), flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._record(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._record(test, "failed", self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self._record(test, "failed", self.errors[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._record(test, "skipped", reason)

    def count(self, status: str) -> int:
        """How many tests ended so."""
        return sum(record["status"] == status for record in self.records)


def parse(argv) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-dir", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--kernels", metavar="LIST", help="of " + ", ".join(kernels.SOURCES) +
                        "; default: " + ", ".join(kernels.DEFAULT) + ", and for tests of kexec " +
                        ", ".join(kernels.LOADER_DEFAULT))
    parser.add_argument("--all-kernels", action="store_true")
    parser.add_argument("--filter", metavar="COMMAND", help="runs instead of kdump-filter")
    parser.add_argument("--originals", action="store_true",
                        help="also crash the Debian guest with kexec-tools and makedumpfile")
    parser.add_argument("--kexec", metavar="PROGRAM",
                        help="runs instead of kexec; 'debian': that of kexec-tools")
    parser.add_argument("--matrix", action="store_true",
                        help="every way to load and to crash (hundreds of guests)")
    parser.add_argument("-k", dest="patterns", action="append", metavar="PATTERN", default=[],
                        help="only tests whose name has this in it (* and ? allowed)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the results")
    parser.add_argument("--list", action="store_true", help="print the names of the tests")
    parser.add_argument("--verbose", action="store_true", help="show the consoles of guests")
    return parser.parse_args(argv)


def chosen_kernels(options: argparse.Namespace, default: tuple[str, ...]) -> tuple[str, ...]:
    """The kernels that the command line names, or the default."""
    if options.all_kernels:
        return tuple(kernels.SOURCES)
    names = tuple(options.kernels.split(",")) if options.kernels else default
    unknown = [name for name in names if name not in kernels.SOURCES]
    if unknown:
        sys.exit(f"run.py: no such kernel: {', '.join(unknown)}")
    return names


def configure(options: argparse.Namespace) -> None:
    """Settles what is tested before the test modules are imported: they read it."""
    settings.current.build_dir = options.build_dir
    settings.current.originals = options.originals
    settings.current.kernels = chosen_kernels(options, kernels.DEFAULT)
    settings.current.loader_kernels = chosen_kernels(options, kernels.LOADER_DEFAULT)
    settings.current.verbose = options.verbose
    settings.current.matrix = options.matrix
    settings.current.all_kernels = options.all_kernels
    settings.current.kexec_program = options.kexec
    settings.current.filter_command = shlex.split(options.filter) if options.filter else None


def each(suite):
    """The tests of nested suites."""
    for item in suite:
        yield from each(item) if isinstance(item, unittest.TestSuite) else [item]


def select(patterns: list[str]) -> unittest.TestSuite:
    """The tests whose name fits one of the patterns."""
    loaded = each(unittest.TestLoader().loadTestsFromNames(MODULES))
    return unittest.TestSuite(test for test in loaded if not patterns or any(
        fnmatch.fnmatch(name_of(test), f"*{pattern}*") for pattern in patterns))


def main(argv=None) -> int:
    """Runs the chosen tests; the last line counts them."""
    options = parse(argv)
    configure(options)
    suite = select(options.patterns)
    if options.list:
        print("\n".join(map(name_of, suite)))
        return 0
    archive.remove_old((archive.cache_root() / "scratch").glob("*"))   # of runs that were killed
    recorder = Recorder()
    start = time.monotonic()
    suite.run(recorder)
    if options.json:
        options.json.write_text(json.dumps(recorder.records, indent=1) + "\n", encoding="utf-8")
    passed, failed, skipped = map(recorder.count, ("passed", "failed", "skipped"))
    print(f"{time.monotonic() - start:.0f} s; {len(guest.started_again)} guests were started again")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not recorder.wasSuccessful() else 0


if __name__ == "__main__":
    sys.exit(main())
