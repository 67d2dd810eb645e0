#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kdump-mkinitramfs as users run it, judged by cpio, gzip and zstd.
#   program_test.sh KDUMP-MKINITRAMFS KDUMP-CAPTURE
mkinitramfs=$1 capture=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

fail() {
    echo "$*"
    exit 1
}

# build NAME OPTION...: an image of kdump-capture, with itself in the filter's place.
build() {
    name=$1
    shift
    "$mkinitramfs" --init "$capture" --program "$capture=/usr/bin/kdump-filter" \
        --output "$dir/$name" "$@" >"$dir/$name.out" 2>&1 || fail "$name: $(cat "$dir/$name.out")"
}

# refuse TEXT OPTION...: exit status 2, and what stderr must have.
refuse() {
    text=$1
    shift
    "$mkinitramfs" "$@" >/dev/null 2>"$dir/error"
    [ $? = 2 ] || fail "$*: not refused"
    grep -qF -- "$text" "$dir/error" || fail "$*: no '$text' in: $(cat "$dir/error")"
}

echo 'some text' >"$dir/text"
build none --compress none --file "$dir/text=/etc/text"
build again --file "$dir/text=/etc/text" --compress none
build gzip -c gzip -f "$dir/text=/etc/text"
build zstd -c zstd -f "$dir/text=/etc/text"
cmp "$dir/none" "$dir/again" || fail "two builds differ"
gzip -dc <"$dir/gzip" | cmp - "$dir/none" || fail "gzip's content differs"
if command -v zstd >/dev/null; then
    zstd -dc <"$dir/zstd" | cmp - "$dir/none" || fail "zstd's content differs"
fi
[ "$(stat -c %a "$dir/none")" = 600 ] || fail "the image is not private"

if command -v cpio >/dev/null; then
    cpio -itv --quiet <"$dir/none" >"$dir/list" 2>&1 || fail "cpio: $(cat "$dir/list")"
    grep -q '^crw-------.* 5, *1 .* dev/console$' "$dir/list" || fail "no /dev/console"
    grep -q '^-rwxr-xr-x .* init$' "$dir/list" || fail "no /init"
    grep -q ' usr/bin/kdump-filter$' "$dir/list" || fail "no kdump-filter"
    grep -q '/libc.so' "$dir/list" || fail "no C library"
    mkdir "$dir/root"
    (cd "$dir/root" && cpio -id --quiet --no-preserve-owner 'init' 'etc/*' <"$dir/none") ||
        fail "cpio cannot unpack"
    cmp "$dir/root/init" "$capture" || fail "/init differs from its source"
    cmp "$dir/root/etc/text" "$dir/text" || fail "/etc/text differs from its source"
fi

"$mkinitramfs" --init "$capture" --program "$capture=/usr/bin/kdump-filter" --list >"$dir/list" ||
    fail "--list without --output"
grep -q '^c0600 .* /dev/console$' "$dir/list" || fail "--list without /dev/console"

"$mkinitramfs" --help | grep -q -- '--kernel-release R' || fail "--help"
"$mkinitramfs" --version | grep -q '^kdump-mkinitramfs ' || fail "--version"
refuse "--output is missing"
refuse "unexpected argument 'word'" word
refuse "use none, gzip or zstd" --compress bzip2
refuse "use SRC=DEST" --file /etc/passwd
refuse "no modules of kernel '0.0'" --init "$capture" -p "$capture=/usr/bin/kdump-filter" \
    -k 0.0 -m ext4 -o "$dir/bad"
refuse "see --help" --nothing
[ ! -e "$dir/bad" ] || fail "an image was written after an error"
