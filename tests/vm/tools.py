# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of any suite with their own libraries, run beside the system's."""

import dataclasses
import functools
import pathlib
import re

import archive

# Dependencies that the programs here never use when run by the tests.
UNUSED = re.compile(r"perl|libperl|binutils|libbinutils|libgprofng|libctf|debconf|tzdata|netbase|"
                    r"media-types|openssl-provider|gcc-\d+-base|readline-common|dpkg|tar$")


@dataclasses.dataclass(frozen=True)
class Tree:
    """A package and its library closure, unpacked."""
    root: pathlib.Path
    version: str             # of the package

    def find(self, program: str) -> pathlib.Path:
        """A program's file in the tree."""
        for folder in ("usr/bin", "bin", "usr/sbin", "sbin"):
            path = self.root / folder / program
            if path.exists():
                return path
        raise archive.ArchiveError(f"'{self.root}' has no program '{program}'")

    @property
    def libraries(self) -> list[pathlib.Path]:
        """The folders of the tree's shared libraries."""
        folders = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib")
        return [self.root / folder for folder in folders if (self.root / folder).is_dir()]

    def command(self, program: str) -> list[str]:
        """The words that run the program with the tree's own loader and libraries."""
        loader = next(path for path in (self.root / "lib64/ld-linux-x86-64.so.2",
                                        self.root / "usr/lib64/ld-linux-x86-64.so.2")
                      if path.exists())
        return [str(loader), "--library-path", ":".join(map(str, self.libraries)),
                str(self.find(program))]


@functools.cache
def tree(package: str, suite_name: str) -> Tree:
    """Unpacks a package of a suite with all libraries it needs."""
    suite = archive.suite(suite_name)
    version = suite.describe(package)["Version"]
    key = f"{package}_{version}_{suite_name}".replace(":", "%3a")
    target = archive.cache_root() / "trees" / key
    if not target.is_dir():
        needed = [name for name in suite.closure(package) if not UNUSED.match(name)]
        suite.unpacked(needed, key)
    return Tree(target, version)


def tool(program: str, suite_name: str, package: str | None = None) -> list[str]:
    """The words that run a suite's program, e.g. tool("makedumpfile", "sid")."""
    return tree(package or program, suite_name).command(program)


@dataclasses.dataclass(frozen=True)
class Drgn:
    """sid's drgn with sid's python3."""
    argv: list[str]
    environment: dict[str, str]


def drgn() -> Drgn:
    """How to run drgn: these words, then its options; this environment added."""
    found = tree("python3-drgn", "sid")
    python = next(path.name for path in sorted((found.root / "usr/bin").glob("python3.*"))
                  if re.fullmatch(r"python3\.\d+", path.name))
    path = [found.root / "usr/lib/python3/dist-packages"]
    return Drgn([*found.command(python), str(found.find("drgn"))],
                {"PYTHONHOME": str(found.root / "usr"), "PYTHONPATH": ":".join(map(str, path)),
                 "PYTHONDONTWRITEBYTECODE": "1"})
