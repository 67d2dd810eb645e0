#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs every test and counts single test cases; the last line is "N passed, N failed, N skipped".

Unit tests and corpus replays come from Meson's list, once from build/ and once from
build-sanitize/ (clang, ASan, UBSan); the tests on real kernels from tests/vm/run.py.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
UNIT_TEST_SECONDS = 600


class Tally:
    """Counts outcomes, prints failures and skips as they come."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.guests_started_again = 0       # their kernel died of its emulation

    def add(self, name, status, message=""):
        if status == "passed":
            self.passed += 1
            return
        if status == "skipped":
            self.skipped += 1
            print(f"SKIPPED {name}: {message or 'no reason given'}", flush=True)
            return
        self.failed += 1
        print(f"FAILED {name}\n{message}", flush=True)


def meson_tests(build):
    text = subprocess.run(["meson", "introspect", "--tests", str(build)], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return json.loads(text)


def run_one(test, build, report):
    """Runs a test program as "meson test" does; returns (exit status, output)."""
    env = {**os.environ, "GTEST_OUTPUT": f"json:{report}",
           "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1",
           "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1", **test["env"]}
    try:
        done = subprocess.run(test["cmd"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=env, cwd=test["workdir"] or build, timeout=UNIT_TEST_SECONDS)
    except subprocess.TimeoutExpired as expired:
        return 1, f"no end after {expired.timeout} s"
    return done.returncode, done.stdout.decode(errors="replace")


def skip_reason(output, name):
    """Why a case was skipped: reports lack it before GoogleTest 1.13, the output has it."""
    found = re.search(rf"^\[ RUN +\] {re.escape(name)}\n.*?: Skipped\n(.*?)\n\[ +SKIPPED",
                      output, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def count_gtest(prefix, report, output, tally):
    """Adds each case of a GoogleTest report; returns how many failed."""
    before = tally.failed
    for suite in json.loads(report.read_text())["testsuites"]:
        for case in suite["testsuite"]:
            name = f"{prefix}{suite['name']}.{case['name']}"
            if case.get("failures"):
                tally.add(name, "failed", "\n".join(f["failure"] for f in case["failures"]))
            elif case["result"] == "SKIPPED" or case["status"] == "NOTRUN":
                reason = skip_reason(output, f"{suite['name']}.{case['name']}")
                tally.add(name, "skipped", reason)
            else:
                tally.add(name, "passed")
    return tally.failed - before


def count_meson_test(test, prefix, report, status, output, tally):
    name = prefix + test["name"]
    if test["protocol"] != "gtest":
        # 77 is the convention for "skipped", as Meson has it.
        outcome = {0: "passed", 77: "skipped"}.get(status, "failed")
        tally.add(name, outcome, output)
        return
    failures = count_gtest(prefix, report, output, tally) if report.exists() else 0
    if status != 0 and failures == 0:
        tally.add(name, "failed", f"exit status {status}\n{output}")


def run_unit_tests(build, prefix, pattern, tally):
    """Runs as many at once as there are CPUs; they are counted in their order."""
    tests = [test for test in meson_tests(build) if pattern in test["name"]]
    with tempfile.TemporaryDirectory() as folder, \
         concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        reports = [pathlib.Path(folder) / str(number) for number in range(len(tests))]
        ends = pool.map(lambda test, report: run_one(test, build, report), tests, reports)
        for test, report, (status, output) in zip(tests, reports, ends):
            count_meson_test(test, prefix, report, status, output, tally)


def run_vm_tests(arguments, tally):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "vm.json"
        command = [sys.executable, str(TOP / "tests/vm/run.py"), "--build-dir", str(TOP / "build"),
                   "--json", str(report)]
        if arguments.all_kernels:
            command.append("--all-kernels")
        if arguments.matrix:
            command.append("--matrix")
        if arguments.pattern:
            command += ["-k", arguments.pattern]
        status = subprocess.run(command).returncode
        results = json.loads(report.read_text()) if report.exists() else []
    for result in results:
        tally.add(f"vm/{result['name']}", result["status"], result["message"])
        tally.guests_started_again += result["guests_started_again"]
    if status != 0 and not any(result["status"] == "failed" for result in results):
        tally.add("vm", "failed", f"tests/vm/run.py ended with exit status {status}")


def main():
    parser = argparse.ArgumentParser(prog="./test", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only unit tests, without sanitizers")
    parser.add_argument("--all-kernels", action="store_true", help="also Linux 5.10 and 7.3")
    parser.add_argument("--matrix", action="store_true",
                        help="every combination of ways to load and to crash")
    parser.add_argument("-k", dest="pattern", default="", help="only tests with this in their name")
    arguments = parser.parse_args()
    tally = Tally()
    start = time.monotonic()
    run_unit_tests(TOP / "build", "", arguments.pattern, tally)
    if not arguments.quick:
        run_unit_tests(TOP / "build-sanitize", "sanitize/", arguments.pattern, tally)
        run_vm_tests(arguments, tally)
    print(f"{time.monotonic() - start:.0f} s; {tally.guests_started_again} guests were started "
          "again after their kernel died of its emulation")
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
