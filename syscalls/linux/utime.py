"""File times: utime(2), utimes(2), futimesat(2), utimensat(2) (fs/utimes.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.arch import I386
from syscalls.abi.errno import EFAULT, EINVAL, SysError
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from syscalls.abi.kinds import ArrayKind, DirFd, In, OptionalPath, Path, Pointer
from syscalls.abi.stat import UTIME_NOW, UTIME_OMIT
from syscalls.abi.structs.file import Utimbuf
from syscalls.abi.structs.time import Timespec, Timespec64, Timeval
from syscalls.abi.time import NSEC_PER_SEC, NSEC_PER_USEC, USEC_PER_SEC
from syscalls.fs import attr
from syscalls.fs.attr import NOW, OMIT, SetTime
from syscalls.fs.fdtable import path_of
from syscalls.kernel.lookup import lookup_at
from syscalls.kernel.task import Task
from syscalls.linux.types import AtFlags
from syscalls.spec import syscall

Timevals = Annotated[Pointer[Timeval], ArrayKind(Timeval, count=2)]
Timespecs = Annotated[Pointer[Timespec], ArrayKind(Timespec, count=2)]
Timespecs64 = Annotated[Pointer[Timespec64], ArrayKind(Timespec64, count=2)]

#: Access and modification time, each in ns of realtime, or now, or as it is.
Times = tuple[int | SetTime, int | SetTime]


@syscall()
def utime(task: Task, filename: Path, times: In[Utimbuf]) -> int:
    """Set a file's times in seconds; NULL means now (utime(2))."""
    chosen: Times = (NOW, NOW)
    if times:
        value = times.get()
        chosen = (value.actime * NSEC_PER_SEC, value.modtime * NSEC_PER_SEC)
    return _utimes(task, AT_FDCWD, filename, chosen, 0)


@syscall()
def utimes(task: Task, filename: Path, times: Timevals) -> int:
    """Set a file's times in microseconds; NULL means now (utimes(2))."""
    return _utimes(task, AT_FDCWD, filename, _from_timevals(times), 0)


@syscall()
def futimesat(task: Task, dirfd: DirFd, pathname: OptionalPath, times: Timevals) -> int:
    """Set a file's times in microseconds, relative to a directory descriptor (futimesat(2))."""
    return _utimes(task, dirfd, pathname, _from_timevals(times), 0)


@syscall()
def utimensat(task: Task, dirfd: DirFd, pathname: OptionalPath, times: Timespecs, flags: AtFlags) -> int:
    """Set a file's times in nanoseconds, by name or of an open file (utimensat(2))."""
    return _utimensat(task, dirfd, pathname, times.array(2) if times else None, flags)


@syscall("utimensat_time64", only=I386)
def utimensat_time64(task: Task, dirfd: DirFd, pathname: OptionalPath, times: Timespecs64, flags: AtFlags) -> int:
    """Set a file's times in nanoseconds, with 64-bit seconds (utimensat(2))."""
    values = times.array(2) if times else None
    for value in values or ():
        value.tv_nsec &= 0xFFFFFFFF  # a 32-bit program's padding is not to be trusted (get_timespec64)
    return _utimensat(task, dirfd, pathname, values, flags)


def _from_timevals(times: Pointer[Timeval]) -> Times:
    """EINVAL unless the microseconds are a fraction of a second (do_futimesat)."""
    if not times:
        return NOW, NOW
    values = times.array(2)
    if any(not 0 <= value.tv_usec < USEC_PER_SEC for value in values):
        raise SysError(EINVAL)
    atime, mtime = (value.tv_sec * NSEC_PER_SEC + value.tv_usec * NSEC_PER_USEC for value in values)
    return atime, mtime


def _utimensat(
    task: Task, dirfd: int, pathname: bytes | None, values: list[Timespec] | list[Timespec64] | None, flags: int
) -> int:
    if values is None:
        return _utimes(task, dirfd, pathname, (NOW, NOW), flags)
    if all(value.tv_nsec == UTIME_OMIT for value in values):
        return 0  # not even the path is looked at
    atime, mtime = (_from_timespec(value) for value in values)
    return _utimes(task, dirfd, pathname, (atime, mtime), flags)


def _from_timespec(value: Timespec | Timespec64) -> int | SetTime | None:
    """None when the nanoseconds make no sense."""
    if value.tv_nsec in (UTIME_NOW, UTIME_OMIT):
        return NOW if value.tv_nsec == UTIME_NOW else OMIT
    return value.tv_sec * NSEC_PER_SEC + value.tv_nsec if 0 <= value.tv_nsec < NSEC_PER_SEC else None


def _utimes(
    task: Task, dirfd: int, pathname: bytes | None, times: tuple[int | SetTime | None, int | SetTime | None], flags: int
) -> int:
    """By name, or of the file `dirfd` when there is none (do_utimes); the path comes before the times."""
    if pathname is not None:
        path = lookup_at(task, dirfd, pathname, flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)
    elif dirfd == AT_FDCWD:
        raise SysError(EFAULT)
    elif flags:
        raise SysError(EINVAL)
    else:
        path = path_of(task.file(dirfd))
    atime, mtime = times
    if atime is None or mtime is None:
        raise SysError(EINVAL)
    attr.utimens(task, path, atime, mtime)
    return 0
