# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that loads a crash kernel in several ways, panics, and tells what its vmcore has.

Before the panic the test looks into the guest's memory from outside: the elfcorehdr of every load
lies in the reservation.  After it the crash kernel's only program (crash_report.c) prints the
headers and notes of /proc/vmcore, and whatever memory the test wants to see.
"""

import dataclasses
import re

import control
import elf_headers
import guest
import images
import kernels
import newc
import oops_module
import ranges
import vmcore

OURS, INCUMBENT = "/sbin/kexec", "/sbin/incumbent-kexec"
LOW_END = 0xA0000            # what firmware and real mode leave of the first MiB
PAGE = 4096
MARKER_MIB = 32
GROWTH_MIB = 256             # of memory that is plugged in
GROWN_MARKER_MIB = 300       # so that some of it is in the second piece
ROOM = f",slots=2,maxmem={8 << 10}M"

SCRIPT = """
ask() { echo "GUEST: ask $*"; read -r answer; }
tell_memory() {
    sed 's/^/GUEST: iomem /' /proc/iomem
    for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
        echo "GUEST: crash_notes $(cat $cpu/crash_notes) $(cat $cpu/crash_notes_size)"
    done
    echo "GUEST: vmcoreinfo $(cat /sys/kernel/vmcoreinfo)"
}
# load PROGRAM OPTION... loads the crash kernel.
load() {
    program=$1
    shift
    if [ -z "$unified" ]; then
        set -- "$@" --initrd=/crash.img --command-line="$crash_words"
    fi
    "$program" -p "$@" /vmlinuz || fail "$program $* ended with $?"
    [ "$(cat /sys/kernel/kexec_crash_loaded)" = 1 ] || fail "$program $* left no crash kernel"
}
blocks() { ls -d /sys/devices/system/memory/memory[0-9]* | wc -l; }
# grow NUMBER has memory plugged in, two blocks, and takes it into use if the kernel does not.
grow() {
    wanted=$(($(blocks) + 2))
    ask grow "$1"
    for tries in $(seq 300); do
        [ $(blocks) -ge $wanted ] && break
        sleep 0.1
    done
    for state in /sys/devices/system/memory/memory*/state; do
        [ "$(cat $state)" = online ] || echo online >$state
    done
}
crash_words="{crash_words}"
unified={unified}
echo 1 >/proc/sys/kernel/sysrq
"""

# How a panic is made, as shell, on the CPU with this number and mask.
PANICS = {
    "sysrq": "taskset {mask:x} sh -c 'echo c >/proc/sysrq-trigger'",
    "oops": "echo 1 >/proc/sys/kernel/panic_on_oops; taskset {mask:x} insmod /oops.ko",
    # The serial line's break and "c", typed from outside, come by its interrupt.
    "interrupt": """
        echo {mask:x} >/proc/irq/4/smp_affinity
        until [ "$(cat /proc/irq/4/effective_affinity_list)" = {cpu} ]; do echo; sleep 0.1; done
        ask press
        sleep 60""",
    "nmi": "ask press; sleep 60",
}


@dataclasses.dataclass(frozen=True)
class Load:
    """One way to load and to crash."""
    kernel: str
    loader: str              # "-s" or "-c"
    cpus: int
    memory_mib: int
    crashkernel: str
    panic: str               # of PANICS
    cpu: int                 # where it panics
    efi: bool = False        # EFI firmware instead of a BIOS
    spare_cpus: int = 0      # that could be plugged in

    def __str__(self):
        size = "high" if "high" in self.crashkernel else "low"
        return (f"{self.kernel}_{self.loader.strip('-')}_{self.cpus}cpu_{self.memory_mib}m_{size}_"
                f"{self.panic}_on_cpu{self.cpu}{'_efi' * self.efi}"
                f"{'_spare' * (self.spare_cpus > 0)}")


@dataclasses.dataclass
class Crashed:
    """What became of a guest, and what was seen on the way."""
    load: Load
    result: guest.Result
    headers: dict[str, list[elf_headers.Segment]]   # elfcorehdr of each load, by its name
    text: dict[int, str] = dataclasses.field(default_factory=dict)   # like `memory`, by the host
    low_memory: bytes = b""                         # the first 640 KiB, just before the panic
    overwritten: bytes = b""                        # the same once the crash kernel runs

    def lines(self, what: str) -> list[str]:
        """The rests of the console's lines that begin so."""
        return re.findall(rf"^{re.escape(what)} (.*)$", self.result.console, re.MULTILINE)

    @property
    def console(self) -> str:
        """The console from the panic on."""
        return self.result.console.rpartition("GUEST: panicking")[2]

    @property
    def vmcore(self) -> dict[int, bytes]:
        """The bytes of /proc/vmcore that were told, by offset."""
        return {int(offset, 16): bytes.fromhex(data) for offset, data in
                (line.split() for line in self.lines("REPORT data"))}

    @property
    def segments(self) -> list[elf_headers.Segment]:
        """The program headers of /proc/vmcore."""
        return elf_headers.segments(_join(self.vmcore, 0))

    @property
    def notes(self) -> list[elf_headers.Note]:
        """The notes of /proc/vmcore."""
        return [note for segment in self.segments if segment.kind == elf_headers.PT_NOTE
                for note in elf_headers.notes(_join(self.vmcore, segment.offset))]

    @property
    def memory(self) -> dict[int, str]:
        """The memory that was told: 16 bytes in hexadecimal by address."""
        return {int(address, 16): data for address, data in
                (line.split() for line in self.lines("REPORT memory"))}

    @property
    def markers(self) -> dict[int, str]:
        """What the dead kernel's marker programs had, likewise."""
        return {int(address, 16): data for address, data in
                (line.split() for line in self.lines("MARKER:"))}

    def iomem(self, name: str, by: str = "GUEST: iomem") -> ranges.Ranges:
        """The ranges of that name in the last /proc/iomem that was told."""
        text = "\n" + "\n".join(self.lines(by))
        return ranges.of_iomem(text[text.rfind("\n00000000-"):], name)


