#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Our filter against makedumpfile on the same vmcore in the same run.

Prints wall time, CPU time, peak resident memory and size, and the ratios ours / makedumpfile's
(one thread). Output goes to memory (tmpfs), the vmcore is read once before, so that disks do not
count. Example: filter_bench.py --filter build/filter/kdump-filter VMCORE

Debian 12's makedumpfile writes pages raw when asked for a codec it was built without; sid's then
takes its place, and where that lacks the codec, too (snappy), our figures stand alone.
"""

import argparse
import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))
import tools  # noqa: E402  (found through the path above)

CODECS = {"lzo": ["-l"], "snappy": ["-p"], "zstd": ["-z"], "zlib": ["-c"], "none": []}


@dataclasses.dataclass
class Run:
    wall: float
    cpu: float
    rss_mib: float
    size: int


def measure(command, output):
    """One run; the best of several is taken by the caller."""
    output.unlink(missing_ok=True)
    start = time.monotonic()
    child = subprocess.Popen([*command, str(output)], stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {child.returncode}\n{errors.decode()}")
    size = output.stat().st_blocks * 512
    output.unlink()
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, size)


def best(command, output, repeat):
    return min((measure(command, output) for _ in range(repeat)), key=lambda run: run.wall)


def row(name, run, base):
    text = f"{name:<32}{run.wall:8.2f}{run.cpu:8.2f}{run.rss_mib:8.1f}{run.size / 2**20:10.1f}"
    if base is None:
        return text + f"{'-':>8}" * 4
    return text + (f"{run.wall / base.wall:8.2f}{run.cpu / base.cpu:8.2f}"
                   f"{run.rss_mib / base.rss_mib:8.2f}{run.size / base.size:8.3f}")


def incumbent(codec):
    """A makedumpfile that has the codec: (what to call it, how to run it), or None."""
    for name, words in (("makedumpfile 12", lambda: ["makedumpfile"]),
                        ("makedumpfile sid", lambda: tools.tool("makedumpfile", "sid"))):
        shown = subprocess.run([*words(), "-v"], stdout=subprocess.PIPE, text=True).stdout
        if codec in ("zlib", "none") or f"{codec}\tenabled" in shown:
            return name, words()
    return None


def warm(vmcore):
    """Reads the file once, so that every run finds it in the page cache."""
    with open(vmcore, "rb", buffering=0) as stream:
        buffer = bytearray(1 << 20)
        while stream.readinto(buffer):
            pass


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), "unknown CPU")
    return f"{model}, {os.cpu_count()} CPUs, Linux {os.uname().release}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("vmcore")
    parser.add_argument("--filter", default="build/filter/kdump-filter")
    parser.add_argument("--levels", default="31,0")
    parser.add_argument("--codecs", default=",".join(CODECS))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--scratch", default="/dev/shm", help="a folder in memory")
    arguments = parser.parse_args()
    warm(arguments.vmcore)
    print(f"{machine()}; vmcore of {os.stat(arguments.vmcore).st_size / 2**30:.1f} GiB; "
          f"best of {arguments.repeat}")
    print(f"{'':<32}{'wall s':>8}{'cpu s':>8}{'RSS MiB':>8}{'size MiB':>10}"
          f"{'wall x':>8}{'cpu x':>8}{'RSS x':>8}{'size x':>8}")
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        output = pathlib.Path(folder) / "dump"
        for level in arguments.levels.split(","):
            for codec in arguments.codecs.split(","):
                options = [*CODECS[codec], "-d", level, "--message-level", "4", arguments.vmcore]
                base, rival = None, incumbent(codec)
                if rival is not None:
                    base = best([*rival[1], *options], output, arguments.repeat)
                    print(row(f"-d {level} {codec} {rival[0]}", base, base), flush=True)
                for threads in arguments.threads.split(","):
                    run = best([arguments.filter, "--num-threads", threads, *options], output,
                               arguments.repeat)
                    print(row(f"-d {level} {codec} {threads} threads", run, base), flush=True)


if __name__ == "__main__":
    main()
