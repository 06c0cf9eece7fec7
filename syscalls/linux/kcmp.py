"""kcmp(2): do two tasks share something? (kernel/kcmp.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from syscalls.abi.cstruct import U32, Struct, layout
from syscalls.abi.errno import EINVAL, ENOENT, SysError
from syscalls.abi.kinds import FlagsKind, Pid, ULong
from syscalls.abi.process import (
    KCMP_EPOLL_TFD,
    KCMP_FILE,
    KCMP_FILES,
    KCMP_FS,
    KCMP_IO,
    KCMP_SIGHAND,
    KCMP_SYSVSEM,
    KCMP_TYPES,
    KCMP_VM,
)
from syscalls.fs.epoll import EpollFile
from syscalls.fs.file import File
from syscalls.kernel.ptrace_access import check_access
from syscalls.kernel.task import Task
from syscalls.spec import syscall

Type = Annotated[int, FlagsKind(KCMP_TYPES, signed=True)]

#: What tasks may have in common, beside files.
SHARED: dict[int, Callable[[Task], object]] = {
    KCMP_VM: lambda task: task.mm,
    KCMP_FILES: lambda task: task.files,
    KCMP_FS: lambda task: task.fs,
    KCMP_SIGHAND: lambda task: task.group.signals.actions,
    KCMP_IO: lambda task: None,  # noqa: ARG005  # nobody has an io_context here
    KCMP_SYSVSEM: lambda task: task.group.undo_list if task.ns.ipc.semaphores.has_undo(task.group) else None,
}


class EpollSlot(Struct):
    """struct kcmp_epoll_slot: the target `toff` of those that descriptor `tfd` stands for in the epoll file `efd`."""

    efd: U32
    tfd: U32
    toff: U32


@syscall()
def kcmp(task: Task, pid1: Pid, pid2: Pid, type: Type, idx1: ULong, idx2: ULong) -> int:
    """0: the same; 1 and 2: an order of what is different (kcmp(2))."""
    kernel = task.kernel
    pair = [kernel.tasks.get(pid) for pid in (pid1, pid2)]
    one, two = pair
    if one is None or two is None:
        raise kernel.missing(pid1 if one is None else pid2)
    check_access(task, one)
    check_access(task, two)
    if type == KCMP_FILE:
        return _compare_files(task, _file(one, idx1), _file(two, idx2))
    if type == KCMP_EPOLL_TFD:
        return _compare_files(task, *_epoll_target(task, one, two, idx1, idx2))
    if type not in SHARED:
        raise SysError(EINVAL)
    of = SHARED[type]
    if of(one) is of(two):
        return 0
    return 1 if _first_user(task, of, of(one)) < _first_user(task, of, of(two)) else 2


def _first_user(task: Task, of: Callable[[Task], object], what: object) -> int:
    """The first task that has it: that makes an order which says nothing about addresses."""
    return 0 if what is None else min(other.tid for other in task.kernel.tasks.values() if of(other) is what)


def _file(task: Task, index: int) -> File:
    """A file of a task by its descriptor (fget_task)."""
    return task.files.get_any(index & 0xFFFFFFFF)


def _compare_files(task: Task, one: File, two: File) -> int:
    if one is two:
        return 0
    return 1 if _first_place(task, one) < _first_place(task, two) else 2


def _first_place(task: Task, file: File) -> tuple[int, int]:
    """The first task and descriptor that refer to it; those that none refers to come last."""
    places = (
        (other.tid, fd) for other in task.kernel.tasks.values() for fd in other.files if other.files.get_any(fd) is file
    )
    return min(places, default=(1 << 32, id(file)))


def _epoll_target(task: Task, one: Task, two: Task, fd: int, slot_at: int) -> tuple[File, File]:
    """A file, and one that an epoll file watches; EFAULT, EBADF, EINVAL, ENOENT (kcmp_epoll_target)."""
    struct = layout(EpollSlot, task.arch)
    slot = struct.unpack(task.mm.read(slot_at, struct.size))
    file, epoll = _file(one, fd), _file(two, slot.efd)
    if not isinstance(epoll, EpollFile):
        raise SysError(EINVAL)
    targets = [item.file for item in epoll.items.values() if item.fd == slot.tfd]
    if slot.toff >= len(targets):
        raise SysError(ENOENT)
    return file, targets[slot.toff]
