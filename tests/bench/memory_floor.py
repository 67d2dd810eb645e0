#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How little memory a capture does with, and how long it takes from the panic to the reboot.

The same Debian 12 guest (Linux 6.1, 1 GiB, one CPU, its ext4 root on a virtio disk is where dumps
go) crashes with our small image, with Debian's kdump-tools as it comes, with a dracut image that
has makedumpfile, and, for the kernel's own need, with an init that does nothing.  All are loaded
by kexec_file_load.  The least crashkernel= that leaves a
whole dump is found by bisection.  Takes about half an hour; needs what the tests on a whole Debian
need.
"""

import argparse
import dataclasses
import gzip
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/vm"))

# pylint: disable=wrong-import-position
import archive
import debian_guest
import debian_image
import guest
import kdump_file
import kernels
import newc
import whole_path

KERNEL = "6.1"
MEMORY_MIB = 1024
STEP, LOW, HIGH = 4, 56, 256         # MiB; LOW is too little for any
DUMPS = "/var/crash"
TIME_LIMIT = 420                     # for the boot, the crash and the capture together
OUR_WORDS = "nr_cpus=1 reset_devices acpi_no_memhotplug initcall_blacklist=tracer_init_tracefs"
# What Fedora's kdump adds to the command line of a capture kernel on this machine.
FEDORA_WORDS = ("irqpoll nr_cpus=1 reset_devices cgroup_disable=memory mce=off numa=off "
                "udev.children-max=2 acpi_no_memhotplug transparent_hugepage=never nokaslr "
                "hest_disable novmcoredd cma=0 hugetlb_cma=0")
CRASH = """
say "reserved $(cat /sys/kernel/kexec_crash_size), loaded $(cat /sys/kernel/kexec_crash_loaded)"
sync
echo c >/proc/sysrq-trigger
"""
LOAD = """
kexec -s -p /boot/vmlinuz-$(uname -r) --initrd=/crash.img --command-line="{words}" ||
    fail "loading ended with $?"
"""
INHERITED = "$(sed 's/ *crashkernel=[^ ]*//' /proc/cmdline)"
NOTHING = "null_init: here"
NO_KDUMP_TOOLS = "systemd.mask=kdump-tools.service"

DRACUT_MODULE = {
    "module-setup.sh": """
check() { return 0; }
install() {
    inst_multiple makedumpfile mkdir mount mv sync reboot
    inst_hook pre-pivot 10 "$moddir/save.sh"
}
""",
    "save.sh": f"""
folder=$NEWROOT{DUMPS}/dracut
mount -o remount,rw "$NEWROOT"
mkdir -p "$folder"
makedumpfile --dump-dmesg /proc/vmcore "$folder/vmcore-dmesg.txt"
makedumpfile -l -d 31 /proc/vmcore "$folder/vmcore-incomplete" &&
    mv "$folder/vmcore-incomplete" "$folder/vmcore"
sync
mount -o remount,ro "$NEWROOT"
reboot -f
"""}
DRACUT = """
dracut --quiet --hostonly --hostonly-mode strict --no-hostonly-cmdline --aggressive-strip \\
    --omit "plymouth resume" --add floor --zstd /crash.img "$(uname -r)" ||
    fail "dracut ended with $?"
