# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test does to a running guest: monitor commands, its serial line, its memory.

A guest that prints "GUEST: ask WORDS" waits for one line on its serial line; the test's answer is
typed there.  That is how a script in a guest has something done from outside at the right moment.
"""

import json
import os
import socket

ASK = "GUEST: ask "
GIB = 1 << 30


class ControlError(Exception):
    """QEMU refused a command, or a place is not memory of the guest."""


class Memory:
    """A guest's memory, shared with QEMU: what is written here is there at once.

    Memory that is added to a running guest is not part of it.
    """

    def __init__(self, mib: int):
        self.size = mib << 20
        self.fd = os.memfd_create("guest")
        os.ftruncate(self.fd, self.size)
        # The q35 machine has 2 GiB below the PCI hole, or all of it when it fits below 2.75 GiB.
        self._low = self.size if self.size < 0xB0000000 else 2 * GIB

    def qemu_arguments(self) -> list[str]:
        """The words that make it the guest's memory; QEMU has to inherit `fd`."""
        return ["-object", f"memory-backend-file,id=ram,share=on,size={self.size},"
                           f"mem-path=/proc/self/fd/{self.fd}", "-machine", "memory-backend=ram"]

    def _offset(self, address: int, size: int) -> int:
        base, start, end = ((0, 0, self._low) if address < self._low else
                            (4 * GIB, self._low, self.size))
        if not 0 <= address - base <= end - start - size:
            raise ControlError(f"{size} bytes at {address:#x} are not the guest's memory")
        return start + address - base

    def read(self, address: int, size: int) -> bytes:
        """Physical memory."""
        return os.pread(self.fd, size, self._offset(address, size))

    def write(self, address: int, data: bytes) -> None:
        """Changes physical memory."""
        os.pwrite(self.fd, data, self._offset(address, len(data)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)


class Machine:
    """A running QEMU."""

    def __init__(self, monitor: str, serial, memory: Memory):
        self._address = monitor
        self._serial = serial
        self._channel = None
        self.memory = memory

    def type(self, text: str) -> None:
        """Types on the serial line."""
        self._serial.write(text.encode())
        self._serial.flush()

    def send_break(self) -> None:
        """A break on the serial line."""
        self.execute("chardev-send-break", id="serial0")

    def execute(self, command: str, **arguments):
        """Runs a QMP command; words of arguments are joined with "-" in QMP, with "_" here."""
        if self._channel is None:
            self._connect()
        named = {key.replace("_", "-"): value for key, value in arguments.items()}
        self._channel.write(json.dumps({"execute": command, "arguments": named}).encode() + b"\n")
        self._channel.flush()
        for line in self._channel:
            reply = json.loads(line)
            if "error" in reply:
                raise ControlError(f"'{command}': {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]
        raise ControlError(f"'{command}': QEMU ended")

    def _connect(self) -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self._address)
            self._channel = client.makefile("rwb")
        self._channel.readline()     # the greeting
        self.execute("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._channel is not None:
            self._channel.close()
