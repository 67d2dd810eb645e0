# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures in which something goes wrong: each ends within its bound, in the state that
docs/reliability.md has, with what could be saved saved."""

import dataclasses
import pathlib
import re
import shutil
import unittest

import archive
import capture_run
import case
import guest
import kernels
import reliability
import server_guest
import settings
import test_capture
import test_destinations
from capture_run import Saved, Setup
from server_guest import ADDRESS, CRASH, SMALL

KERNEL = "6.1"
DEVICE, NETWORK, CONNECT, MOUNT, STALL, HOOK, WATCHDOG = 5, 20, 10, 20, 20, 5, 10
LIMITS = (f"device_timeout {DEVICE}\nnetwork_timeout {NETWORK}\nconnect_timeout {CONNECT}\n"
          f"mount_timeout {MOUNT}\nstall_timeout {STALL}\nhook_timeout {HOOK}\n")
# A capture without a fault takes 10 s of the guest's time on a quiet machine.
ORDINARY = 60
LOCAL = "destination LABEL=crash\n"
ALL_MEMORY = "level 0\n"            # so that the dump takes some seconds
DUMP_BEGINS = "kdump: running: kdump-filter -"
WORDS = (("saved_with_faults", r"kdump: dump saved with faults: "),
         ("saved", r"kdump: dump saved: "),
         ("log_only", r"kdump: log of the dead kernel saved, no dump: "),
         ("failed", r"kdump: dump failed: "),
         ("skipped", r"kdump: no dump: kdump_pre"))
OUTCOMES = {"saved": "dump saved", "saved_with_faults": "dump saved with faults",
            "log_only": "log of the dead kernel saved, no dump", "failed": "dump failed",
            "skipped": "no dump",
            "none": "nothing: the crash kernel panics, and restarts the machine",
            "reset": "nothing: the hardware watchdog resets the machine"}
UNSPOKEN = ("none", "reset")        # outcomes of which we cannot say anything any more
NAMES = {"vmcore": "the dump", "vmcore.flat": "the dump", "vmcore-dmesg.txt": "the log",
         "vmcore-incomplete": "an incomplete dump", "vmcore.flat-incomplete": "an incomplete dump",
         "manifest.json": "manifest.json", "capture.log": "capture.log"}


class Fault:
    """One thing that goes wrong.  The destination is an ext4 disk unless a class says otherwise."""

    title = ""
    outcome = "saved"                   # of OUTCOMES
    says = "."                          # what the console has to tell, a regular expression
    bound = ORDINARY
    config = LOCAL
    disk_mib = 512
    crashkernel = "192M"
    modules: tuple[str, ...] = ()

    def __init__(self, work: pathlib.Path):
        self.work = work
        self.disk = work / "disk"

    def setup(self) -> Setup:
        """What the capture kernel finds."""
        guest.make_ext4(self.disk, self.disk_mib << 20, "-L", "crash", "-m", "0")
        return Setup(self.config + LIMITS, ("virtio_blk", "ext4", *self.modules),
                     disks=[guest.Disk("crash", self.disk)], crashkernel=self.crashkernel)

    def read(self) -> list[Saved]:
        """The dumps' folders that are left."""
        place = capture_run.read_disk(kernels.find(KERNEL), self.disk, "ext4", ("ext4",),
                                      self.work / "read", case.show)
        return capture_run.dumps_below(place / "var/crash")


class DeviceMissing(Fault):
    """No disk has the label."""

    title = "The destination's device is not there"
    outcome, says = "failed", "no block device has it"
    config = "destination LABEL=nowhere\n"
    bound = ORDINARY + DEVICE


class DiskFull(Fault):
    """Not even a dump of level 31 fits."""

    title = "The disk has no room for any dump"
    outcome, says = "failed", "too little room"
    disk_mib = 16


class DiskSmall(Fault):
    """A dump of level 0 does not fit, one of level 31 does."""

    title = "The disk has no room for the dump that is configured, but for a smaller one"
    says = "instead of level 0"
    config = LOCAL + ALL_MEMORY + "min_free 0\n"
    disk_mib = 64


class ReadOnly(Fault):
    """The disk cannot be written."""

    title = "The disk is read-only"
    outcome, says = "failed", r"(?i)read-only|permission denied"

    def setup(self) -> Setup:
        setup = super().setup()
        return dataclasses.replace(setup, disks=[guest.Disk("crash", self.disk, read_only=True)])


class NoFileSystem(Fault):
    """The disk has lost its file system."""

    title = "The disk has no file system any more"
    outcome, says = "failed", "/dev/vda"
    config = "destination /dev/vda\n"

    def setup(self) -> Setup:
        setup = super().setup()
        guest.make_blank(self.disk, self.disk_mib << 20)
        return setup

    def read(self) -> list[Saved]:
        return []


