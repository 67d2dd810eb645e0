# SPDX-License-Identifier: GPL-2.0-or-later
"""Every kind of destination gets a whole dump: file systems on a disk, a raw disk, a folder of the
host's, and servers in a second guest."""

import atexit
import dataclasses
import hashlib
import pathlib
import re
import subprocess
import tarfile
import tempfile
import time

import archive
import capture_run
import case
import debian_image
import guest
import kdump_file
import kernels
import server_guest
import settings
import test_capture
from capture_run import Saved, Setup

KERNEL = "6.1"
DISK_BYTES = 512 << 20
VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
NO_DEVICE = "UUID=01234567-89ab-cdef-0123-456789abcdef"
LIMITS = "device_timeout 5\nnetwork_timeout 30\nconnect_timeout 10\nmount_timeout 30\n"
FILES = ["capture.log", "manifest.json", "vmcore", "vmcore-dmesg.txt"]
STREAMED = ["capture.log", "manifest.json", "vmcore-dmesg.txt", "vmcore.flat"]


@case.once
def server() -> server_guest.ServerGuest:
    """The server that all tests of a run share, those of other files, too; ends with the run."""
    base = archive.cache_root() / "scratch"
    base.mkdir(parents=True, exist_ok=True)
    work = tempfile.TemporaryDirectory(prefix="server.", dir=base)
    started = server_guest.ServerGuest(debian_image.image(KERNEL), pathlib.Path(work.name),
                                       case.show)
    atexit.register(work.cleanup)
    atexit.register(started.stop)
    return started.start()


def tearDownModule():
    """Removes the disks of the crashed guests."""
    test_capture.tearDownModule()


@dataclasses.dataclass
class Got:
    """What a destination got."""
    ended: capture_run.Ended
    dumps: list[Saved]

    @property
    def dump(self) -> Saved:
        """The one dump."""
        only, = self.dumps
        return only


class Place:
    """A destination that tests run: how it is made, written in kdump.conf, and read."""

    files = FILES
    made_anew: tuple[str, ...] = ()     # of the manifest's files, those that others were made of

    def __init__(self, work: pathlib.Path):
        self.work = work

    def setup(self) -> Setup:
        """What the capture kernel finds."""
        raise NotImplementedError

    def read(self) -> pathlib.Path:
        """The folder, on the host, that has the dumps' folders."""
        raise NotImplementedError


