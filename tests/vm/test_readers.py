# SPDX-License-Identifier: GPL-2.0-or-later
"""The dump opens in crash, drgn and makedumpfile, and shows what the raw vmcore shows."""

import contextlib
import functools
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import archive
import bitmaps
import case
import kdump_file
import kernels
import reference
import settings
import tools

HERE = pathlib.Path(__file__).resolve().parent
KERNEL_MAP = 0xffffffff80000000    # where x86_64 maps the kernel's image
COMMANDS = ("bt", "ps", "log", "kmem -i")
# crash of Debian 12 opens 5.10 and 6.1; sid's opens 6.1 and 6.12, and 7.3 without its modules.
CRASH_OPTIONS = {"7.3": ["--no_modules"]}
# What crash prints when it could not read or understand something.
COMPLAINTS = re.compile(r"^.*(?:invalid|cannot|seek error|read error|page excluded|corrupt"
                        r"|not found in dump|incomplete dump).*$", re.MULTILINE | re.IGNORECASE)


def crash_program(kernel: str) -> list[str]:
    """The crash that the system of that kernel has, or the newest."""
    if kernel in ("5.10", "6.1"):
        return [shutil.which("crash") or "/usr/bin/crash"]
    return tools.tool("crash", "sid")


def run_crash(program: tuple[str, ...], kernel: str, dumps: list[pathlib.Path],
              script: pathlib.Path) -> dict:
    """What each of COMMANDS prints, and what crash says beside: {command: text}.

    `dumps` are one, or all parts of one.
    """
    mark = "#### "
    script.write_text("".join(f"!echo '{mark}{c}'\n{c}\n" for c in COMMANDS) + "quit\n",
                      encoding="ascii")
    argv = [*program, "-s", *CRASH_OPTIONS.get(kernel, []), "-i", script,
            case.guest_vmcore(kernel).kernel.vmlinux(), *dumps]
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=300, check=False, errors="replace",
                          env={**os.environ, "TERM": "dumb", "HOME": str(script.parent)})
    parts = ("start\n" + done.stdout).split(mark)
    shown = {"status": str(done.returncode), "errors": done.stderr}
    return {**shown, **{name: text for name, _, text in (p.partition("\n") for p in parts)}}


@contextlib.contextmanager
def for_libkdumpfile(dump: pathlib.Path, release: str):
    """The dump as libkdumpfile, through which drgn reads kdump files, accepts it.

    libkdumpfile 0.5.6 refuses a release of two numbers ("7.3-amd64"), whoever wrote the dump; such
    a release is changed in the notes of a copy.
    """
    with open(dump, "rb") as file:
        if re.match(r"\d+\.\d+\.\d+", release) or file.read(8) != b"KDUMP   ":
            yield dump
            return
    changed = re.sub(r"^(\d+\.\d+)", r"\1.0", release)[:len(release)]
    with tempfile.NamedTemporaryFile(dir=dump.parent) as copy:
        copy.write(dump.read_bytes().replace(f"OSRELEASE={release}\n".encode(),
                                             f"OSRELEASE={changed}\n".encode()))
        copy.flush()
        yield pathlib.Path(copy.name)


def run_drgn(kernel: str, dump: pathlib.Path, script: str = "digest.py") -> str:
    """What a script for drgn prints of a dump or vmcore: the digest of the kernel's state."""
    drgn = tools.drgn()
    found = kernels.find(kernel)
    with for_libkdumpfile(dump, found.release) as readable:
        return archive.run_quietly(
            [*drgn.argv, "-q", "-c", readable, "-s", found.vmlinux(), HERE / script],
            extra_environment=drgn.environment)


@functools.cache
def _shown_by(program: tuple[str, ...], kernel: str, dump: pathlib.Path) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        return run_crash(program, kernel, [dump], pathlib.Path(folder) / "commands")


def shown_by_crash(kernel: str, dump: pathlib.Path, newest: bool = False) -> dict:
    """What crash shows of a dump; asked once, as crash takes a while to start."""
    program = tools.tool("crash", "sid") if newest else crash_program(kernel)
    return _shown_by(tuple(program), kernel, dump)


def raw_crash(kernel: str) -> dict:
    """What crash shows of the raw vmcore."""
    return shown_by_crash(kernel, case.core_path(kernel))


@functools.cache
def raw_digest(kernel: str) -> str:
    """The digest of the raw vmcore."""
    return run_drgn(kernel, case.core_path(kernel))


