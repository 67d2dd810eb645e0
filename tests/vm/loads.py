# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways to load and to crash that a run tests: a set that has each value of every axis once for
all kernels together, or (--all-kernels) for each of them, or nearly all ways (--matrix)."""

import itertools

import crash_script
import settings
from crash_script import Load

LOW, HIGH = 1024, 3072       # MiB of a guest: all below 4 GiB; a third above
PLAIN, ABOVE = "256M", "256M,high"

# Loader, CPUs, memory, reservation, panic and its CPU, EFI, CPUs that are not there yet.
FEW = {
    "6.1": [("-c", 4, LOW, PLAIN, "sysrq", 2, False, 2), ("-s", 4, HIGH, ABOVE, "interrupt", 1)],
    "6.12": [("-s", 4, LOW, PLAIN, "oops", 2), ("-c", 1, HIGH, PLAIN, "nmi", 0)],
    "7.3": [("-c", 4, HIGH, ABOVE, "nmi", 0, True), ("-s", 4, LOW, PLAIN, "sysrq", 3, False, 2)],
}
MORE = {
    "6.1": [("-c", 4, HIGH, ABOVE, "oops", 3, True), ("-s", 1, LOW, PLAIN, "nmi", 0),
            ("-c", 1, HIGH, PLAIN, "interrupt", 0)],
    "6.12": [("-c", 4, HIGH, ABOVE, "sysrq", 1, False, 2), ("-c", 4, LOW, PLAIN, "interrupt", 3,
                                                           True),
             ("-s", 1, HIGH, ABOVE, "sysrq", 0, True)],
    "7.3": [("-s", 4, HIGH, PLAIN, "interrupt", 2), ("-c", 1, LOW, PLAIN, "oops", 0)],
}
for each in (FEW, MORE):
    each["5.10"] = each["6.1"]


def every_load(kernel: str) -> list[Load]:
    """Every combination that makes sense."""
    places = [(1, panic, 0) for panic in crash_script.PANICS]
    places += [(4, panic, cpu) for panic in crash_script.PANICS for cpu in (0, 2)
               if panic != "nmi" or cpu == 0]       # QEMU's NMI goes to the first CPU
    memories = [(LOW, PLAIN), (HIGH, PLAIN), (HIGH, ABOVE)]
    return [Load(kernel, loader, cpus, memory, crashkernel, panic, cpu, efi, cpu)
            for loader, (memory, crashkernel), (cpus, panic, cpu), efi in
            itertools.product(("-s", "-c"), memories, places, (False, True))]


def loads_of(kernel: str) -> list[Load]:
    """Those of a kernel in this run."""
    if settings.current.matrix:
        return every_load(kernel)
    more = MORE[kernel] if settings.current.all_kernels else []
    return [Load(kernel, *values) for values in FEW[kernel] + more]


def chosen() -> list[Load]:
    """The loads of this run."""
    return [load for kernel in settings.current.loader_kernels for load in loads_of(kernel)]
