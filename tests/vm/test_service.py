# SPDX-License-Identifier: GPL-2.0-or-later
"""The service on a whole Debian 12 with systemd: ours installed by `meson install`, enabled once;
the machine crashes, restarts, and knows about its dump.

The capture image is the small one, dracut's, or that of initramfs-tools.
"""

import dataclasses
import json
import pathlib
import subprocess

import archive
import case
import debian_guest
import debian_image
import guest
import kdump_file
import kernels
import settings
import test_capture
import test_readers

KERNEL = "6.1"
REPORT, DUMPS = "/var/lib/guest", "/var/crash"
BUILDERS = ("kdumpkit", "dracut", "initramfs-tools") if settings.current.matrix else ("kdumpkit",)
CRASHKERNEL = {"kdumpkit": "128M"}
OTHER_CRASHKERNEL = "256M"
NO_KDUMP_TOOLS = "systemd.mask=kdump-tools.service"
CRASH_MESSAGE = "kdump"     # SYSLOG_IDENTIFIER of our journal entries

# `keep NAME COMMAND` notes in a file what a command says; the status and the milliseconds that it
# took in others.
KEEP = f"""
mkdir -p {REPORT}
keep() {{
    file={REPORT}/$1
    shift
    begin=$(date +%s%N)
    "$@" >"$file" 2>"$file.errors"
    echo $? >"$file.status"
    echo $((($(date +%s%N) - begin) / 1000000)) >"$file.ms"
}}
"""
BEFORE_CRASH = KEEP + """
systemctl daemon-reload
keep enable systemctl enable --now kdump.service kdump-recover.service
keep unit systemctl show -p ActiveState -p Result -p StatusText kdump.service
keep log journalctl --boot --output=cat --unit=kdump.service
keep verify systemd-analyze verify kdump.service kdump-recover.service
keep security systemd-analyze security --no-pager kdump.service
keep check-config kdumpctl check-config
keep status kdumpctl status --json
keep restart kdumpctl restart
keep unchanged kdumpctl start
keep status-unchanged kdumpctl status
cat /proc/self/mountinfo /proc/modules /proc/sys/kernel/panic >/run/before
keep dry kdumpctl test --dry --json
keep dry-text kdumpctl test --dry
cat /proc/self/mountinfo /proc/modules /proc/sys/kernel/panic >/run/after
keep dry-left diff /run/before /run/after
keep dry-folders ls /var/crash
keep machine-id cat /etc/machine-id
say "loaded $(cat /sys/kernel/kexec_crash_loaded)"
sync
echo c >/proc/sysrq-trigger
"""
AFTER_CRASH = KEEP + """
systemctl --no-pager is-system-running --wait >/dev/null
keep unit-again systemctl show -p ActiveState -p Result -p StatusText kdump.service
keep log-again journalctl --boot --output=cat --unit=kdump.service
keep recover systemctl show -p ActiveState -p Result kdump-recover.service
keep recover-log journalctl --boot --output=cat --unit=kdump-recover.service
keep list kdumpctl list --json
keep list-text kdumpctl list
# A CPU's or memory's late event may have it loaded anew, just now.
for second in $(seq 60); do
    grep -q 1 /sys/kernel/kexec_crash_loaded && break
    sleep 1
done
keep status-again kdumpctl status --json
journalctl --boot --output=json KDUMP_OUTCOME=complete >""" + f"{REPORT}/journal" + """
say "loaded $(cat /sys/kernel/kexec_crash_loaded) again"
"""


