# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian kernels as the tests name them: image, modules and debug symbols of "6.1", "6.12", ...

The newest build that the suite also has debug symbols for is taken.
"""

import dataclasses
import functools
import lzma
import pathlib
import re
import shutil
import subprocess
import tempfile

import archive

# Version as the tests call it: the suite that has it, and how its packages are named.
SOURCES = {
    "5.10": ("bullseye", r"linux-image-5\.10\.0-\d+-amd64"),
    "6.1": ("bookworm", r"linux-image-6\.1\.0-\d+-amd64"),
    "6.12": ("trixie", r"linux-image-6\.12\.\d+\+deb13-amd64"),
    "7.2": ("trixie-backports", r"linux-image-7\.2\.\d+\+deb13-amd64"),
    "7.3": ("experimental", r"linux-image-7\.3(\.\d+)?(\+deb\d+)?-amd64"),
}
DEFAULT = ("6.1", "6.12")
LOADER_DEFAULT = (*DEFAULT, "7.3")     # loading and crashing needs no debug symbols, and is quick


@dataclasses.dataclass(frozen=True)
class Kernel:
    """One kernel build, unpacked."""
    name: str                # as in SOURCES
    release: str             # uname -r
    version: str             # of the package; with the release this is one build
    tree: pathlib.Path       # the unpacked packages, merged-/usr, with modules.dep

    @property
    def image(self) -> pathlib.Path:
        """The bzImage."""
        return self.tree / "boot" / f"vmlinuz-{self.release}"

    @property
    def modules(self) -> pathlib.Path:
        """The folder with modules.dep."""
        return self.tree / "lib" / "modules" / self.release

    def module_closure(self, names: list[str], optional: list[str] = ()) -> list[pathlib.Path]:
        """Files of the modules and all they need, in loading order; built-in ones left out.

        The `optional` ones come first, where the kernel has them.
        """
        needs, paths, builtin = _read_module_index(self.modules)
        order: list[pathlib.Path] = []

        def visit(name: str) -> None:
            if name in builtin:
                return
            if name not in needs:
                raise archive.ArchiveError(f"kernel {self.release} has no module '{name}'")
            for needed in needs[name]:
                visit(needed)
            if paths[name] not in order:
                order.append(paths[name])

        for name in [n for n in optional if n in needs] + list(names):
            visit(name)
        return order

    def vmlinux(self) -> pathlib.Path:
        """The kernel with debug symbols: a download of about a gigabyte on first use."""
        target = archive.cache_root() / "debug" / f"{self.release}_{self.version}"
        archive.make_tree(target, self._download_vmlinux)
        return target / f"vmlinux-{self.release}"

    def _download_vmlinux(self, folder: pathlib.Path) -> None:
        suite = archive.suite(SOURCES[self.name][0])
        package = f"linux-image-{self.release}-dbg"
        with tempfile.TemporaryDirectory(dir=folder.parent) as debs:
            deb, = suite.download([f"{package}={self.version}"], pathlib.Path(debs))
            # Streamed: the whole package unpacks to seven gigabytes.  One of the two is a link.
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)],
                                  stdout=subprocess.PIPE) as tar:
                archive.run_quietly([
                    "tar", "-x", "-C", folder, "--wildcards", "./usr/lib/debug/boot/vmlinux-*",
                    f"./usr/lib/debug/lib/modules/{self.release}/vmlinux"], stdin=tar.stdout)
        found, = (path for path in folder.rglob("vmlinux*")
                  if path.is_file() and not path.is_symlink())
        found.rename(folder / f"vmlinux-{self.release}")
        shutil.rmtree(folder / "usr")


def module_bytes(path: pathlib.Path) -> bytes:
    """A module's ELF file, uncompressed: early kernels cannot do that themselves."""
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True,
                              check=True).stdout
    return data


def module_name(path: str) -> str:
    """The name of the module in a file path, spelled as the kernel does."""
    return re.sub(r"\.ko(\.\w+)?$", "", path.rsplit("/", 1)[-1]).replace("-", "_")


@functools.cache
def _read_module_index(folder: pathlib.Path):
    needs, paths = {}, {}
    for line in (folder / "modules.dep").read_text(encoding="ascii").splitlines():
        path, _, needed = line.partition(":")
        # modules.dep lists the nearest need first; loading goes the other way.
        needs[module_name(path)] = [module_name(word) for word in reversed(needed.split())]
        paths[module_name(path)] = folder / path
    builtin = (folder / "modules.builtin").read_text(encoding="ascii").splitlines()
    return needs, paths, {module_name(line) for line in builtin}


def _version_key(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _parts(suite: archive.Suite, image: str) -> list[str]:
    """The image package and the packages its files are split into in newer releases."""
    needed = re.findall(r"linux-(?:binary|modules|base)-[^\s,|]+",
                        suite.describe(image).get("Depends", ""))
    return [image, *needed]


def _finish_tree(tree: pathlib.Path, release: str) -> None:
    """Makes /lib and /boot the places to look in, whichever layout the package has."""
    if not (tree / "lib").exists():
        (tree / "lib").symlink_to("usr/lib")
    image = tree / "boot" / f"vmlinuz-{release}"
    if not image.exists():
        image.parent.mkdir(exist_ok=True)
        image.symlink_to(f"../usr/lib/modules/{release}/vmlinuz")
    archive.run_quietly(["depmod", "-b", tree, release])


@functools.cache
def find(name: str) -> Kernel:
    """Downloads (once) and returns the kernel that the tests call `name`."""
    suite_name, pattern = SOURCES[name]
    suite = archive.suite(suite_name)
    prefix = f"linux-image-{name}"
    names = suite.names(prefix)
    images = [n for n in names if re.fullmatch(pattern, n) and f"{n}-dbg" in names]
    if not images:
        raise archive.ArchiveError(f"suite '{suite_name}' has no kernel {name} with symbols")
    image = max(images, key=_version_key)
    release = image.removeprefix("linux-image-")
    version = suite.describe(image)["Version"]
    target = archive.cache_root() / "kernels" / f"{release}_{version}"

    def fill(folder: pathlib.Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder.parent) as debs:
            for deb in suite.download(_parts(suite, image), pathlib.Path(debs)):
                archive.run_quietly(["dpkg", "-x", deb, folder])
        _finish_tree(folder, release)

    return Kernel(name, release, version, archive.make_tree(target, fill))
