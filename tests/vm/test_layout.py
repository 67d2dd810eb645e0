# SPDX-License-Identifier: GPL-2.0-or-later
"""What kdump-filter learns of a kernel from the kernel itself: its symbols and its types."""

import json
import pathlib
import re
import subprocess

import bitmaps
import case
import elf_core
import kdump_file
import settings
from elf_headers import PT_NOTE

# What VMCOREINFO says of pages; BTF says it, too.
PAGE_KEY = re.compile(rb"^(SIZE\((page|zone|mem_section)\)|LENGTH\(zone\.free_area\)"
                      rb"|OFFSET\((page|folio|zone|pglist_data|mem_section)\."
                      rb"|NUMBER\((PG_|PAGE_\w+_MAPCOUNT|HUGETLB_PAGE_DTOR|NR_FREE_PAGES))")
SYMBOL_KEY = re.compile(rb"^SYMBOL\((kallsyms_|node_data|contig_page_data)")
# Those that no BTF has.
NOT_IN_BTF = {"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)"}


def blank_keys(path: pathlib.Path, *patterns: re.Pattern) -> int:
    """Turns lines of the VMCOREINFO note into empty ones; returns how many."""
    notes = [s for s in elf_core.ElfCore(path).headers if s.kind == PT_NOTE]
    count = 0
    with open(path, "rb+") as file:
        for note in notes:
            file.seek(note.offset)
            lines = file.read(note.filesz).split(b"\n")
            for index, line in enumerate(lines):
                if any(pattern.match(line) for pattern in patterns):
                    lines[index] = b"\n" * len(line)
                    count += 1
            file.seek(note.offset)
            file.write(b"\n".join(lines))
    return count


@case.expanded
class Layout(case.VmCase):
    """Facts about pages, from VMCOREINFO and from BTF."""

    def layout(self, path: pathlib.Path) -> dict:
        """--show-layout of a vmcore on which every rule has to be on."""
        return json.loads(self.filter("--show-layout", "--json", path).stdout)

    def without(self, kernel: str, *patterns: re.Pattern) -> pathlib.Path:
        """The vmcore without these keys; one at a time, they are large."""
        settings.current.need_own_filter()
        path = self.work / "without-keys"
        path.unlink(missing_ok=True)
        subprocess.run(["cp", "--reflink=auto", "--sparse=always", case.core_path(kernel), path],
                       check=True)
        self.assertGreater(blank_keys(path, *patterns), 20)
        return path

    def check_sources_agree(self, kernel):
        """BTF confirms every fact of VMCOREINFO that it can have."""
        settings.current.need_own_filter()
        found = self.layout(case.core_path(kernel))
        self.assertEqual(found["warnings"], [])
        alone = {fact["key"] for fact in found["facts"]
                 if not fact["confirmed"] and fact["source"] == "VMCOREINFO"
                 and not fact["key"].startswith("SYMBOL(")}
        old = kernel in ("5.10", "6.1")
        self.assertEqual(alone, NOT_IN_BTF if old else set())

    def check_same_pages_by_btf_alone(self, kernel):
        """Without the keys about pages the same pages are kept at level 31."""
        path = self.without(kernel, PAGE_KEY)
        found = {fact["source"] for fact in self.layout(path)["facts"]
                 if PAGE_KEY.match(fact["key"].encode())}
        self.assertEqual(found - {"BTF", "history"}, set())
        done = self.filter("--json", "-l", "-d", 31, path, self.work / "dump")
        self.assertEqual(json.loads(done.stdout)["warnings"], [])
        kept = kdump_file.KdumpFile(self.work / "dump").kept
        (self.work / "dump").unlink()
        difference = kept ^ self.dump(kernel, 31).kept
        self.assertEqual(bitmaps.show(difference), bitmaps.show(0))

    def check_btf_by_its_magic_number(self, kernel):
        """Without the keys to kallsyms BTF is found in the kernel's read-only data."""
        path = self.without(kernel, PAGE_KEY, SYMBOL_KEY)
        whole = self.layout(case.core_path(kernel))["facts"]
        found = {fact["key"]: fact["value"] for fact in self.layout(path)["facts"]}
        self.assertEqual({fact["key"] for fact in whole} - set(found),
                         set() if kernel == "5.10" else {"SYMBOL(node_data)"})
        for fact in whole:
            if fact["key"] in found:
                self.assertEqual(found[fact["key"]], fact["value"], fact["key"])


