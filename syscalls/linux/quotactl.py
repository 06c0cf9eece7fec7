"""quotactl(2): no file system here keeps quotas (fs/quota/quota.c)."""

from __future__ import annotations

from syscalls.abi.errno import EACCES, EINVAL, ENODEV, ENOSYS, ENOTBLK, SysError
from syscalls.abi.kinds import Address, Fd, Int, OptionalPath, UInt
from syscalls.abi.stat import S_IFBLK, ST_NODEV
from syscalls.kernel.lookup import lookup
from syscalls.kernel.task import Task
from syscalls.spec import syscall

Q_SYNC = 0x80_0001
MAX_QUOTAS = 3


@syscall()
def quotactl(task: Task, op: UInt, special: OptionalPath, id: Int, addr: Address) -> int:
    """Manage the quotas of a block device; ENODEV, as none has a file system (quotactl(2), quotactl_block)."""
    del id, addr
    if op & 0xFF >= MAX_QUOTAS:
        raise SysError(EINVAL)
    if special is None:
        if op >> 8 != Q_SYNC:
            raise SysError(ENODEV)
        return 0  # there is none that could be out of date
    place = lookup(task, special)
    if place.inode.type != S_IFBLK:
        raise SysError(ENOTBLK)
    raise SysError(EACCES if place.mount.flags & ST_NODEV else ENODEV)


@syscall()
def quotactl_fd(task: Task, fd: Fd, op: UInt, id: Int, addr: Address) -> int:
    """Manage the quotas of an open file's file system: ENOSYS, as Linux says where there are none (do_quotactl)."""
    del id, addr
    task.files.get_any(fd)
    raise SysError(EINVAL if op & 0xFF >= MAX_QUOTAS else ENOSYS)
