#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by dracut, again and again while it waits for devices: opens LUKS volumes, on which others
# may stand. Goes once there are none left to wait for.
# shellcheck disable=SC2154 # of dracut
if [ ! -e /etc/kdumpkit/volumes ] || /usr/bin/kdump-capture --open-volumes; then
    rm -f -- "$job"
fi
