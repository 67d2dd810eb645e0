# SPDX-License-Identifier: GPL-2.0-or-later
"""A server for dumps: a Debian guest with OpenSSH and the kernel's NFS, and a link to it.

The link is two datagram sockets: either side may come and go.  The server runs commands that are
typed on its serial line, so a test can look at it and break it.  What was saved there is read
through a disk of its own, in the form of tar.
"""

import base64
import pathlib
import queue
import shlex
import tarfile
import tempfile
import threading

import archive
import debian_guest
import debian_image
import guest

ADDRESS, CLIENT_ADDRESS, PREFIX = "10.42.0.1", "10.42.0.2", 24
VLAN = 5                                         # one of the link's networks, with addresses of its own
VLAN_ADDRESS, VLAN_CLIENT_ADDRESS = "10.42.5.1", "10.42.5.2"
SERVER_MAC, CLIENT_MAC = "52:54:00:42:00:01", "52:54:00:42:00:02"
CRASH, SMALL = "/srv/crash", "/srv/small"       # both are exported
SMALL_MIB = 32
IDENTITY = "/root/.ssh/kdump_id_ed25519"
OUTBOX_BYTES = 1024 << 20
LINE = "GUEST| "

# NFS 4 lets nobody open a file before this time has passed.
NFS_CONF = b"[nfsd]\ngrace-time=10\nlease-time=10\n"
EXPORTS = "".join(f"{path} *(rw,no_root_squash,sync,no_subtree_check,fsid={number})\n"
                  for number, path in enumerate((CRASH, SMALL), start=1))
SCRIPT = f"""
dmesg -n 1
ip address add {ADDRESS}/{PREFIX} dev eth0 && ip link set eth0 up || fail "no network device"
ip link add link eth0 name vlan{VLAN} type vlan id {VLAN} || fail "no VLAN"
ip address add {VLAN_ADDRESS}/{PREFIX} dev vlan{VLAN} && ip link set vlan{VLAN} up
mkdir -p {CRASH} {SMALL} /root/.ssh
if [ ! -e {IDENTITY} ]; then                # the first of its lives
    truncate -s {SMALL_MIB}M /small.img
    mkfs.ext4 -q -m 0 /small.img
    ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
    ssh-keygen -q -t ed25519 -N '' -f {IDENTITY}
fi
mount -o loop /small.img {SMALL} || fail "no small file system"
cp {IDENTITY}.pub /root/.ssh/authorized_keys
systemctl start ssh.service rpcbind.service nfs-server.service || fail "the servers do not start"
stty -F /dev/ttyS0 -echo
exec 3</dev/ttyS0
while :; do
    say "ask next"
    read -r command <&3 || fail "nobody there"
    if [ "$command" = stop ]; then break; fi
    echo "$command" | base64 -d >/run/command
    sh /run/command >/run/output 2>&1 </dev/null
    status=$?
    base64 /run/output | sed 's/^/{LINE}/'
    say "status $status"
done
"""


class Link:
    """A network of two guests."""

    def __init__(self):
        # Names of sockets must be short.
        self._folder = tempfile.TemporaryDirectory(prefix="link.")

    def _end(self, name: str, other: str, mac: str) -> list[str]:
        place = pathlib.Path(self._folder.name)
        (place / name).unlink(missing_ok=True)
        return ["-netdev", f"dgram,id=net0,local.type=unix,local.path={place / name},"
                           f"remote.type=unix,remote.path={place / other}",
                "-device", f"virtio-net-pci,netdev=net0,mac={mac}"]

    def server(self) -> list[str]:
        """QEMU's words for the server's network card."""
        return self._end("server", "client", SERVER_MAC)

    def client(self) -> list[str]:
        """The same for the other guest's; once for each of its lives."""
        return self._end("client", "server", CLIENT_MAC)

    def close(self) -> None:
        """Removes the sockets."""
        self._folder.cleanup()


