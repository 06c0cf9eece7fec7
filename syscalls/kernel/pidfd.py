"""pidfds: a process as a descriptor (pidfd_open(2), clone(2) with CLONE_PIDFD)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.stat import S_IFREG
from syscalls.fs.file import POLLIN, POLLRDNORM, File
from syscalls.fs.inode import Inode
from syscalls.kernel.wait import WaitQueue

if TYPE_CHECKING:
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import ThreadGroup


class PidFile(File):
    """Refers to a process; readable once it has ended."""

    def __init__(self, kernel: Kernel, group: ThreadGroup, flags: int) -> None:
        super().__init__(Inode(kernel.pipefs, S_IFREG | 0o600), flags)
        self.group = group

    def read(self, count: int) -> bytes:
        del count
        raise SysError(EINVAL)

    def poll(self) -> int:
        return POLLIN | POLLRDNORM if not self.group.tasks else 0

    def queues(self) -> tuple[WaitQueue, ...]:
        return (self.group.ended,)

    def name(self) -> bytes:
        return b"anon_inode:[pidfd]"
