"""fcntl(2) (fs/fcntl.c, fs/locks.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from syscalls.abi import fcntl as abi
from syscalls.abi.arch import I386, Arch
from syscalls.abi.cstruct import layout
from syscalls.abi.errno import EAGAIN, EBADF, EINVAL, EPERM, ESRCH, SysError
from syscalls.abi.fcntl import (
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GETFD,
    F_GETFL,
    F_GETLK,
    F_GETLK64,
    F_OFD_GETLK,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_SETFD,
    F_SETLK,
    F_SETLK64,
    F_SETLKW,
    F_SETLKW64,
    F_UNLCK,
    FCNTL_COMMANDS,
    FD_CLOEXEC,
    O_APPEND,
    O_ASYNC,
    O_DIRECT,
    O_NOATIME,
    O_NONBLOCK,
    O_PATH,
)
from syscalls.abi.fileattr import FS_APPEND_FL
from syscalls.abi.kinds import (
    Fd,
    FdKind,
    FlagsKind,
    IdKind,
    Kind,
    OpenFlagsKind,
    Pointer,
    PointerKind,
    SignalKind,
    SwitchKind,
)
from syscalls.abi.mman import PROT_WRITE
from syscalls.abi.stat import S_IFIFO
from syscalls.abi.structs.file import Flock, Flock64, FOwnerEx
from syscalls.fs.cred import CAP_SYS_RESOURCE
from syscalls.fs.file import File
from syscalls.fs.inode import Inode
from syscalls.fs.locks import check_access, locks_of, record_of, stop_waiting
from syscalls.fs.memfd import add_seals, seals_of
from syscalls.fs.perm import owner_or_capable
from syscalls.fs.pipe import PipeFile
from syscalls.kernel.dnotify import request_notification
from syscalls.kernel.fileio import nofile_limit
from syscalls.kernel.lease import get_lease, set_lease
from syscalls.kernel.sigio import set_async
from syscalls.kernel.task import Task
from syscalls.kernel.wait import Interrupted
from syscalls.spec import syscall

_LOCK, _LOCK64 = (PointerKind(struct, out=False) for struct in (Flock, Flock64))
_GETLOCK, _GETLOCK64 = (PointerKind(struct, out=True, inout=True) for struct in (Flock, Flock64))
_CASES: dict[int, Kind | None] = {
    F_DUPFD: FdKind(),
    F_DUPFD_CLOEXEC: FdKind(),
    abi.F_DUPFD_QUERY: FdKind(),
    F_GETFD: None,
    F_SETFD: FlagsKind(abi.FD_FLAGS),
    F_GETFL: None,
    abi.F_SETFL: OpenFlagsKind(),
    F_GETLK: _GETLOCK,
    F_SETLK: _LOCK,
    F_SETLKW: _LOCK,
    F_OFD_GETLK: _GETLOCK,
    F_OFD_SETLK: _LOCK,
    F_OFD_SETLKW: _LOCK,
    abi.F_SETOWN: IdKind("pid"),
    abi.F_GETOWN: None,
    abi.F_SETSIG: SignalKind(),
    abi.F_GETSIG: None,
    abi.F_SETOWN_EX: PointerKind(FOwnerEx, out=False),
    abi.F_GETOWN_EX: PointerKind(FOwnerEx, out=True),
    abi.F_SETLEASE: FlagsKind(abi.LOCK_TYPES),
    abi.F_GETLEASE: None,
    abi.F_NOTIFY: FlagsKind(abi.NOTIFY_FLAGS),
    abi.F_GETPIPE_SZ: None,
    abi.F_ADD_SEALS: FlagsKind(abi.SEALS),
    abi.F_GET_SEALS: None,
}
_CASES64 = _CASES | {
    F_GETLK64: _GETLOCK64,
    F_SETLK64: _LOCK64,
    F_SETLKW64: _LOCK64,
    F_OFD_GETLK: _GETLOCK64,
    F_OFD_SETLK: _LOCK64,
    F_OFD_SETLKW: _LOCK64,
}
Command = Annotated[int, FlagsKind(FCNTL_COMMANDS)]
Argument = Annotated[int, SwitchKind("op", _CASES)]
Argument64 = Annotated[int, SwitchKind("op", _CASES64)]

_MISSING = "O_ASYNC sends signals for inotify only; there are no write hints"
#: Commands that a descriptor opened with O_PATH has, too (check_fcntl_cmd).
_FOR_PATHS = {F_DUPFD, F_DUPFD_CLOEXEC, abi.F_DUPFD_QUERY, F_GETFD, F_SETFD, F_GETFL}
#: Command on 64 bits of the lock -> (command, does the open file description own the lock?).
_LOCKS = {
    F_GETLK: (F_GETLK, False), F_SETLK: (F_SETLK, False), F_SETLKW: (F_SETLKW, False),
    F_OFD_GETLK: (F_GETLK, True), F_OFD_SETLK: (F_SETLK, True), F_OFD_SETLKW: (F_SETLKW, True),
}  # fmt: skip
_LOCKS64 = {
    F_GETLK64: (F_GETLK, False), F_SETLK64: (F_SETLK, False), F_SETLKW64: (F_SETLKW, False),
    F_OFD_GETLK: (F_GETLK, True), F_OFD_SETLK: (F_SETLK, True), F_OFD_SETLKW: (F_SETLKW, True),
}  # fmt: skip


@syscall(partial=_MISSING)
async def fcntl(task: Task, fd: Fd, op: Command, arg: Argument) -> int:
    """Inspect and change a descriptor, its open file, and locks on it (fcntl(2))."""
    file = _file(task, fd, op)
    if op in _LOCKS:
        return await _lock(task, file, _LOCKS[op], Pointer(task.mm, arg, layout(Flock, task.arch)))
    return _control(task, task.arch, fd, file, op, arg)


@syscall("fcntl64", only=I386, partial=_MISSING)
async def fcntl64(task: Task, fd: Fd, op: Command, arg: Argument64) -> int:
    """Inspect and change a descriptor, its open file, and locks on it (fcntl(2))."""
    return await _fcntl64(task, fd, op, arg)


@syscall("fcntl", only=I386, partial=_MISSING)
async def fcntl32(task: Task, fd: Fd, op: Command, arg: Argument64) -> int:
    """Inspect and change a descriptor, its open file, and locks on it (fcntl(2)).

    A 64-bit kernel answers both of i386's numbers alike (compat_sys_fcntl64 in syscall_32.tbl).
    """
    return await _fcntl64(task, fd, op, arg)


async def _fcntl64(task: Task, fd: int, op: int, arg: int) -> int:
    file = _file(task, fd, op)
    if op in _LOCKS64:
        return await _lock(task, file, _LOCKS64[op], Pointer(task.mm, arg, layout(Flock64, I386)))
    if op in _LOCKS:
        return await _lock(task, file, _LOCKS[op], Pointer(task.mm, arg, layout(Flock, I386)))
    return _control(task, I386, fd, file, op, arg)


def _file(task: Task, fd: int, op: int) -> File:
    file = task.files.get_any(fd)
    if file.flags & O_PATH and op not in _FOR_PATHS:
        raise SysError(EBADF)
    return file


# --- locks ------------------------------------------------------------------------------------------------------------


async def _lock(task: Task, file: File, command: tuple[int, bool], pointer: Pointer[Flock] | Pointer[Flock64]) -> int:
    """F_GETLK, F_SETLK, F_SETLKW and their OFD forms (fcntl_getlk, fcntl_setlk)."""
    op, ofd = command
    flock = pointer.get()
    if op == F_GETLK:
        return _get_lock(task, file, flock, pointer, ofd=ofd)
    if ofd and flock.l_pid:
        raise SysError(EINVAL)
    pid = -1 if ofd else task.group.tgid
    wanted = record_of(file, flock.l_type, flock.l_whence, flock.l_start, flock.l_len, pid)
    check_access(file, wanted.type)
    owner = file if ofd else task.files
    locks = locks_of(file.inode)
    while (queue := locks.set_record(owner, wanted, wait=op == F_SETLKW)) is not None:
        if op == F_SETLK:
            raise SysError(EAGAIN)
        try:
            await queue.wait()
        except Interrupted:
            stop_waiting(owner)
            raise
    return 0


def _get_lock(
    task: Task, file: File, flock: Flock | Flock64, pointer: Pointer[Flock] | Pointer[Flock64], *, ofd: bool
) -> int:
    if flock.l_pid if ofd else flock.l_type == F_UNLCK:
        raise SysError(EINVAL)
    wanted = record_of(file, flock.l_type, flock.l_whence, flock.l_start, flock.l_len)
    owner = file if ofd else task.files
    locks = locks_of(file.inode)
    found = locks.own(owner, wanted) if wanted.type == F_UNLCK else locks.conflict(owner, wanted)
    flock.l_type = F_UNLCK
    if found is not None:
        flock.l_type, flock.l_whence = found.type, abi.SEEK_SET
        flock.l_start, flock.l_len, flock.l_pid = found.start, found.length, found.pid
    pointer.put(flock)
    return 0


# --- all other commands -----------------------------------------------------------------------------------------------


def _control(task: Task, arch: Arch, fd: int, file: File, op: int, arg: int) -> int:
    if op in (F_DUPFD, F_DUPFD_CLOEXEC):
        return task.files.dup(fd, nofile_limit(task), arg & 0xFFFFFFFF, cloexec=op == F_DUPFD_CLOEXEC)
    if op == F_GETFD:
        return FD_CLOEXEC if fd in task.files.cloexec else 0
    if op == F_SETFD:
        task.files.set_cloexec(fd, on=bool(arg & FD_CLOEXEC))
        return 0
    if op == F_GETFL:
        return abi.to_arch(arch, file.flags)
    if op == abi.F_SETFL:
        return _set_flags(task, fd, file, abi.from_arch(arch, arg & 0xFFFFFFFF))
    if op == abi.F_NOTIFY:
        request_notification(task, fd, file, arg)
        return 0
    if op == abi.F_SETLEASE:
        set_lease(task, fd, file, arg & 0xFFFFFFFF)
        return 0
    command = _COMMANDS.get(op)
    if command is None:
        raise SysError(EINVAL)
    return command(task, file, arg)


_CHANGEABLE = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME


def _set_flags(task: Task, fd: int, file: File, flags: int) -> int:
    """The status flags that may change: EPERM for O_NOATIME by others than the owner, EINVAL for O_DIRECT (setfl)."""
    if (flags ^ file.flags) & O_APPEND and file.inode.flags & FS_APPEND_FL:
        raise SysError(EPERM)
    if flags & O_NOATIME & ~file.flags and not owner_or_capable(file.inode, task.cred):
        raise SysError(EPERM)
    if flags & O_DIRECT and not file.direct and file.inode.type != S_IFIFO:
        raise SysError(EINVAL)
    if file.signals_io:
        set_async(task.kernel, fd, file, on=bool(flags & O_ASYNC))
    file.flags = file.flags & ~_CHANGEABLE | flags & _CHANGEABLE
    return 0


def _dupfd_query(task: Task, file: File, arg: int) -> int:
    return int(task.files.get_any(arg & 0xFFFFFFFF) is file)


def _set_owner(task: Task, file: File, arg: int) -> int:
    """A process, or a process group when negative (f_setown)."""
    pid = (arg & 0xFFFFFFFF ^ 1 << 31) - (1 << 31)
    if pid == -(1 << 31):
        raise SysError(EINVAL)
    return _own(task, file, abi.F_OWNER_PGRP if pid < 0 else abi.F_OWNER_PID, abs(pid))


def _set_owner_ex(task: Task, file: File, arg: int) -> int:
    owner = Pointer[FOwnerEx](task.mm, arg, layout(FOwnerEx, task.arch)).get()
    if owner.type not in (abi.F_OWNER_TID, abi.F_OWNER_PID, abi.F_OWNER_PGRP):
        raise SysError(EINVAL)
    return _own(task, file, owner.type, owner.pid)


def _own(task: Task, file: File, type: int, pid: int) -> int:
    kernel = task.kernel
    known = {
        abi.F_OWNER_TID: kernel.tasks.keys(),
        abi.F_OWNER_PID: kernel.groups.keys(),
        abi.F_OWNER_PGRP: {group.pgid for group in kernel.groups.values()},
    }[type]
    if pid and pid not in known:
        raise SysError(ESRCH)
    file.owner = (type, pid)
    file.owner_ids = task.cred.uid, task.cred.euid
    return 0


def _get_owner(task: Task, file: File, arg: int) -> int:
    del task, arg
    type, pid = file.owner
    return -pid if type == abi.F_OWNER_PGRP else pid


def _get_owner_ex(task: Task, file: File, arg: int) -> int:
    type, pid = file.owner
    Pointer[FOwnerEx](task.mm, arg, layout(FOwnerEx, task.arch)).put(FOwnerEx(type=type, pid=pid))
    return 0


def _get_lease(task: Task, file: File, arg: int) -> int:
    del arg
    return get_lease(task, file)


def _set_signal(task: Task, file: File, arg: int) -> int:
    del task
    if arg > 64:
        raise SysError(EINVAL)
    file.owner_signal = arg
    return 0


def _get_signal(task: Task, file: File, arg: int) -> int:
    del task, arg
    return file.owner_signal


def _pipe(file: File) -> PipeFile:
    if not isinstance(file, PipeFile):
        raise SysError(EBADF)
    return file


def _set_pipe_size(task: Task, file: File, arg: int) -> int:
    return _pipe(file).pipe.resize(arg & 0xFFFFFFFF, privileged=task.cred.capable(CAP_SYS_RESOURCE))


def _get_pipe_size(task: Task, file: File, arg: int) -> int:
    del task, arg
    return _pipe(file).pipe.capacity


def _add_seals(task: Task, file: File, arg: int) -> int:
    def mapped(inode: Inode) -> bool:
        return any(
            vma.shared and vma.may & PROT_WRITE and vma.backing is not None and vma.backing.key is inode
            for other in task.kernel.tasks.values()
            for vma in other.mm.vmas
        )

    add_seals(file, arg & 0xFFFFFFFF, mapped=mapped)
    return 0


def _get_seals(task: Task, file: File, arg: int) -> int:
    del task, arg
    return seals_of(file)


_COMMANDS: dict[int, Callable[[Task, File, int], int]] = {
    abi.F_DUPFD_QUERY: _dupfd_query,
    abi.F_SETOWN: _set_owner,
    abi.F_GETOWN: _get_owner,
    abi.F_SETOWN_EX: _set_owner_ex,
    abi.F_GETOWN_EX: _get_owner_ex,
    abi.F_SETSIG: _set_signal,
    abi.F_GETSIG: _get_signal,
    abi.F_GETLEASE: _get_lease,
    abi.F_SETPIPE_SZ: _set_pipe_size,
    abi.F_GETPIPE_SZ: _get_pipe_size,
    abi.F_ADD_SEALS: _add_seals,
    abi.F_GET_SEALS: _get_seals,
}