class ServerGuest:
    """The server.  It runs in a thread until it is stopped or killed."""

    def __init__(self, system: debian_image.Image, work: pathlib.Path, verbose=None):
        self.link = Link()
        self._work = work
        self._verbose = verbose
        self._machine = debian_guest.Machine(system, work)
        self._outbox = guest.make_blank(work / "outbox", OUTBOX_BYTES)
        self._control = None                             # of the running QEMU
        self._commands: queue.Queue[str] = queue.Queue()
        self._replies: queue.Queue[tuple[int, str]] = queue.Queue()
        self._lines: list[str] = []
        self._thread = None
        self._ended = ""
        self.identity = self.host_keys = ""

    def start(self) -> "ServerGuest":
        """Boots it; returns when it serves.  After it was killed it starts as it is."""
        self._control = None
        self._commands, self._replies = queue.Queue(), queue.Queue()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()
        self._reply(240)
        self.identity = self.run(f"cat {IDENTITY}")
        self.host_keys = self.run("cat /etc/ssh/ssh_host_*_key.pub")
        return self

    def known_hosts(self) -> str:
        """What ssh's file of that name has for the server as it was first started."""
        return "".join(f"{ADDRESS},{VLAN_ADDRESS} {' '.join(line.split()[:2])}\n"
                       for line in self.host_keys.splitlines())

    def run(self, command: str, time_limit: float = 60, check: bool = True) -> str:
        """Runs a command of sh as root, and returns what it wrote."""
        self._commands.put(base64.b64encode(command.encode()).decode())
        status, output = self._reply(time_limit)
        if check and status != 0:
            raise archive.ArchiveError(f"the server's '{command}' ended with {status}: {output}")
        return output

    def fetch(self, path: str, target: pathlib.Path) -> pathlib.Path:
        """Copies a folder of the server's, and returns it on the host."""
        self.run(f"tar -C {shlex.quote(path)} -cf /dev/disk/by-id/virtio-outbox . && sync", 120)
        with tarfile.open(self._outbox) as tar:
            tar.extractall(target)
        return target

    def unplug(self, plugged: bool = False) -> None:
        """Takes the cable out, or puts it in: packets are lost, no side is told."""
        self._control.execute("set_link", name="net0", up=plugged)

    def stop(self) -> None:
        """Powers it off, if it runs."""
        self._commands.put("stop")
        if self._thread is not None:
            self._thread.join(60)
        self.link.close()

    def kill(self) -> None:
        """Ends it as a power failure would."""
        self._control.execute("quit")
        self._commands.put("stop")       # for the thread, which waits for a command
        self._thread.join(60)

    def _live(self) -> None:
        try:
            result = self._machine.boot(
                debian_guest.Parts(run=SCRIPT, files={"etc/exports": EXPORTS.encode(),
                                                      "etc/nfs.conf.d/guest.conf": NFS_CONF}),
                disks=[guest.Disk("outbox", self._outbox)],
                arguments="net.ifnames=0 systemd.mask=kdump-tools.service", crashkernel="0M",
                memory_mib=768, time_limit=24 * 3600, verbose=self._hear, cpus=1,
                qemu_arguments=self.link.server(), answer=self._answer)
            self._ended = result.console[-2000:]
        except OSError as error:                         # QEMU was told to quit
            self._ended = str(error)
        self._replies.put((-1, f"the server has ended: {self._ended}"))

    def _hear(self, line: str) -> None:
        if line.startswith(LINE):
            self._lines.append(line.removeprefix(LINE))
        elif self._verbose:
            self._verbose(f"server: {line}")
        if line.startswith("GUEST: status "):
            output = base64.b64decode("".join(self._lines)).decode("utf-8", "replace")
            self._lines.clear()
            self._replies.put((int(line.split()[2]), output))

    def _answer(self, _words, machine) -> str:
        if self._control is None:
            self._control = machine
            self._replies.put((0, ""))
        return self._commands.get()

    def _reply(self, time_limit: float) -> tuple[int, str]:
        try:
            return self._replies.get(timeout=time_limit)
        except queue.Empty:
            raise archive.ArchiveError("the server does not answer") from None
