#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kdump-capture as an ordinary program, where it must do nothing but talk.
program=$1

# expect STATUS TEXT ARGUMENT...: the exit status, and what the output must have.
expect() {
    status=$1 text=$2
    shift 2
    output=$("$program" "$@" 2>&1)
    actual=$?
    [ "$actual" = "$status" ] || { echo "$*: exit status $actual, not $status"; exit 1; }
    case "$output" in
    *"$text"*) ;;
    *) echo "$*: no '$text' in: $output"; exit 1 ;;
    esac
}

expect 0 "Usage: kdump-capture" --help
expect 0 "Usage: kdump-capture" -h
expect 0 "kdump-capture 0." --version
expect 2 "--nothing" --nothing
expect 2 "unexpected argument 'word'" word
expect 2 "wants a device and a folder" --recover /dev/null
expect 1 "is not a device" --recover nothing /tmp
if [ ! -e /proc/vmcore ]; then
    expect 1 "there is no '/proc/vmcore'"
fi