def _is_elf(path: pathlib.Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def installed(work: pathlib.Path) -> debian_guest.Parts:
    """What `meson install` installs, with the libraries that the guest may lack."""
    settings.current.program("kdumpctl/kdumpctl")
    tree = work / "installed"
    archive.run_quietly(["meson", "install", "-C", settings.current.build_dir.resolve(),
                         "--no-rebuild", "--quiet", "--destdir", tree])
    parts = debian_guest.Parts()
    for path in sorted(tree.rglob("*")):
        if not path.is_file():
            continue
        name = str(path.relative_to(tree))
        # The guest's /lib is a link.
        name = f"usr/{name}" if name.startswith("lib/") else name
        if _is_elf(path):
            parts.programs[name] = guest.Program(path)
        else:
            parts.files[name] = path
    return parts


@dataclasses.dataclass
class Served:
    """What the two lives of the machine left."""
    crash: guest.Result
    left: pathlib.Path

    def report(self, name: str) -> str:
        """What a command said."""
        path = self.left / REPORT.strip("/") / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def json(self, name: str):
        """The same, parsed."""
        return json.loads(self.report(name))

    @property
    def folder(self) -> pathlib.Path:
        """The one dump's folder."""
        only, = (path for path in (self.left / DUMPS.strip("/")).iterdir() if path.is_dir())
        return only


@case.once
def served(builder: str) -> Served:
    """The machine is set up, crashes, and is started again."""
    work = test_capture.scratch(f"service-{builder}")
    parts = installed(work)
    parts.files["etc/kdump.conf"] = f"image_builder {builder}\nhost_tag hostname\n".encode()
    parts.run = BEFORE_CRASH
    machine = debian_guest.Machine(debian_image.image(KERNEL), work)
    crash = machine.boot(parts, arguments=NO_KDUMP_TOOLS, verbose=case.show,
                         crashkernel=CRASHKERNEL.get(builder, OTHER_CRASHKERNEL))
    if not crash.has("GUEST: loaded 1\n") or not crash.has("reboot: Restarting system"):
        left = Served(crash, machine.copy_out(REPORT))
        raise archive.ArchiveError(
            f"no capture ({crash.how}): {left.report('enable.errors')}{left.report('log')}"
            f"{crash.console[-1000:]}")
    again = machine.boot(debian_guest.Parts(run=AFTER_CRASH), arguments=NO_KDUMP_TOOLS,
                         verbose=case.show, log="console-again.log",
                         crashkernel=CRASHKERNEL.get(builder, OTHER_CRASHKERNEL))
    if not again.has("the script of the test ended"):
        raise archive.ArchiveError(f"no second life ({again.how}): {again.console[-1500:]}")
    return Served(crash, machine.copy_out(REPORT, DUMPS))


def tearDownModule():
    """Removes the disks of the guests."""
    test_capture.tearDownModule()


@case.expanded_over(builder=BUILDERS)
class Service(case.VmCase):
    """Enabled once, it does all the rest."""

    def check_enabled(self, builder):
        """Active, with a status text; systemd has nothing to say against the units."""
        told = served(builder)
        self.assertEqual(told.report("enable.status"), "0\n", told.report("enable.errors"))
        self.assertIn("ActiveState=active", told.report("unit"))
        self.assertRegex(told.report("unit"), r"StatusText=\S+")
        # There are no manual pages in the guest.
        complaints = [line for line in told.report("verify.errors").splitlines()
                      if "kdump" in line and "Command 'man " not in line]
        self.assertEqual(complaints, [])

    def check_status(self, builder):
        """Ready, and the image is of the builder that was asked for."""
        told = served(builder)
        self.assertEqual(told.report("check-config.status"), "0\n")
        self.assertEqual(told.report("status.status"), "0\n", told.report("status"))
        self.assertEqual(told.report("restart.status"), "0\n", told.report("restart.errors"))

    def check_unchanged(self, builder):
        """Neither start nor status reads everything again: half a second, and far more when the
        machine is busy."""
        told = served(builder)
        self.assertIn("crash kernel is loaded already", told.report("unchanged"))
        for name in ("unchanged", "status-unchanged"):
            self.assertLess(int(told.report(f"{name}.ms")), 5000)

    def check_dry_test(self, builder):
        """Without a crash: the image's programs save a dump on the real disk, and clean up."""
        told = served(builder)
        self.assertEqual(told.report("dry.status"), "0\n", told.report("dry"))
        dry = told.json("dry")
        self.assertTrue(dry["ok"])
        self.assertRegex(dry["destination"], r"^UUID=.*:/var/crash$")
        log = "\n".join(dry["log"])
        self.assertIn("kdump: dump saved: /dev/", log)
        self.assertIn("the test's folder is removed again", log)
        self.assertTrue(told.report("dry-text").startswith("image: "), told.report("dry-text"))
        self.assertIn("\nthe dump arrived and is whole\n", told.report("dry-text"))
        self.assertEqual(told.report("dry-left.status"), "0\n", told.report("dry-left"))
        self.assertNotIn("kdump-test", told.report("dry-folders"))

    def check_dump(self, builder):
        """Whole, complete, with its manifest."""
        folder = served(builder).folder
        self.assertRegex(folder.name, r"^debian-\d{4}-\d\d-\d\d-\d\d:\d\d:\d\d$")
        self.assertEqual(sorted(path.name for path in folder.iterdir()),
                         ["capture.log", "manifest.json", "vmcore", "vmcore-dmesg.txt"])
        dump = kdump_file.KdumpFile(folder / "vmcore")
        self.assertEqual(dump.problems(), [])
        self.assertEqual(dump.level, 31)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.assertEqual(manifest["outcome"], "complete")
        self.assertEqual(manifest["machine_id"], served(builder).report("machine-id").strip())
        self.assertRegex(manifest["boot_id"], r"^[0-9a-f-]{32,36}$")
        self.assertEqual(manifest["host"], "debian")

    def check_crash_opens_it(self, builder):
        """With the panic's stack."""
        shown = test_readers.shown_by_crash(KERNEL, served(builder).folder / "vmcore")
        self.assertEqual(shown["status"], "0", shown["errors"])
        self.assertIn("sysrq_handle_crash", shown["bt"])

    def check_list(self, builder):
        """The next boot lists it."""
        told = served(builder)
        text = json.dumps(told.json("list"))
        self.assertIn(told.folder.name, text)
        self.assertIn("sysrq triggered crash", text)
        self.assertIn("complete", text)
        self.assertIn(kernels.find(KERNEL).release, told.report("list-text"))

    def check_journal(self, builder):
        """One entry for the crash, with fields."""
        lines = served(builder).report("journal").splitlines()
        self.assertEqual(len(lines), 1, lines)
        entry = json.loads(lines[0])
        self.assertIn("sysrq triggered crash", entry["KDUMP_PANIC"])
        self.assertIn(served(builder).folder.name, entry["KDUMP_FOLDER"])
        self.assertEqual(entry["KDUMP_KERNEL"], kernels.find(KERNEL).release)

    def check_image_is_not_built_again(self, builder):
        """Nothing has changed since."""
        told = served(builder)
        for name in ("log-again", "recover-log"):
            self.assertNotRegex(told.report(name), r"image '\S+' built by")

    def check_ready_again(self, builder):
        """After the reboot, without anybody's help."""
        told = served(builder)
        self.assertIn("ActiveState=active", told.report("unit-again"))
        self.assertIn("Result=success", told.report("recover"))
        self.assertEqual(told.report("status-again.status"), "0\n", told.report("status-again"))
