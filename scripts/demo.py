#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job, end to end: a Debian kernel panics in QEMU, our programs capture its memory."""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/vm"))

import kernels  # noqa: E402  (found through the path above)
import tools  # noqa: E402
import vmcore  # noqa: E402
import whole_path  # noqa: E402

# Console lines that tell the story; the rest is in console.log.
STORY = re.compile(r"GUEST:|Kernel panic|sysrq: Trigger|RIP: 0010|kdump|Linux version|"
                   r"^\[ *[\d.]+ %\]|reboot: |^(kept|complete|partial|pages |kernel |cache|user|"
                   r"free|unaccepted|hwpoison|offline|all )")


def heading(text):
    print(f"\n=== {text}", flush=True)


def show(line):
    if STORY.search(line):
        print(f"    | {line[:150]}", flush=True)


def print_dump(saved, memory_mib):
    heading("what was saved")
    for path in sorted(saved.iterdir()):
        print(f"    {path.stat().st_size / 2**20:9.2f} MiB  {path.name}")
    dump = saved / "vmcore"
    size = dump.stat().st_blocks * 512
    print(f"    The dump is {100 * size / (memory_mib << 20):.1f} % of the guest's "
          f"{memory_mib} MiB of memory.")
    heading("the last lines of the dead kernel's log (vmcore-dmesg.txt)")
    log = saved / "vmcore-dmesg.txt"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else ["(not saved)"]
    for line in lines[-18:]:
        print(f"    | {line[:150]}")


def open_in_crash(kernel, dump):
    heading("debug symbols of the kernel (about 900 MB, once), then crash(8)")
    commands = "set scroll off\nsys\nbt\nps | head -15\nlog | tail -5\nquit\n"
    # Debian 12's own crash finds three tasks of its newest 6.1 kernels, of any vmcore.
    done = subprocess.run([*tools.tool("crash", "sid"), "-s", str(kernel.vmlinux()), str(dump)], input=commands,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(done.stdout)
    return done.returncode


def run(arguments):
    kernel_name = arguments.kernel
    heading(f"a Debian kernel {kernel_name} (downloaded once)")
    kernel = kernels.find(kernel_name)
    print(f"    {kernel.release}, package version {kernel.version}")
    recipe = vmcore.default_recipe(kernel_name)
    work = pathlib.Path(arguments.out)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    programs = whole_path.Programs(TOP / "build")
    image = whole_path.capture_image(programs, kernel, work / "capture.img")
    heading("the capture image, built by kdump-mkinitramfs")
    print(f"    {image.stat().st_size / 2**20:.1f} MiB: kdump-capture as /init, kdump-filter, "
          "modules for a virtio disk with ext4")
    heading(f"the guest: {recipe.memory_mib} MiB, {recipe.cpus} CPUs, software emulation "
            "(about a minute)")
    captured = whole_path.run(programs, kernel, work, recipe=recipe, image=image,
                              verbose=print if arguments.verbose else show)
    if captured.folder is None or not (captured.folder / "vmcore").exists():
        print(f"no dump was saved (the guest {captured.result.how}); see '{work}/console.log'",
              file=sys.stderr)
        return 1
    print_dump(captured.folder, recipe.memory_mib)
    dump = captured.folder / "vmcore"
    status = open_in_crash(kernel, dump) if arguments.crash else 0
    heading("done")
    print(f"    dump     {dump}\n    log      {captured.folder / 'vmcore-dmesg.txt'}\n"
          f"    capture  {captured.folder / 'capture.log'}\n    console  {work / 'console.log'}")
    if not arguments.crash:
        print("    './demo --crash' opens it in crash(8).")
    return status


def main():
    parser = argparse.ArgumentParser(prog="./demo", description=__doc__)
    parser.add_argument("--crash", action="store_true",
                        help="download debug symbols (900 MB) and open the dump in crash(8)")
    parser.add_argument("--kernel", default="6.1", choices=list(kernels.SOURCES),
                        help="which Debian kernel panics (default 6.1)")
    parser.add_argument("--out", default=str(TOP / "build/demo"), help="where everything is put")
    parser.add_argument("--verbose", action="store_true", help="show the whole console")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
