# SPDX-License-Identifier: GPL-2.0-or-later
"""kdump-filter on other inputs than the raw vmcore: its own dumps, makedumpfile's, QEMU's."""

import json
import pathlib
import re
import subprocess
import unittest

import bitmaps
import case
import control
import elf_core
import guest
import kdump_file
import kernels
import reference
import settings
import tools
from elf_headers import PT_LOAD

EXIT_PARTIAL = 3


@case.expanded_over(kernel=settings.current.kernels[:1])
class Refilter(case.VmCase):
    """A dump that is filtered again."""

    def again(self, dump: pathlib.Path, name: str, *words) -> pathlib.Path:
        """Filters a dump to level 31 as the direct way does."""
        path = self.work / name
        self.filter("-f", *case.CODECS["lzo"], "-d", 31, *words, dump, path)
        return path

    @case.for_each(codec=["zstd"])
    def check_same_file_as_the_direct_way(self, kernel, codec):
        """Byte for byte, whatever codec it was packed with."""
        settings.current.need_own_filter()
        path = self.again(self.dump_path(kernel, 1, codec), f"again-{kernel}-{codec}")
        self.succeed(["cmp", path, self.dump_path(kernel, 31, "lzo")])
        path.unlink()

    def check_flattened_is_read_directly(self, kernel):
        """The same file again."""
        settings.current.need_own_filter()
        stream = self.work / f"stream-{kernel}"
        with open(stream, "wb") as output:
            subprocess.run([*settings.current.filter(), "-F", "-l", "-d", "1",
                            case.core_path(kernel)], stdout=output, stderr=subprocess.DEVNULL,
                           timeout=case.TIME_LIMIT, check=True)
        path = self.again(stream, f"flattened-{kernel}")
        self.succeed(["cmp", path, self.dump_path(kernel, 31, "lzo")])
        stream.unlink()

    @case.for_each(codec=["lzo"])
    def check_same_pages_as_makedumpfile(self, kernel, codec):
        """Both filter the same dump, and keep the same pages with the same bytes."""
        settings.current.need_own_filter()
        if not reference.is_right_for(kernel):
            raise unittest.SkipTest(f"no makedumpfile is known to be right for {kernel}")
        dump = self.dump_path(kernel, 1, codec)
        ours = kdump_file.KdumpFile(self.again(dump, f"ours-{kernel}"))
        path = self.work / f"theirs-{kernel}"
        path.unlink(missing_ok=True)
        self.succeed([*reference.newest(), "--message-level", "4", "-l", "-d", 31, dump, path])
        theirs = kdump_file.KdumpFile(path)
        self.assertEqual(bitmaps.show(ours.kept ^ theirs.kept), bitmaps.show(0))
        self.assertEqual(bitmaps.show(ours.memory ^ theirs.memory), bitmaps.show(0))
        self.assertEqual(ours.notes, theirs.notes)
        wrong = [pfn for (pfn, a), (_, b) in zip(ours.pages(), theirs.pages()) if a != b]
        self.assertEqual(wrong, [])

    def check_a_makedumpfile_dump_is_read(self, kernel):
        """And filtered to what the direct way keeps, but for the partial page that it lost."""
        settings.current.need_own_filter()
        path = self.work / f"source-{kernel}"
        self.succeed([*reference.newest(), "--message-level", "4", "-l", "-d", 1,
                      case.core_path(kernel), path])
        ours = kdump_file.KdumpFile(self.again(path, f"from-{kernel}"))
        partial = bitmaps.union_of(case.core(kernel).partial())
        wrong = (ours.kept ^ self.dump(kernel, 31).kept) & ~partial
        self.assertEqual(bitmaps.show(wrong), bitmaps.show(0))
        path.unlink()

    def check_an_incomplete_dump_stays_one(self, kernel):
        """Lost pages are lost, not invented: makedumpfile fills them with what it read before."""
        settings.current.need_own_filter()
        source = self.work / f"cut-{kernel}"
        done = self.run_program([*reference.newest(), "--message-level", "4", "-l", "-d", 1, "-L",
                                 "60M", case.core_path(kernel), source])
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertTrue(kdump_file.KdumpFile(source).incomplete)
        path = self.work / f"still-{kernel}"
        done = self.run_program([*settings.current.filter(), "-l", "-d", 1, source, path])
        self.assertEqual(done.returncode, EXIT_PARTIAL, done.stderr)
        self.assertIn("incomplete", done.stderr)
        ours = kdump_file.KdumpFile(path)
        self.assertTrue(ours.incomplete)
        self.assert_bytes_of(ours, kernel)
        self.assertEqual([pfn for pfn, _ in ours.pages()],
                         [pfn for pfn, _ in kdump_file.KdumpFile(source).pages()])


