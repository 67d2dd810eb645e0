#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Our filter against makedumpfile on the same vmcore in the same run.

Prints wall time, CPU time, peak resident memory and size, and the ratios ours / makedumpfile's
(one thread). Programs take turns, and the best of each counts. Output goes to memory (tmpfs), the
vmcore is read once before, so that disks do not count. Example:

  filter_bench.py --filter build-bench/filter/kdump-filter \\
      --floor build-bench/tests/bench/floor_bench VMCORE

With --floor, for one thread at -d 0 also the codec's share: CPU seconds that the codec takes alone,
for the pages that the filter compresses, by those of the whole filter; and what reading, looking
for zero pages and writing cost alone (floor_bench.cc).

Debian 12's makedumpfile writes pages raw when asked for a codec it was built without; sid's then
takes its place. It comes with a newer zstd library, so it runs with the system's one as well, and
the filter with sid's. No suite's makedumpfile has snappy: give one that has with --makedumpfile.
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
SYSTEM_LIBRARIES = pathlib.Path("/usr/lib/x86_64-linux-gnu")
MIB = 1 << 20


@dataclasses.dataclass
class Contender:
    """A program with its options, without the name of the output."""
    name: str
    words: list[str]
    threads: int = 0         # 0: not ours
    wall: float = float("inf")
    cpu: float = float("inf")
    rss_mib: float = 0
    size: int = 0

    def run(self, output):
        """Once more; keeps the best times and the largest memory."""
        prime(output, self.size)
        wall, cpu, rss_mib = measure([*self.words, str(output)])
        self.wall, self.cpu = min(self.wall, wall), min(self.cpu, cpu)
        self.rss_mib = max(self.rss_mib, rss_mib)
        self.size = output.stat().st_size
        output.unlink()


class Floor:
    """The parts of a dump by one thread, each alone."""

    def __init__(self, program, vmcore, codec, scratch):
        self.words = [program, vmcore, codec, str(scratch)]
        self.best = {}

    def run(self):
        """Once more; keeps the best."""
        text = subprocess.run(self.words, stdout=subprocess.PIPE, text=True, check=True).stdout
        for name, value in (line.split() for line in text.splitlines()):
            self.best[name] = min(float(value), self.best.get(name, float("inf")))

    def line(self, one_thread):
        """The account, against the filter's CPU time."""
        codec = self.best["codec_memory"]
        read, write = self.best["read"], self.best["write"]
        speed = self.best["pages"] * 4096 / codec / 1e6
        return (f"    codec alone {codec:.2f} s ({speed:.0f} MB/s), in the core's cache "
                f"{self.best['codec_cache']:.2f} s; read {read:.2f} s, write {write:.2f} s; "
                f"sum {codec + read + write:.2f} s; filter {one_thread.cpu:.2f} s; "
                f"codec's share {codec / one_thread.cpu:.2f}, "
                f"sum's {(codec + read + write) / one_thread.cpu:.2f}")


