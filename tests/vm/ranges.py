# SPDX-License-Identifier: GPL-2.0-or-later
"""Sets of physical addresses as sorted lists of half-open ranges."""

import re

Ranges = list[tuple[int, int]]


def merged(found: Ranges) -> Ranges:
    """Sorted, with those that touch or overlap made one."""
    result: Ranges = []
    for start, end in sorted(found):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def without(found: Ranges, excluded: Ranges) -> Ranges:
    """What is in the first and not in the second."""
    result = merged(found)
    for cut_start, cut_end in excluded:
        pieces = [piece for start, end in result
                  for piece in ((start, min(end, cut_start)), (max(start, cut_end), end))]
        result = [(start, end) for start, end in pieces if start < end]
    return merged(result)


def of_iomem(text: str, name: str) -> Ranges:
    """The ranges of that name in the text of /proc/iomem, at any depth."""
    found = re.findall(rf"^ *(\w+)-(\w+) : {re.escape(name)}$", text, re.MULTILINE)
    return merged([(int(first, 16), int(last, 16) + 1) for first, last in found])


def shown(found: Ranges) -> str:
    """For messages."""
    return ", ".join(f"{start:#x}-{end:#x}" for start, end in found) or "none"