@case.expanded
class Crash(case.VmCase):
    """crash shows the same of the dump as of the raw vmcore."""

    def _shown(self, kernel: str, codec: str) -> dict:
        return shown_by_crash(kernel, self.dump_path(kernel, 31, codec))

    @case.for_each(codec=case.CODECS)
    def check_opens(self, kernel, codec):
        """It opens and says nothing against the dump that it does not say against the vmcore."""
        shown, raw = self._shown(kernel, codec), raw_crash(kernel)
        self.assertEqual(shown["status"], "0", shown["errors"])
        complaints = [set(COMPLAINTS.findall("\n".join(one.values()))) for one in (shown, raw)]
        self.assertEqual(complaints[0] - complaints[1], set())

    @case.for_each(codec=case.CODECS, command=[c.replace(" ", "_") for c in COMMANDS])
    def check_same_output(self, kernel, codec, command):
        """Command by command."""
        command = command.replace("_", " ")
        shown = self._shown(kernel, codec).get(command)
        self.assertTrue(shown, f"crash did not get as far as '{command}'")
        self.assertEqual(shown, raw_crash(kernel).get(command))

    @case.for_each(command=[c.replace(" ", "_") for c in COMMANDS])
    def check_elf_core_shows_the_same(self, kernel, command):
        """Of an ELF core (-E)."""
        settings.current.need_own_filter()
        core = self.work / f"{kernel}-elf"
        if not core.exists():
            self.filter("-E", "-d", 31, case.core_path(kernel), core)
        command = command.replace("_", " ")
        self.assertEqual(shown_by_crash(kernel, core).get(command),
                         raw_crash(kernel).get(command))

    def check_newest_lists_all_tasks(self, kernel):
        """Debian 12's crash shows three tasks of a 6.1.176, even of the raw vmcore."""
        dump = self.dump_path(kernel, 31, "lzo")
        shown, raw = (shown_by_crash(kernel, path, newest=True)["ps"]
                      for path in (dump, case.core_path(kernel)))
        self.assertEqual(shown, raw)
        self.assertGreater(len(re.findall(r" workload$", shown, re.MULTILINE)), 15)

    def check_backtrace_shows_the_panic(self, kernel):
        """The stack of the task that made the kernel panic."""
        self.assertIn("sysrq_handle_crash", self._shown(kernel, "lzo")["bt"])


@case.expanded
class Drgn(case.VmCase):
    """A digest of the kernel's state is the same from the dump as from the raw vmcore."""

    @case.for_each(codec=case.CODECS)
    def check_same_digest(self, kernel, codec):
        """Tasks, stacks, modules, text, data, slab contents, the log."""
        found = run_drgn(kernel, self.dump_path(kernel, 31, codec)).splitlines()
        wanted = raw_digest(kernel).splitlines()
        wrong = [line for line in found if line not in wanted]
        self.assertEqual(wrong, [], "the dump only")
        self.assertEqual(found, wanted)

    def check_digest_says_something(self, kernel):
        """The workload's tasks, stacks and modules are in it, and nothing is unreadable."""
        digest = raw_digest(kernel)
        self.assertGreater(len(re.findall(r"^task \d+ \d+ workload", digest, re.MULTILINE)), 15)
        self.assertIn("sysrq_handle_crash", digest)
        self.assertIn("module ext4", digest)
        self.assertNotIn("FAULT", digest)


@case.expanded
class Judge(case.VmCase):
    """The digest itself: it has to notice a page of the kernel that is not what it was."""

    def damaged(self, kernel: str, symbol: str, at: int) -> pathlib.Path:
        """A dump in which one page of the kernel's image is zero."""
        info = case.core(kernel).vmcoreinfo()
        offset = int(info[f"SYMBOL({symbol})"], 16) - KERNEL_MAP
        pfn = (offset + int(info["NUMBER(phys_base)"])) // 4096 + at
        dump = self.dump(kernel, 31, "none")
        place = dict(zip(bitmaps.members(dump.kept), dump.descriptors()))[pfn]
        path = self.work / f"damaged-{kernel}-{symbol}"
        shutil.copy(self.dump_path(kernel, 31, "none"), path)
        with open(path, "rb+") as file:
            file.seek(place[0])
            file.write(bytes(4096))
        return path

    def check_notices_a_page_of_text(self, kernel):
        """Code of the kernel."""
        damaged = self.damaged(kernel, "_stext", 300)
        self.assertNotEqual(run_drgn(kernel, damaged), raw_digest(kernel))


