# SPDX-License-Identifier: GPL-2.0-or-later
"""Fast reboot by both system calls, of every kind of kernel image, on real kernels."""

import dataclasses
import pathlib
import tempfile

import archive
import case
import fast_reboot
import kernels
import ranges
import settings
from fast_reboot import Hop

BOTH_CALLS = (Hop("bzImage"), Hop("bzImage", "-c"))
FEW = (*BOTH_CALLS, Hop("vmlinux", "-c"), Hop("uki"))
# One of each kind of image and start; the compressions have unit tests.
EACH_KIND = (*FEW, Hop("bzImage", "", "shutdown"), Hop("bzImage", "-c", "force"), Hop("xz", "-c"),
             Hop("zboot-zstd", "-c"))
EVERY = (*EACH_KIND, Hop("gzip"), Hop("zstd"), Hop("lz4", "-c"), Hop("bzip2"), Hop("lzma", "-c"),
         Hop("zboot"), Hop("uki", "-c"), Hop("vmlinux", ""))
ON_EFI = (*BOTH_CALLS, Hop("vmlinux", "-c"))
EVERY_IMAGE_KERNEL = "6.12"


@dataclasses.dataclass(frozen=True)
class Chain:
    """One guest: its kernel, its firmware, its hops."""
    kernel: str
    hops: tuple[Hop, ...]
    efi: bool = False

    def __str__(self):
        return self.kernel + "_efi" * self.efi


@dataclasses.dataclass(frozen=True)
class Step:
    """One hop of a guest."""
    chain: Chain
    number: int

    @property
    def hop(self) -> Hop:
        """What is booted, and how."""
        return self.chain.hops[self.number - 1]

    def __str__(self):
        return f"{self.chain}_{self.number}_{self.hop}"


def hops(kernel: str) -> tuple[Hop, ...]:
    """Those of a kernel's guest with a BIOS."""
    much = kernel == EVERY_IMAGE_KERNEL
    if settings.current.matrix or (settings.current.all_kernels and much):
        return EVERY
    if settings.current.all_kernels:
        return FEW
    return EACH_KIND if much else BOTH_CALLS


def chains() -> list[Chain]:
    """The guests of this run: by default one a kernel, the newest with EFI."""
    known = settings.current.loader_kernels
    every = settings.current.matrix or settings.current.all_kernels
    on_bios = known if every or len(known) == 1 else known[:-1]
    on_efi = known if settings.current.matrix else known[-1:]
    return ([Chain(kernel, hops(kernel)) for kernel in on_bios] +
            [Chain(kernel, ON_EFI, efi=True) for kernel in on_efi])


def steps() -> list[Step]:
    """The hops of all guests."""
    return [Step(chain, number) for chain in chains() for number in range(1, len(chain.hops) + 1)]


@case.once
def travelled(chain: Chain) -> fast_reboot.Reached:
    """The guest of a chain, run on first use."""
    base = archive.cache_root() / "scratch"
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="reboot.", dir=base) as folder:
        return fast_reboot.run(kernels.find(chain.kernel), list(chain.hops),
                               settings.current.kexec(), pathlib.Path(folder), efi=chain.efi,
                               verbose=case.show)


@case.expanded_over(step=steps())
class FastReboot(case.VmCase):
    """The running kernel starts the next one."""

    def assert_made(self, step: Step) -> fast_reboot.Reached:
        """The hop's kernel came up with its own command line and initramfs."""
        reached = travelled(step.chain)
        self.assertTrue(reached.made(step.number), reached.told(step.number))
        return reached

    def check_new_kernel_comes_up(self, step):
        """With the command line of the load, or of the unified image."""
        self.assert_made(step)

    def check_new_kernel_has_the_machine(self, step):
        """All memory and CPUs of the first kernel, and EFI where there was."""
        reached = self.assert_made(step)
        self.assertEqual(ranges.shown(reached.memory(step.number)),
                         ranges.shown(reached.memory(0)))
        self.assertEqual(reached.cpus(step.number), reached.cpus(0))
        self.assertEqual(reached.has_efi(step.number), step.chain.efi)
