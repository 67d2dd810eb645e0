# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kdump-tools, unmodified, with our kexec and kdump-filter under the originals' names.

The guest is a Debian 12 system.  Its kdump-tools.service loads the crash kernel at boot, the crash
kernel boots with the initramfs that kdump-tools made, and kdump-config saves the dump there.
"""

import dataclasses
import pathlib

import account
import archive
import case
import debian_guest
import debian_image
import guest
import kdump_file
import kernels
import reference
import settings
import test_capture
import test_readers
import vmcore

REPORT, DUMPS = "/var/lib/guest", "/var/crash"
KEXEC, MAKEDUMPFILE = "/usr/sbin/kexec", "/usr/bin/makedumpfile"
# What kdump-tools puts into /etc/default/grub.d: it is enough with our programs, too.
CRASHKERNEL = "384M-:128M"
# Services go on between the account and the panic.
RACED_PAGES = 64

# Puts the packages' own programs aside, and tells dpkg.
DIVERT = """
for program in /sbin/kexec /usr/bin/makedumpfile; do
    dpkg-divert --quiet --local --rename --divert "$program.distrib" --add "$program" ||
        fail "diverting $program"
done
"""

# `keep NAME COMMAND` notes in a file what a command says and its status.
FUNCTIONS = f"""
mkdir -p {REPORT} /disk
keep() {{
    file={REPORT}/$1
    shift
    "$@" >"$file" 2>&1
    echo "status $?" >>"$file"
}}
loaded() {{
    cat /sys/kernel/kexec_crash_loaded >"{REPORT}/loaded.$1"
}}
ask() {{
    loaded "$1"
    for question in show status test; do
        keep "$question.$1" kdump-config "$question"
    done
}}
"""

AT_BOOT = """
keep service systemctl show -p ActiveState -p Result kdump-tools.service
keep journal journalctl --boot --output=cat --unit=kdump-tools.service
ask boot
keep unload kdump-config unload
loaded unloaded
keep status.unloaded kdump-config status
keep unload.nothing kdump-config unload
keep load kdump-config load
loaded again
keep version makedumpfile --version
"""

# The original kexec in the same system, for comparison.
ORIGINAL = f"""
kdump-config unload
mv {KEXEC} {KEXEC}.ours
mv {KEXEC}.distrib {KEXEC}
keep load.original kdump-config load
ask original
keep unload.original kdump-config unload
mv {KEXEC} {KEXEC}.distrib
mv {KEXEC}.ours {KEXEC}
"""

CRASH = """
keep restart systemctl restart kdump-tools.service
loaded restarted
say "the crash kernel is loaded: $(cat /sys/kernel/kexec_crash_loaded)"
sync
workload {workload} disk=/dev/disk/by-id/virtio-account
"""


@dataclasses.dataclass
class Crashed:
    """What a crash of the Debian guest left behind."""
    result: guest.Result
    left: pathlib.Path       # folders copied from its disk
    account: pathlib.Path    # the folder with the guest's kpageflags

    def report(self, name: str) -> str:
        """What a command in the guest said."""
        return (self.left / REPORT.strip("/") / name).read_text(encoding="utf-8")

    @property
    def console(self) -> str:
        """The console from the panic on."""
        return self.result.console.partition("Kernel panic")[2]

    @property
    def folders(self) -> list[pathlib.Path]:
        """The dumps' folders, named by their time."""
        place = self.left / DUMPS.strip("/")
        return sorted(path for path in place.iterdir() if path.is_dir())

    def saved(self, kind: str) -> pathlib.Path:
        """The file KIND.TIME of the one dump."""
        folder, = self.folders
        return folder / f"{kind}.{folder.name}"


def parts(programs: str) -> debian_guest.Parts:
    """What comes into the guest: "ours" or nothing in place of the originals, and the scripts."""
    crash = CRASH.format(workload=test_capture.WORKLOAD)
    brought = debian_guest.Parts(run=FUNCTIONS + AT_BOOT + crash)
    brought.programs["usr/local/bin/workload"] = guest.Program(guest.compile_static("workload.c"))
    if programs == "ours":
        brought.before = DIVERT
        brought.programs[KEXEC] = guest.Program(settings.current.program("kexec/kexec"))
        brought.programs[MAKEDUMPFILE] = guest.Program(
            settings.current.program("filter/kdump-filter"))
        brought.run = FUNCTIONS + AT_BOOT + ORIGINAL + crash
    return brought


