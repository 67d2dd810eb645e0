#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by dracut: "root=kdump" means that there is no root file system to wait for.
# shellcheck disable=SC2034,SC2154 # variables of dracut
[ "$root" = kdump ] && rootok=1
