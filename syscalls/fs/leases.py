"""Leases: who has one is told before somebody else opens or cuts the file, and may react first (fs/locks.c).

Nothing here sleeps or sends signals. Who opens a file gets `LeaseConflict` while others' leases stand in the way, has
them broken, waits for the queue, and tries again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from syscalls.abi.errno import EAGAIN, EINVAL, SysError
from syscalls.abi.fcntl import F_RDLCK, F_UNLCK, F_WRLCK
from syscalls.fs.file import File
from syscalls.fs.inode import Inode
from syscalls.kernel.wait import WaitQueue

#: A moment that never comes: /proc/sys/fs/lease-break-time is 0.
NEVER = 1 << 63


class LeaseConflict(SysError):  # noqa: N818  # a condition, which becomes an error only for those who will not wait
    """Somebody has a lease on a file that is to be opened or cut: EAGAIN for those who do not wait."""

    def __init__(self, inode: Inode, *, write: bool) -> None:
        super().__init__(EAGAIN)
        self.inode = inode
        self.write = write


@dataclass(slots=True, eq=False)
class Lease:
    """One open file description's lease: F_RDLCK (tell me of writers) or F_WRLCK (of everybody)."""

    file: File
    fd: int  # for the signal
    type: int
    unlock_at: int | None = None  # monotonic ns: must be given up until then (FL_UNLOCK_PENDING) ...
    downgrade_at: int | None = None  # ... or become one of readers (FL_DOWNGRADE_PENDING)

    @property
    def target(self) -> int:
        """What it will be once it is broken (target_leasetype)."""
        if self.unlock_at is not None:
            return F_UNLCK
        return self.type if self.downgrade_at is None else F_RDLCK


class Leases:
    """All leases of one inode."""

    __slots__ = ("_inode", "_leases", "queue")

    def __init__(self, inode: Inode) -> None:
        self._inode = inode
        self._leases: list[Lease] = []
        self.queue = WaitQueue("a lease")  # woken when one goes, or becomes less

    def of(self, file: File, now: int) -> Lease | None:
        """The lease of an open file description."""
        self.time_out(now)
        return next((lease for lease in self._leases if lease.file is file), None)

    def conflicts(self, *, write: bool) -> bool:
        """Does a lease stand in the way of somebody who opens the file? (any_leases_conflict)."""
        return any(write or lease.type == F_WRLCK for lease in self._leases)

    def check(self, *, write: bool) -> None:
        """LeaseConflict when there is one."""
        if self.conflicts(write=write):
            raise LeaseConflict(self._inode, write=write)

    def time_out(self, now: int) -> None:
        """Who has not reacted in time loses the lease, or half of it (time_out_leases)."""
        for lease in tuple(self._leases):
            if lease.unlock_at is not None and lease.unlock_at <= now:
                self.change(lease, F_UNLCK)
            elif lease.downgrade_at is not None and lease.downgrade_at <= now:
                self.change(lease, F_RDLCK)

    def break_all(self, until: int, tell: Callable[[Lease], None], *, write: bool) -> int | None:
        """Tell the holders of all leases in the way to give them up; when the first one's time ends (__break_lease)."""
        for lease in tuple(self._leases):
            if not write and lease.type != F_WRLCK:
                continue
            if write and lease.unlock_at is None:
                lease.unlock_at = until
            elif not write and lease.target == lease.type:
                lease.downgrade_at = until
            else:
                continue
            tell(lease)
        ends = [end for lease in self._leases for end in (lease.unlock_at, lease.downgrade_at) if end is not None]
        return min(ends, default=None) if min(ends, default=NEVER) != NEVER else None

    def add(self, file: File, fd: int, type: int, *, enabled: bool) -> None:
        """Take a lease, or change the file's own; EAGAIN when others have the file open (generic_add_lease)."""
        inode = self._inode
        if type == F_RDLCK and inode.writers > 0:
            raise SysError(EAGAIN)
        writing, reading = file.writable, file.readable and not file.writable
        if type == F_WRLCK and (inode.writers, inode.readers) != (writing, reading):
            raise SysError(EAGAIN)
        own = None
        for lease in self._leases:
            if lease.file is file:
                own = lease
            elif type == F_WRLCK or lease.unlock_at is not None:
                raise SysError(EAGAIN)
        if own is not None:
            self.change(own, type)
            own.fd = fd
        elif not enabled:
            raise SysError(EINVAL)
        else:
            self._leases.append(Lease(file, fd, type))

    def remove(self, file: File, now: int) -> None:
        """F_UNLCK; EAGAIN when the file has no lease (generic_delete_lease)."""
        lease = self.of(file, now)
        if lease is None:
            raise SysError(EAGAIN)
        self.change(lease, F_UNLCK)

    def drop(self, file: File) -> None:
        """An open file description is closed for good (locks_remove_lease)."""
        for lease in tuple(self._leases):
            if lease.file is file:
                self.change(lease, F_UNLCK)

    def change(self, lease: Lease, type: int) -> None:
        """It becomes something else, and whoever waits looks again (lease_modify)."""
        lease.type = type
        if type != F_WRLCK:
            lease.downgrade_at = None
        if type == F_UNLCK:
            lease.unlock_at = None
            lease.file.owner, lease.file.owner_signal = (lease.file.owner[0], 0), 0
            self._leases.remove(lease)
        self.queue.wake()


def leases_of(inode: Inode) -> Leases:
    """The leases of an inode, also when it never had any."""
    if inode.leases is None:
        inode.leases = Leases(inode)
    return inode.leases
