# SPDX-License-Identifier: GPL-2.0-or-later
"""Our dracut module under a newer dracut than Debian 12's: an image is built in a folder with that
Debian, and runs after a crash.

A stand-in for kdump-capture reports when it is called; what it does is tested elsewhere.
"""

import pathlib
import re
import shutil
import unittest

import archive
import case
import debian_image
import guest
import kernels
import settings
import test_capture

KERNEL, SUITE = "6.12", "trixie"
PACKAGES = ("dracut-core", "busybox-static", "dmsetup", "kmod", "udev", "zstd", "procps", "iproute2")
MODULE = pathlib.Path(__file__).resolve().parents[2] / "dracut/55kdumpkit"
# As kdumpctl/full_image.cc has them.
DRACUT = ("dracut --force --hostonly --hostonly-cmdline --no-hostonly-default-device "
          "--no-hostonly-i18n --no-early-microcode --add 'kdumpkit dm' --omit 'systemd "
          "systemd-initrd dracut-systemd plymouth resume i18n usrmount rngd fips crypt iscsi'")
WORDS = "root=kdump rd.shell=0 rd.emergency=reboot rd.retry=30 rd.luks=0"
# What stands in for kdumpctl puts the capture into the image, and a device that is waited for until
# the volumes are open.
KDUMPCTL = """#!/bin/sh
cd "$3" || exit 1
mkdir -p usr/bin etc/kdumpkit
echo volume >etc/kdumpkit/volumes
cat >usr/bin/kdump-capture <<'END'
#!/bin/sh
echo "GUEST: kdump-capture $*" >/dev/kmsg
if [ "$1" = --open-volumes ]; then
    >/run/opened
    exit 0
fi
[ -e /proc/vmcore ] && echo "GUEST: dump saved" >/dev/kmsg
sleep 1
echo b >/proc/sysrq-trigger
END
chmod 755 usr/bin/kdump-capture
for hooks in var/lib/dracut/hooks usr/lib/dracut/hooks; do
    [ -d "$hooks" ] && echo '[ -e /run/opened ]' >"$hooks/initqueue/finished/50-opened.sh"
done
exit 0
"""
SCRIPT = f"""
kexec -p /vmlinuz --initrd=/crash.img --append="{guest.CRASH_COMMAND_LINE} {WORDS}" || fail "kexec"
echo c >/proc/sysrq-trigger
"""


def system() -> pathlib.Path:
    """A folder with that Debian; made once."""
    debian_image.need_root()
    suite = archive.suite(SUITE)
    suite.update()
    version = suite.describe("dracut-core")["Version"]

    def fill(folder: pathlib.Path) -> None:
        archive.run_quietly([
            "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory",
            *debian_image._acquire_options(), "--aptopt=APT::Sandbox::User \"root\"",
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in debian_image.EXCLUDED),
            f"--include={','.join(PACKAGES)}", suite.name, folder / "tree", suite.source_list()])
    return archive.make_tree(archive.cache_root() / "debian" / f"dracut-{SUITE}_{version}",
                             fill) / "tree"


@case.once
def image() -> pathlib.Path:
    """The capture image."""
    kernel, root = kernels.find(KERNEL), system()
    shutil.copytree(kernel.modules, root / "usr/lib/modules" / kernel.release, dirs_exist_ok=True)
    shutil.copytree(MODULE, root / "usr/lib/dracut/modules.d/55kdumpkit", dirs_exist_ok=True)
    stand_in = root / "usr/bin/kdumpctl"
    stand_in.write_text(KDUMPCTL, encoding="ascii")
    stand_in.chmod(0o755)
    archive.run_quietly(["unshare", "--mount", "--pid", "--fork", "chroot", root, "sh", "-c",
                         f"mount -t proc proc /proc && KDUMPCTL=/usr/bin/kdumpctl {DRACUT} "
                         f"--kver {kernel.release} /capture.img"])
    return root / "capture.img"


@case.once
def console() -> str:
    """What the capture kernel says."""
    kernel, work = kernels.find(KERNEL), test_capture.scratch("dracut")
    contents = guest.guest_image(
        kernel, SCRIPT, {"sbin/kexec": settings.current.kexec()},
        {"vmlinuz": kernel.image.read_bytes(), "crash.img": image().read_bytes()}, ["virtio_pci"])
    run = guest.GuestRun(kernel, contents, [], 1536, 1, crashkernel="384M", time_limit=300)
    return run.run(work / "console.log", case.show).console.partition("Kernel panic")[2]


def tearDownModule():
    """Removes the files of the crash."""
    test_capture.tearDownModule()


@unittest.skipUnless(settings.current.matrix, "some minutes; --matrix runs it")
class NewerDracut(case.VmCase):
    """dracut 106."""

    def test_is_newer(self):
        """Than Debian 12's 059."""
        text = (system() / "usr/lib/dracut/dracut-version.sh").read_text(encoding="ascii")
        self.assertGreaterEqual(int(re.search(r"DRACUT_VERSION='?(\d+)", text)[1]), 106)

    def test_hooks_in_order(self):
        """Volumes are opened while devices are waited for, and only then is the dump saved."""
        calls = re.findall(r"GUEST: (kdump-capture.*|dump saved)", console())
        self.assertEqual([call.strip() for call in calls],
                         ["kdump-capture --open-volumes", "kdump-capture", "dump saved"],
                         console()[-3000:])
