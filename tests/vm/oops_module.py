# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel module that reads through a null pointer, for any kernel and without its headers.

What differs between kernels (the size of struct module, where its `init` is, the version words) is
taken from a module that the kernel's own package has.  Symbol versions are left out: Debian's
kernels have CONFIG_MODULE_FORCE_LOAD, and the module calls nothing.
"""

import pathlib
import re
import tempfile

import archive
import kernels

DONOR = "loop"
NAME_OFFSET = 24             # of struct module: after `state` and `list`, on every 64-bit kernel

SOURCE = """
    .section .modinfo, "a"
    .asciz "license=GPL"
    .asciz "name=oops"
    .asciz "{vermagic}"
    .section .gnu.linkonce.this_module, "aw"
    .balign 64
__this_module:
    .skip {name_offset}
    .asciz "oops"
    .skip {init_offset} - {name_offset} - 5
    .quad init_module
    .skip {size} - {init_offset} - 8
    .section .init.text, "ax"
    .globl init_module
    .type init_module, @function
init_module:
    endbr64
read_null_pointer:
    xorl %eax, %eax
    movl (%rax), %eax
    ret
    .size init_module, . - init_module
    .section .note.GNU-stack, "", @progbits
"""


def make(kernel: kernels.Kernel) -> bytes:
    """The module's file; inserting it makes the kernel oops, and panic with oops=panic."""
    donor, = (path for path in kernel.module_closure([DONOR])
              if kernels.module_name(path.name) == DONOR)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "donor.ko").write_bytes(kernels.module_bytes(donor))
        (folder / "oops.s").write_text(SOURCE.format(**_facts(folder / "donor.ko")),
                                       encoding="ascii")
        archive.run_quietly(["gcc", "-c", "-o", folder / "oops.ko", folder / "oops.s"])
        return (folder / "oops.ko").read_bytes()


def _facts(donor: pathlib.Path) -> dict:
    shown = archive.run_quietly(["readelf", "-SrW", donor])
    size = re.search(r" \.gnu\.linkonce\.this_module +PROGBITS +\w+ +\w+ +(\w+)", shown)
    moved = shown.partition("section '.rela.gnu.linkonce.this_module'")[2]
    init = re.search(r"^(\w+) .* init_module \+ 0$", moved, re.MULTILINE)
    vermagic = re.search(rb"\0(vermagic=[^\0]+)\0", donor.read_bytes())
    return {"size": int(size[1], 16), "init_offset": int(init[1], 16),
            "name_offset": NAME_OFFSET, "vermagic": vermagic[1].decode()}
