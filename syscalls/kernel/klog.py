"""The kernel's own log, as syslog(2) reads it: this kernel says little (kernel/printk/printk.c)."""

from __future__ import annotations

from syscalls.kernel.wait import WaitQueue

SIZE = 1 << 18


class KernelLog:
    """One text; what was read with SYSLOG_ACTION_READ is gone for the next such call, and cleared text for READ_ALL."""

    def __init__(self, banner: bytes) -> None:
        self.text = b"<5>[    0.000000] " + banner + b"\n"
        self.read_to = 0
        self.cleared_to = 0
        self.queue = WaitQueue("a message of the kernel")

    @property
    def size(self) -> int:
        """Bytes that were ever said."""
        return len(self.text)

    def take(self, count: int) -> bytes:
        """Up to `count` bytes that nobody has taken yet."""
        data = self.text[self.read_to : self.read_to + count]
        self.read_to += len(data)
        return data

    def last(self, count: int) -> bytes:
        """The last `count` bytes of what was not cleared, in whole lines."""
        text = self.text[self.cleared_to :]
        while len(text) > count:
            text = text.partition(b"\n")[2]
        return text
