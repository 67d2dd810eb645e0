# SPDX-License-Identifier: GPL-2.0-or-later
"""Data erased from dumps of real kernels (--config)."""

import json
import re

import case
import kdump_file
import reference
import settings
from test_readers import shown_by_crash

SCRIPT = """\
erase (struct uts_namespace)init_uts_ns.name.nodename
erase (char *)saved_command_line
for t in (struct task_struct)init_task.tasks within task_struct:tasks
    erase t.comm
endfor
for m in (struct list_head)modules.next within module:list
    erase m.name
endfor
"""
# Without the types, for who has debug information.
UNTYPED_SCRIPT = re.sub(r"\([^)]*\)", "", SCRIPT)


def runs(original: bytes, changed: bytes) -> list[bytes]:
    """What stood where the two differ, in pieces that are adjacent."""
    found, piece = [], bytearray()
    for before, after in zip(original, changed):
        if before != after:
            piece.append(before)
        elif piece:
            found.append(bytes(piece))
            piece.clear()
    return [*found, bytes(piece)] if piece else found


@case.expanded
class Erase(case.VmCase):
    """What a script names is gone, and nothing else."""

    def erased(self, kernel: str, *options, text: str = SCRIPT) -> tuple[dict, kdump_file.KdumpFile]:
        """The result of the filter, and the dump."""
        settings.current.need_own_filter()
        script, path = self.work / "erase.conf", self.work / f"{kernel}-erased"
        script.write_text(text, encoding="ascii")
        done = self.filter("--json", "-f", "-l", "-d", 31, "--config", script, *options,
                           case.core_path(kernel), path)
        return json.loads(done.stdout), kdump_file.KdumpFile(path)

    def check_named_data_are_gone_and_nothing_else(self, kernel):
        """Pages differ by X's only, as many as the result says, where names stood."""
        report, dump = self.erased(kernel)
        plain = self.dump(kernel, 31)
        self.assertEqual(dump.kept, plain.kept)
        self.assertTrue(all(command["pieces"] for command in report["erased"]["commands"]))
        gone, pages = [], 0
        for (pfn, before), (_, after) in zip(plain.pages(), dump.pages()):
            if before == after:
                continue
            pages += 1
            gone += runs(before, after)
            different = {new for old, new in zip(before, after) if old != new}
            self.assertEqual(different, {ord("X")}, f"{pfn:#x}")
        self.assertEqual(pages, report["erased"]["pages"])
        self.assertEqual(sum(map(len, gone)), report["erased"]["bytes"])
        text = b"\0".join(gone)
        for name in (b"kthreadd\0", b"console=ttyS0", b"init\0"):
            self.assertIn(name, text)

    def check_crash_finds_no_names(self, kernel):
        """crash opens the dump, and the tasks in its list have X's for names."""
        self.erased(kernel)
        shown = shown_by_crash(kernel, self.work / f"{kernel}-erased")
        self.assertEqual(shown["status"], "0", shown["errors"])
        self.assertIn("XXXXXXXX", shown["ps"])
        self.assertNotIn("kthreadd", shown["ps"])

    def check_the_record_is_kept_when_filtered_again(self, kernel):
        """It has a line for each command, in the dump and in one that is made of it."""
        report, _ = self.erased(kernel)
        lines = [f"erase {c['data']} size {c['bytes']}" for c in report["erased"]["commands"]]
        again = self.work / "again"
        self.filter("-f", "-z", "-d", 31, self.work / f"{kernel}-erased", again)
        self.assertIn("\n".join(lines).encode(), again.read_bytes())

    def check_debug_information_has_the_types(self, kernel):
        """With -x, a script without types makes the same dump."""
        self.erased(kernel)
        typed = (self.work / f"{kernel}-erased").read_bytes()
        vmlinux = case.guest_vmcore(kernel).kernel.vmlinux()
        self.erased(kernel, "-x", vmlinux, text=UNTYPED_SCRIPT)
        self.assertTrue((self.work / f"{kernel}-erased").read_bytes() == typed)

    def check_the_same_bytes_as_makedumpfile(self, kernel):
        """Which has the same names from debug information; every page is the same (--matrix)."""
        if not settings.current.matrix:
            self.skipTest("reading debug information takes a minute; only with --matrix")
        if not reference.is_right_for(kernel):
            self.skipTest("no makedumpfile is right for this kernel")
        _, dump = self.erased(kernel)
        script, path = self.work / "theirs.conf", self.work / "theirs"
        script.write_text(UNTYPED_SCRIPT, encoding="ascii")
        path.unlink(missing_ok=True)
        self.succeed([*reference.makedumpfile(kernel), "-l", "-d", 31, "--config", script, "-x",
                      case.guest_vmcore(kernel).kernel.vmlinux(), case.core_path(kernel), path],
                     time_limit=600)
        theirs = dict(kdump_file.KdumpFile(path).pages())
        different = [pfn for pfn, data in dump.pages() if theirs.get(pfn, data) != data]
        self.assertEqual(different, [])

    def check_nothing_is_written_when_a_name_is_wrong(self, kernel):
        """The place of the mistake is said, and what was probably meant."""
        settings.current.need_own_filter()
        script, path = self.work / "wrong.conf", self.work / "wrong"
        script.write_text("erase (char *)saved_command_line\n\nerase (struct task_struct)"
                          "init_taks.comm\n", encoding="ascii")
        words = [*settings.current.filter(), "--config", script, case.core_path(kernel), path]
        done = self.run_program(words)
        self.assertEqual(done.returncode, 1)
        self.assertIn("wrong.conf:3:7: the kernel has no symbol init_taks; did you mean "
                      "'init_task'?", done.stderr)
        self.assertEqual(list(self.work.glob("wrong*")), [script])
        done = self.succeed([*words, "--config-lenient", "--dry-run"])
        self.assertIn("init_taks", done.stderr)
