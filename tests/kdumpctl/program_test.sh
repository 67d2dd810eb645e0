#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kdumpctl as a program: exit statuses, and the installed default file.
program=$1
default_file=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# expect STATUS TEXT ARGUMENT...: the exit status, and what the output must have.
expect() {
    status=$1 text=$2
    shift 2
    output=$("$program" "$@" 2>&1)
    actual=$?
    [ "$actual" = "$status" ] || { echo "$*: exit status $actual, not $status: $output"; exit 1; }
    case "$output" in
    *"$text"*) ;;
    *) echo "$*: no '$text' in: $output"; exit 1 ;;
    esac
}

expect 0 "Usage: kdumpctl" --help
expect 0 "kdumpctl 0." --version
expect 2 "no subcommand"
expect 2 "'--nothing'" check-config --nothing
expect 0 "0 errors, 0 warnings" check-config "$default_file"

echo "pth /x" >"$folder/bad.conf"
expect 1 "bad.conf:1: error: unknown directive 'pth'; did you mean 'path'?" \
    check-config "$folder/bad.conf"
expect 1 '"suggestion": "did you mean '"'path'"'?"' check-config --json "$folder/bad.conf"

# Nothing is run: the file that the command would make is not there afterwards.
echo "KDUMP_COREDIR=\"\$(touch $folder/made)\"; KDUMP_NUM_DUMPS=2" >"$folder/kdump-tools"
expect 3 "a command would have to be run" import debian "$folder/kdump-tools"
[ ! -e "$folder/made" ] || { echo "a command was run"; exit 1; }

# What is imported is a file that passes.
echo "KDUMP_COREDIR=/srv/crash" >"$folder/kdump-tools"
"$program" import debian "$folder/kdump-tools" >"$folder/kdump.conf" || exit 1
expect 0 "0 errors, 0 warnings" check-config "$folder/kdump.conf"
