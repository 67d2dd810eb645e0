# SPDX-License-Identifier: GPL-2.0-or-later
"""Purgatory on a bare (emulated) machine, entered as a dying kernel enters it; no Linux in it.

The firmware is purgatory_stub.S, the kernel that is started purgatory_kernel.S. QEMU puts them and
the segments into memory.
"""

import dataclasses
import pathlib
import selectors
import shutil
import struct
import subprocess
import time
import unittest

import archive
import case
import settings

HERE = pathlib.Path(__file__).resolve().parent
MAKE_PURGATORY = "tests/kexec/make_purgatory"
TIME_LIMIT = 20
PARAMETER = 0x100000             # of purgatory_stub.S
KERNEL, BOOT_PARAMS, INITRD, BACKUP = 0x2000000, 0x91000, 0x3000000, 0x3800000
LOAD_ADDRESSES = (0x1000000, 0x3ff7000, 0x140003000)       # the last beyond 4 GiB
BOOT_CS, BOOT_DS = 0x10, 0x18
COM1, COM2 = 0x3f8, 0x2f8
EXIT_STARTED = 0x21 << 1 | 1     # isa-debug-exit's arithmetic
INTERRUPT_FLAG, DIRECTION_FLAG = 1 << 9, 1 << 10
STARTING = "kdumpkit purgatory: checked 2 segments, starting the new kernel"
STOPS = "kdumpkit purgatory: the machine stops here; reset it by hand"
# purgatory_kernel.S: the registers in this order, rflags, selectors, then the GDT's pointer.
REGISTERS = ("rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rflags").split()
FRAME = struct.Struct("<17Q4HHQ")
# From the Intel manual, volume 3A, 3.4.5: type, present, long/default size, granularity.
CODE_64, DATA_32 = 0x00af9b000000ffff, 0x00cf93000000ffff


def overwritten(name: str, address: int, size: int) -> str:
    """Purgatory's line about a segment."""
    return (f"kdumpkit purgatory: segment '{name}' at {address:#x} ({size} bytes) was overwritten "
            "after it was loaded; the new kernel is not started")