class Busybox(Fault):
    """A hook is one of busybox's programs."""

    program = ""

    def setup(self) -> Setup:
        setup = super().setup()
        busybox = pathlib.Path(shutil.which("busybox") or "/bin/busybox")
        return dataclasses.replace(setup, programs={self.program: busybox})


class PreHookFails(Busybox):
    """kdump_pre ends with status 1."""

    title = "kdump_pre fails"
    says = "/bin/false"
    program, config = "/bin/false", LOCAL + "kdump_pre /bin/false\n"


class PreHookForbids(Busybox):
    """The same, where it was told to matter."""

    title = "kdump_pre fails, and `pre_failure skip` is configured"
    outcome, says = "skipped", "/bin/false"
    program, config = "/bin/false", LOCAL + "kdump_pre /bin/false\npre_failure skip\n"


class PreHookHangs(Fault):
    """kdump_pre waits for ever."""

    title = "kdump_pre hangs"
    says = "/bin/hang"
    config = LOCAL + "kdump_pre /bin/hang\n"
    bound = ORDINARY + HOOK

    def setup(self) -> Setup:
        return dataclasses.replace(super().setup(),
                                   programs={"/bin/hang": guest.compile_static("hang.c")})


class PostHookFails(Busybox):
    """kdump_post ends with status 1."""

    title = "kdump_post fails"
    says = "/bin/false"
    program, config = "/bin/false", LOCAL + "kdump_post /bin/false\n"


class ServerFault(Fault):
    """The destination is on the server, over ssh unless a class says otherwise."""

    ssh, modules = True, ("virtio_net",)
    known_hosts: str | None = None
    config = "destination ssh://root@{server}{folder}\n"
    bound = ORDINARY + NETWORK + CONNECT

    @property
    def server(self) -> server_guest.ServerGuest:
        """The one that all tests share."""
        return test_destinations.server()

    def folder(self) -> str:
        """Each fault's own one."""
        return f"{CRASH}/fault-{type(self).__name__}"

    def setup(self) -> Setup:
        self.server.run(f"mkdir -p {self.folder()}")
        self.break_before()
        config = self.config.format(server=ADDRESS, folder=self.folder(), export=CRASH,
                                    name=self.folder().removeprefix(f"{CRASH}/"), small=SMALL)
        setup = Setup(config + LIMITS, self.modules, crashkernel=self.crashkernel,
                      during=self.hear)
        return setup.with_server(self.server, self.ssh, self.known_hosts)

    def break_before(self) -> None:
        """What is wrong from the beginning."""

    def hear(self, line: str) -> None:
        """What goes wrong when the console has a line."""

    def mend(self) -> None:
        """The server is as it was."""

    def read(self) -> list[Saved]:
        self.mend()
        return capture_run.dumps_below(self.server.fetch(self.folder(), self.work / "fetched"))


class SshRefused(ServerFault):
    """Nobody listens."""

    title = "ssh: the server does not run sshd"
    outcome, says = "failed", r"(?i)refused"

    def break_before(self) -> None:
        self.server.run("systemctl stop ssh.service")

    def mend(self) -> None:
        self.server.run("systemctl start ssh.service")


class ServerSilent(ServerFault):
    """Packets are lost from the beginning."""

    title = "ssh: the server does not answer at all"
    outcome, says = "failed", r"ssh://root@"

    def break_before(self) -> None:
        self.server.unplug()

    def mend(self) -> None:
        self.server.unplug(plugged=True)


class HostKeyChanged(ServerFault):
    """The key that is known is another one."""

    title = "ssh: the server has another key"
    outcome, says = "failed", "the server's key is not the one"
    known_hosts = test_destinations.NfsAfterChangedKey.known_hosts


class Midway(ServerFault):
    """Something happens when some of the dump is on the server."""

    config = ServerFault.config + ALL_MEMORY
    happened = False

    def hear(self, line: str) -> None:
        if DUMP_BEGINS in line and "dump-dmesg" not in line and not self.happened:
            self.happened = True
            self.server.run(f"until find {self.folder()} -name '*-incomplete' -size +2M | "
                            "grep -q .; do sleep 0.1; done")
            self.break_now()

    def break_now(self) -> None:
        """What happens."""


class HostKeyChangesMidway(Midway):
    """The server gets another key; the connection that has the dump goes on."""

    title = "ssh: the server gets another key while the dump is sent"
    outcome, says = "failed", "the server's key is not the one"

    def break_now(self) -> None:
        self.server.run("mkdir /root/kept && mv /etc/ssh/ssh_host_* /root/kept && "
                        "ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key && "
                        "systemctl restart ssh.service")

    def mend(self) -> None:
        self.server.run("rm /etc/ssh/ssh_host_* && mv /root/kept/* /etc/ssh && rmdir /root/kept && "
                        "systemctl restart ssh.service")


