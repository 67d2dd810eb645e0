# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole path with our own programs: kexec -p, a panic, kdump-capture, kdump-filter.

Used by the tests and by ./demo.
"""

import dataclasses
import pathlib
import subprocess

import archive
import guest
import kernels
import vmcore

LABEL = "crash"
CRASH_COMMAND_LINE = guest.CRASH_COMMAND_LINE + " "

# The guest's own part: its destination is the disk with the label, made by the host.
SCRIPT = """
mount -t ext4 "$(disk files)" /disk || fail "mounting the files disk"
echo "GUEST: memory $(grep MemTotal /proc/meminfo | tr -s ' ')"
echo "GUEST: reserved $(cat /sys/kernel/kexec_crash_size) bytes for the crash kernel"
kexec -p /vmlinuz --initrd=/crash.img --append="{append}" || fail "kexec"
[ "$(cat /sys/kernel/kexec_crash_loaded)" = 1 ] || fail "no crash kernel is loaded"
echo "GUEST: crash kernel loaded"
workload {workload} disk="$(disk account)"
"""


@dataclasses.dataclass(frozen=True)
class Programs:
    """The programs under test, in a build folder."""
    build: pathlib.Path

    @property
    def kexec(self) -> pathlib.Path:
        return self.build / "kexec/kexec"

    @property
    def filter(self) -> pathlib.Path:
        return self.build / "filter/kdump-filter"

    @property
    def capture(self) -> pathlib.Path:
        return self.build / "capture/kdump-capture"

    @property
    def mkinitramfs(self) -> pathlib.Path:
        return self.build / "initramfs/kdump-mkinitramfs"


@dataclasses.dataclass
class Captured:
    """What a crash left behind."""
    result: guest.Result
    folder: pathlib.Path | None   # the dump's own folder, copied from the guest's disk

    def text(self, name: str) -> str:
        """A text file that the capture wrote; empty when it did not."""
        path = self.folder / name if self.folder else None
        return path.read_text(encoding="utf-8", errors="replace") if path and path.exists() else ""


def capture_image(programs: Programs, kernel: kernels.Kernel, output: pathlib.Path,
                  filter_program: pathlib.Path | None = None) -> pathlib.Path:
    """Builds the capture initramfs with kdump-mkinitramfs."""
    chosen = filter_program or programs.filter
    archive.run_quietly([programs.mkinitramfs, "--output", output, "--kernel-release",
                         kernel.release, "--modules-dir", kernel.tree, "--module", "virtio_pci",
                         "--module", "virtio_blk", "--module", "ext4", "--init", programs.capture,
                         "--program", f"{chosen}=/usr/bin/kdump-filter"])
    return output


def extract(disk: pathlib.Path, path: str, target: pathlib.Path) -> pathlib.Path | None:
    """Copies the one dump folder below `path` off an ext4 disk image; None if there is none."""
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["debugfs", "-R", f"rdump {path} {target}", str(disk)], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folders = [entry for entry in (target / pathlib.Path(path).name).glob("*") if entry.is_dir()]
    return folders[0] if len(folders) == 1 else None


def run(programs: Programs, kernel: kernels.Kernel, work: pathlib.Path, *,
        options: str = f"kdump.dest=LABEL={LABEL} kdump.path=/crash kdump.level=31",
        recipe: vmcore.Recipe | None = None, destination: pathlib.Path | None = None,
        image: pathlib.Path | None = None, verbose=None, time_limit: float = 420) -> Captured:
    """Boots a guest, fills its memory, lets it panic and capture itself; returns what it saved."""
    recipe = recipe or vmcore.default_recipe(kernel.name)
    mib = 1 << 20
    destination = destination or guest.make_ext4(work / "destination", 1024 * mib, "-L", LABEL)
    files = guest.make_ext4(work / "files", 2 * recipe.memory_mib * mib)
    account = guest.make_blank(work / "account", 64 * mib)
    image = image or capture_image(programs, kernel, work / "capture.img")
    script = SCRIPT.format(append=CRASH_COMMAND_LINE + options, workload=recipe.workload())
    contents = guest.guest_image(
        kernel, script, {"bin/workload": guest.Program(guest.compile_static("workload.c")),
                         "sbin/kexec": guest.Program(programs.kexec)},
        {"vmlinuz": kernel.image.read_bytes(), "crash.img": image.read_bytes()})
    disks = [guest.Disk("files", files), guest.Disk("destination", destination),
             guest.Disk("account", account)]
    machine = guest.GuestRun(kernel, contents, disks, recipe.memory_mib, recipe.cpus,
                             recipe.cpu_model, extra_arguments="hugepages=16",
                             time_limit=time_limit)
    result = machine.run(work / "console.log", verbose)
    files.unlink()
    return Captured(result, extract(destination, "/crash", work / "saved"))
