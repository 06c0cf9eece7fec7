"""/proc/PID/mem: a process's memory as a file (proc_pid_mem(5), fs/proc/base.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import EACCES, EINVAL, EIO, SysError
from syscalls.abi.fcntl import SEEK_CUR, SEEK_SET
from syscalls.abi.stat import S_IFREG
from syscalls.fs.file import File
from syscalls.fs.procfs import Node, ProcFs, ProcInode
from syscalls.kernel.ptrace_access import may_access
from syscalls.mm.remote import read_forced, write_forced

if TYPE_CHECKING:
    from syscalls.fs.inode import Inode
    from syscalls.fs.procfs import Owner
    from syscalls.kernel.task import Task
    from syscalls.mm.space import AddressSpace


class MemoryNode(Node):
    """The file's entry."""

    def __init__(self, task: Task, owner: Owner) -> None:
        super().__init__(S_IFREG | 0o600, owner)
        self.task = task

    def inode(self, fs: ProcFs, ino: int) -> Inode:
        return MemoryInode(fs, self, ino)


class MemoryInode(ProcInode):
    """The file. Who opens it keeps the memory that the process had then."""

    __slots__ = ()
    node: MemoryNode

    def open(self, flags: int) -> File:
        task = self.node.task
        if not task.alive or not may_access(task.kernel.current or task, task, fs_ids=True):
            raise SysError(EACCES)
        return MemoryFile(self, flags, task.mm)


class MemoryFile(File):
    """An open one: positions are addresses."""

    seekable = True

    def __init__(self, inode: MemoryInode, flags: int, space: AddressSpace) -> None:
        super().__init__(inode, flags)
        self.space = space

    def pread(self, count: int, offset: int) -> bytes:
        """EIO when not even the first byte is there; nothing from a process that has ended (mem_rw)."""
        if not self.space.users or not count:
            return b""
        data = read_forced(self.space, offset, count)
        if not data:
            raise SysError(EIO)
        return data

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        if not self.space.users or not data:
            return 0
        done = write_forced(self.space, offset, bytes(data))
        if not done:
            raise SysError(EIO)
        return done

    def read(self, count: int) -> bytes:
        data = self.pread(count, self.position)
        self.position += len(data)
        return data

    def write(self, data: bytes | memoryview) -> int:
        done = self.pwrite(data, self.position)
        self.position += done
        return done

    def seek(self, offset: int, whence: int) -> int:
        """SEEK_SET and SEEK_CUR; any address is a position (mem_lseek)."""
        if whence not in {SEEK_SET, SEEK_CUR}:
            raise SysError(EINVAL)
        self.position = offset + (self.position if whence == SEEK_CUR else 0) & (1 << 64) - 1
        return self.position