@case.expanded_over(kernel=settings.current.kernels[:1])
class Elf(case.VmCase):
    """ELF cores, as output and as input again."""

    def core(self, kernel: str, source: pathlib.Path, level: int) -> pathlib.Path:
        """An ELF core."""
        settings.current.need_own_filter()
        path = self.work / f"elf-{kernel}-{source.name}-{level}"
        if not path.exists():
            self.filter("-E", "-d", level, source, path)
        return path

    @case.for_each(source=["vmcore", "dump"])
    def check_back_to_kdump_nothing_is_lost(self, kernel, source):
        """Byte for byte the dump that is made directly."""
        direct = self.dump_path(kernel, 31)
        made = (self.core(kernel, case.core_path(kernel), 31) if source == "vmcore"
                else self.core(kernel, direct, 0))
        again = self.work / f"back-{kernel}-{source}"
        self.filter("-l", "-d", 0, made, again)
        self.succeed(["cmp", again, direct])

    def check_what_is_left_out_is_absent(self, kernel):
        """The segments have the kept pages in the file, and no other."""
        core = elf_core.ElfCore(self.core(kernel, case.core_path(kernel), 31))
        kept = 0
        for paddr, _, filesz, _ in core.segments:
            if filesz:
                kept |= bitmaps.span(paddr // 4096, -(-(paddr + filesz) // 4096))
        self.assertEqual(bitmaps.show(kept ^ self.dump(kernel, 31).kept), bitmaps.show(0))
        self.assertEqual(bitmaps.show(core.present() ^ case.core(kernel).present()),
                         bitmaps.show(0))

    def check_addresses_are_found_without_an_elf_core(self, kernel):
        """The direct map and the image of a core that was made of a kdump file."""
        made = elf_core.ElfCore(self.core(kernel, self.dump_path(kernel, 0), 0))
        shifts = {load.vaddr - load.paddr for load in made.headers if load.kind == PT_LOAD}
        wanted = {load.vaddr - load.paddr for load in case.core(kernel).headers
                  if load.kind == PT_LOAD}
        self.assertEqual({hex(shift) for shift in shifts}, {hex(shift) for shift in wanted})

    def check_makedumpfile_reads_it(self, kernel):
        """It makes the same of the core as of the vmcore."""
        if not reference.is_right_for(kernel):
            raise unittest.SkipTest(f"no makedumpfile is known to be right for {kernel}")
        dumps = []
        for source in (self.core(kernel, case.core_path(kernel), 31), case.core_path(kernel)):
            path = self.work / f"theirs-{kernel}-{len(dumps)}"
            path.unlink(missing_ok=True)
            self.succeed([*reference.newest(), "--message-level", "4", "-l", "-d", 31, source,
                          path])
            dumps.append(kdump_file.KdumpFile(path))
        self.assertEqual(bitmaps.show(dumps[0].kept ^ dumps[1].kept), bitmaps.show(0))
        wrong = [pfn for (pfn, a), (_, b) in zip(dumps[0].pages(), dumps[1].pages()) if a != b]
        self.assertEqual(wrong, [])

    def check_a_stream_is_the_same_core(self, kernel):
        """By our -R and makedumpfile's; and it is read as it is."""
        wanted = self.core(kernel, case.core_path(kernel), 31)
        stream = self.work / f"elf-stream-{kernel}"
        with open(stream, "wb") as output:
            subprocess.run([*settings.current.filter(), "-F", "-E", "-d", "31",
                            case.core_path(kernel)], stdout=output, stderr=subprocess.DEVNULL,
                           timeout=case.TIME_LIMIT, check=True)
        made = self.work / f"unflattened-{kernel}"
        self.filter("-R", made, stream)
        self.succeed(["cmp", made, wanted])
        made.unlink()
        with open(stream, "rb") as source:
            subprocess.run([*reference.newest(), "-R", made], stdin=source, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           timeout=case.TIME_LIMIT)
        self.succeed(["cmp", made, wanted])
        self.filter("--compare", stream, self.dump_path(kernel, 31))


@case.expanded_over(kernel=settings.current.kernels[:1])
class Verbs(case.VmCase):
    """What is said of a file without writing a dump, and the log."""

    def json(self, *words) -> dict:
        """What the filter says in JSON."""
        settings.current.need_own_filter()
        done = self.run_program([*settings.current.filter(), "--json", *words])
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def check_log_is_the_same_as_vmcore_dmesgs(self, kernel):
        """Called by that name, byte for byte what kexec-tools' program writes of the vmcore; of a
        dump, too, which that one does not read."""
        settings.current.need_own_filter()
        link = self.work / "vmcore-dmesg"
        if not link.exists():
            link.symlink_to(settings.current.filter()[0])
        tree = tools.tree("kexec-tools", "bookworm")
        theirs = self.succeed([tree.find("vmcore-dmesg"), case.core_path(kernel)]).stdout
        self.assertEqual(self.succeed([link, case.core_path(kernel)]).stdout, theirs)
        self.assertEqual(self.succeed([link, self.dump_path(kernel, 31)]).stdout, theirs)

    def check_log_as_json(self, kernel):
        """The same text, numbered without a gap, and messages of devices among it."""
        words = ["-F", "--dump-dmesg", "--partial-dmesg", "--dmesg-json", case.core_path(kernel)]
        records = [json.loads(line) for line in self.filter(*words).stdout.splitlines()]
        self.assertEqual([record["seq"] for record in records], list(range(len(records))))
        self.assertGreater(len({record["level"] for record in records}), 4)
        self.assertTrue(any(record["device"].get("SUBSYSTEM") == "pci" for record in records))
        panic = [record for record in records if "Kernel panic" in record["text"]]
        self.assertEqual((panic[0]["level"], panic[0]["facility"]), (0, 0))

    def check_info(self, kernel):
        """Of the vmcore and of a dump."""
        raw = self.json("--info", case.core_path(kernel))
        dump = self.json("--info", self.dump_path(kernel, 31))
        same = ("kernel", "kernel_version", "machine", "cpus", "crash_time", "memory_pages",
                "notes", "phys_base")
        self.assertEqual([raw[key] for key in same], [dump[key] for key in same])
        self.assertEqual(raw["kernel"], case.guest_vmcore(kernel).kernel.release)
        self.assertEqual(dump["level"], 31)
        self.assertEqual(dump["dumped_pages"], self.dump(kernel, 31).kept.bit_count())
        self.assertEqual(sum(dump["pages_by_codec"].values()), dump["dumped_pages"])

    def check_compare_finds_what_was_left_out(self, kernel):
        """And nothing that differs."""
        found = self.json("--compare", case.core_path(kernel), self.dump_path(kernel, 31))
        kept = self.dump(kernel, 31).kept
        self.assertEqual(found["same_pages"], kept.bit_count())
        self.assertEqual(found["only_a"]["pages"],
                         (case.core(kernel).present() & ~kept).bit_count())
        self.assertEqual(found["only_b"]["pages"] + found["different"]["pages"], 0)

    def check_mem_usage_foretells_the_dump(self, kernel):
        """Sizes within 5 %, and pages exactly."""
        usage = self.json("--mem-usage", case.core_path(kernel))
        for level in (1, 31):
            told = next(row for row in usage["levels"] if row["level"] == level)
            self.assertEqual(told["pages"], self.dump(kernel, level).kept.bit_count())
            real = self.dump_path(kernel, level).stat().st_size
            self.assertLess(abs(told["bytes"]["lzo"] - real), 0.05 * real)


SCRIPT = """
echo "GUEST: vmcoreinfo $(ls /sys/firmware/qemu_fw_cfg/by_name/etc/vmcoreinfo)"
echo "GUEST: ask dump"
read -r answer
kdump-filter --mem-usage --json /proc/kcore >/tmp/usage
echo "GUEST: kcore $? $(tr -d '\\n' </tmp/usage)"
poweroff -f
"""
# Name of the file: arguments of dump-guest-memory. QEMU may be built without a codec.
FORMATS = {"elf": {}, "paging": {"paging": True}, "zlib": {"format": "kdump-zlib"},
           "lzo": {"format": "kdump-lzo"}, "snappy": {"format": "kdump-snappy"}}
MEMORY_MIB = 192


@case.once
def qemu_dumps(folder: pathlib.Path) -> tuple[bytes, str]:
    """Dumps of one stopped guest, in every format; returns its memory and its console."""
    kernel = kernels.find("6.1")
    memory = b""

    def take(_words, machine: control.Machine) -> str:
        nonlocal memory
        machine.execute("stop")
        known = machine.execute("query-dump-guest-memory-capability")["formats"]
        for name, arguments in FORMATS.items():
            if arguments.get("format", "elf") not in known:
                continue
            machine.execute("dump-guest-memory", **{"paging": False, **arguments},
                            protocol=f"file:{folder / name}")
        memory = machine.memory.read(0, MEMORY_MIB << 20)
        machine.execute("cont")
        return "done"

    own = guest.Program(settings.current.program("filter/kdump-filter"))
    image = guest.guest_image(kernel, SCRIPT, {"bin/kdump-filter": own}, {},
                              modules=["qemu_fw_cfg"])
    run = guest.GuestRun(kernel, image, memory_mib=MEMORY_MIB, cpus=1, crashkernel="0",
                         time_limit=120, qemu_arguments=["-device", "vmcoreinfo"])
    result = run.run(verbose=case.show, answer=take)
    if not memory:
        raise RuntimeError(f"the guest ended ({result.how}):\n{result.console[-2000:]}")
    return memory, result.console


@case.expanded_over(form=FORMATS)
class Qemu(case.VmCase):
    """What dump-guest-memory writes of a running guest."""

    def setUp(self):
        settings.current.need_own_filter()
        self.memory, self.console = qemu_dumps(self.work)

    def filtered(self, form: str, level: int) -> kdump_file.KdumpFile:
        """A dump of it."""
        if not (self.work / form).exists():
            self.skipTest(f"this QEMU writes no kdump-{form}")
        path = self.work / f"{form}-{level}"
        if not path.exists():
            self.filter("-l", "-d", level, self.work / form, path)
        return kdump_file.KdumpFile(path)

    @case.for_each(level=[0, 31])
    def check_bytes(self, form, level):
        """Each page is what the memory was."""
        wrong, pages = [], 0
        for pfn, data in self.filtered(form, level).pages():
            if (pfn + 1) << 12 <= 0xa0000 or 0x100 <= pfn < MEMORY_MIB << 8:
                pages += 1
                if data != self.memory[pfn << 12:(pfn + 1) << 12]:
                    wrong.append(f"{pfn:#x}")
        self.assertEqual(wrong, [])
        self.assertGreater(pages, 5000)

    def check_same_pages_in_every_form(self, form):
        """The machine is the same one; with paging what no page table maps is not there."""
        ram = bitmaps.span(0x100, MEMORY_MIB << 8)
        ours, elf = (self.filtered(name, 31).kept & ram for name in (form, "elf"))
        self.assertEqual(bitmaps.show(ours & ~elf), bitmaps.show(0))
        self.assertLessEqual((elf & ~ours).bit_count(), 64 if form == "paging" else 0)

    def check_log(self, form):
        """The guest's log is found."""
        self.filtered(form, 31)
        path = self.work / f"{form}-log"
        self.filter("-f", "--dump-dmesg", self.work / form, path)
        self.assertIn("Linux version", path.read_text(encoding="utf-8"))

    def test_mem_usage_of_the_running_kernel(self):
        """/proc/kcore is a vmcore, too: every page has its class."""
        status, text = re.search(r"GUEST: kcore (\d+) (.*)", self.console).groups()
        self.assertEqual(status, "0")
        usage = json.loads(text)
        self.assertGreater(usage["memory_pages"], 40000)
        self.assertEqual(sum(c["pages"] for c in usage["classes"].values()), usage["memory_pages"])
        self.assertGreater(usage["classes"]["free"]["pages"], usage["memory_pages"] // 2)
        self.assertEqual(usage["warnings"], [])
