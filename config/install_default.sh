#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Usage: install_default.sh FILE FOLDER (run by meson install)
# Installs FILE into FOLDER unless there is one: it may have been edited.
set -eu
name=$(basename "$1")
folder=${DESTDIR:-}$2
[ -e "$folder/$name" ] || [ -L "$folder/$name" ] || install -D -m 644 "$1" "$folder/$name"
