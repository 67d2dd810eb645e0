# SPDX-License-Identifier: GPL-2.0-or-later
"""Real vmcores: a guest fills its memory, panics, and its /proc/vmcore is copied out as it is.

The result is a folder in the cache with
  vmcore        the raw ELF file, sparse
  kpageflags    one u64 a page frame, as the guest's kernel gave it just before the panic
  kpagecount    likewise
  iomem         /proc/iomem at that time
  kallsyms      a sample of /proc/kallsyms, then the number of lines and a digest
  console.log   both kernels' console
  meta.json     what made it
"""

import dataclasses
import hashlib
import json
import os
import pathlib

import archive
import guest
import kernels
import tools

# MiB of each kind of memory (workload.c) for a guest of 1 GiB, of which 256 MiB are reserved.
WORKLOAD = {"clean": 60, "read": 40, "shm": 50, "slab": 24, "private": 32, "hugetlb": 24, "thp": 64,
            "anon": 96, "mlock": 16, "zero": 24, "ksm": 8, "pipes": 8, "sockets": 4, "freed": 48,
            "dirty": 24}
# For a guest of 4 GiB: more than 3 GiB in use.
BENCH_WORKLOAD = {"clean": 550, "read": 250, "shm": 400, "slab": 150, "private": 200, "hugetlb": 32,
                  "thp": 500, "anon": 850, "mlock": 50, "zero": 100, "ksm": 32, "pipes": 24,
                  "sockets": 8, "freed": 100, "dirty": 60}
# Both page-table depths are covered: the first model has four levels, the other five.
FOUR_LEVELS, FIVE_LEVELS = "Nehalem", "max"

SCRIPT = """
mount -t ext4 "$(disk files)" /disk || fail "mounting the files disk"
echo 2000 >/sys/kernel/mm/ksm/pages_to_scan
echo 1 >/sys/kernel/mm/ksm/run
kexec -p {loader} --initrd=/crash.img --command-line="{crash_command_line}" /vmlinuz || fail "kexec"
[ "$(cat /sys/kernel/kexec_crash_loaded)" = 1 ] || fail "no crash kernel is loaded"
echo "GUEST: crash kernel loaded"
workload {workload} disk="$(disk account)"
"""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What a vmcore is made of; equal recipes are served from the cache."""
    kernel: str
    memory_mib: int = 1024
    cpus: int = 2
    cpu_model: str = FIVE_LEVELS
    loader: str = "-s"       # of Debian's kexec: -s is kexec_file_load, -c kexec_load
    bench: bool = False

    def workload(self) -> str:
        """The arguments of the workload program."""
        kinds = BENCH_WORKLOAD if self.bench else WORKLOAD
        return " ".join(f"{kind}={mib}" for kind, mib in kinds.items())


def default_recipe(kernel: str, bench: bool = False) -> Recipe:
    """The recipe that the tests use for a kernel.

    With kexec_load the vmcore has the memory below 640 KiB, whose last page frame is partial.
    """
    old = kernel in ("5.10", "6.1")
    return Recipe(kernel, 4096 if bench else 1024, cpu_model=FOUR_LEVELS if old else FIVE_LEVELS,
                  loader="-c" if kernel == "6.1" else "-s", bench=bench)


@dataclasses.dataclass(frozen=True)
class Vmcore:
    """A vmcore in the cache."""
    folder: pathlib.Path
    kernel: kernels.Kernel

    @property
    def path(self) -> pathlib.Path:
        """The ELF file."""
        return self.folder / "vmcore"


def debian_kexec() -> guest.Program:
    """Debian 12's own kexec, unpacked beside the system."""
    tree = tools.tree("kexec-tools", "bookworm")
    return guest.Program(tree.find("kexec"), tree.libraries)