class SshStalled(Midway):
    """Packets are lost from then on."""

    title = "ssh: the network stalls while the dump is sent"
    outcome, says = "failed", "ssh://root@"
    bound = ServerFault.bound + 3 * STALL

    def break_now(self) -> None:
        self.server.unplug()

    def mend(self) -> None:
        self.server.unplug(plugged=True)


class SshServerKilled(Midway):
    """The server loses its power."""

    title = "ssh: the server is killed while the dump is sent"
    outcome, says = "failed", "ssh://root@"
    bound = SshStalled.bound

    def break_now(self) -> None:
        self.server.run("sync")          # else it may lose what it has got
        self.server.kill()

    def mend(self) -> None:
        self.server.start()


class SshdKilled(Midway):
    """All of its processes of sshd are killed."""

    title = "ssh: sshd is killed while the dump is sent"
    outcome, says = "failed", r"(?i)refused|closed|reset"

    def break_now(self) -> None:
        self.server.run("systemctl stop ssh.socket ssh.service; pkill -KILL sshd")

    def mend(self) -> None:
        self.server.run("systemctl start ssh.service")


class SshFull(ServerFault):
    """The folder is on a small, full file system."""

    title = "ssh: the server's disk is full"
    outcome, says = "failed", "too little room|No space left"
    config = "destination ssh://root@{server}{small}\n"

    def break_before(self) -> None:
        self.server.run(f"rm -rf {SMALL}/*; head -c 20M /dev/zero >{SMALL}/filled; sync")

    def read(self) -> list[Saved]:
        return [dump for dump in capture_run.dumps_below(
            self.server.fetch(SMALL, self.work / "fetched")) if dump.folder.name != "lost+found"]


class Nfs(ServerFault):
    """The destination is an export."""

    ssh, modules = False, capture_run.NFS_MODULES
    config = "destination nfs://{server}{export}:/{name}\n"
    bound = ORDINARY + NETWORK + 2 * MOUNT


class NfsDown(Nfs):
    """The service does not run."""

    title = "NFS: the service is down"
    outcome, says = "failed", "cannot mount"

    def break_before(self) -> None:
        self.server.run("systemctl stop nfs-server.service")

    def mend(self) -> None:
        self.server.run("systemctl start nfs-server.service")


class NfsReadOnly(Nfs):
    """The export may not be written."""

    title = "NFS: the export is read-only"
    outcome, says = "failed", "(?i)read-only"

    def break_before(self) -> None:
        self.server.run(f"exportfs -o ro,no_root_squash,fsid=1 '*:{CRASH}'")

    def mend(self) -> None:
        self.server.run("exportfs -ra")


class NfsStalled(Nfs, Midway):
    """Packets are lost from then on."""

    title = "NFS: the network stalls while the dump is written"
    outcome, says = "failed", "."
    config = Nfs.config + ALL_MEMORY
    bound = Nfs.bound + 4 * STALL

    def break_now(self) -> None:
        self.server.unplug()

    def mend(self) -> None:
        self.server.unplug(plugged=True)


class NfsServerKilled(NfsStalled):
    """The server loses its power."""

    title = "NFS: the server is killed while the dump is written"

    def break_now(self) -> None:
        self.server.kill()

    def mend(self) -> None:
        self.server.start()


class KernelHangs(Fault):
    """No process of the crash kernel gets the CPU any more, from within a hook on."""

    title = "The crash kernel hangs as a whole, and there is a hardware watchdog"
    outcome, says = "reset", r"hardware watchdog '/dev/watchdog0' resets the machine after 10 s"
    config = f"{LOCAL}kdump_pre /bin/starve\nwatchdog_timeout {WATCHDOG}\n"
    bound = ORDINARY + WATCHDOG
    modules = ("i6300esb",)

    def setup(self) -> Setup:
        return dataclasses.replace(super().setup(), qemu_arguments=["-device", "i6300esb"],
                                   programs={"/bin/starve": guest.compile_static("starve.c")})


class NoMemory(Fault):
    """The crash kernel has not enough memory to start our program."""

    title = "No memory: crashkernel=76M"
    outcome = "none"
    crashkernel = "76M"


class LittleMemory(Fault):
    """The least that is enough, by tests/bench/memory_floor.py, and a margin."""

    title = "Little memory: crashkernel=96M"
    crashkernel = "96M"