def unname_vmcoreinfo(path: pathlib.Path) -> None:
    """Gives the note with VMCOREINFO another name, so that the core has none."""
    note, = (s for s in elf_core.ElfCore(path).headers if s.kind == PT_NOTE)
    with open(path, "rb+") as file:
        file.seek(note.offset)
        data = file.read(note.filesz)
        file.seek(note.offset + data.index(b"VMCOREINFO\0"))
        file.write(b"X")


@case.expanded
class GivenNames(case.VmCase):
    """-x, -i and -g: names from the kernel's vmlinux."""

    def vmlinux(self, kernel: str) -> pathlib.Path:
        """The debug vmlinux of the kernel that made the vmcore; a large download."""
        settings.current.need_own_filter()
        return case.guest_vmcore(kernel).kernel.vmlinux()

    def made_text(self, kernel: str) -> pathlib.Path:
        """What -g writes."""
        path = self.work / "vmcoreinfo"
        self.filter("-f", "-g", path, "-x", self.vmlinux(kernel))
        return path

    def check_vmlinux_agrees(self, kernel):
        """Symbols and types of the vmlinux are those of VMCOREINFO and of the kernel's BTF."""
        found = json.loads(self.filter("--show-layout", "--json", "-x", self.vmlinux(kernel),
                                       case.core_path(kernel)).stdout)
        self.assertEqual(found["warnings"], [])
        notes, = (s for s in elf_core.ElfCore(case.core_path(kernel)).headers
                  if s.kind == PT_NOTE)
        with open(case.core_path(kernel), "rb") as file:
            file.seek(notes.offset)
            stated = pairs(file.read(notes.filesz).split(b"VMCOREINFO\0")[1].decode("latin-1"))
        offset = int(stated["KERNELOFFSET"], 16)
        made = pairs(self.made_text(kernel).read_text())
        both = set(made) & set(stated) - {"SYMBOL(mem_section)"}    # the array, not the variable
        self.assertGreater(len(both), 50)
        for key in both:
            moved = (f"{int(made[key], 16) + offset:x}" if key.startswith("SYMBOL(")
                     else made[key])
            self.assertEqual(f"{key}={moved}", f"{key}={stated[key]}")

    def check_text_agrees_with_makedumpfile(self, kernel):
        """What makedumpfile -g writes, too, it writes the same."""
        if kernel != "6.1":
            self.skipTest("one kernel is enough: makedumpfile takes its time")
        theirs = self.work / "theirs"
        self.succeed(["makedumpfile", "-g", theirs, "-x", self.vmlinux(kernel)])
        ours, theirs = (pairs(path.read_text()) for path in (self.made_text(kernel), theirs))
        # makedumpfile takes a length that DWARF does not have where it is declared for the largest
        # number there is.
        both = set(ours) & set(theirs) - {"LENGTH(node_data)"}
        self.assertGreater(len(both), 40)
        self.assertEqual({key: ours[key] for key in both}, {key: theirs[key] for key in both})

    def check_another_kernel_is_refused(self, kernel):
        """Before anything is written, with both build-ids."""
        if kernel == "6.1":
            self.skipTest("it is the other kernel")
        names = {r"its build-id is [0-9a-f]{40}, the dead kernel's is [0-9a-f]{40}":
                 ("-x", self.vmlinux("6.1")),
                 r"its OSRELEASE is '6\.1": ("-i", self.made_text("6.1"))}
        for message, option in names.items():
            argv = [*settings.current.filter(), "-l", *option, case.core_path(kernel),
                    self.work / "dump"]
            done = subprocess.run([str(word) for word in argv], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, message)
        self.assertFalse((self.work / "dump").exists())

    def check_same_pages(self, kernel):
        """With -x as without; and from a core without VMCOREINFO."""
        core = self.work / "without-note"
        subprocess.run(["cp", "--reflink=auto", "--sparse=always", case.core_path(kernel), core],
                       check=True)
        unname_vmcoreinfo(core)
        sources = [(case.core_path(kernel), self.work / "x"), (core, self.work / "n")]
        if kernel == "6.1":  # its core has no segment of the kernel's image, which tells the offset
            del sources[1]
        for source, path in sources:
            done = self.filter("-f", "--json", "-l", "-d", 31, "-x", self.vmlinux(kernel), source,
                               path)
            self.assertEqual(json.loads(done.stdout)["warnings"], [])
            difference = kdump_file.KdumpFile(path).kept ^ self.dump(kernel, 31).kept
            self.assertEqual(bitmaps.show(difference), bitmaps.show(0))
            path.unlink()
        if kernel == "6.1":
            return
        logs = [self.work / "log", self.work / "log-x"]
        self.filter("-f", "--dump-dmesg", case.core_path(kernel), logs[0])
        self.filter("-f", "--dump-dmesg", "-x", self.vmlinux(kernel), core, logs[1])
        self.assertEqual(logs[0].read_bytes(), logs[1].read_bytes())

    def check_text_stands_in_for_missing_keys(self, kernel):
        """-i with a core that lacks the keys about pages."""
        core = self.work / "without-keys"
        subprocess.run(["cp", "--reflink=auto", "--sparse=always", case.core_path(kernel), core],
                       check=True)
        blank_keys(core, PAGE_KEY, SYMBOL_KEY)
        done = self.filter("-f", "--json", "-l", "-d", 31, "-i", self.made_text(kernel), core,
                           self.work / "dump")
        self.assertEqual(json.loads(done.stdout)["warnings"], [])
        difference = kdump_file.KdumpFile(self.work / "dump").kept ^ self.dump(kernel, 31).kept
        self.assertEqual(bitmaps.show(difference), bitmaps.show(0))


