"""pidfds: a process as a descriptor (pidfd_open(2), clone(2) with CLONE_PIDFD)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.stat import S_IFREG
from syscalls.fs.file import POLLHUP, POLLIN, POLLRDNORM, File
from syscalls.fs.inode import Inode
from syscalls.kernel.wait import WaitQueue

if TYPE_CHECKING:
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import Task, ThreadGroup


class PidFile(File):
    """Refers to a process, or to one thread (PIDFD_THREAD); readable once it has ended, and hung up when reaped."""

    def __init__(self, kernel: Kernel, group: ThreadGroup, flags: int, thread: Task | None = None) -> None:
        super().__init__(Inode(kernel.pipefs, S_IFREG | 0o600), flags)
        self.group = group
        self.thread = thread

    def read(self, count: int) -> bytes:
        del count
        raise SysError(EINVAL)

    def poll(self) -> int:
        if self.thread is not None:
            return 0 if self.thread.alive else POLLIN | POLLRDNORM | POLLHUP
        if self.group.tasks:
            return 0
        reaped = self.group.kernel.groups.get(self.group.tgid) is not self.group
        return POLLIN | POLLRDNORM | (POLLHUP if reaped else 0)

    def queues(self) -> tuple[WaitQueue, ...]:
        return (self.group.ended,)

    def name(self) -> bytes:
        return b"anon_inode:[pidfd]"