def prime(output, size):
    """Writes and removes as large a file: a hypervisor may have taken free memory back, and getting
    it again costs more than the dump."""
    block = b"\1" * MIB
    with open(output, "wb", buffering=0) as stream:
        for _ in range(size // MIB):
            stream.write(block)
    output.unlink()


def peak_mib(pid):
    """Of a process that runs; os.wait4 would tell ours when it is larger."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peaks[0]) / 1024 if peaks else 0


def measure(words):
    """One run: wall seconds, CPU seconds, MiB."""
    with tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=errors)
        rss_mib = 0
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid != 0:
                break
            rss_mib = max(rss_mib, peak_mib(child.pid))
            time.sleep(0.01)
        wall = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            sys.exit(f"{' '.join(words)}: exit status {child.returncode}\n{errors.read().decode()}")
    return wall, usage.ru_utime + usage.ru_stime, rss_mib


def row(contender, base):
    """A line of the table."""
    text = (f"{contender.name:<38}{contender.wall:8.2f}{contender.cpu:8.2f}"
            f"{contender.rss_mib:8.1f}{contender.size / MIB:10.1f}")
    if base is None:
        return text + f"{'-':>8}" * 4
    return text + (f"{contender.wall / base.wall:8.2f}{contender.cpu / base.cpu:8.2f}"
                   f"{contender.rss_mib / base.rss_mib:8.2f}{contender.size / base.size:8.3f}")


def sid_makedumpfile():
    """The words that run sid's with its own libraries."""
    return tools.tool("makedumpfile", "sid")


def with_libraries(words, folders):
    """Words of tools.tool() with these folders before the others."""
    option = words.index("--library-path") + 1
    path = ":".join([*map(str, folders), words[option]])
    return [*words[:option], path, *words[option + 1:]]


def has_codec(words, codec):
    """Whether this makedumpfile was built with it."""
    shown = subprocess.run([*words, "-v"], stdout=subprocess.PIPE, text=True, check=False).stdout
    return codec in ("zlib", "none") or f"{codec}\tenabled" in shown


def debian_makedumpfile(codec, folder):
    """Debian's programs that have the codec."""
    if has_codec(["makedumpfile"], codec):
        return [Contender("makedumpfile 12", ["makedumpfile"])]
    sid = sid_makedumpfile()
    if not has_codec(sid, codec):
        return []
    if codec != "zstd":
        return [Contender("makedumpfile sid", sid)]
    link = folder / "libzstd.so.1"
    if not link.is_symlink():
        link.symlink_to(SYSTEM_LIBRARIES / link.name)
    return [Contender("makedumpfile sid, system's libzstd", with_libraries(sid, [folder])),
            Contender("makedumpfile sid", sid)]


def rivals(codec, own, folder):
    """All makedumpfiles that have the codec; ours is compared with the first."""
    found = debian_makedumpfile(codec, folder)
    if own and has_codec([own], codec):
        found.append(Contender("makedumpfile built here", [own]))
    return found


def ours(codec, program, threads):
    """The filter with each number of threads; for zstd also with sid's library."""
    found = [Contender(f"{n} thread{'s' if n > 1 else ''}", [program, "--num-threads", str(n)], n)
             for n in threads]
    if codec == "zstd":
        words = sid_makedumpfile()[:-1]
        words[-1] += f":{SYSTEM_LIBRARIES}"
        found.append(Contender("1 thread, sid's libzstd", [*words, program, "--num-threads", "1"]))
    return found


def warm(vmcore):
    """Reads the file once, so that every run finds it in the page cache."""
    with open(vmcore, "rb", buffering=0) as stream:
        buffer = bytearray(MIB)
        while stream.readinto(buffer):
            pass


def machine():
    """What this runs on."""
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), "unknown CPU")
    return f"{model}, {os.cpu_count()} CPUs, Linux {os.uname().release}"


def bench(arguments, level, codec, folder):
    """All programs with one codec at one level."""
    base = rivals(codec, arguments.makedumpfile, folder)
    filters = ours(codec, arguments.filter, [int(n) for n in arguments.threads.split(",")])
    options = [*CODECS[codec], "-d", level, "--message-level", "4", arguments.vmcore]
    for contender in [*base, *filters]:
        contender.words += options
    floor = Floor(arguments.floor, arguments.vmcore, codec, folder / "floor")
    for _ in range(arguments.repeat):
        warm(arguments.vmcore)
        for contender in [*base, *filters]:
            contender.run(folder / "dump")
        if arguments.floor and level == "0":
            floor.run()
    for contender in [*base, *filters]:
        contender.name = f"-d {level} {codec}, {contender.name}"
        print(row(contender, base[0] if base else None))
    one = next((c for c in filters if c.threads == 1), None)
    for contender in filters:
        if one is not None and contender.threads > 1:
            print(f"    {contender.threads} threads: {one.wall / contender.wall:.2f} times the "
                  "speed of one")
    if one is not None and floor.best:
        print(floor.line(one))
    sys.stdout.flush()


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("vmcore")
    parser.add_argument("--filter", default="build/filter/kdump-filter")
    parser.add_argument("--floor", help="floor_bench of a build with -Dbench=true")
    parser.add_argument("--makedumpfile", help="one more to compare with")
    parser.add_argument("--levels", default="31,0")
    parser.add_argument("--codecs", default=",".join(CODECS))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--scratch", default="/dev/shm", help="a folder in memory")
    arguments = parser.parse_args()
    print(f"{machine()}, load {os.getloadavg()[0]:.1f}; vmcore of "
          f"{os.stat(arguments.vmcore).st_size / 2**30:.1f} GiB; best of {arguments.repeat}")
    print(f"{'':<38}{'wall s':>8}{'cpu s':>8}{'RSS MiB':>8}{'size MiB':>10}"
          f"{'wall x':>8}{'cpu x':>8}{'RSS x':>8}{'size x':>8}")
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        for level in arguments.levels.split(","):
            for codec in arguments.codecs.split(","):
                bench(arguments, level, codec, pathlib.Path(folder))
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
