# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes newc cpio archives, the format of an initramfs, without cpio or root."""

import os
import pathlib
import stat


class Archive:
    """An initramfs in memory.  Parent folders are made as needed; all is owned by root."""

    def __init__(self):
        self._bytes = bytearray()
        self._folders = {""}
        self.names: set[str] = set()       # of regular files, with a leading slash
        self._inode = 0

    def _add(self, name: str, mode: int, data: bytes = b"", device=(0, 0)) -> None:
        self._inode += 1
        encoded = name.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        self._bytes += b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        self._bytes += bytes(-len(self._bytes) % 4) + data
        self._bytes += bytes(-len(self._bytes) % 4)

    def folder(self, name: str) -> None:
        """Adds a folder and its parents, once."""
        name = name.strip("/")
        if name in self._folders:
            return
        self.folder(os.path.dirname(name))
        self._folders.add(name)
        self._add(name, stat.S_IFDIR | 0o755)

    def file(self, name: str, data: bytes, mode: int = 0o644) -> None:
        """Adds a regular file."""
        name = name.strip("/")
        self.folder(os.path.dirname(name))
        self.names.add("/" + name)
        self._add(name, stat.S_IFREG | mode, data)

    def copy(self, name: str, source: pathlib.Path) -> None:
        """Adds the host's file `source` under the given name."""
        self.file(name, source.read_bytes(), stat.S_IMODE(source.stat().st_mode))

    def symlink(self, name: str, target: str) -> None:
        """Adds a symbolic link."""
        name = name.strip("/")
        self.folder(os.path.dirname(name))
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def console(self) -> None:
        """Adds /dev/console, which the first process needs before devtmpfs is mounted."""
        self.folder("dev")
        self._add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))

    def finish(self) -> bytes:
        """The whole archive."""
        self._inode = -1
        self._add("TRAILER!!!", 0)
        return bytes(self._bytes) + bytes(-len(self._bytes) % 512)
