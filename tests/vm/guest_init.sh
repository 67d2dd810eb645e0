#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The first process of a test guest: prepares it, runs /run.sh (the test's own part), and powers
# off if that returns.  Lines that begin with "GUEST:" are read by the harness.
/bin/busybox mkdir -p /proc /sys /dev /disk /tmp /run
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/
mkdir -p /dev/shm
mount -t tmpfs -o size=90% tmpfs /dev/shm
mount -t tmpfs tmpfs /run

for module in /modules/*.ko; do
    insmod "$module" || echo "GUEST: cannot load $module"
done

# Prints the device of the disk with the given serial.
disk() {
    for tries in 1 2 3 4 5 6 7 8 9 10; do
        for folder in /sys/block/vd*; do
            if [ "$(cat "$folder/serial")" = "$1" ]; then
                echo "/dev/${folder##*/}"
                return
            fi
        done
        sleep 0.5
    done
    echo "GUEST: no disk '$1'" >&2
}

fail() {
    echo "GUEST: failed: $*"
    poweroff -f
    sleep 60
}

echo "GUEST: booted $(uname -r)"
. /run.sh
fail "the script of the test ended"