def _key(recipe: Recipe, kernel: kernels.Kernel) -> str:
    inputs = json.dumps([dataclasses.asdict(recipe), recipe.workload(), kernel.release,
                         kernel.version, SCRIPT, guest.CRASH_COMMAND_LINE])
    digest = hashlib.sha256(inputs.encode())
    for name in ("workload.c", "rawcopy.c", "guest_init.sh"):
        digest.update((guest.HERE / name).read_bytes())
    return f"{recipe.kernel}-{'bench' if recipe.bench else 'plain'}-{digest.hexdigest()[:12]}"


def _initrd(recipe: Recipe, kernel: kernels.Kernel) -> bytes:
    script = SCRIPT.format(loader=recipe.loader, crash_command_line=guest.CRASH_COMMAND_LINE,
                           workload=recipe.workload())
    crash = guest.crash_image(kernel, guest.compile_static("rawcopy.c"))
    programs = {"bin/workload": guest.Program(guest.compile_static("workload.c")),
                "sbin/kexec": debian_kexec()}
    return guest.guest_image(kernel, script, programs,
                             {"vmlinuz": kernel.image.read_bytes(), "crash.img": crash})


def _take_vmcore(disk: pathlib.Path) -> dict[str, int]:
    """Turns the disk that rawcopy wrote into the vmcore itself."""
    with open(disk, "rb+") as file:
        file.seek(-4096, os.SEEK_END)
        head, *lines = file.read(4096).rstrip(b"\0").decode().splitlines() or [""]
        if head != "KDUMPKIT VMCORE":
            raise archive.ArchiveError(f"the guest did not finish copying to '{disk}'")
        report = {key: int(value) for key, value in (line.split() for line in lines)}
        file.truncate(report["size"])
    return report


def take_account(disk: pathlib.Path, folder: pathlib.Path) -> None:
    """Extracts the files that workload.c wrote before the panic."""
    with open(disk, "rb") as file:
        head, *lines = file.read(4096).rstrip(b"\0").decode().splitlines() or [""]
        if head != "KDUMPKIT PAGES":
            raise archive.ArchiveError(f"the guest wrote no page account to '{disk}'")
        for name, offset, size in (line.split() for line in lines):
            file.seek(int(offset))
            (folder / name).write_bytes(file.read(int(size)))
    disk.unlink()


def _fill(recipe: Recipe, kernel: kernels.Kernel, folder: pathlib.Path, verbose) -> None:
    mib = 1 << 20
    vmcore = guest.make_blank(folder / "vmcore", (recipe.memory_mib + 64) * mib)
    account = guest.make_blank(folder / "account", 64 * mib)
    files = guest.make_ext4(folder / "files", 2 * recipe.memory_mib * mib)
    disks = [guest.Disk("files", files), guest.Disk("vmcore", vmcore),
             guest.Disk("account", account)]
    run = guest.GuestRun(kernel, _initrd(recipe, kernel), disks, recipe.memory_mib, recipe.cpus,
                         recipe.cpu_model, extra_arguments="hugepages=16",
                         time_limit=1200 if recipe.bench else 420)
    result = guest.boot_twice_at_most(lambda: run.run(folder / "console.log", verbose))
    if not result.has("RAWCOPY: done"):
        last = "".join(result.console.splitlines(keepends=True)[-25:])
        raise archive.ArchiveError(f"the guest ended ({result.how}) without a vmcore:\n{last}")
    report = _take_vmcore(vmcore)
    take_account(account, folder)
    files.unlink()
    meta = {**dataclasses.asdict(recipe), "release": kernel.release, "version": kernel.version,
            "workload": recipe.workload(), "seconds": round(result.seconds, 1), **report}
    (folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n", encoding="ascii")


def get(recipe: Recipe, verbose=None) -> Vmcore:
    """The vmcore of a recipe, from the cache or a new guest."""
    kernel = kernels.find(recipe.kernel)
    target = archive.cache_root() / "vmcore" / _key(recipe, kernel)
    archive.make_tree(target, lambda folder: _fill(recipe, kernel, folder, verbose))
    # Those of other recipes for this kernel are seldom wanted again.
    target.touch()
    archive.remove_old(target.parent.glob(target.name.rpartition("-")[0] + "-*"))
    return Vmcore(target, kernel)