@case.once
def crashed(kernel: str, programs: str) -> Crashed:
    """The guest's one life."""
    brought = parts(programs)
    system = debian_image.image(kernel)
    work = test_capture.scratch(f"debian-{kernel}-{programs}")
    machine = debian_guest.Machine(system, work)
    disk = guest.make_blank(work / "account", 64 << 20)
    result = machine.boot(brought, disks=[guest.Disk("account", disk)], arguments="hugepages=16",
                          crashkernel=CRASHKERNEL, verbose=case.show)
    if not result.has("reboot: Restarting system"):
        last = "".join(result.console.splitlines(keepends=True)[-40:])
        raise archive.ArchiveError(f"the guest ended ({result.how}) without a restart:\n{last}")
    vmcore.take_account(disk, work)
    return Crashed(result, machine.copy_out(REPORT, DUMPS), work)


@case.once
def rearranged(kernel: str, programs: str) -> kdump_file.KdumpFile:
    """The dump, of which kdump-config saves the flattened form, as a plain file."""
    ended = crashed(kernel, programs)
    path = ended.left / "rearranged"
    with open(ended.saved("dump"), "rb") as stream:
        archive.run_quietly([*reference.makedumpfile(kernel), "-R", path], stdin=stream)
    return kdump_file.KdumpFile(path)


def tearDownModule():
    """Removes the disks of the guests."""
    test_capture.tearDownModule()


KERNELS = tuple(name for name in settings.current.kernels if name == "6.1")


