"""Advisory locks: records of a process or of an open file description (fcntl(2)), and whole files (flock(2)).

Nothing here sleeps: an operation that conflicts gives the wait queue of the inode, which is woken whenever a lock goes.

    while (queue := locks.set_record(owner, wanted, wait=True)) is not None:
        await queue.wait()

The owner of a record lock is a descriptor table (POSIX) or an open file description (OFD). See fs/locks.c.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from syscalls.abi.errno import EBADF, EDEADLK, EINVAL, EOVERFLOW, SysError
from syscalls.abi.fcntl import F_RDLCK, F_UNLCK, F_WRLCK, LOCK_EX, LOCK_SH, LOCK_UN, SEEK_CUR, SEEK_END, SEEK_SET
from syscalls.fs.file import File
from syscalls.fs.inode import Inode
from syscalls.kernel.wait import WaitQueue

if TYPE_CHECKING:
    from syscalls.fs.fdtable import FdTable

OFFSET_MAX = (1 << 63) - 1

#: Who waits for whom, over all files: what a new wait must not close to a circle (posix_locks_deadlock).
_waits_for: WeakKeyDictionary[FdTable, FdTable] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Record:
    """A locked range: F_RDLCK, F_WRLCK (or, as a request, F_UNLCK) from `start` to `end`, both included."""

    type: int
    start: int
    end: int = OFFSET_MAX
    pid: int = -1  # the process, as F_GETLK shows it; -1 for an open file description

    @property
    def length(self) -> int:
        """As in struct flock: 0 means up to the end, however far."""
        return 0 if self.end == OFFSET_MAX else self.end - self.start + 1

    def overlaps(self, other: Record) -> bool:
        """Do they share a byte?"""
        return self.start <= other.end and other.start <= self.end


def record_of(file: File, type: int, whence: int, start: int, length: int, pid: int = -1) -> Record:
    """The range that a struct flock means (flock_to_posix_lock); EINVAL, EOVERFLOW."""
    if whence not in {SEEK_SET, SEEK_CUR, SEEK_END}:
        raise SysError(EINVAL)
    start += {SEEK_SET: 0, SEEK_CUR: file.position, SEEK_END: file.inode.size}[whence]
    if start > OFFSET_MAX:
        raise SysError(EOVERFLOW)
    end = start + length - 1
    if length < 0:
        start, end = start + length, start - 1
    elif not length:
        end = OFFSET_MAX
    if start < 0:
        raise SysError(EINVAL)
    if end > OFFSET_MAX:
        raise SysError(EOVERFLOW)
    if type not in {F_RDLCK, F_WRLCK, F_UNLCK}:
        raise SysError(EINVAL)
    return Record(type, start, end, pid)


def check_access(file: File, type: int) -> None:
    """A shared lock needs a file that can be read, an exclusive one a file that can be written; EBADF."""
    if (type == F_RDLCK and not file.readable) or (type == F_WRLCK and not file.writable):
        raise SysError(EBADF)


def locks_of(inode: Inode) -> FileLocks:
    """The locks of an inode, also when it never had any."""
    if inode.locks is None:
        inode.locks = FileLocks()
    return inode.locks


class FileLocks:
    """All locks of one inode (struct file_lock_context)."""

    __slots__ = ("_flocks", "_records", "queue")

    def __init__(self) -> None:
        self.queue = WaitQueue("file lock")  # woken when a lock goes
        self._records: dict[FdTable | File, list[Record]] = {}  # sorted, without overlap
        self._flocks: dict[File, int] = {}  # LOCK_SH or LOCK_EX

    # --- records ------------------------------------------------------------------------------------------------------

    def conflict(self, owner: FdTable | File, wanted: Record) -> Record | None:
        """The first lock of others that `wanted` would have to wait for (F_GETLK)."""
        found = self._conflict(owner, wanted)
        return found and found[1]

    def own(self, owner: FdTable | File, wanted: Record) -> Record | None:
        """The owner's first lock on the range (F_OFD_GETLK with F_UNLCK)."""
        return next((record for record in self._records.get(owner, ()) if record.overlaps(wanted)), None)

    def _conflict(self, owner: FdTable | File, wanted: Record) -> tuple[FdTable | File, Record] | None:
        for other, records in self._records.items():
            if other is owner:
                continue
            for record in records:
                if F_WRLCK in {record.type, wanted.type} and record.overlaps(wanted):
                    return other, record
        return None

    def set_record(self, owner: FdTable | File, wanted: Record, *, wait: bool = False) -> WaitQueue | None:
        """Lock or (F_UNLCK) unlock a range; None: done; otherwise what to wait for, or to answer EAGAIN to.

        With `wait`, EDEADLK when waiting could never end; whoever stops waiting says so with `stop_waiting`.
        """
        stop_waiting(owner)
        blocker = None if wanted.type == F_UNLCK else self._conflict(owner, wanted)
        if blocker is not None:
            if wait:
                _check_deadlock(owner, blocker[0])
            return self.queue
        self._apply(owner, wanted)
        return None

    def _apply(self, owner: FdTable | File, wanted: Record) -> None:
        """Cut the range out of the owner's locks and put the new one in, joined to its like (posix_lock_inode)."""
        kept: list[Record] = []
        new = wanted
        freed = False
        for record in self._records.get(owner, ()):
            touches = record.start <= new.end + 1 and new.start <= record.end + 1
            if record.type == new.type and touches:
                new = replace(new, start=min(record.start, new.start), end=max(record.end, new.end))
                continue
            if not record.overlaps(wanted):
                kept.append(record)
                continue
            freed = freed or record.type == F_WRLCK or wanted.type == F_UNLCK
            if record.start < wanted.start:
                kept.append(replace(record, end=wanted.start - 1))
            if record.end > wanted.end:
                kept.append(replace(record, start=wanted.end + 1))
        if new.type != F_UNLCK:
            kept.append(new)
        if kept:
            self._records[owner] = sorted(kept, key=lambda record: record.start)
        else:
            self._records.pop(owner, None)
        if freed:
            self.queue.wake()

    # --- whole files --------------------------------------------------------------------------------------------------

    def flock(self, file: File, operation: int) -> WaitQueue | None:
        """LOCK_SH, LOCK_EX or LOCK_UN; None: done; otherwise what to wait for (flock_lock_inode).

        Another lock that the file has is given up first, even when the new one cannot be had.
        """
        held = self._flocks.get(file, LOCK_UN)
        if held == operation:
            return None
        if held != LOCK_UN:
            del self._flocks[file]
            self.queue.wake()
        if operation == LOCK_UN:
            return None
        if self._flocks and (operation == LOCK_EX or LOCK_EX in self._flocks.values()):
            return self.queue
        self._flocks[file] = operation
        return None

    # --- closing ------------------------------------------------------------------------------------------------------

    def drop_posix(self, owner: FdTable) -> None:
        """A process closes any descriptor of the file: its record locks go (locks_remove_posix)."""
        if self._records.pop(owner, None) is not None:
            self.queue.wake()

    def drop_file(self, file: File) -> None:
        """An open file description is closed for good: its locks go (locks_remove_file)."""
        records, flock = self._records.pop(file, None), self._flocks.pop(file, None)
        if records is not None or flock is not None:
            self.queue.wake()


