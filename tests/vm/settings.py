# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run of the tests was asked for: set once by run.py, read by the tests."""

import dataclasses
import pathlib
import unittest

import guest
import kernels
import vmcore


@dataclasses.dataclass
class Settings:
    """Where the programs under test are, and on which kernels they are tested."""
    build_dir: pathlib.Path = pathlib.Path("build")
    filter_command: list[str] | None = None    # stands in for kdump-filter
    loader_kernels: tuple[str, ...] = kernels.LOADER_DEFAULT    # for what kexec does
    kernels: tuple[str, ...] = kernels.DEFAULT
    originals: bool = False                    # also Debian's own programs in the Debian guest
    kexec_program: str | None = None           # stands in for kexec; "debian": kexec-tools
    matrix: bool = False                       # every combination of ways to load and to crash
    all_kernels: bool = False                  # every kernel, and on each what one has by default
    verbose: bool = False

    def program(self, path: str) -> pathlib.Path:
        """A program under test, by its place in the build folder; skips the test without it."""
        found = self.build_dir.resolve() / path
        if not found.exists():
            raise unittest.SkipTest(f"'{path}' is not in the build folder '{self.build_dir}'")
        return found

    def filter(self) -> list[str]:
        """The words that run the filter under test."""
        return self.filter_command or [str(self.program("filter/kdump-filter"))]

    def kexec(self) -> guest.Program:
        """The kexec under test."""
        if self.kexec_program == "debian":
            return vmcore.debian_kexec()
        return guest.Program(pathlib.Path(self.kexec_program).resolve() if self.kexec_program
                             else self.program("kexec/kexec"))

    def need_own_filter(self) -> None:
        """Skips a test of what only kdump-filter does."""
        if self.filter_command:
            raise unittest.SkipTest("only kdump-filter does this, not a stand-in")


current = Settings()
