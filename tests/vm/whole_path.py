# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole path with our own programs: kexec -p, a panic, kdump-capture as init, a dump on a disk.

Used by the tests and by ./demo.  The destination is an ext4 file system in a file; what is on it
afterwards is read on the host with debugfs, so nothing is mounted and no root is needed.
"""

import dataclasses
import pathlib
import shutil
import subprocess

import archive
import guest
import kernels
import vmcore

LABEL = "crash"
UUID = "8f6c0b52-3c1e-4d0f-9c55-2f4b6f0d7a11"
MIB = 1 << 20
CAPTURE_MODULES = ("virtio_pci", "virtio_blk", "ext4")

# The guest's own part.
SCRIPT = """
mount -t ext4 "$(disk files)" /disk || fail "mounting the files disk"
echo "GUEST: memory $(grep MemTotal /proc/meminfo | tr -s ' ')"
echo "GUEST: reserved $(cat /sys/kernel/kexec_crash_size) bytes for the crash kernel"
kexec -p /vmlinuz --initrd=/crash.img --append="{command_line}" || fail "kexec ended with $?"
[ "$(cat /sys/kernel/kexec_crash_loaded)" = 1 ] || fail "no crash kernel is loaded"
echo "GUEST: crash kernel loaded"
workload {workload} disk="$(disk account)"
"""


@dataclasses.dataclass(frozen=True)
class Programs:
    """The programs under test, in a build folder; another one may stand in for the filter."""
    build: pathlib.Path
    other_filter: pathlib.Path | None = None

    @property
    def kexec(self) -> pathlib.Path:
        """Loads the crash kernel."""
        return self.build / "kexec/kexec"

    @property
    def filter(self) -> pathlib.Path:
        """What the capture image has as its filter."""
        return self.other_filter or self.build / "filter/kdump-filter"

    @property
    def capture(self) -> pathlib.Path:
        """The crash kernel's first process."""
        return self.build / "capture/kdump-capture"

    @property
    def mkinitramfs(self) -> pathlib.Path:
        """Builds the capture image."""
        return self.build / "initramfs/kdump-mkinitramfs"


def capture_image(programs: Programs, kernel: kernels.Kernel, output: pathlib.Path,
                  options: tuple[str, ...] = ()) -> pathlib.Path:
    """Builds the crash kernel's initramfs with kdump-mkinitramfs."""
    modules = [word for name in CAPTURE_MODULES for word in ("--module", name)]
    archive.run_quietly([
        programs.mkinitramfs, "--output", output, "--kernel-release", kernel.release,
        "--modules-dir", kernel.tree, *modules, "--init", programs.capture,
        "--program", f"{programs.filter}=/usr/bin/kdump-filter", *options])
    return output


class Destination:
    """The disk that dumps are written to, a file on the host."""

    def __init__(self, path: pathlib.Path, formatted: bool = True):
        self.path = path
        self.formatted = formatted

    @staticmethod
    def make(path: pathlib.Path, mib: int = 1024, formatted: bool = True) -> "Destination":
        """A new disk; one that is not formatted is all zero."""
        if formatted:
            guest.make_ext4(path, mib * MIB, "-L", LABEL, "-U", UUID)
        else:
            guest.make_blank(path, mib * MIB)
        return Destination(path, formatted)

    def _debugfs(self, command: str) -> str:
        debugfs = shutil.which("debugfs") or "/sbin/debugfs"
        return archive.run_quietly([debugfs, "-R", command, self.path])

    def copy_folders(self, path: str, target: pathlib.Path) -> list[pathlib.Path]:
        """Copies what is on the disk into `target`; returns the folders below `path` there."""
        target.mkdir(parents=True)
        if self.formatted:
            self._debugfs(f"rdump / {target}")
        place = target / path.strip("/")
        return sorted(place.iterdir()) if place.is_dir() else []

    def problems(self) -> str:
        """What is wrong with the file system; nothing when it was unmounted cleanly."""
        e2fsck = shutil.which("e2fsck") or "/sbin/e2fsck"
        done = subprocess.run([e2fsck, "-f", "-n", str(self.path)], capture_output=True, text=True,
                              check=False)
        unclean = "needs_recovery" in self._debugfs("features")
        return (done.stdout if done.returncode else "") + ("not unmounted" if unclean else "")


@dataclasses.dataclass
class Captured:
    """What a crash left behind."""
    result: guest.Result
    folders: list[pathlib.Path]   # of dumps, copied from the guest's disk
    destination: Destination
    account: pathlib.Path         # the folder with the guest's kpageflags

    @property
    def folder(self) -> pathlib.Path | None:
        """The dump's own folder, when there is exactly one."""
        return self.folders[0] if len(self.folders) == 1 else None

    @property
    def console(self) -> str:
        """The console from the panic on."""
        return self.result.console.partition("Kernel panic")[2]

    def text(self, name: str) -> str:
        """A text file that the capture wrote; empty when it did not."""
        path = self.folder / name if self.folder else None
        return path.read_text(encoding="utf-8", errors="replace") if path and path.exists() else ""


def command_line(words: dict[str, str]) -> str:
    """The crash kernel's: what kdump-capture is told."""
    told = {"dest": f"LABEL={LABEL}", "path": "/crash", "level": "31", **words}
    return " ".join([guest.CRASH_COMMAND_LINE, *(f"kdump.{k}={v}" for k, v in told.items())])


def run(programs: Programs, kernel: kernels.Kernel, work: pathlib.Path, *,
        words: dict[str, str] | None = None, recipe: vmcore.Recipe | None = None,
        workload: str | None = None, destination: Destination | None = None,
        image: pathlib.Path | None = None, verbose=None, time_limit: float = 420) -> Captured:
    """Boots a guest, fills its memory, lets it panic and capture itself; returns what it saved.

    `words` are those of the crash kernel's command line, without "kdump."; all files are made in
    the folder `work`.
    """
    recipe = recipe or vmcore.default_recipe(kernel.name)
    words = words or {}
    destination = destination or Destination.make(work / "destination")
    image = image or capture_image(programs, kernel, work / "capture.img")
    script = SCRIPT.format(command_line=command_line(words),
                           workload=workload or recipe.workload())
    contents = guest.guest_image(
        kernel, script, {"bin/workload": guest.Program(guest.compile_static("workload.c")),
                         "sbin/kexec": guest.Program(programs.kexec)},
        {"vmlinuz": kernel.image.read_bytes(), "crash.img": image.read_bytes()})
    # The destination is first, so that it is /dev/vda.
    files = guest.make_ext4(work / "files", 2 * recipe.memory_mib * MIB)
    disk = guest.make_blank(work / "account", 64 * MIB)
    disks = [guest.Disk("destination", destination.path), guest.Disk("files", files),
             guest.Disk("account", disk)]
    machine = guest.GuestRun(kernel, contents, disks, recipe.memory_mib, recipe.cpus,
                             recipe.cpu_model, extra_arguments="hugepages=16",
                             time_limit=time_limit)
    result = guest.boot_twice_at_most(lambda: machine.run(work / "console.log", verbose))
    vmcore.take_account(disk, work)
    files.unlink()
    folders = destination.copy_folders(words.get("path", "/crash"), work / "saved")
    return Captured(result, folders, destination, work)
