# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a Debian kernel in QEMU (TCG): what is in the guest, how it is started, how it ended."""

import dataclasses
import functools
import hashlib
import os
import pathlib
import re
import selectors
import shutil
import subprocess
import tempfile
import time

import archive
import control
import kernels
import newc

HERE = pathlib.Path(__file__).resolve().parent
# What a guest needs to reach its disks and file system; the last is not a module everywhere.
GUEST_MODULES = ["virtio_pci", "virtio_blk", "ext4"]
OPTIONAL_MODULES = ["crc32c_generic"]
EFI_FIRMWARE = "/usr/share/ovmf/OVMF.fd"
# A kernel that panics, even in its own boot, resets its machine: with -no-reboot QEMU ends.
PANIC = "panic=5"
CRASH_COMMAND_LINE = f"console=ttyS0 reset_devices nr_cpus=1 acpi_no_memhotplug loglevel=5 {PANIC}"
# An emulated timer may be late on a busy host; the kernel would take it for a broken one and panic.
BUSY_HOST = "no_timer_check"


def compile_c(source: str, *options: str) -> pathlib.Path:
    """Compiles a C file of this folder; the result is kept in the cache."""
    key = hashlib.sha256((HERE / source).read_bytes() + " ".join(options).encode())
    name = f"{source.removesuffix('.c')}-{key.hexdigest()[:12]}"
    folder = archive.cache_root() / "programs" / name

    def fill(unfinished: pathlib.Path) -> None:
        archive.run_quietly(["gcc", "-O2", *options, "-o", unfinished / "program", HERE / source])
    return archive.make_tree(folder, fill) / "program"


def compile_static(source: str) -> pathlib.Path:
    """Compiles a static program, which runs in any guest."""
    return compile_c(source, "-static")


def library_closure(program: pathlib.Path, search: list[pathlib.Path]) -> list[pathlib.Path]:
    """The shared libraries of a program and its loader; `search` comes before the host's."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "LD_LIBRARY_PATH": ":".join(map(str, search))}
    done = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False,
                          env=environment)
    if "not a dynamic executable" in done.stderr or "statically linked" in done.stdout:
        return []
    missing = re.findall(r"(\S+) => not found", done.stdout)
    if done.returncode != 0 or missing:
        raise archive.ArchiveError(f"'{program}' lacks libraries: {missing or done.stderr}")
    return [pathlib.Path(path) for path in re.findall(r"(/\S+) \(0x", done.stdout)]


@dataclasses.dataclass(frozen=True)
class Program:
    """A program for a guest: its file, and where its libraries are if not the host's own."""
    path: pathlib.Path
    libraries: list[pathlib.Path] = dataclasses.field(default_factory=list)


def add_program(image: newc.Archive, name: str, program: Program) -> None:
    """Adds a program under the given name, with the libraries it needs."""
    image.copy(name, program.path)
    for library in library_closure(program.path, program.libraries):
        loader = library.name.startswith("ld-linux")
        place = f"/lib64/{library.name}" if loader else f"/lib/x86_64-linux-gnu/{library.name}"
        if place not in image.names:
            image.copy(place, library)


def add_modules(image: newc.Archive, kernel: kernels.Kernel, names: list[str]) -> None:
    """Adds modules and what they need as /modules/NNN-name.ko, in loading order."""
    files = kernel.module_closure(names, OPTIONAL_MODULES)
    for number, path in enumerate(files):
        name = kernels.module_name(path.name)
        image.file(f"modules/{number:03}-{name}.ko", kernels.module_bytes(path))


def crash_image(kernel: kernels.Kernel, init: pathlib.Path) -> bytes:
    """A crash kernel's initramfs whose only program is the static `init`."""
    image = newc.Archive()
    image.console()
    image.copy("init", init)
    add_modules(image, kernel, ["virtio_pci", "virtio_blk"])
    return image.finish()


def guest_image(kernel: kernels.Kernel, script: str, programs: dict[str, Program],
                files: dict[str, bytes], modules: list[str] = GUEST_MODULES) -> bytes:
    """A test guest's initramfs: busybox, modules, programs with libraries, and the script."""
    image = newc.Archive()
    image.console()
    image.copy("bin/busybox", pathlib.Path(shutil.which("busybox") or "/bin/busybox"))
    image.file("init", (HERE / "guest_init.sh").read_bytes(), 0o755)
    image.file("run.sh", script.encode(), 0o755)
    add_modules(image, kernel, modules)
    for name, program in programs.items():
        add_program(image, name, program)
    for name, data in files.items():
        image.file(name, data, 0o755 if data.startswith(b"#!") else 0o644)
    return image.finish()


@dataclasses.dataclass(frozen=True)
class Disk:
    """A virtio disk; the guest finds it by its serial."""
    serial: str
    path: pathlib.Path
    read_only: bool = False
    format: str = "raw"      # or "qcow2"


def make_blank(path: pathlib.Path, size: int) -> pathlib.Path:
    """Creates a sparse file of that size."""
    with open(path, "wb") as blank:
        blank.truncate(size)
    return path


def make_ext4(path: pathlib.Path, size: int, *options: str) -> pathlib.Path:
    """Creates a file with an empty ext4 file system."""
    make_blank(path, size)
    mkfs = shutil.which("mkfs.ext4") or "/sbin/mkfs.ext4"
    archive.run_quietly([mkfs, "-q", "-F", "-E", "lazy_itable_init=1,nodiscard", *options, path])
    return path


