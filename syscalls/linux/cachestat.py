"""cachestat(2): how much of a file is in the page cache (mm/filemap.c)."""

from __future__ import annotations

import struct

from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import EINVAL, EPERM, SysError
from syscalls.abi.kinds import Address, Fd, UInt
from syscalls.fs.file import File
from syscalls.fs.perm import MAY_WRITE, owner_or_capable, permission
from syscalls.fs.regular import RegularInode
from syscalls.kernel.task import Task
from syscalls.spec import syscall

_RANGE = struct.Struct("<QQ")  # struct cachestat_range: offset, length
_STAT = struct.Struct("<5Q")  # struct cachestat: cached, dirty, under writeback, evicted, recently evicted


@syscall()
def cachestat(task: Task, fd: Fd, cstat_range: Address, cstat: Address, flags: UInt) -> int:
    """Count the pages of a range that are in memory; none is ever written back or evicted here (cachestat(2))."""
    file = task.file(fd)
    offset, length = _RANGE.unpack(task.mm.read(cstat_range, _RANGE.size))
    if not _may_ask(task, file):
        raise SysError(EPERM)
    if flags:
        raise SysError(EINVAL)
    inode, cached = file.inode, 0
    if isinstance(inode, RegularInode):
        last = -(-inode.size // PAGE_SIZE) - 1
        if length:
            last = min(last, offset + length - 1 >> PAGE_SHIFT)
        cached = sum(map(inode.pages.resident, range(offset >> PAGE_SHIFT, last + 1)))
    task.mm.write(cstat, _STAT.pack(cached, 0, 0, 0, 0))
    return 0


def _may_ask(task: Task, file: File) -> bool:
    """Who may write the file, or owns it (can_do_cachestat)."""
    if file.writable or owner_or_capable(file.inode, task.cred):
        return True
    try:
        permission(file.inode, task.cred, MAY_WRITE)
    except SysError:
        return False
    return True
