# SPDX-License-Identifier: GPL-2.0-or-later
"""The disk image of a Debian system with systemd, kdump-tools, dracut, and servers that are off.

It is made once and kept in the cache, keyed by this file, what it installs, and the version of
every package in it.
"""

import dataclasses
import hashlib
import os
import pathlib
import shlex
import shutil
import subprocess
import unittest

import archive
import guest
import kernels

PACKAGES = ("systemd-sysv", "udev", "dbus", "kmod", "procps", "iproute2", "e2fsprogs", "busybox",
            "initramfs-tools", "kdump-tools", "kexec-tools", "makedumpfile", "dracut-core",
            "openssh-client", "openssh-server", "nfs-common", "nfs-kernel-server")
ROOT, CUSTOMIZE = guest.HERE / "debian_root", guest.HERE / "debian_customize.sh"
EXCLUDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
MIB = 1 << 20
DISK_BYTES = 4096 * MIB
EXT4_OPTIONS = ("-L", "root", "-m", "1", "-J", "size=16")


@dataclasses.dataclass(frozen=True)
class Image:
    """A Debian system that was never booted."""
    folder: pathlib.Path
    kernel: kernels.Kernel

    @property
    def disk(self) -> pathlib.Path:
        """Its root file system, ext4 without partitions, label "root"."""
        return self.folder / "root.img"

    @property
    def initrd(self) -> bytes:
        """The initramfs that Debian made for the kernel."""
        return (self.folder / "initrd.img").read_bytes()


def need_root() -> None:
    """Skips a test where the packages of an image cannot be configured."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("making a Debian image needs root: packages are configured in a "
                                "chroot")
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise unittest.SkipTest(f"no file system can be mounted here: {done.stderr.strip()}")


def _acquire_options() -> list[str]:
    """How the machine's own apt reaches its mirror: proxies, time limits."""
    settings = archive.run_quietly(["apt-config", "dump", "--no-empty", "--format", "%f \"%v\"%n",
                                    "Acquire::http", "Acquire::https", "Acquire::Retries"])
    return [f"--aptopt={line}" for line in settings.splitlines()]


def _install(suite: archive.Suite, packages: list[str], folder: pathlib.Path) -> None:
    """Installs a Debian system into the folder."""
    archive.run_quietly([
        "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory",
        *_acquire_options(), "--aptopt=APT::Sandbox::User \"root\"",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED),
        f"--essential-hook=sync-in {shlex.quote(str(ROOT))} /",
        f"--customize-hook={shlex.quote(str(CUSTOMIZE))} \"$1\"",
        f"--include={','.join(packages)}", suite.name, folder, suite.source_list()])


def _fill(suite: archive.Suite, kernel: kernels.Kernel, packages: list[str],
          folder: pathlib.Path) -> None:
    tree = folder / "tree"
    _install(suite, packages, tree)
    shutil.copy(tree / "boot" / f"initrd.img-{kernel.release}", folder / "initrd.img")
    guest.make_ext4(folder / "root.img", DISK_BYTES, *EXT4_OPTIONS, "-d", tree)
    shutil.rmtree(tree)


def _key(suite: archive.Suite, packages: list[str]) -> str:
    digest = hashlib.sha256(pathlib.Path(__file__).read_bytes())
    for path in [CUSTOMIZE, *sorted(ROOT.rglob("*"))]:
        digest.update(f"{path.relative_to(guest.HERE)} {path.stat().st_mode:o}\n".encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    for name, version in sorted(suite.versions(packages).items()):
        digest.update(f"{name} {version}\n".encode())
    return digest.hexdigest()[:12]


def image(kernel_name: str) -> Image:
    """The system that a kernel comes with, from the cache or new; skips where it cannot be made."""
    kernel = kernels.find(kernel_name)
    suite = archive.suite(kernels.SOURCES[kernel_name][0])
    packages = [*PACKAGES, f"linux-image-{kernel.release}"]
    target = archive.cache_root() / "debian" / f"{suite.name}-{_key(suite, packages)}"
    if not target.is_dir():
        need_root()
        archive.make_tree(target, lambda folder: _fill(suite, kernel, packages, folder))
    # Those of other recipes are seldom wanted again.
    target.touch()
    archive.remove_old(target.parent.glob(f"{suite.name}-*"))
    return Image(target, kernel)