def stop_waiting(owner: FdTable | File) -> None:
    """A wait for a record lock is over: it was got, or a signal came."""
    if not isinstance(owner, File):
        _waits_for.pop(owner, None)


def _check_deadlock(owner: FdTable | File, blocker: FdTable | File) -> None:
    """Note that `owner` will wait for `blocker`; EDEADLK when that one, directly or not, waits for `owner`."""
    if isinstance(owner, File) or isinstance(blocker, File):
        return  # open file descriptions are never examined (fcntl(2))
    waiting: FdTable | None = blocker
    while waiting is not None:
        if waiting is owner:
            raise SysError(EDEADLK)
        waiting = _waits_for.get(waiting)
    _waits_for[owner] = blocker


def check_operation(operation: int) -> None:
    """EINVAL for what flock(2) does not do; before anybody looks at the descriptor (flock_translate_cmd)."""
    if operation not in {LOCK_SH, LOCK_EX, LOCK_UN}:
        raise SysError(EINVAL)


def flock_operation(file: File, operation: int) -> int:
    """LOCK_SH, LOCK_EX or LOCK_UN of flock(2)'s argument without LOCK_NB; EINVAL, EBADF."""
    check_operation(operation)
    if operation != LOCK_UN and not (file.readable or file.writable):
        raise SysError(EBADF)
    return operation