@case.expanded
class KdumpTools(case.VmCase):
    """Debian's scripts call kexec and makedumpfile, and get what they want."""

    axes = {"kernel": KERNELS,
            "programs": ("ours", "originals") if settings.current.originals else ("ours",)}

    def check_service_loads_at_boot(self, kernel, programs):
        """Without a word of complaint."""
        ended = crashed(kernel, programs)
        self.assertEqual(ended.report("loaded.boot"), "1\n")
        self.assertIn("ActiveState=active", ended.report("service"))
        self.assertIn("Result=success", ended.report("service"))
        self.assertIn("loaded kdump kernel", ended.report("journal"))
        self.assertNotRegex(ended.report("journal"), r"(?i)fail|error|warning|\bkexec: ")

    def check_status_and_show_after_boot(self, kernel, programs):
        """Ready, and by which command."""
        ended = crashed(kernel, programs)
        self.assertIn(": ready to kdump", ended.report("status.boot"))
        self.assertRegex(ended.report("show.boot"),
                         r"kexec command:\n  /sbin/kexec -p --command-line=\".*nr_cpus=1.*\" "
                         r"--initrd=/var/lib/kdump/initrd.img /var/lib/kdump/vmlinuz\n")

    def check_unload_and_load(self, kernel, programs):
        """The slot is empty and full; to empty it once more is no error."""
        ended = crashed(kernel, programs)
        for name in ("unload", "unload.nothing"):
            self.assertRegex(ended.report(name), r"unloaded kdump kernel\W*\nstatus 0\n")
        self.assertEqual(ended.report("loaded.unloaded"), "0\n")
        self.assertIn(": Not ready to kdump", ended.report("status.unloaded"))
        self.assertRegex(ended.report("load"), r"loaded kdump kernel\W*\nstatus 0\n")
        self.assertEqual(ended.report("loaded.again"), "1\n")

    def check_service_restarts(self, kernel, programs):
        """It unloads and loads."""
        ended = crashed(kernel, programs)
        self.assertEqual(ended.report("restart"), "status 0\n")
        self.assertEqual(ended.report("loaded.restarted"), "1\n")

    def check_machine_goes_on(self, kernel, programs):
        """It restarts after the dump."""
        self.assertEqual(crashed(kernel, programs).result.how, "ended")

    def check_console_says_what_was_saved(self, kernel, programs):
        """In kdump-config's own words."""
        console = crashed(kernel, programs).console
        self.assertRegex(console, r"kdump-tools: saved dmesg content in /var/crash/\d{12}")
        self.assertRegex(console, r"kdump-tools: saved vmcore in /var/crash/\d{12}")
        self.assertNotRegex(console, r"kdump-tools.*(failed|falling back)")

    def check_files(self, kernel, programs):
        """One folder, two files, nothing unfinished."""
        folder, = crashed(kernel, programs).folders
        self.assertRegex(folder.name, r"^\d{12}$")
        self.assertEqual(sorted(path.name for path in folder.iterdir()),
                         [f"dmesg.{folder.name}", f"dump.{folder.name}"])

    def check_log_of_the_dead_kernel(self, kernel, programs):
        """From its first line to the panic."""
        text = crashed(kernel, programs).saved("dmesg").read_text("utf-8", "replace")
        self.assertIn("Linux version", text.splitlines()[0])
        self.assertIn("Kernel panic - not syncing: sysrq triggered crash", text)

    def check_dump_is_whole(self, kernel, programs):
        """Sound, with the level and the codec that kdump-config asked for."""
        dump = rearranged(kernel, programs)
        self.assertEqual(dump.problems(), [])
        self.assertEqual(dump.level, 31)
        self.assertIn(kdump_file.ZLIB, dump.codecs())
        self.assertEqual(dump.utsname["release"], kernels.find(kernel).release)

    def check_every_page_decompresses(self, kernel, programs):
        """Each kept page is there."""
        dump = rearranged(kernel, programs)
        self.assertEqual(sum(1 for _ in dump.pages()), dump.kept.bit_count())

    def check_pages_agree_with_the_guests_account(self, kernel, programs):
        """No user, free or cache page is kept; no kernel page is dropped."""
        dump = rearranged(kernel, programs)
        known = account.Account(crashed(kernel, programs).account)
        unwanted = known.free | known.anonymous | known.hugetlb | known.cache
        wrong = dump.memory & ((~dump.kept & known.kernel) | (dump.kept & unwanted))
        self.assertLessEqual(wrong.bit_count(), RACED_PAGES, known.describe(wrong))
        self.assertGreater((dump.memory & unwanted).bit_count(), 20000)

    def check_crash_opens_it(self, kernel, programs):
        """As it was saved, flattened."""
        shown = test_readers.shown_by_crash(kernel, crashed(kernel, programs).saved("dump"))
        self.assertEqual(shown["status"], "0", shown["errors"])
        self.assertIn("sysrq_handle_crash", shown["bt"])
        self.assertIn("sysrq triggered crash", shown["log"])
        self.assertIn("TOTAL MEM", shown["kmem -i"])

    def check_newest_crash_lists_the_tasks(self, kernel, programs):
        """Debian 12's lists three of a 6.1.176, whoever wrote the dump."""
        dump = crashed(kernel, programs).saved("dump")
        tasks = test_readers.shown_by_crash(kernel, dump, newest=True)["ps"]
        self.assertIn("systemd-journal", tasks)
        self.assertGreater(tasks.count(" workload\n"), 10)


@case.expanded
class Replacement(case.VmCase):
    """kdump-config says the same with our kexec and with the original, in the same system."""

    axes = {"kernel": KERNELS}

    @case.for_each(question=("show", "status", "test"))
    def check_answers(self, kernel, question):
        """After a load."""
        ended = crashed(kernel, "ours")
        self.assertEqual(ended.report(f"{question}.boot"), ended.report(f"{question}.original"))
        self.assertIn("status 0", ended.report(f"{question}.boot"))

    @case.for_each(action=("load", "unload"))
    def check_actions(self, kernel, action):
        """Not a word more or less."""
        ended = crashed(kernel, "ours")
        self.assertEqual(ended.report(action), ended.report(f"{action}.original"))

    def check_it_was_our_filter(self, kernel):
        """Not the original."""
        self.assertIn("kdumpkit", crashed(kernel, "ours").report("version"))
        self.assertRegex(crashed(kernel, "ours").console, r"kept \d+ of \d+ pages")
