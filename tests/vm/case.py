# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests on real kernels share: one test method a kernel and parameter, cached dumps."""

import functools
import itertools
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import archive
import elf_core
import kdump_file
import settings
import vmcore

LEVELS = (0, 1, 2, 4, 8, 16, 31)
CODECS = {"none": [], "zlib": ["-c"], "lzo": ["-l"], "snappy": ["-p"], "zstd": ["-z"]}
CODEC_FLAGS = {"zlib": kdump_file.ZLIB, "lzo": kdump_file.LZO, "snappy": kdump_file.SNAPPY,
               "zstd": kdump_file.ZSTD}
TIME_LIMIT = 120


def for_each(**axes):
    """Marks a `check_...` method to be run for every kernel and every value of the axes."""
    def mark(function):
        function.axes = axes
        return function
    return mark


def expanded_over(**common):
    """Makes a test method of every `check_...` method for each value of these and its own axes."""
    def expand(cls):
        for name, check in list(vars(cls).items()):
            if not name.startswith("check_"):
                continue
            axes = {**common, **getattr(check, "axes", {})}
            for values in itertools.product(*axes.values()):
                chosen = dict(zip(axes, values))
                labels = (f"{key}_{v}" if key == "level" else str(v) for key, v in chosen.items())
                method = functools.partialmethod(check, **chosen)
                setattr(cls, f"test_{name.removeprefix('check_')}_{'_'.join(labels)}", method)
        return cls
    return expand


def expanded(cls):
    """The same for each kernel, and for each value of the axes that the class has itself."""
    axes = {"kernel": settings.current.kernels, **getattr(cls, "axes", {})}
    return expanded_over(**axes)(cls)


def once(function):
    """Like functools.cache, and a failure is not tried again either: guests take long."""
    results: dict = {}

    @functools.wraps(function)
    def call(*key):
        if key not in results:
            try:
                results[key] = (function(*key), None)
            except Exception as error:          # also SkipTest
                results[key] = (None, error)
        value, error = results[key]
        if error is not None:
            raise error
        return value
    return call


@functools.cache
def core(kernel: str) -> elf_core.ElfCore:
    """The raw vmcore of a kernel, opened."""
    return elf_core.ElfCore(core_path(kernel))


@once
def guest_vmcore(kernel: str) -> vmcore.Vmcore:
    """The folder with a kernel's vmcore and page account; made on first use."""
    return vmcore.get(vmcore.default_recipe(kernel))


def core_path(kernel: str) -> pathlib.Path:
    """The raw vmcore of a kernel."""
    return guest_vmcore(kernel).path


def show(line: str) -> None:
    """A line of a guest's console, when asked for."""
    if settings.current.verbose:
        print(f"    | {line}", flush=True)


class VmCase(unittest.TestCase):
    """A test with a scratch folder for its class and dumps that are made once in it."""

    maxDiff = 2000
    work: pathlib.Path

    @classmethod
    def setUpClass(cls):
        scratch = archive.cache_root() / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix=f"{cls.__name__}.", dir=scratch))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work, ignore_errors=True)

    def run_program(self, argv, time_limit=TIME_LIMIT, **options) -> subprocess.CompletedProcess:
        """Runs a program to its end; a hang fails the test."""
        try:
            return subprocess.run([str(word) for word in argv], capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=time_limit, check=False,
                                  errors="replace", **options)
        except subprocess.TimeoutExpired:
            self.fail(f"'{argv[0]}' did not end within {time_limit} s")

    def succeed(self, argv, **options) -> subprocess.CompletedProcess:
        """Runs a program that has to exit with status 0."""
        done = self.run_program(argv, **options)
        self.assertEqual(done.returncode, 0, f"{argv}: {done.stderr[-1500:]}{done.stdout[-500:]}")
        return done

    def filter(self, *words, **options) -> subprocess.CompletedProcess:
        """Runs the filter under test, which has to succeed."""
        return self.succeed([*settings.current.filter(), *words], **options)

    def dump_path(self, kernel: str, level: int, codec: str = "lzo") -> pathlib.Path:
        """A dump by the filter under test, made once a class."""
        path = self.work / f"{kernel}-{level}-{codec}"
        if not path.exists():
            self.filter(*CODECS[codec], "-d", level, core_path(kernel), path)
        return path

    def dump(self, kernel: str, level: int, codec: str = "lzo") -> kdump_file.KdumpFile:
        """The same, opened."""
        return kdump_file.KdumpFile(self.dump_path(kernel, level, codec))

    def assert_bytes_of(self, dump: kdump_file.KdumpFile, kernel: str) -> None:
        """Every kept page has to hold what the vmcore has."""
        original = core(kernel)
        wrong = [pfn for pfn, data in dump.pages() if data != original.page(pfn)]
        self.assertEqual([f"{pfn:#x}" for pfn in wrong[:10]], [],
                         f"{len(wrong)} of {dump.kept.bit_count()} kept pages differ")