def pairs(text: str) -> dict[str, str]:
    """Lines KEY=VALUE."""
    return dict(line.split("=", 1) for line in text.split("\n") if "=" in line)


def digest(lines: list[str]) -> str:
    """FNV-1a of 64 bits, as workload.c computes it."""
    value = 0xcbf29ce484222325
    for byte in "".join(f"{line}\n" for line in lines).encode():
        value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return f"{value:016x}"


@case.expanded
class Symbols(case.VmCase):
    """kallsyms as it is read from the dead kernel's memory, and as that kernel gave it."""

    def symbols(self, kernel: str, *options: str) -> list[str]:
        """All symbols of the vmcore, in the format of /proc/kallsyms."""
        program = settings.current.program("tests/kernel/show_symbols")
        return self.succeed([program, *options, case.core_path(kernel)]).stdout.splitlines()

    def check_same_as_proc_kallsyms(self, kernel):
        """Every symbol, by a sample and a digest over all."""
        *sample, total = (case.guest_vmcore(kernel).folder / "kallsyms").read_text().splitlines()
        found = self.symbols(kernel)
        self.assertEqual(found[::101], sample)
        self.assertEqual(f"{len(found)} {digest(found)}", total)

    def check_tables_by_their_shape(self, kernel):
        """Kernels before 6.0 have no keys."""
        if kernel != "5.10":
            self.skipTest(f"{kernel} has keys that lead to the tables")
        self.assertEqual(self.symbols(kernel, "--by-signature"), self.symbols(kernel))
