# SPDX-License-Identifier: GPL-2.0-or-later
"""The dead kernel's log.  Runs inside drgn: drgn -c DUMP -s VMLINUX dmesg.py"""

import sys

from drgn.helpers.linux import get_dmesg

sys.stdout.buffer.write(get_dmesg(prog))