@case.expanded
class Flattened(case.VmCase):
    """A dump that went through a pipe (-F); crash opens one in test_debian."""

    def stream_of(self, program, kernel):
        """What the program writes with -F."""
        stream = self.work / f"stream-{kernel}"
        with open(stream, "wb") as output:
            done = subprocess.run([*program, "-F", *case.CODECS["zlib"], "-d", "31",
                                   case.core_path(kernel)], stdout=output,
                                  stderr=subprocess.PIPE, timeout=case.TIME_LIMIT, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.addCleanup(stream.unlink)
        return stream

    def file_of(self, program, kernel, stream):
        """What the program makes of a stream with -R."""
        path = self.work / f"rearranged-{kernel}-{pathlib.Path(program[-1]).name}"
        with open(stream, "rb") as piped:
            archive.run_quietly([*program, "-R", path], stdin=piped)
        self.addCleanup(path.unlink)
        return path

    def check_makedumpfile_makes_the_same_dump(self, kernel):
        """Byte for byte what is written without -F."""
        stream = self.stream_of(settings.current.filter(), kernel)
        path = self.file_of(reference.makedumpfile(kernel), kernel, stream)
        self.succeed(["cmp", path, self.dump_path(kernel, 31, "zlib")])

    def check_our_own_makes_the_same_dump(self, kernel):
        """So does -R of ours; and --verify finds nothing wrong with either form."""
        stream = self.stream_of(settings.current.filter(), kernel)
        path = self.file_of(settings.current.filter(), kernel, stream)
        self.succeed(["cmp", path, self.dump_path(kernel, 31, "zlib")])
        self.succeed([*settings.current.filter(), "--verify", path])
        self.succeed([*settings.current.filter(), "--verify", stream])

    def check_a_stream_that_was_cut(self, kernel):
        """What came through opens, marked incomplete, and is the same."""
        stream = self.stream_of(settings.current.filter(), kernel)
        whole = self.file_of(settings.current.filter(), kernel, stream)
        os.truncate(stream, stream.stat().st_size // 2)
        path = self.work / f"cut-{kernel}"
        incomplete = path.with_name(path.name + "-incomplete")
        for program, status in ((["-R", path, stream], 3), (["--verify", incomplete], 3)):
            done = subprocess.run([*settings.current.filter(), *program], capture_output=True,
                                  text=True, timeout=case.TIME_LIMIT, check=False)
            self.assertEqual(done.returncode, status, done.stderr)
        self.addCleanup(incomplete.unlink)
        cut, all_pages = kdump_file.KdumpFile(incomplete), kdump_file.KdumpFile(whole)
        self.assertEqual(cut.kept, all_pages.kept)
        here = [descriptor for descriptor in cut.descriptors() if descriptor != (0, 0, 0)]
        # Data come in the order of their pages, so half of the bytes is about half of the pages.
        self.assertGreater(len(here), len(all_pages.descriptors()) // 4)
        self.assertTrue(set(here) <= set(all_pages.descriptors()))

    def check_a_stream_of_makedumpfile(self, kernel):
        """The same file of it as makedumpfile -R makes."""
        if not reference.is_right_for(kernel):
            raise unittest.SkipTest(f"no makedumpfile is known to be right for {kernel}")
        theirs, ours = reference.makedumpfile(kernel), settings.current.filter()
        stream = self.stream_of(theirs, kernel)
        self.succeed(["cmp", self.file_of(ours, kernel, stream),
                      self.file_of(theirs, kernel, stream)])
        self.succeed([*ours, "--verify", stream])


@case.expanded
class Refilter(case.VmCase):
    """makedumpfile reads the dump and filters it again."""

    # Debian's makedumpfile is built without snappy, in every suite.
    @case.for_each(codec=[codec for codec in case.CODECS if codec != "snappy"], level=[0, 31])
    def check_same_pages(self, kernel, codec, level):
        """To level 31: the pages that the direct way keeps, and their bytes."""
        if not reference.is_right_for(kernel):
            raise unittest.SkipTest(f"no makedumpfile is known to be right for {kernel}")
        path = self.work / f"again-{kernel}-{codec}-{level}"
        self.succeed([*reference.newest(), "--message-level", "4", "-l", "-d", 31,
                      self.dump_path(kernel, level, codec), path])
        again = kdump_file.KdumpFile(path)
        direct = self.dump(kernel, 31).kept
        partial = bitmaps.union_of(case.core(kernel).partial())
        self.assertEqual(bitmaps.show((again.kept ^ direct) & ~partial), bitmaps.show(0))
        self.assert_bytes_of(again, kernel)
        path.unlink()