def _join(pieces: dict[int, bytes], start: int) -> bytes:
    """The bytes from `start` on, as far as they follow each other."""
    result = b""
    while start + len(result) in pieces:
        result += pieces[start + len(result)]
    return result


def _occurrences(data: bytes, sample: bytes) -> list[int]:
    """Where the sample begins in the data."""
    found = []
    at = data.find(sample)
    while at >= 0:
        found.append(at)
        at = data.find(sample, at + 1)
    return found


def find_headers(memory: control.Memory, reserved: ranges.Ranges) -> dict[int, list]:
    """The program headers of every elfcorehdr in the reservation, by the address of each."""
    found = {}
    for start, end in reserved:
        data = memory.read(start, end - start)
        for at in _occurrences(data, elf_headers.MAGIC):
            if at % 1024 == 0 and elf_headers.is_core(data[at:at + elf_headers.HEADER_SIZE]):
                found[start + at] = elf_headers.segments(data[at:at + (1 << 20)])
    return found


class Answers:
    """Does what the guest asks for; `loaded` are the files that it loads, by name."""

    def __init__(self, crashed: Crashed, loaded: dict[str, bytes], verbose):
        self.crashed = crashed
        self._loaded = loaded
        self._verbose = verbose
        self._console: list[str] = []

    def see(self, line: str) -> None:
        """Remembers a line of the console."""
        self._console.append(line + "\n")
        if self._verbose:
            self._verbose(line)

    def __call__(self, words: list[str], machine: control.Machine) -> str:
        self.crashed.result = guest.Result("".join(self._console), "running", 0, 0)
        return getattr(self, "_" + words[0])(machine, *words[1:]) or ""

    def _look(self, machine, name: str, keep: str = "") -> None:
        """Takes down the headers that are loaded; spoils them unless they are to be kept."""
        found = find_headers(machine.memory, self.crashed.iomem("Crash kernel"))
        if len(found) != 1:
            raise control.ControlError(f"after {name}, elfcorehdr at {list(map(hex, found))}")
        (address, segments), = found.items()
        self.crashed.headers[name] = segments
        if not keep:
            # The next load need not overwrite it, and is not to be mistaken for it.
            machine.memory.write(address, bytes(elf_headers.HEADER_SIZE))

    def _grow(self, machine, number: str) -> None:
        """Plugs memory in."""
        machine.execute("object-add", qom_type="memory-backend-ram", id=f"backend{number}",
                        size=GROWTH_MIB << 20)
        machine.execute("device_add", driver="pc-dimm", id=f"dimm{number}",
                        memdev=f"backend{number}")

    def _spoil(self, machine, name: str) -> None:
        """Changes one byte of what was loaded, wherever it is in the reservation."""
        middle = len(self._loaded[name]) // 2
        sample = self._loaded[name][middle:middle + 64]
        places = [start + at for start, end in self.crashed.iomem("Crash kernel")
                  for at in _occurrences(machine.memory.read(start, end - start), sample)]
        if len(places) != 1:
            raise control.ControlError(f"'{name}' is in the reservation {len(places)} times")
        machine.memory.write(places[0], bytes([sample[0] ^ 1]))

    def _panic(self, machine) -> None:
        self.crashed.low_memory = machine.memory.read(0, LOW_END)
        for start, _ in self.crashed.iomem("Kernel code"):
            inside = start + (1 << 20)
            self.crashed.text[inside] = machine.memory.read(inside, 16).hex()

    def _press(self, machine) -> str:
        self._panic(machine)
        if self.crashed.load.panic == "nmi":
            machine.execute("inject-nmi")
            return ""
        machine.send_break()
        return "c"

    def _read(self, machine) -> str:
        self.crashed.overwritten = machine.memory.read(0, LOW_END)
        low = self.crashed.low_memory
        used = [at for at in range(0, LOW_END, PAGE) if any(low[at:at + 16])]
        return " ".join(f"{address:x}" for address in
                        [*self.crashed.markers, *self.crashed.text, *used])