@dataclasses.dataclass(frozen=True)
class Started:
    """What the started kernel saw."""
    registers: dict[str, int]
    selectors: tuple[int, ...]       # cs, ds, es, ss
    descriptors: tuple[int, ...]
    extra: bytes                     # memory it was asked to show

    @classmethod
    def parse(cls, data: bytes) -> "Started | None":
        """From the debug console; None when no kernel was started."""
        if not data:
            return None
        values = FRAME.unpack_from(data)
        descriptors = struct.unpack_from("<4Q", data, FRAME.size)
        return cls(dict(zip(REGISTERS, values)), values[17:21], descriptors,
                   data[FRAME.size + 32:])


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a machine ended."""
    serial: list[str]
    started: Started | None
    status: int | None               # of QEMU; None: it had to be stopped
    seconds: float
    triple_fault: bool


class Boot(case.VmCase):
    """One machine a test; what it loads is changed before `boot`."""

    build_dir = settings.current.build_dir
    stub: pathlib.Path
    kernel: pathlib.Path

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if shutil.which("qemu-system-x86_64") is None:
            raise unittest.SkipTest("qemu-system-x86_64 is not installed")
        cls.stub = cls.assemble("purgatory_stub", 0xffff0000)
        cls.kernel = cls.assemble("purgatory_kernel", 0)

    @classmethod
    def assemble(cls, name: str, address: int) -> pathlib.Path:
        """Flat code for that address."""
        output = cls.work / f"{name}.bin"
        archive.run_quietly(["gcc", "-nostdlib", "-no-pie", "-static", "-o", output,
                             f"-Wl,--oformat=binary,--build-id=none,-Ttext={address:#x}",
                             HERE / f"{name}.S"])
        return output

    def setUp(self):
        self.folder = self.work / self.id().rsplit(".", 1)[1]
        self.folder.mkdir()
        self.loads: dict[str, tuple[int, bytes]] = {
            "kernel": (KERNEL, self.kernel.read_bytes()),
            "initrd": (INITRD, bytes(range(256)) * 4001 + b"end")}
        self.options = {"entry": KERNEL, "boot_params": BOOT_PARAMS, "serial": COM1}
        self.address = LOAD_ADDRESSES[0]
        self.memory_size = 0

    def show(self, address: int, size: int) -> None:
        """Has the kernel show memory."""
        place, image = self.loads["kernel"]
        self.loads["kernel"] = place, image[:8] + struct.pack("<QQ", address, size) + image[24:]

    def damage(self, name: str, at: int) -> None:
        """Changes a bit of a segment, as if after loading."""
        place, data = self.loads[name]
        self.loads[name] = place, data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]

    def make(self, regions=("kernel", "initrd")) -> None:
        """Makes purgatory for the segments as they are now, and loads it."""
        tool = self.build_dir.resolve() / MAKE_PURGATORY
        if not tool.exists():
            self.skipTest(f"'{MAKE_PURGATORY}' is not in the build folder '{self.build_dir}'")
        words = [f"{name}={value}" for name, value in self.options.items()]
        for name in regions:
            place, data = self.loads[name]
            (self.folder / name).write_bytes(data)
            words.append(f"region={name},{place},{self.folder / name}")
        output = self.folder / "purgatory"
        done = self.succeed([tool, output, *words])
        self.memory_size, self.entry_offset = map(int, done.stdout.split())
        self.loads["purgatory"] = self.address, output.read_bytes()

    def arguments(self, machine: str, extra: list[str]) -> list[str]:
        """QEMU's."""
        memory = 6144 if any(place >= 1 << 32 for place, _ in self.loads.values()) else 128
        argv = ["qemu-system-x86_64", "-accel", "tcg", "-M", machine, "-m", str(memory),
                "-bios", str(self.stub), "-display", "none", "-nodefaults", "-no-reboot",
                "-serial", "stdio", "-d", "cpu_reset", "-D", str(self.folder / "log"),
                "-debugcon", f"file:{self.folder / 'debug'}",
                "-device", "isa-debug-exit,iobase=0xf4,iosize=4", *extra]
        for name, (place, data) in self.loads.items():
            path = self.folder / f"{name}.loaded"
            path.write_bytes(data)
            argv += ["-device", f"loader,file={path},addr={place:#x},force-raw=on"]
        entry = self.address + self.entry_offset
        return argv + ["-device", f"loader,addr={PARAMETER:#x},data={entry:#x},data-len=8"]

    def boot(self, machine: str = "pc", extra=(), until: str | None = None) -> Outcome:
        """Runs the machine to its end, or to half a second after a line with `until`."""
        argv = self.arguments(machine, list(extra))
        start = time.monotonic()
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as qemu:
            try:
                serial, status = self.watch(qemu, start + TIME_LIMIT, until)
            finally:
                qemu.kill()
        debug, log = self.folder / "debug", self.folder / "log"
        return Outcome(serial.decode("ascii", "replace").splitlines(),
                       Started.parse(debug.read_bytes()), status, time.monotonic() - start,
                       log.exists() and "Triple fault" in log.read_text(errors="replace"))

    def watch(self, qemu: subprocess.Popen, deadline: float, until: str | None):
        """The serial port's bytes and QEMU's exit status."""
        serial = b""
        with selectors.DefaultSelector() as wait:
            wait.register(qemu.stdout, selectors.EVENT_READ)
            while wait.select(max(0.0, deadline - time.monotonic())):
                data = qemu.stdout.read1()
                if not data:
                    return serial, qemu.wait()
                serial += data
                if until and until.encode() in serial:
                    deadline = min(deadline, time.monotonic() + 0.5)
        self.assertTrue(until and until.encode() in serial, f"no end: {serial!r}")
        return serial, None

    def assert_started(self, outcome: Outcome) -> Started:
        """The kernel was started as the 64-bit boot protocol says."""
        self.assertIsNotNone(outcome.started, outcome)
        self.assertEqual(outcome.status, EXIT_STARTED)
        started = outcome.started
        registers = dict(started.registers)
        self.assertEqual(registers.pop("rsi"), BOOT_PARAMS)
        self.assertEqual(registers.pop("rflags") & (INTERRUPT_FLAG | DIRECTION_FLAG), 0)
        stack = registers.pop("rsp")
        self.assertTrue(self.address < stack <= self.address + self.memory_size, hex(stack))
        self.assertEqual(stack % 16, 0)
        self.assertEqual(set(registers.values()), {0}, registers)
        self.assertEqual(started.selectors, (BOOT_CS, BOOT_DS, BOOT_DS, BOOT_DS))
        self.assertEqual(started.descriptors[BOOT_CS // 8], CODE_64)
        self.assertEqual(started.descriptors[BOOT_DS // 8], DATA_32)
        return started

    def assert_reset(self, outcome: Outcome) -> None:
        """The machine reset itself and no kernel was started."""
        self.assertIsNone(outcome.started)
        self.assertEqual(outcome.status, 0)

    def test_starts_at_any_address(self):
        """Verified, and started alike wherever it is loaded, beyond 4 GiB too."""
        for self.address in LOAD_ADDRESSES:
            self.make()
            outcome = self.boot()
            self.assert_started(outcome)
            self.assertEqual(outcome.serial, [STARTING], hex(self.address))

    def test_segments_beyond_4_gib(self):
        """Everything that is verified and started, high up."""
        place = 0x148000000
        self.loads["kernel"] = place, self.loads["kernel"][1]
        self.loads["initrd"] = place + 0x1000000, self.loads["initrd"][1]
        self.options["entry"] = place
        self.make()
        self.assert_started(self.boot())
        self.damage("initrd", 4097)
        outcome = self.boot(until=STOPS)
        size = len(self.loads["initrd"][1])
        self.assertEqual(outcome.serial, [overwritten("initrd", place + 0x1000000, size), STOPS])

    def test_nothing_to_check(self):
        """-i: a damaged segment is started all the same."""
        self.make(regions=())
        self.damage("initrd", 0)
        self.assert_started(self.boot())

    def test_damage_stops(self):
        """The first, a middle and the last byte of a segment; the machine stays on."""
        size = len(self.loads["initrd"][1])
        self.make()
        for at in (0, size // 2, size - 1):
            self.damage("initrd", at)
            outcome = self.boot(until=STOPS)
            self.damage("initrd", at)
            self.assertEqual(outcome.serial, [overwritten("initrd", INITRD, size), STOPS], at)
            self.assertIsNone(outcome.status, at)
            self.assertIsNone(outcome.started, at)

    def test_damage_resets_after_seconds(self):
        """The delay is one of the clock, not of the processor's speed."""
        self.options["reset"] = 2
        self.make()
        self.damage("kernel", 100)
        outcome = self.boot()
        self.assert_reset(outcome)
        self.assertIn("the machine is reset in 2 seconds", outcome.serial[-1])
        self.assertGreater(outcome.seconds, 2)
        self.assertLess(outcome.seconds, 5)

    def check_reset_now(self, machine: str, *extra: str) -> Outcome:
        """Damage, and the reset without a delay."""
        self.options["reset"] = -1
        self.make()
        self.damage("kernel", 100)
        outcome = self.boot(machine, extra)
        self.assert_reset(outcome)
        return outcome

    def test_reset_by_chipset(self):
        """The first way, on a machine that has no other but a triple fault."""
        outcome = self.check_reset_now("q35,i8042=off")
        self.assertEqual(outcome.serial[-1], "kdumpkit purgatory: the machine is reset now")
        self.assertFalse(outcome.triple_fault)

    def test_reset_by_keyboard_controller(self):
        """The second way: an ISA machine has no other."""
        outcome = self.check_reset_now("isapc", "-cpu", "qemu64")
        self.assertFalse(outcome.triple_fault)

    def test_reset_by_triple_fault(self):
        """The last way, on a machine that also has no interval timer."""
        outcome = self.check_reset_now(
            "microvm,x-option-roms=off,isa-serial=on,pit=off,pic=off,rtc=off")
        self.assertTrue(outcome.triple_fault)

    def test_damaged_arguments(self):
        """Purgatory does not believe arguments that are not as they were."""
        self.make()
        self.damage("purgatory", 9)          # the entry
        outcome = self.boot(until=STOPS)
        self.assertIsNone(outcome.started)
        self.assertIn("its own arguments were overwritten", outcome.serial[0])

    def test_backup(self):
        """Low memory from address 0 on is copied before the kernel starts, not before."""
        low = bytes(i * 7 & 0xff for i in range(160 << 10))
        self.loads["low"] = 0, low
        self.loads["old"] = BACKUP, b"\xee" * (len(low) + 16)
        self.options["backup"] = f"0,{len(low)},{BACKUP + 8}"
        self.show(BACKUP, len(low) + 16)
        self.make()
        started = self.assert_started(self.boot())
        self.assertTrue(started.extra == b"\xee" * 8 + low + b"\xee" * 8)

    def test_silent_without_port(self):
        """Port 0: not a byte, whether all is well or not."""
        self.options.update(serial=0, reset=-1)
        self.make()
        outcome = self.boot()
        self.assert_started(outcome)
        self.assertEqual(outcome.serial, [])
        self.damage("kernel", 100)
        outcome = self.boot()
        self.assert_reset(outcome)
        self.assertEqual(outcome.serial, [])

    def test_port_without_uart(self):
        """Nothing at the port: it goes on, whether all is well or not."""
        self.options.update(serial=COM2, reset=-1)
        self.make()
        outcome = self.boot()
        self.assert_started(outcome)
        self.assertEqual(outcome.serial, [])
        self.damage("kernel", 100)
        self.assert_reset(self.boot())


@unittest.skipUnless((settings.current.build_dir.resolve().parent / "build-sanitize").is_dir(),
                     "no second build")
class BootSecondBuild(Boot):
    """The same with the purgatory that clang compiled."""

    build_dir = settings.current.build_dir.resolve().parent / "build-sanitize"
