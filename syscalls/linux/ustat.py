"""ustat(2), sysfs(2): what old programs ask about file systems (fs/statfs.c, fs/filesystems.c)."""

from __future__ import annotations

import struct

from syscalls.abi.arch import I386
from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.kinds import Address, Int, UInt, ULong
from syscalls.kernel.procsys import FILE_SYSTEMS
from syscalls.kernel.task import Task
from syscalls.spec import syscall

#: struct ustat: free blocks, free inodes, and two names that nobody fills.
_USTAT, _USTAT32 = struct.Struct("<i4xQ16x"), struct.Struct("<II12x")
_NAME_MAX = 4096


@syscall()
def ustat(task: Task, dev: UInt, ubuf: Address) -> int:
    """Tell free blocks and inodes of the file system with a device number; EINVAL when none is mounted (ustat(2))."""
    return _ustat(task, dev, ubuf, _USTAT)


@syscall("ustat", only=I386)
def ustat32(task: Task, dev: UInt, ubuf: Address) -> int:
    """Tell free blocks and inodes of the file system with a device number; EINVAL when none is mounted (ustat(2))."""
    return _ustat(task, dev, ubuf, _USTAT32)


def _ustat(task: Task, dev: int, ubuf: int, layout: struct.Struct) -> int:
    mounts = task.ns.mnt.table.mounts if task.ns.mnt.table is not None else []
    for mount in mounts:
        if mount.fs.dev == dev:
            space = mount.fs.statfs()
            task.mm.write(ubuf, layout.pack(space.bfree & 0x7FFFFFFF, space.ffree & 0xFFFFFFFF))
            return 0
    raise SysError(EINVAL)


@syscall()
def sysfs(task: Task, option: Int, arg1: ULong, arg2: ULong) -> int:
    """Tell the index of a file system type (1), its name (2), or how many there are (3) (sysfs(2))."""
    names = [row.rpartition("\t")[2].encode() for row in FILE_SYSTEMS]
    if option == 1:
        name = task.mm.cstr(arg1, _NAME_MAX)
        if name not in names:
            raise SysError(EINVAL)
        return names.index(name)
    if option == 2:
        index = arg1 & 0xFFFFFFFF
        if index >= len(names):
            raise SysError(EINVAL)
        task.mm.write(arg2, names[index] + b"\0")
        return 0
    if option != 3:
        raise SysError(EINVAL)
    return len(names)
