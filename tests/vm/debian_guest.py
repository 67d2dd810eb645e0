# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian systems as guests, each on a layer of its own over the image.

What a test brings (programs, files, scripts) comes on a second disk, from which the image's own
`guest` script installs it early in the boot; what a machine leaves behind is read from its disk on
the host.
"""

import contextlib
import dataclasses
import pathlib
import shutil
import subprocess

import archive
import debian_image
import guest

MIB = 1 << 20


@dataclasses.dataclass
class Parts:
    """What a test brings into the guest.

    The scripts are for sh, run as root.  `before` and `after` run early in the first boot, before
    any kdump service, around the copying of files and programs; `run` when the system is up.  They
    may use `say` and `fail` of the image's `guest` script.
    """
    before: str = ""
    after: str = ""
    run: str = ""
    files: dict[str, bytes | pathlib.Path] = dataclasses.field(default_factory=dict)
    programs: dict[str, guest.Program] = dataclasses.field(default_factory=dict)

    def write(self, folder: pathlib.Path) -> None:
        """Lays them out as the `guest` script expects them."""
        for name in ("before", "after", "run"):
            _place(folder / f"{name}.sh", getattr(self, name).encode())
        for name, source in self.files.items():
            _place(folder / "root" / name.strip("/"), source)
        for name, program in self.programs.items():
            _place(folder / "root" / name.strip("/"), program.path)
            for library in guest.library_closure(program.path, program.libraries):
                _place(folder / "lib" / library.name, library)


def _place(target: pathlib.Path, source: bytes | pathlib.Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, bytes):
        target.write_bytes(source)
    else:
        shutil.copy(source, target)


class Machine:
    """A Debian system of its own; it can boot more than once.  All its files are in `work`."""

    def __init__(self, system: debian_image.Image, work: pathlib.Path):
        self.image = system
        self.work = work
        self.disk = work / "root.qcow2"
        archive.run_quietly(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw",
                             "-b", system.disk, self.disk])

    def boot(self, parts: Parts | None = None, *, disks: list[guest.Disk] | None = None,
             arguments: str = "", crashkernel: str = "192M", memory_mib: int = 1024,
             time_limit: float = 900, verbose=None, log: str = "console.log",
             cpus: int = 2, qemu_arguments: list[str] | None = None,
             answer=None) -> guest.Result:
        """Boots with what a test brings; ends when the machine powers off or restarts.

        `arguments` are added to the kernel's command line.
        """
        all_disks = [guest.Disk("root", self.disk, format="qcow2"), *(disks or [])]
        if parts:
            all_disks.append(guest.Disk("guest", self._parts_disk(parts), read_only=True))
        run = guest.GuestRun(
            self.image.kernel, self.image.initrd, all_disks, memory_mib, cpus,
            crashkernel=crashkernel,
            extra_arguments=f"root=LABEL=root rw systemd.show_status=1 {arguments}".strip(),
            time_limit=time_limit, qemu_arguments=qemu_arguments or [])
        return guest.boot_twice_at_most(
            lambda: run.run(self.work / log, verbose, answer=answer))

    def _parts_disk(self, parts: Parts) -> pathlib.Path:
        folder, disk = self.work / "parts", self.work / "parts.img"
        parts.write(folder)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        guest.make_ext4(disk, 2 * size + 16 * MIB, "-L", "guest", "-d", folder)
        shutil.rmtree(folder)
        return disk

    def copy_out(self, *paths: str) -> pathlib.Path:
        """Copies folders of the guest's disk below a folder on the host, and returns that.

        The machine must be off.  Its journal is replayed first, as the next boot would do.
        """
        target = self.work / "left"
        with self._raw_disk() as raw:
            for path in paths:
                place = target / path.strip("/")
                place.parent.mkdir(parents=True, exist_ok=True)
                archive.run_quietly([_tool("debugfs"), "-R", f"rdump {path} {place.parent}", raw])
        return target

    def copy_out_file(self, path: str, target: pathlib.Path) -> pathlib.Path:
        """The same for one file, which gets the name `target`."""
        with self._raw_disk() as raw:
            archive.run_quietly([_tool("debugfs"), "-R", f"dump {path} {target}", raw])
        return target

    @contextlib.contextmanager
    def _raw_disk(self):
        raw = self.work / "root.raw"
        archive.run_quietly(["qemu-img", "convert", "-O", "raw", self.disk, raw])
        self._replay(raw)
        yield raw
        raw.unlink()

    def _replay(self, raw: pathlib.Path) -> None:
        done = subprocess.run([_tool("e2fsck"), "-p", str(raw)], capture_output=True, text=True,
                              check=False)
        # 1: it has been repaired, which the replay of the journal is.
        if done.returncode not in (0, 1):
            raise archive.ArchiveError(f"the guest's file system is broken: {done.stdout}")


def _tool(name: str) -> str:
    return shutil.which(name) or f"/sbin/{name}"
