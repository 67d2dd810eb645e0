# SPDX-License-Identifier: GPL-2.0-or-later
"""A crash whose capture image has a kdump.conf: what is in the image, on which disks it finds
what, and what became of it.

The kernel that crashes has nothing but busybox; all that matters is in the image.
"""

import dataclasses
import json
import pathlib
import re
import tarfile

import archive
import guest
import kernels
import server_guest
import whole_path

SCRIPT = """
kexec -p /vmlinuz --initrd=/crash.img --append="{command_line}" || fail "kexec ended with $?"
echo "GUEST: crash kernel loaded"
echo c >/proc/sysrq-trigger
"""
# Reads a disk that was written: its files come out as tar.
READ_SCRIPT = """
{command} || fail "reading what was saved"
tar -C /disk -cf "$(disk outbox)" . || fail "reading it"
sync
echo "GUEST: read"
poweroff -f
sleep 60
"""
COMMAND_LINE = f"{guest.CRASH_COMMAND_LINE} initcall_blacklist=tracer_init_tracefs"
NETWORK = (f"interface {server_guest.CLIENT_MAC} eth0\n"
           f"address {server_guest.CLIENT_ADDRESS}/{server_guest.PREFIX}\n")
NFS_MODULES = ("virtio_net", "nfsv3", "nfsv4")
SSH, IDENTITY, KNOWN_HOSTS = "/usr/bin/ssh", "/root/.ssh/kdump_id_rsa", "/root/.ssh/known_hosts"
OUTBOX_BYTES = 1024 << 20


@dataclasses.dataclass
class Setup:
    """What the capture kernel finds."""
    config: str                                       # /etc/kdump.conf
    modules: tuple[str, ...] = ("virtio_blk", "ext4")
    files: dict[str, bytes] = dataclasses.field(default_factory=dict)
    programs: dict[str, pathlib.Path] = dataclasses.field(default_factory=dict)
    words: dict[str, str] = dataclasses.field(default_factory=dict)   # kdump.NAME=VALUE
    disks: list[guest.Disk] = dataclasses.field(default_factory=list)
    crashkernel: str = "192M"
    memory_mib: int = 768
    qemu_arguments: list[str] = dataclasses.field(default_factory=list)
    during: object = None                # called with each line of the console

    def with_server(self, server: server_guest.ServerGuest, ssh: bool = False,
                    known_hosts: str | None = None) -> "Setup":
        """The same with a network to the server, and what ssh needs for it."""
        files = {"etc/kdumpkit/network": NETWORK.encode(), **self.files}
        programs = dict(self.programs)
        if ssh:
            hosts = server.known_hosts() if known_hosts is None else known_hosts
            files |= {IDENTITY: server.identity.encode(), KNOWN_HOSTS: hosts.encode(),
                      "etc/passwd": b"root:x:0:0:root:/root:/bin/false\n",
                      "etc/group": b"root:x:0:\n"}
            programs[SSH] = pathlib.Path(SSH)
        return dataclasses.replace(self, files=files, programs=programs,
                                   qemu_arguments=server.link.client())


@dataclasses.dataclass
class Ended:
    """How the capture went."""
    result: guest.Result
    work: pathlib.Path

    @property
    def console(self) -> str:
        """The console from the panic on."""
        return self.result.console.partition("Kernel panic")[2]

    @property
    def seconds(self) -> float:
        """From the start of the capture kernel to its end, by its own clock."""
        times = re.findall(r"^\[ *(\d+\.\d+)\] reboot: ", self.console, re.MULTILINE)
        return float(times[-1]) if times else float("inf")


