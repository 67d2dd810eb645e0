#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by dracut, once devices are there, or will not come: saves the dump. Does not come back.
if [ -e /proc/vmcore ]; then
    /usr/bin/kdump-capture
    # It ends this kernel by itself, unless it could not even start.
    echo "kdump-capture has ended; rebooting" >/dev/kmsg
    reboot -f
    echo b >/proc/sysrq-trigger
fi
