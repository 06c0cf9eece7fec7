"""swapon(2), swapoff(2) (mm/swapfile.c) and acct(2) (kernel/acct.c)."""

from __future__ import annotations

from syscalls.abi.errno import EACCES, EINVAL, EISDIR, ENOSYS, EPERM, SysError
from syscalls.abi.fcntl import O_APPEND, O_LARGEFILE, O_RDWR, O_WRONLY
from syscalls.abi.kinds import OptionalPath, Path, UInt
from syscalls.abi.stat import S_IFDIR, S_IFREG
from syscalls.fs import open as fs
from syscalls.fs.cred import CAP_SYS_ADMIN, CAP_SYS_PACCT
from syscalls.fs.fdtable import put
from syscalls.kernel.task import Task
from syscalls.spec import syscall

#: SWAP_FLAG_PRIO_MASK, PREFER, DISCARD, DISCARD_ONCE, DISCARD_PAGES.
_SWAP_FLAGS = 0x7_FFFF


def _type_of(task: Task, path: bytes, flags: int) -> int:
    """What a name leads to, opened and closed again."""
    file = fs.open(task, None, path, flags | O_LARGEFILE)
    put(file)
    return file.inode.type


@syscall()
def swapon(task: Task, path: Path, swapflags: UInt) -> int:
    """Swap to a file: EINVAL, as no file of tmpfs, or of ours, can be swapped to (swapon(2))."""
    if swapflags & ~_SWAP_FLAGS:
        raise SysError(EINVAL)
    if not task.cred.capable(CAP_SYS_ADMIN):
        raise SysError(EPERM)
    kind = _type_of(task, path, O_RDWR)
    raise SysError(EISDIR if kind == S_IFDIR else EINVAL)


@syscall()
def swapoff(task: Task, path: Path) -> int:
    """Swap to a file no longer: EINVAL, as none is swapped to (swapoff(2))."""
    if not task.cred.capable(CAP_SYS_ADMIN):
        raise SysError(EPERM)
    _type_of(task, path, O_RDWR)
    raise SysError(EINVAL)


@syscall(partial="accounting cannot be switched on: ENOSYS for a file that could be written")
def acct(task: Task, filename: OptionalPath) -> int:
    """Write a record for every process that ends, or (NULL) no longer (acct(2))."""
    if not task.cred.capable(CAP_SYS_PACCT):
        raise SysError(EPERM)
    if filename is None:
        return 0
    kind = _type_of(task, filename, O_WRONLY | O_APPEND)
    raise SysError(ENOSYS if kind == S_IFREG else EACCES)
