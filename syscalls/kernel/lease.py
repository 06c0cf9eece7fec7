"""F_SETLEASE and F_GETLEASE, and what those do who run into a lease (fs/locks.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import EACCES, EINVAL, SysError
from syscalls.abi.fcntl import F_OWNER_PID, F_RDLCK, F_UNLCK, F_WRLCK
from syscalls.abi.prctl import CAP_LEASE
from syscalls.abi.signal import POLL_MSG
from syscalls.abi.stat import S_IFREG
from syscalls.fs.leases import NEVER, Lease, LeaseConflict, leases_of
from syscalls.kernel.sigio import send_sigio, set_default_owner
from syscalls.kernel.wait import Wait

if TYPE_CHECKING:
    from syscalls.fs.file import File
    from syscalls.kernel.task import Task

NSEC_PER_SEC = 1_000_000_000


class LeaseSettings:
    """/proc/sys/fs/lease-break-time, in seconds, and leases-enable."""

    def __init__(self) -> None:
        self.break_time = 45
        self.enabled = 1


def set_lease(task: Task, fd: int, file: File, type: int) -> None:
    """Take, change or (F_UNLCK) give up a lease; EINVAL, EACCES, EAGAIN (fcntl_setlease)."""
    if type not in (F_RDLCK, F_WRLCK, F_UNLCK):
        raise SysError(EINVAL)
    inode = file.inode
    if inode.uid != task.cred.fsuid and not task.cred.capable(CAP_LEASE):
        raise SysError(EACCES)
    if inode.type != S_IFREG:
        raise SysError(EINVAL)
    leases, now = leases_of(inode), task.kernel.clock.monotonic()
    if type == F_UNLCK:
        leases.remove(file, now)
        return
    leases.time_out(now)
    leases.add(file, fd, type, enabled=bool(task.kernel.leases.enabled))
    set_default_owner(task, file, F_OWNER_PID)


def get_lease(task: Task, file: File) -> int:
    """The type of a file's lease; what it is to become, when it is being broken (fcntl_getlease)."""
    leases = file.inode.leases
    lease = leases.of(file, task.kernel.clock.monotonic()) if leases is not None else None
    return F_UNLCK if lease is None else lease.target


async def break_lease(task: Task, conflict: LeaseConflict, *, nonblock: bool = False) -> None:
    """Tell those who have the leases, and wait until one goes; EAGAIN for those who will not wait (__break_lease)."""
    kernel = task.kernel
    leases, now = leases_of(conflict.inode), kernel.clock.monotonic()
    leases.time_out(now)
    if not leases.conflicts(write=conflict.write):
        return

    def tell(lease: Lease) -> None:
        send_sigio(kernel, lease.file, lease.fd, POLL_MSG)

    seconds = kernel.leases.break_time
    deadline = leases.break_all(now + seconds * NSEC_PER_SEC if seconds else NEVER, tell, write=conflict.write)
    if nonblock:
        raise conflict
    await Wait((leases.queue,), deadline)
    leases.time_out(kernel.clock.monotonic())