class LessMemory(Fault):
    """In between it may end either way, but it ends."""

    title = "Little memory: crashkernel=80M"
    outcome = "none"
    crashkernel = "80M"


ALL = (DeviceMissing, DiskFull, DiskSmall, ReadOnly, NoFileSystem, PreHookFails, PreHookForbids,
       PreHookHangs, PostHookFails, SshRefused, ServerSilent, HostKeyChanged,
       HostKeyChangesMidway, SshdKilled, SshStalled, SshServerKilled, SshFull, NfsDown, NfsReadOnly,
       NfsStalled, NfsServerKilled, KernelHangs, NoMemory, LessMemory, LittleMemory)
FAULTS = {fault.__name__: fault for fault in ALL}
CHOSEN = tuple(FAULTS) if settings.current.matrix else ("SshStalled", "KernelHangs")


@dataclasses.dataclass
class Observed:
    """What became of a fault."""
    fault: Fault
    ended: capture_run.Ended
    dumps: list[Saved]

    @property
    def outcome(self) -> str:
        """One of OUTCOMES."""
        return next((name for name, words in WORDS if re.search(words, self.ended.console)),
                    "none" if "Kernel panic" in self.ended.console else "reset")

    @property
    def left(self) -> str:
        """The files, for people."""
        names = [name for dump in self.dumps for name in dump.names]
        known = dict.fromkeys(NAMES.get(name, name) for name in sorted(names, key=_order))
        if known:
            return ", ".join(known)
        return "its last lines of the log on the console" if self.shows_log else "nothing"

    @property
    def shows_log(self) -> bool:
        """Whether the console has the dead kernel's last words once more."""
        return "sysrq triggered crash" in self.ended.console.partition("kdump: ")[2]

    def row(self) -> reliability.Row:
        """The row of the table."""
        return reliability.Row(self.fault.title, OUTCOMES[self.outcome], self.left,
                               self.fault.bound)


def _order(name: str) -> int:
    return list(NAMES).index(name) if name in NAMES else len(NAMES)


@case.once
def observed(name: str) -> Observed:
    """Has it happen."""
    work = test_capture.scratch(f"fault-{name}")
    fault = FAULTS[name](work)
    ended = capture_run.crash(test_capture.programs(), kernels.find(KERNEL), work, fault.setup(),
                              verbose=case.show, time_limit=fault.bound + 240)
    return Observed(fault, ended, fault.read())


def tearDownModule():
    """Removes the disks of the crashed guests."""
    test_capture.tearDownModule()


@case.expanded_over(fault=CHOSEN)
class CaptureFaults(case.VmCase):
    """What has to hold whatever goes wrong."""

    def check_ends_within_its_bound(self, fault):
        """By restarting, and by the crash kernel's own clock."""
        seen = observed(fault)
        self.assertEqual(seen.ended.result.how, "ended", seen.ended.console[-1000:])
        if seen.fault.outcome == "reset":
            self.assertNotIn("reboot: ", seen.ended.console)
        if seen.fault.outcome not in UNSPOKEN:
            self.assertIn("kdump: rebooting", seen.ended.console)
            self.assertLess(seen.ended.seconds, seen.fault.bound)

    def check_outcome(self, fault):
        """As documented, with the reason."""
        seen = observed(fault)
        self.assertEqual(seen.outcome, seen.fault.outcome, seen.ended.console[-1000:])
        self.assertRegex(seen.ended.console, seen.fault.says)

    def check_nothing_passes_for_more_than_it_is(self, fault):
        """A dump has its name only when it is said to be saved, and the manifest agrees."""
        seen = observed(fault)
        for dump in seen.dumps:
            whole = any(name in dump.names for name in ("vmcore", "vmcore.flat"))
            self.assertEqual(whole, seen.outcome.startswith("saved"), dump.names)
            if "manifest.json" in dump.names:
                self.assertEqual(dump.manifest["outcome"] == "complete", whole)

    def check_log_is_saved_or_shown(self, fault):
        """Unless nothing was to be saved, or the crash kernel could not even start us."""
        seen = observed(fault)
        if seen.fault.outcome in (*UNSPOKEN, "skipped"):
            return
        logs = [dump.text("vmcore-dmesg.txt") for dump in seen.dumps]
        self.assertTrue(seen.shows_log or any("sysrq triggered crash" in log for log in logs))

    def check_document_has_it(self, fault):
        """docs/reliability.md says what happened here."""
        self.assertEqual(reliability.committed().get(FAULTS[fault].title),
                         str(observed(fault).row()))


class Document(unittest.TestCase):
    """docs/reliability.md."""

    def test_has_every_fault_and_no_other(self):
        """In the order of the suite."""
        self.assertEqual(list(reliability.committed()), [fault.title for fault in ALL])
