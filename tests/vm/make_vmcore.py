#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the vmcore of a real kernel, or takes it from the cache, and links it into a folder."""

import argparse
import dataclasses
import os
import pathlib
import shutil
import sys

import archive
import kernels
import vmcore


def link(source: pathlib.Path, folder: pathlib.Path) -> None:
    """Makes the file appear in the folder, by a hard link where possible."""
    target = folder / source.name
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernel", choices=kernels.SOURCES, default="6.1")
    parser.add_argument("--memory", type=int, metavar="MIB", help="of the guest")
    parser.add_argument("--cpu", metavar="MODEL", help="QEMU's CPU model")
    parser.add_argument("--bench", action="store_true", help="a 4 GiB guest with 3 GiB in use")
    parser.add_argument("--vmlinux", action="store_true", help="also link the debug vmlinux")
    parser.add_argument("--verbose", action="store_true", help="show the guest's console")
    parser.add_argument("--out", type=pathlib.Path, help="folder for links to the files")
    options = parser.parse_args()
    recipe = vmcore.default_recipe(options.kernel, options.bench)
    changes = {"memory_mib": options.memory, "cpu_model": options.cpu}
    recipe = dataclasses.replace(recipe, **{k: v for k, v in changes.items() if v is not None})
    try:
        made = vmcore.get(recipe, print if options.verbose else None)
        files = sorted(made.folder.iterdir())
        if options.vmlinux:
            files.append(made.kernel.vmlinux())
    except archive.ArchiveError as error:
        print(f"make_vmcore: {error}", file=sys.stderr)
        return 1
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        for file in files:
            link(file, options.out)
    print(options.out or made.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
