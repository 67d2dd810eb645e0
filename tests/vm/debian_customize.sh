#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Finishes the root file system in the folder $1 (mmdebstrap's customize hook).
set -eu
root=$1
chroot "$root" systemctl --quiet enable guest-setup.service guest-run.service
# What a guest that lives for a minute does not need.
chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer \
    dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer getty@tty1.service \
    serial-getty@ttyS0.service systemd-pstore.service systemd-logind.service
# Servers run where a test starts them; their host keys are made there.
chroot "$root" systemctl --quiet disable ssh.service nfs-server.service rpcbind.service \
    rpcbind.socket nfs-client.target nfs-blkmap.service
rm -f "$root"/etc/ssh/ssh_host_*
# kdump-tools made its initramfs when the kernel was installed.  At the first boot it would make it
# again unless it knows that these settings have not changed since.
for image in "$root"/var/lib/kdump/initrd.img-*; do
    cp "$root/etc/kdump/sysctl.conf" "$root/var/lib/kdump/latest_sysctls-${image##*initrd.img-}"
done
