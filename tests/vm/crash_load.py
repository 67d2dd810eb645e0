# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that loads a crash kernel in several ways, panics, and tells what its vmcore has.

Before the panic the test looks into the guest's memory from outside (probe.py).  After it the crash
kernel's only program (crash_report.c) prints the headers and notes of /proc/vmcore, and whatever
memory the test wants to see.
"""

import crash_script
import guest
import images
import kernels
import newc
import oops_module
import vmcore
from crash_script import Load
from crashed import Crashed
from probe import Answers

ROOM = f",slots=2,maxmem={8 << 10}M"        # for memory that is plugged in


def run(load: Load, kexec: guest.Program, script: str, *, verbose=None, memory_slots: str = "",
        time_limit: float = 300, image: str = "bzImage") -> Crashed:
    """Boots the guest of a load, with its own part of the script, until it ends.

    `image` is how the crash kernel is wrapped (see images.make).
    """
    kernel = kernels.find(load.kernel)
    crash = newc.Archive()
    crash.console()
    crash.copy("init", guest.compile_static("crash_report.c"))
    programs = {"sbin/kexec": kexec, "sbin/incumbent-kexec": vmcore.debian_kexec(),
                "bin/marker": guest.Program(guest.compile_static("marker.c"))}
    initrd = crash.finish()
    loaded = images.make(image, kernel.image.read_bytes(), initrd, guest.CRASH_COMMAND_LINE)
    files = {"vmlinuz": loaded, "crash.img": initrd, "oops.ko": oops_module.make(kernel)}
    contents = guest.guest_image(kernel, crash_script.prelude(image) + script, programs, files,
                                 modules=[])
    words = "unknown_nmi_panic" if load.panic == "nmi" else ""
    machine = guest.GuestRun(kernel, contents, [], load.memory_mib, load.cpus,
                             crashkernel=load.crashkernel, extra_arguments=words, efi=load.efi,
                             spare_cpus=load.spare_cpus, memory_slots=memory_slots,
                             time_limit=time_limit)
    crashed = None

    def boot() -> guest.Result:
        nonlocal crashed
        crashed = Crashed(load, guest.Result("", "running", 0, 0), {})
        answering = Answers(crashed, {"kernel": loaded, "initrd": initrd}, verbose)
        return machine.run(None, answering.see, answer=answering)
    result = guest.boot_twice_at_most(boot)
    crashed.result = result
    return crashed
