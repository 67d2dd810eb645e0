# SPDX-License-Identifier: GPL-2.0-or-later
"""A digest of a dead kernel's state.  Runs inside drgn: drgn -c DUMP -s VMLINUX digest.py

Each line is one fact.  Two dumps of one kernel have the same digest unless one lacks memory that
matters; what cannot be read shows as a line of its own.
"""

import hashlib

from drgn import FaultError
from drgn.helpers.linux import (find_slab_cache, for_each_module, for_each_online_cpu,
                                for_each_task, get_dmesg, per_cpu_ptr,
                                slab_cache_for_each_allocated_object, task_state_to_char)

SLAB_CACHES = ("filp", "kmalloc-256")


def hash_of(data: bytes) -> str:
    """A short name for bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


def read(address: int, size: int) -> str:
    """The hash of memory, or why it cannot be read."""
    try:
        return hash_of(prog.read(address, size))
    except FaultError as error:
        return f"FAULT {error}"


def show_task(task) -> None:
    """One task: what it is, its structure, its stack's bytes and the stack unwound."""
    name = task.comm.string_().decode()
    print("task", task.pid.value_(), task.tgid.value_(), name, task_state_to_char(task),
          task.parent.pid.value_(), read(task.value_(), task.type_.type.size),
          read(task.stack.value_(), 16384))
    try:
        trace = prog.stack_trace(task)
        print("stack", task.pid.value_(), name, [frame.name or hex(frame.pc) for frame in trace])
    except (ValueError, FaultError, LookupError) as error:
        print("stack", task.pid.value_(), name, error)


def show_tasks() -> None:
    """All tasks, ordered."""
    for task in sorted(for_each_task(prog), key=lambda task: task.pid.value_()):
        show_task(task)


def show_slab(name: str) -> None:
    """All objects of a slab cache."""
    cache = find_slab_cache(prog, name)
    size = cache.object_size.value_()
    found = sorted(o.value_() for o in slab_cache_for_each_allocated_object(cache, "void"))
    print("slab", name, len(found), hash_of("".join(read(a, size) for a in found).encode()))


def show_range(name: str, first: str, end: str) -> None:
    """Memory between two symbols."""
    begin = prog.symbol(first).address
    print("range", name, read(begin, prog.symbol(end).address - begin))


def show_modules() -> None:
    """Loaded modules with the bytes of their structures."""
    for module in for_each_module(prog):
        print("module", module.name.string_().decode(), module.value_(),
              read(module.value_(), module.type_.type.size))


def show_queues() -> None:
    """Each CPU's run queue."""
    for cpu in for_each_online_cpu(prog):
        queue = per_cpu_ptr(prog["runqueues"].address_of_(), cpu)
        print("runqueue", cpu, queue.nr_running.value_(),
              read(queue.value_(), queue.type_.type.size))


show_tasks()
show_modules()
show_queues()
show_range("text", "_stext", "_etext")
show_range("data", "_sdata", "_edata")
for cache_name in SLAB_CACHES:
    show_slab(cache_name)
print("log", hash_of(get_dmesg(prog)))