def run(load: Load, kexec: guest.Program, script: str, *, verbose=None, memory_slots: str = "",
        time_limit: float = 300, image: str = "bzImage") -> Crashed:
    """Boots the guest of a load, with its own part of the script, until it ends.

    `image` is how the crash kernel is wrapped (see images.make).
    """
    kernel = kernels.find(load.kernel)
    crash = newc.Archive()
    crash.console()
    crash.copy("init", guest.compile_static("crash_report.c"))
    programs = {"sbin/kexec": kexec, "sbin/incumbent-kexec": vmcore.debian_kexec(),
                "bin/marker": guest.Program(guest.compile_static("marker.c"))}
    initrd = crash.finish()
    loaded = images.make(image, kernel.image.read_bytes(), initrd, guest.CRASH_COMMAND_LINE)
    files = {"vmlinuz": loaded, "crash.img": initrd, "oops.ko": oops_module.make(kernel)}
    contents = guest.guest_image(kernel, _prelude(image) + script, programs, files, modules=[])
    words = "unknown_nmi_panic" if load.panic == "nmi" else ""
    machine = guest.GuestRun(kernel, contents, [], load.memory_mib, load.cpus,
                             crashkernel=load.crashkernel, extra_arguments=words, efi=load.efi,
                             spare_cpus=load.spare_cpus, memory_slots=memory_slots,
                             time_limit=time_limit)
    for _ in range(guest.ATTEMPTS):
        crashed = Crashed(load, guest.Result("", "running", 0, 0), {})
        answering = Answers(crashed, {"kernel": loaded, "initrd": initrd}, verbose)
        crashed.result = machine.run(None, answering.see, answer=answering)
        if not crashed.result.failed_by_emulator():
            break
    return crashed


def _prelude(image: str) -> str:
    """The beginning of every script."""
    unified = "yes" if image == "uki" else ""
    return (SCRIPT.replace("{crash_words}", guest.CRASH_COMMAND_LINE)
            .replace("{unified}", unified))


def panic_script(load: Load) -> str:
    """The end of the script: the panic."""
    asked = load.panic in ("interrupt", "nmi")
    return (("" if asked else "ask panic\n") + "echo 'GUEST: panicking'\n" +
            PANICS[load.panic].format(mask=1 << load.cpu, cpu=load.cpu) + "\n")


def compare_script(load: Load) -> str:
    """The script that loads in all four ways, the load's own as the last, and panics."""
    other = {"-s": "-c", "-c": "-s"}[load.loader]
    order = [(INCUMBENT, "-s"), (INCUMBENT, "-c"), (OURS, other), (OURS, load.loader)]
    names = [("incumbent" if program == INCUMBENT else "ours") + option
             for program, option in order]
    loads = "".join(f"load {program} {option}\nask look {name} {'keep' * (name == names[-1])}\n"
                    for (program, option), name in zip(order, names))
    return f"marker {MARKER_MIB}\ntell_memory\n" + loads + panic_script(load)


def spoil_script(load: Load, what: str) -> str:
    """The script that panics with one byte of the loaded files changed."""
    return f"tell_memory\nload {OURS} {load.loader}\nask spoil {what}\n" + panic_script(load)


def plain_script(load: Load) -> str:
    """The script that loads once, and panics."""
    return (f"marker {MARKER_MIB}\ntell_memory\nload {OURS} {load.loader}\n" +
            panic_script(load))


def grow_script(load: Load) -> str:
    """The script that loads, gets more memory, and looks again; the load's own way as the last."""
    other = {"-s": "-c", "-c": "-s"}[load.loader]
    text = "tell_memory\n"
    for number, option in enumerate((other, load.loader)):
        text += (f"load {OURS} {option}\n"
                 f"echo \"GUEST: hotplug {option} "
                 "$(cat /sys/devices/system/memory/crash_hotplug 2>/dev/null || echo absent)\"\n"
                 f"ask look {option} keep\ngrow {number}\n"
                 f"ask look {option}-grown {'keep' * (option == load.loader)}\n")
    return f"{text}marker {GROWN_MARKER_MIB}\ntell_memory\n" + panic_script(load)
