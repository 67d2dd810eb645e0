#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The capture image by dracut(8), for destinations that kdumpkit's small image cannot bring up.
# "kdumpctl rebuild" runs dracut with this module; the device is told by --add-device.

check() {
    # Never part of an ordinary initramfs.
    return 255
}

depends() {
    return 0
}

install() {
    # All that is ours: programs with their libraries, kernel modules, configuration, keys.
    # What install() returns plays no part for dracut, so a failure has to end it.
    # shellcheck disable=SC2154 # of dracut
    if ! "${KDUMPCTL:-kdumpctl}" image-files --builder=dracut "$initdir"; then
        dfatal "kdumpctl could not put its files into the image"
        exit 1
    fi
    inst_multiple reboot
    # shellcheck disable=SC2154 # of dracut
    inst_hook cmdline 30 "$moddir/no-root.sh"
    inst_hook initqueue/settled 30 "$moddir/volumes.sh"
    inst_hook pre-mount 01 "$moddir/capture.sh"
    # Some device did not appear, or something else failed: the other destinations are tried.
    inst_hook initqueue/timeout 99 "$moddir/capture.sh"
    inst_hook emergency 01 "$moddir/capture.sh"
}
