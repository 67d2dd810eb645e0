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

FEW = (Hop("bzImage"), Hop("bzImage", "-c"), Hop("vmlinux", "-c"), Hop("uki"))
EVERY = (*FEW, Hop("bzImage", "", "shutdown"), Hop("bzImage", "-c", "force"), Hop("gzip"),
         Hop("xz", "-c"), Hop("zstd"), Hop("lz4", "-c"), Hop("bzip2"), Hop("lzma", "-c"),
         Hop("zboot"), Hop("zboot-zstd", "-c"), Hop("uki", "-c"), Hop("vmlinux", ""))
ON_EFI = (Hop("bzImage"), Hop("bzImage", "-c"), Hop("vmlinux", "-c"))
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


def chains() -> list[Chain]:
    """The guests of this run."""
    found = [Chain(kernel, EVERY if kernel == EVERY_IMAGE_KERNEL or settings.current.matrix else
                   FEW) for kernel in settings.current.loader_kernels]
    on_efi = settings.current.loader_kernels[0 if settings.current.matrix else -1:]
    return found + [Chain(kernel, ON_EFI, efi=True) for kernel in on_efi]


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