@dataclasses.dataclass(frozen=True)
class Saved:
    """The folder of one dump, on the host."""
    folder: pathlib.Path

    @property
    def names(self) -> list[str]:
        """Its files."""
        return sorted(path.name for path in self.folder.iterdir())

    @property
    def manifest(self) -> dict:
        """What manifest.json says."""
        return json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))

    def text(self, name: str) -> str:
        """A text file; empty when there is none."""
        path = self.folder / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def image(programs: whole_path.Programs, kernel: kernels.Kernel, work: pathlib.Path,
          setup: Setup) -> pathlib.Path:
    """The capture image."""
    options = []
    for name, data in {"etc/kdump.conf": setup.config.encode(), **setup.files}.items():
        path = work / "files" / name.strip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o700 if data.startswith(b"#!") else 0o600)
        options += ["--file", f"{path}=/{name.strip('/')}"]
    for name, path in setup.programs.items():
        options += ["--program", f"{path}={name}"]
    for module in setup.modules:
        options += ["--module", module]
    return whole_path.capture_image(programs, kernel, work / "capture.img", tuple(options))


def crash(programs: whole_path.Programs, kernel: kernels.Kernel, work: pathlib.Path, setup: Setup,
          *, verbose=None, time_limit: float = 300) -> Ended:
    """Boots a guest, lets it panic, and waits for what the capture makes of it."""
    words = [COMMAND_LINE, *(f"kdump.{key}={value}" for key, value in setup.words.items())]
    contents = guest.guest_image(
        kernel, SCRIPT.format(command_line=" ".join(words)),
        {"sbin/kexec": guest.Program(programs.kexec)},
        {"vmlinuz": kernel.image.read_bytes(),
         "crash.img": image(programs, kernel, work, setup).read_bytes()}, ["virtio_pci"])
    machine = guest.GuestRun(kernel, contents, setup.disks, setup.memory_mib, 1,
                             crashkernel=setup.crashkernel, time_limit=time_limit,
                             qemu_arguments=setup.qemu_arguments)

    def hear(line: str) -> None:
        if verbose:
            verbose(line)
        if setup.during:
            setup.during(line)
    return Ended(machine.run(work / "console.log", hear), work)


def read_disk(kernel: kernels.Kernel, disk: pathlib.Path, fs_type: str,
              modules: tuple[str, ...], target: pathlib.Path, verbose=None) -> pathlib.Path:
    """Copies what is on a disk into the folder `target`, by a guest that mounts it."""
    return _read(kernel, disk, f'mount -t {fs_type} -o ro "$(disk destination)" /disk', {},
                 modules, target, verbose)


def recover_disk(programs: whole_path.Programs, kernel: kernels.Kernel, disk: pathlib.Path,
                 target: pathlib.Path, verbose=None) -> pathlib.Path:
    """Makes files of the dump on a raw disk, as the next boot does, in the folder `target`.

    A second try in the same guest has to find nothing any more.
    """
    recover = 'kdump-capture --recover "$(disk destination)" /disk'
    return _read(kernel, disk, f'{recover} && {recover} && test "$(ls /disk | wc -l)" = 1',
                 {"usr/bin/kdump-capture": guest.Program(programs.capture),
                  "usr/bin/kdump-filter": guest.Program(programs.filter)}, (), target, verbose)


def _read(kernel: kernels.Kernel, disk: pathlib.Path, command: str,
          programs: dict[str, guest.Program], modules: tuple[str, ...], target: pathlib.Path,
          verbose) -> pathlib.Path:
    outbox = guest.make_blank(target.with_name(f"{target.name}.tar"), OUTBOX_BYTES)
    contents = guest.guest_image(kernel, READ_SCRIPT.format(command=command), programs, {},
                                 ["virtio_pci", "virtio_blk", *modules])
    run = guest.GuestRun(kernel, contents, [guest.Disk("destination", disk),
                                            guest.Disk("outbox", outbox)],
                         512, 1, crashkernel="0M", time_limit=120)
    result = run.run(target.with_name(f"{target.name}.log"), verbose)
    if not result.has("GUEST: read"):
        raise archive.ArchiveError(f"the disk cannot be read: {result.console[-1500:]}")
    with tarfile.open(outbox) as tar:
        tar.extractall(target)
    outbox.unlink()
    return target


def dumps_below(folder: pathlib.Path) -> list[Saved]:
    """The dumps' folders, in the order of their names."""
    return [Saved(path) for path in sorted(folder.iterdir()) if path.is_dir()] \
        if folder.is_dir() else []
