# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways to load a crash kernel and to crash, and what a guest does for each: its script."""

import dataclasses

import guest

OURS, INCUMBENT = "/sbin/kexec", "/sbin/incumbent-kexec"
MARKER_MIB = 32
GROWN_MARKER_MIB = 300       # so that some of it is in the second piece of memory plugged in

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


def prelude(image: str) -> str:
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