say "dracut made $(stat -c %s /crash.img) bytes"
"""


@dataclasses.dataclass
class Outcome:
    """One crash."""
    saved: bool
    seconds: float       # from the panic to the restart
    how: str             # what the guest ended by


@dataclasses.dataclass
class Clock:
    """Notes when lines of the console come."""
    verbose: bool
    panic: float = 0
    restart: float = 0

    def __call__(self, line: str) -> None:
        if self.verbose:
            print(f"    | {line}", flush=True)
        if "Kernel panic" in line and not self.panic:
            self.panic = time.monotonic()
        if "reboot: Restarting system" in line:
            self.restart = time.monotonic()


class Bench:
    """The guests of one run."""

    def __init__(self, options: argparse.Namespace, work: pathlib.Path):
        self.work = work
        self.verbose = options.verbose
        self.programs = whole_path.Programs(options.build_dir.resolve())
        self.system = debian_image.image(KERNEL)

    def boot(self, parts: debian_guest.Parts, crashkernel: int, clock, arguments: str):
        """A new guest, which crashes; returns the machine and how it ended."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.work))
        machine = debian_guest.Machine(self.system, folder)
        result = machine.boot(parts, crashkernel=f"{crashkernel}M", arguments=arguments,
                              time_limit=TIME_LIMIT, verbose=clock, memory_mib=MEMORY_MIB, cpus=1)
        return machine, result

    def try_size(self, candidate, crashkernel: int) -> Outcome:
        """One crash with so much memory reserved."""
        clock = Clock(self.verbose)
        machine, result = self.boot(candidate.parts, crashkernel, clock, candidate.arguments)
        if not result.has("loaded 1\n"):
            raise archive.ArchiveError(f"no crash with {candidate.name}: {result.console[-3000:]}")
        saved = clock.restart > 0 and (result.has(NOTHING) if candidate.does_nothing
                                       else self._has_dump(machine))
        shutil.rmtree(machine.work)
        return Outcome(saved, clock.restart - clock.panic, result.how)

    def _has_dump(self, machine: debian_guest.Machine) -> bool:
        left = machine.copy_out(DUMPS) / DUMPS.strip("/")
        dumps = [path for name in ("vmcore", "dump.*") for path in left.glob(f"*/{name}")]
        return len(dumps) == 1 and self._is_whole(dumps[0])

    def _is_whole(self, dump: pathlib.Path) -> bool:
        with open(dump, "rb", buffering=0) as file:    # its place is the child's, too
            flattened = file.read(12) == b"makedumpfile"
            file.seek(0)
            if flattened:
                dump = dump.with_name("rearranged")
                if subprocess.run(["makedumpfile", "-R", str(dump)], stdin=file,
                                  capture_output=True, check=False).returncode != 0:
                    return False
        opened = kdump_file.KdumpFile(dump)
        return not opened.incomplete and opened.problems() == []

    def ours(self) -> "Candidate":
        """Our image, loaded by our kexec."""
        image = whole_path.capture_image(self.programs, self.system.kernel, self.work / "ours.img")
        words = f"console=ttyS0 panic=5 loglevel=4 {OUR_WORDS} kdump.dest=LABEL=root"
        parts = debian_guest.Parts(
            run=LOAD.format(words=words) + CRASH, files={"crash.img": image},
            programs={"usr/sbin/kexec": guest.Program(self.programs.kexec)})
        return Candidate("kdumpkit, small image", parts, NO_KDUMP_TOOLS, image.stat().st_size)

    def nothing(self) -> "Candidate":
        """An init that does nothing, with our command line."""
        init, image = self.work / "null_init", self.work / "nothing.img"
        archive.run_quietly(["gcc", "-O2", "-static", "-s", "-o", init,
                             TOP / "tests/bench/null_init.c"])
        contents = newc.Archive()
        contents.console()
        contents.copy("init", init)
        image.write_bytes(gzip.compress(contents.finish()))
        words = f"console=ttyS0 panic=5 loglevel=4 {OUR_WORDS}"
        parts = debian_guest.Parts(
            run=LOAD.format(words=words) + CRASH, files={"crash.img": image},
            programs={"usr/sbin/kexec": guest.Program(self.programs.kexec)})
        return Candidate("an init that does nothing", parts, NO_KDUMP_TOOLS,
                         image.stat().st_size, does_nothing=True)

    def kdump_tools(self) -> "Candidate":
        """Debian's, which has loaded at boot what it made itself."""
        setting = "sed -i 's/^#*KDUMP_KEXEC_ARGS=.*/KDUMP_KEXEC_ARGS=-s/' /etc/default/kdump-tools"
        parts = debian_guest.Parts(before=setting, run=CRASH)
        return Candidate("Debian kdump-tools", parts, "", 0)

    def dracut(self) -> "Candidate":
        """An image that dracut made in the guest, for this guest only."""
        parts = debian_guest.Parts(run=DRACUT, files={
            f"usr/lib/dracut/modules.d/98floor/{name}": text.encode()
            for name, text in DRACUT_MODULE.items()})
        clock = Clock(self.verbose)
        machine, result = self.boot(parts, HIGH, clock, NO_KDUMP_TOOLS)
        if not result.has("GUEST: dracut made"):
            raise archive.ArchiveError(f"no dracut image: {result.console[-3000:]}")
        image = machine.copy_out_file("/crash.img", self.work / "dracut.img")
        shutil.rmtree(machine.work)
        words = f"{INHERITED} {FEDORA_WORDS}"
        return Candidate("dracut with makedumpfile", debian_guest.Parts(
            run=LOAD.format(words=words) + CRASH, files={"crash.img": image}),
            NO_KDUMP_TOOLS, image.stat().st_size)


@dataclasses.dataclass
class Candidate:
    """A way to capture."""
    name: str
    parts: debian_guest.Parts
    arguments: str       # of the first kernel
    image_bytes: int     # 0: the image is not ours to know
    does_nothing: bool = False


def bisect(bench: Bench, candidate: Candidate) -> tuple[int, float]:
    """The least MiB that do, and the least seconds from panic to reboot with HIGH."""
    good, bad, seconds = HIGH, LOW, []
    for size in (HIGH, HIGH):
        outcome = bench.try_size(candidate, size)
        report(candidate, size, outcome)
        if not outcome.saved:
            raise archive.ArchiveError(f"{candidate.name} saves nothing with {HIGH} MiB either")
        seconds.append(outcome.seconds)
    while good - bad > STEP:
        size = (good + bad) // (2 * STEP) * STEP
        outcome = bench.try_size(candidate, size)
        report(candidate, size, outcome)
        good, bad = (size, bad) if outcome.saved else (good, size)
    return good, min(seconds)


def report(candidate: Candidate, size: int, outcome: Outcome) -> None:
    """A line for each crash."""
    told = f"saved in {outcome.seconds:.1f} s" if outcome.saved else f"no dump ({outcome.how})"
    print(f"{candidate.name}: crashkernel={size}M: {told}", flush=True)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, default=TOP / "build")
    parser.add_argument("--only", metavar="NAME", help="nothing, ours, kdump_tools or dracut")
    parser.add_argument("--verbose", action="store_true", help="show the consoles")
    options = parser.parse_args()
    names = [options.only] if options.only else ["nothing", "ours", "kdump_tools", "dracut"]
    with tempfile.TemporaryDirectory(prefix="floor.") as work:
        bench = Bench(options, pathlib.Path(work))
        rows = []
        for name in names:
            candidate = getattr(bench, name)()
            rows.append((candidate, *bisect(bench, candidate)))
    print("\n| | least crashkernel= | panic to reboot, s | image, MiB |\n|---|---|---|---|")
    for candidate, size, seconds in rows:
        image = f"{candidate.image_bytes / (1 << 20):.1f}" if candidate.image_bytes else ""
        print(f"| {candidate.name} | {size} MB | {seconds:.1f} | {image} |")
    print(f"\nLinux {kernels.find(KERNEL).release}, {MEMORY_MIB} MiB, 1 CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main())
