# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that goes from kernel to kernel by fast reboot: one hop an image and way to load it.

Every kernel boots the same initramfs, looks at its command line to see which hop it has made, and
makes the next.  A hop whose load fails is told and left out.
"""

import dataclasses
import pathlib
import re

import guest
import images
import kernels
import ranges

MIB = 1 << 20
# A kernel that was started by EFI firmware leaves a table with its initramfs's place in ordinary
# memory, and each kernel after it clears those 16 bytes, whatever is there by then (Linux, function
# efi_config_parse_tables).  With memory above 4 GiB nothing that is loaded comes to lie there.
EFI_MEMORY_MIB, MEMORY_MIB = 3072, 1024
# The words of a load, and what starts what was loaded.
STARTS = {
    "exec": "kexec -l {options} {words} && kexec -e",
    "force": "kexec -f {options} {words}",
    "shutdown": "kexec {options} {words} && sleep 20",     # by the guest's /sbin/shutdown
}
SHUTDOWN = '#!/bin/sh\necho "GUEST: shutdown $*"\nexec kexec -e\n'

SCRIPT = """
mount -t ext4 -o ro "$(disk files)" /disk || fail "mounting the files disk"
hop=$(sed -n 's/.*hop=\\([0-9]*\\).*/\\1/p' /proc/cmdline)
hop=${hop:-0}
echo "GUEST: at hop $hop with $(nproc) CPUs"
sed "s/^/GUEST: iomem $hop /" /proc/iomem
[ -d /sys/firmware/efi/runtime-map ] && echo "GUEST: hop $hop has EFI"
while hop=$((hop + 1)); do
    case $hop in
HOPS
    *) break ;;
    esac
    echo "GUEST: hop $hop failed with $?"
done
echo "GUEST: all hops tried"
poweroff -f
sleep 60
"""


@dataclasses.dataclass(frozen=True)
class Hop:
    """One fast reboot."""
    image: str               # as images.make() calls it
    options: str = "-s"
    start: str = "exec"      # of STARTS

    def __str__(self):
        return f"{self.image}{self.options.replace(' ', '')}_{self.start}"


def command_line(number: int) -> str:
    """The next kernel's."""
    return f"console=ttyS0 loglevel=5 {guest.PANIC} {guest.BUSY_HOST} hop={number}"


def _shell(number: int, hop: Hop) -> str:
    words = f"/disk/{number}.{hop.image}"
    if hop.image != "uki":
        words += f" --initrd=/disk/initrd --append='{command_line(number)}'"
    return f"    {number}) {STARTS[hop.start].format(options=hop.options, words=words)} ;;"


def _script(hops: list[Hop]) -> str:
    return SCRIPT.replace("HOPS", "\n".join(_shell(n, hop) for n, hop in enumerate(hops, 1)))


@dataclasses.dataclass(frozen=True)
class Reached:
    """How far a guest came."""
    result: guest.Result

    def made(self, number: int) -> bool:
        """Whether a hop's kernel has booted up to the script."""
        return self.result.has(f"GUEST: at hop {number} ")

    def cpus(self, number: int) -> str:
        """How many CPUs that kernel had."""
        return re.search(rf"GUEST: at hop {number} with (\d+)", self.result.console)[1]

    def memory(self, number: int) -> ranges.Ranges:
        """The memory that kernel had."""
        lines = re.findall(rf"^GUEST: iomem {number} (.*)$", self.result.console, re.MULTILINE)
        return ranges.of_iomem("\n".join(lines), "System RAM")

    def has_efi(self, number: int) -> bool:
        """Whether that kernel had EFI's runtime services."""
        return self.result.has(f"GUEST: hop {number} has EFI")

    def told(self, number: int) -> str:
        """The console between the kernel before that hop and the next that came up."""
        before = self.result.console.partition(f"GUEST: at hop {number} ")[0]
        lines = before[before.rfind("GUEST: at hop"):].splitlines()
        return "\n".join(line for line in lines if "GUEST: iomem" not in line)[-4000:]


def _write_images(hops: list[Hop], kernel: kernels.Kernel, initrd: bytes,
                  folder: pathlib.Path) -> None:
    folder.mkdir()
    (folder / "initrd").write_bytes(initrd)
    for number, hop in enumerate(hops, 1):
        data = images.make(hop.image, kernel.image.read_bytes(), initrd, command_line(number))
        (folder / f"{number}.{hop.image}").write_bytes(data)


def run(kernel: kernels.Kernel, hops: list[Hop], kexec: guest.Program, work: pathlib.Path, *,
        efi: bool = False, verbose=None) -> Reached:
    """Boots the guest, which makes all hops; files are made in the folder `work`."""
    initrd = guest.guest_image(kernel, _script(hops), {"sbin/kexec": kexec},
                               {"sbin/shutdown": SHUTDOWN.encode()})
    _write_images(hops, kernel, initrd, work / "files")
    size = sum(path.stat().st_size for path in (work / "files").iterdir()) + 32 * MIB
    disk = guest.make_ext4(work / "disk", size, "-d", str(work / "files"))
    machine = guest.GuestRun(kernel, initrd, [guest.Disk("files", disk)],
                             EFI_MEMORY_MIB if efi else MEMORY_MIB, crashkernel="0", efi=efi,
                             time_limit=100 + 60 * len(hops))
    return Reached(guest.boot_twice_at_most(
        lambda: machine.run(work / "console.log", verbose)))