class DiskPlace(Place):
    """A file system on a disk, found by its UUID or label."""

    fs_type, modules = "ext4", ("ext4",)
    mkfs: tuple[str, ...] = ("mkfs.ext4", "-q", "-F", "-L", "crash")
    line = "destination LABEL=crash\n"

    def setup(self) -> Setup:
        disk = guest.make_blank(self.work / "disk", DISK_BYTES)
        archive.run_quietly([*self.mkfs, disk], {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"})
        return Setup(self.line + LIMITS, ("virtio_blk", *self.modules),
                     disks=[guest.Disk("crash", disk)])

    def read(self) -> pathlib.Path:
        return capture_run.read_disk(kernels.find(KERNEL), self.work / "disk", self.fs_type,
                                     self.modules, self.work / "read", case.show) / "var/crash"


class Luks(DiskPlace):
    """ext4 on LUKS. Kernels with CONFIG_CRASH_DM_CRYPT hand the key over; here, where none has
    that, a pre hook puts it into the keyring."""

    modules = ("dm_crypt", "xts", "ecb", "aes_generic", "ext4")
    uuid, key = "5f7cb2b6-91d4-4d8e-8d5f-0123456789ab", bytes(range(64))
    prepare = """
cryptsetup luksFormat -q --type luks2 --cipher aes-xts-plain64 --key-size 512 --pbkdf pbkdf2 \
    --pbkdf-force-iterations 1000 --uuid {uuid} --volume-key-file /key "$(disk destination)" /pass \
    || fail "no LUKS header"
cryptsetup open --key-file /pass "$(disk destination)" secret || fail "not opened"
mkfs.ext4 -q -L crash /dev/mapper/secret || fail "no file system"
echo "GUEST: table $(dmsetup table secret)"
cryptsetup close secret
sync
echo "GUEST: read"
poweroff -f
"""
    open = "cryptsetup open --volume-key-file /key {device} secret"

    def in_guest(self, name: str, script: str, disks: list[guest.Disk]) -> guest.Result:
        """Runs what needs dm-crypt."""
        sbin = pathlib.Path("/usr/sbin")
        contents = guest.guest_image(
            kernels.find(KERNEL), script,
            {f"sbin/{program}": guest.Program(sbin / program)
             for program in ("cryptsetup", "dmsetup", "mkfs.ext4")},
            {"key": self.key, "pass": b"open sesame"},
            ["virtio_pci", "virtio_blk", *self.modules, "sha256_generic", "algif_skcipher"])
        run = guest.GuestRun(kernels.find(KERNEL), contents, disks, 512, 1, crashkernel="0M",
                             time_limit=120)
        result = run.run(self.work / f"{name}.log", case.show)
        if not result.has("GUEST: read"):
            raise archive.ArchiveError(f"{name}: {result.console[-1500:]}")
        return result

    def setup(self) -> Setup:
        if not all(pathlib.Path(program).exists() for program in (
                "/usr/sbin/cryptsetup", "/usr/sbin/dmsetup", "/usr/bin/keyctl")):
            raise case.unittest.SkipTest("cryptsetup-bin, dmsetup and keyutils are not installed")
        disk = guest.make_blank(self.work / "disk", DISK_BYTES)
        prepared = self.in_guest("prepare", self.prepare.format(uuid=self.uuid),
                                 [guest.Disk("destination", disk)])
        table = re.search(r"GUEST: table 0 (\d+) crypt (\S+) \S+ (\d+) \S+ (\d+)",
                          prepared.console)
        size, cipher, iv, offset = table.groups()
        hook = (f"#!/bin/busybox sh\n/usr/bin/keyctl add -x user kdump-cryptsetup:vk-{self.uuid} "
                f"{self.key.hex()} @u\n")
        return Setup(
            self.line + LIMITS, ("virtio_blk", *self.modules),
            files={"etc/kdumpkit/volumes":
                   f"{self.uuid} secret {size} {cipher} 64 {iv} {offset}\n".encode(),
                   "etc/kdump/pre.d/key": hook.encode()},
            programs={"/bin/busybox": pathlib.Path("/bin/busybox"),
                      "/usr/bin/keyctl": pathlib.Path("/usr/bin/keyctl")},
            disks=[guest.Disk("crash", disk)])

    def read(self) -> pathlib.Path:
        outbox = guest.make_blank(self.work / "read.tar", capture_run.OUTBOX_BYTES)
        script = capture_run.READ_SCRIPT.format(fs_type="ext4").replace(
            '"$(disk destination)"', "/dev/mapper/secret")
        self.in_guest("read", f"{self.open.format(device='$(disk destination)')}\n{script}",
                      [guest.Disk("destination", self.work / "disk"),
                       guest.Disk("outbox", outbox)])
        with tarfile.open(outbox) as tar:
            tar.extractall(self.work / "read")
        outbox.unlink()
        return self.work / "read/var/crash"


class Xfs(DiskPlace):
    """xfs."""

    fs_type, modules = "xfs", ("xfs",)
    mkfs = ("mkfs.xfs", "-q", "-L", "crash")


class Btrfs(DiskPlace):
    """btrfs."""

    fs_type, modules = "btrfs", ("btrfs",)
    mkfs = ("mkfs.btrfs", "-q", "-L", "crash")


class Vfat(DiskPlace):
    """vfat, whose names may have no colon."""

    fs_type, modules = "vfat", ("vfat", "nls_cp437", "nls_ascii", "nls_iso8859_1", "nls_utf8")
    mkfs = ("mkfs.vfat", "-n", "CRASH")
    line = "destination LABEL=CRASH\n"


class SecondOfTwo(DiskPlace):
    """The first destination of the list does not exist."""

    line = f"destination {NO_DEVICE}\ndestination LABEL=crash\n"


class Raw(Place):
    """A disk without a file system; a guest that is started then makes files of what is on it.

    The manifest is that of the capture: it lists the stream of which the dump was made, after the
    stream was found to have its digest.
    """

    made_anew = ("vmcore.flat",)

    def setup(self) -> Setup:
        disk = guest.make_blank(self.work / "disk", DISK_BYTES)
        return Setup("destination raw:/dev/vda\n" + LIMITS, ("virtio_blk",),
                     disks=[guest.Disk("crash", disk)])

    def read(self) -> pathlib.Path:
        return capture_run.recover_disk(test_capture.programs(), kernels.find(KERNEL),
                                        self.work / "disk", self.work / "recovered", case.show)


class Virtiofs(Place):
    """A folder of the host's."""

    def setup(self) -> Setup:
        if not pathlib.Path(VIRTIOFSD).exists():
            self.skip("no virtiofsd")
        shared = self.work / "shared"
        shared.mkdir()
        self.sockets = tempfile.TemporaryDirectory(prefix="virtiofs.")
        socket = pathlib.Path(self.sockets.name) / "socket"
        self.daemon = subprocess.Popen(
            [VIRTIOFSD, f"--socket-path={socket}", "-o", f"source={shared}", "-o", "cache=none"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not socket.exists():
            if self.daemon.poll() is not None:
                self.skip("virtiofsd does not start here")
            time.sleep(0.1)
        return Setup("destination virtiofs:crash\n" + LIMITS, ("virtiofs",), qemu_arguments=[
            "-chardev", f"socket,id=crash,path={socket}",
            "-device", "vhost-user-fs-pci,chardev=crash,tag=crash"])

    def skip(self, reason: str):
        """Not on this machine."""
        raise case.unittest.SkipTest(reason)

    def read(self) -> pathlib.Path:
        self.daemon.wait(10)
        self.sockets.cleanup()
        return self.work / "shared/var/crash"


class ServerPlace(Place):
    """A folder on the server."""

    config, modules, ssh = "", ("virtio_net",), False
    known_hosts: str | None = None

    def folder(self) -> str:
        """Each test's own one."""
        return f"{server_guest.CRASH}/{type(self).__name__}"

    def setup(self) -> Setup:
        server().run(f"mkdir -p {self.folder()}")
        line = self.config.format(server=server_guest.ADDRESS, folder=self.folder(),
                                  name=type(self).__name__, export=server_guest.CRASH)
        return Setup(line + LIMITS, self.modules).with_server(server(), self.ssh, self.known_hosts)

    def read(self) -> pathlib.Path:
        return server().fetch(self.folder(), self.work / "fetched")


class Nfs4(ServerPlace):
    """NFS 4."""

    config = "destination nfs://{server}{export}:/{name} options=vers=4.2\n"
    modules = capture_run.NFS_MODULES


class Nfs3(ServerPlace):
    """NFS 3."""

    config = "destination nfs://{server}{export}:/{name} options=vers=3\n"
    modules = capture_run.NFS_MODULES


class Ssh(ServerPlace):
    """A login on the server."""

    config = "destination ssh://root@{server}{folder}\n"
    files, ssh = STREAMED, True


class SshByBond(Ssh):
    """A VLAN on a bond of two cards; the cable of the first one leads to nobody."""

    dead_mac = "52:54:00:42:00:03"
    config = f"destination ssh://root@{server_guest.VLAN_ADDRESS}{{folder}}\n"
    modules = ("virtio_net", "bonding", "8021q")
    network = (f"interface {dead_mac} eno1\n"
               f"interface {server_guest.CLIENT_MAC} eno2\n"
               f"bond {server_guest.CLIENT_MAC} bond0 broadcast\n"
               "port eno1\nport eno2\n"
               f"vlan bond0.{server_guest.VLAN} bond0 {server_guest.VLAN}\n"
               f"address {server_guest.VLAN_CLIENT_ADDRESS}/{server_guest.PREFIX}\n")

    def setup(self) -> Setup:
        setup = super().setup()
        setup.files["etc/kdumpkit/network"] = self.network.encode()
        setup.qemu_arguments += ["-netdev", "hubport,id=dead,hubid=1",
                                 "-device", f"virtio-net-pci,netdev=dead,mac={self.dead_mac}"]
        return setup


class NfsAfterChangedKey(Nfs4):
    """The ssh server's key is another one than is known; NFS on the same server is next."""

    config = f"destination ssh://root@{{server}}{{folder}}-ssh\n{Nfs4.config}"
    ssh = True
    known_hosts = (f"{server_guest.ADDRESS} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAA"
                   "AAAAAAAAAAAAAAAAAAAAAAAAAA\n")


PLACES = {"ext4": DiskPlace, "luks": Luks, "xfs": Xfs, "btrfs": Btrfs, "vfat": Vfat, "raw": Raw,
          "virtiofs": Virtiofs, "second_of_two": SecondOfTwo, "nfs3": Nfs3, "nfs4": Nfs4,
          "ssh": Ssh, "ssh_by_bond": SshByBond, "nfs_after_changed_key": NfsAfterChangedKey}
CHOSEN = tuple(PLACES) if settings.current.matrix else ("ssh", "nfs_after_changed_key")


@case.once
def got(name: str) -> Got:
    """The crash of a destination."""
    work = test_capture.scratch(f"destination-{name}")
    place = PLACES[name](work)
    setup = place.setup()
    ended = capture_run.crash(test_capture.programs(), kernels.find(KERNEL), work, setup,
                              verbose=case.show)
    if not re.search("kdump: dump saved", ended.console):
        raise archive.ArchiveError(f"no dump ({ended.result.how}): {ended.console[-400:]}")
    return Got(ended, capture_run.dumps_below(place.read()))


@case.once
def plain(name: str) -> kdump_file.KdumpFile:
    """The dump; one that was streamed is put in order first."""
    folder = got(name).dump.folder
    if (folder / "vmcore").exists():
        return kdump_file.KdumpFile(folder / "vmcore")
    with open(folder / "vmcore.flat", "rb") as stream:
        archive.run_quietly(["makedumpfile", "-R", folder / "vmcore"], stdin=stream)
    return kdump_file.KdumpFile(folder / "vmcore")


@case.expanded_over(place=CHOSEN)
class Destinations(case.VmCase):
    """What each of them has to get."""

    def check_machine_goes_on(self, place):
        """It restarts."""
        self.assertEqual(got(place).ended.result.how, "ended")
        self.assertIn("reboot: Restarting system", got(place).ended.console)

    def check_files(self, place):
        """One folder; nothing unfinished."""
        dump = got(place).dump
        self.assertEqual([name for name in dump.names if name != "vmcore" or
                          "vmcore.flat" not in PLACES[place].files], PLACES[place].files)

    def check_dump_is_whole(self, place):
        """Every kept page is there."""
        dump = plain(place)
        self.assertEqual(dump.problems(), [])
        self.assertFalse(dump.incomplete)
        self.assertEqual(sum(1 for _ in dump.pages()), dump.kept.bit_count())
        self.assertEqual(dump.utsname["release"], kernels.find(KERNEL).release)

    def check_filter_verifies_it(self, place):
        """Every page is read and decompressed once more, on the host."""
        plain(place)
        self.filter("--verify", got(place).dump.folder / "vmcore")

    def check_log(self, place):
        """The dead kernel's log."""
        text = got(place).dump.text("vmcore-dmesg.txt")
        self.assertIn("Linux version", text.splitlines()[0])
        self.assertIn("Kernel panic - not syncing: sysrq triggered crash", text)

    def check_manifest(self, place):
        """Says how it went, and what the files are."""
        dump = got(place).dump
        told = dump.manifest
        self.assertEqual(told["outcome"], "complete")
        self.assertIn("sysrq triggered crash", told["panic"])
        self.assertEqual(told["kernel"], kernels.find(KERNEL).release)
        self.assertEqual(told["destinations"][-1]["outcome"], "used")
        names = {file["name"] for file in told["files"]}
        for file in told["files"]:
            self.assertIn(file["verified"], ("yes", "sample"), file)
            if file["name"] in PLACES[place].made_anew:
                continue
            data = (dump.folder / file["name"]).read_bytes()
            self.assertEqual(len(data), file["size"], file)
            self.assertEqual(hashlib.sha256(data).hexdigest(), file["sha256"], file)
        wanted = PLACES[place].made_anew or PLACES[place].files
        self.assertGreaterEqual(names, set(wanted) - {"manifest.json", "capture.log"})

    def check_those_before_it_failed(self, place):
        """And the manifest says why."""
        *before, _ = got(place).dump.manifest["destinations"]
        for destination in before:
            self.assertEqual(destination["outcome"], "failed", destination)
            self.assertTrue(destination["reason"], destination)