@dataclasses.dataclass
class Result:
    """How a guest ended."""
    console: str
    how: str                 # "ended" (QEMU exited by itself), "marker", or "time limit"
    seconds: float
    status: int              # QEMU's exit status

    def has(self, text: str) -> bool:
        """Whether the console showed the text."""
        return text in self.console

    def failed_by_emulator(self) -> bool:
        """Whether a kernel died of its emulation: a virtual CPU ran code that was patched since."""
        return self.has("Oops: int3")


# Of each guest that was started once more, the line that shows why; run.py counts them.
started_again: list[str] = []


def boot_twice_at_most(boot) -> Result:
    """What boot() returns, a Result; if the guest failed by its emulator, that of a second call."""
    result = boot()
    if not result.failed_by_emulator():
        return result
    reason = next(line for line in result.console.splitlines() if "Oops: int3" in line)
    started_again.append(reason)
    print(f"a guest is started again, its kernel died of its emulation: {reason}", flush=True)
    return boot()


@dataclasses.dataclass
class GuestRun:
    """One run of QEMU.  The guest ends by powering off or rebooting, or is ended."""
    kernel: kernels.Kernel
    initrd: bytes
    disks: list[Disk] = dataclasses.field(default_factory=list)
    memory_mib: int = 1024
    cpus: int = 2
    cpu_model: str = "max"
    crashkernel: str = "256M"
    extra_arguments: str = ""
    loglevel: int = 5
    time_limit: float = 300
    memory_slots: str = ""   # ",slots=2,maxmem=8G" as -m takes it: room for memory added later
    spare_cpus: int = 0      # more that could be plugged in
    efi: bool = False        # EFI firmware instead of a BIOS
    qemu_arguments: list[str] = dataclasses.field(default_factory=list)

    def command_line(self) -> str:
        """The guest's kernel command line; KASLR stays on."""
        return (f"console=ttyS0 loglevel={self.loglevel} {PANIC} crashkernel={self.crashkernel} "
                f"{BUSY_HOST} {self.extra_arguments}").strip()

    def _argv(self, folder: pathlib.Path, memory: control.Memory) -> list[str]:
        argv = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-machine", "q35",
                "-cpu", self.cpu_model,
                "-smp", f"{self.cpus},maxcpus={self.cpus + self.spare_cpus}",
                "-m", f"{self.memory_mib}M{self.memory_slots}", *memory.qemu_arguments(),
                "-no-reboot", "-nodefaults", "-display", "none", "-serial", "stdio",
                "-qmp", f"unix:{folder / 'monitor'},server=on,wait=off",
                "-kernel", str(self.kernel.image), "-initrd", str(folder / "initrd"),
                "-append", self.command_line()]
        for number, disk in enumerate(self.disks):
            mode = ",read-only=on" if disk.read_only else ""
            argv += ["-drive", f"if=none,id=d{number},format={disk.format},cache=unsafe{mode},"
                               f"file={str(disk.path).replace(',', ',,')}",
                     "-device", f"virtio-blk-pci,drive=d{number},serial={disk.serial}"]
        return argv + ["-bios", EFI_FIRMWARE] * self.efi + self.qemu_arguments

    def run(self, log: pathlib.Path | None = None, verbose=None, until: str | None = None,
            answer=None) -> Result:
        """Boots the guest and waits for its end, for a line with `until`, or the time limit.

        The console goes to the file `log` as it comes; `verbose` is called with each line.
        When the guest asks (see control.py), answer(words, machine) returns the line to type.
        """
        with tempfile.TemporaryDirectory(prefix="kdumpkit-guest.") as name:
            folder = pathlib.Path(name)
            (folder / "initrd").write_bytes(self.initrd)
            start = time.monotonic()
            with control.Memory(self.memory_mib) as memory, \
                 subprocess.Popen(self._argv(folder, memory), stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  pass_fds=[memory.fd]) as qemu, \
                 control.Machine(str(folder / "monitor"), qemu.stdin, memory) as machine:
                try:
                    react = functools.partial(_react, answer, machine)
                    lines, how = _watch(qemu, start + self.time_limit, log, verbose, until, react)
                finally:
                    if qemu.poll() is None:
                        qemu.kill()
            return Result("".join(lines), how, time.monotonic() - start, qemu.returncode)


def _react(answer, machine: control.Machine, line: str) -> None:
    """Answers a line in which the guest asks."""
    _, asked, words = line.partition(control.ASK)
    if asked and answer:
        machine.type(answer(words.split(), machine) + "\n")


def _watch(qemu, deadline: float, log, verbose, until, react):
    """Reads the console until QEMU ends, a line has `until`, or the deadline has passed."""
    lines: list[str] = []
    rest = b""
    with open(log or os.devnull, "wb", buffering=0) as copy, selectors.DefaultSelector() as wait:
        wait.register(qemu.stdout, selectors.EVENT_READ)
        while True:
            if not wait.select(max(0.0, deadline - time.monotonic())):
                return lines, "time limit"
            data = os.read(qemu.stdout.fileno(), 65536)
            copy.write(data)
            *whole, rest = (rest + data).split(b"\n")
            for raw in whole if data else [rest]:
                line = raw.decode("utf-8", "replace").rstrip("\r")
                lines.append(line + "\n")
                if verbose:
                    verbose(line)
                react(line)
                if until and until in line:
                    return lines, "marker"
            if not data:
                qemu.wait()
                return lines, "ended"
