# SPDX-License-Identifier: GPL-2.0-or-later
"""The segments of a vmcore or an elfcorehdr by what they are for."""

import ranges
from elf_headers import PT_LOAD, Segment


def of_kind(headers: list[Segment], kind: int) -> list[Segment]:
    """The headers of one kind, by address."""
    return sorted((s for s in headers if s.kind == kind), key=lambda s: (s.paddr, s.memsz))


def kernel_text(headers: list[Segment]) -> Segment:
    """The segment of the kernel's own mapping: it comes first."""
    return next(s for s in headers if s.kind == PT_LOAD)


def ram(headers: list[Segment]) -> list[Segment]:
    """The segments of memory."""
    text = kernel_text(headers)
    return [s for s in of_kind(headers, PT_LOAD) if s is not text]


def covered(segments: list[Segment]) -> ranges.Ranges:
    """The memory in segments."""
    return ranges.merged([(s.paddr, s.end) for s in segments])


def placed(segments: list[Segment]) -> list[tuple]:
    """What a reader goes by, without where in the file it is."""
    return [(s.kind, hex(s.paddr), hex(s.vaddr), hex(s.filesz), hex(s.memsz)) for s in segments]
