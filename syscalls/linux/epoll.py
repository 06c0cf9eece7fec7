"""epoll_create(2), epoll_ctl(2), epoll_wait(2) (fs/eventpoll.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EFAULT, EINTR, EINVAL, EPERM, SysError
from syscalls.abi.kinds import ArrayKind, Fd, FdResult, FlagsKind, In, Int, Pointer, Size
from syscalls.abi.poll import (
    EPOLL_CLOEXEC,
    EPOLL_CREATE_FLAGS,
    EPOLL_CTL_ADD,
    EPOLL_CTL_DEL,
    EPOLL_CTL_MOD,
    EPOLL_OPERATIONS,
    EPOLLEXCLUSIVE,
    EPOLLWAKEUP,
)
from syscalls.abi.prctl import CAP_BLOCK_SUSPEND
from syscalls.abi.structs.event import EpollEvent
from syscalls.abi.structs.signal import SigSet
from syscalls.abi.structs.time import Timespec64
from syscalls.fs.epoll import EXCLUSIVE_OK, EpollFile, can_poll
from syscalls.fs.file import File
from syscalls.kernel import poll as polling
from syscalls.kernel.fileio import USER_END, install
from syscalls.kernel.signals import temporary_mask
from syscalls.kernel.task import Task
from syscalls.kernel.wait import Interrupted, Wait, Woken
from syscalls.linux.poll import NSEC_PER_MSEC, timespec_ns, user_mask
from syscalls.spec import syscall

CreateFlags = Annotated[int, FlagsKind(EPOLL_CREATE_FLAGS)]
Operation = Annotated[int, FlagsKind(EPOLL_OPERATIONS)]
Events = Annotated[Pointer[EpollEvent], ArrayKind(EpollEvent, count="maxevents", out=True, filled="result")]
MAX_EVENTS = 0x7FFFFFFF // 12


@syscall()
def epoll_create(task: Task, size: Int) -> FdResult:
    """A new epoll file; `size` means nothing any more (epoll_create(2))."""
    if size <= 0:
        raise SysError(EINVAL)
    return install(task, EpollFile(task.kernel.anonfs))


@syscall()
def epoll_create1(task: Task, flags: CreateFlags) -> FdResult:
    """A new epoll file, perhaps close-on-exec (epoll_create1(2))."""
    if flags & ~EPOLL_CLOEXEC:
        raise SysError(EINVAL)
    return install(task, EpollFile(task.kernel.anonfs), cloexec=bool(flags & EPOLL_CLOEXEC))


@syscall()
def epoll_ctl(task: Task, epfd: Fd, op: Operation, fd: Fd, event: In[EpollEvent]) -> int:
    """Add, change or remove what an epoll file watches (epoll_ctl(2))."""
    given = event.get() if op != EPOLL_CTL_DEL else EpollEvent()
    epoll, file = task.file(epfd), task.file(fd)
    if not can_poll(file):
        raise SysError(EPERM)
    events = given.events
    if not task.cred.capable(CAP_BLOCK_SUSPEND):
        events &= ~EPOLLWAKEUP
    if epoll is file or not isinstance(epoll, EpollFile):
        raise SysError(EINVAL)
    if op != EPOLL_CTL_DEL and events & EPOLLEXCLUSIVE:
        _check_exclusive(op, file, events)
    if op == EPOLL_CTL_ADD:
        epoll.add(file, fd, events, given.data)
    elif op == EPOLL_CTL_DEL:
        epoll.remove(file, fd)
    elif op == EPOLL_CTL_MOD:
        epoll.modify(file, fd, events, given.data)
    else:
        raise SysError(EINVAL)
    return 0


def _check_exclusive(op: int, file: File, events: int) -> None:
    """EPOLLEXCLUSIVE stands alone, is given once, and not for epoll files."""
    if op == EPOLL_CTL_MOD or (op == EPOLL_CTL_ADD and (isinstance(file, EpollFile) or events & ~EXCLUSIVE_OK)):
        raise SysError(EINVAL)


@syscall()
async def epoll_wait(task: Task, epfd: Fd, events: Events, maxevents: Int, timeout: Int) -> int:
    """Wait for some milliseconds until something that is watched is ready (epoll_wait(2))."""
    return await _wait(task, epfd, events, maxevents, _milliseconds(timeout), None)


@syscall()
async def epoll_pwait(
    task: Task, epfd: Fd, events: Events, maxevents: Int, timeout: Int, sigmask: In[SigSet], sigsetsize: Size
) -> int:
    """The same with another signal mask meanwhile (epoll_pwait(2))."""
    mask = user_mask(sigmask, sigsetsize)
    return await _wait(task, epfd, events, maxevents, _milliseconds(timeout), mask)


@syscall()
async def epoll_pwait2(
    task: Task, epfd: Fd, events: Events, maxevents: Int, timeout: In[Timespec64], sigmask: In[SigSet], sigsetsize: Size
) -> int:
    """The same with a timeout in nanoseconds (epoll_pwait2(2))."""
    timeout_ns = timespec_ns(timeout)
    mask = user_mask(sigmask, sigsetsize)
    return await _wait(task, epfd, events, maxevents, timeout_ns, mask)


def _milliseconds(timeout: int) -> int | None:
    return timeout * NSEC_PER_MSEC if timeout >= 0 else None


async def _wait(
    task: Task, epfd: int, events: Pointer[EpollEvent], maxevents: int, timeout_ns: int | None, mask: int | None
) -> int:
    """do_epoll_wait; a signal always ends it with EINTR, it is never restarted (signal(7))."""
    try:
        with temporary_mask(task, mask):
            epoll = _epoll_of(task, epfd, events, maxevents)
            return await _until_ready(task, epoll, events, maxevents, timeout_ns)
    except Interrupted:
        raise SysError(EINTR) from None


async def _until_ready(
    task: Task, epoll: EpollFile, events: Pointer[EpollEvent], maxevents: int, timeout_ns: int | None
) -> int:
    """ep_poll: with a timeout of 0 it never sleeps."""

    def store(index: int, ready: int, data: int) -> None:
        events.at(index).put(EpollEvent(events=ready, data=data))

    deadline = polling.deadline(task, timeout_ns)
    expired = timeout_ns == 0
    while not (count := epoll.send(maxevents, store)) and not expired:
        expired = await Wait((epoll.waiters, *epoll.host_queues()), deadline) is Woken.DEADLINE
    return count


def _epoll_of(task: Task, epfd: int, events: Pointer[EpollEvent], maxevents: int) -> EpollFile:
    """EBADF, EINVAL, EFAULT, EINVAL (ep_check_params)."""
    file = task.file(epfd)
    if not 0 < maxevents <= MAX_EVENTS:
        raise SysError(EINVAL)
    if events.address + maxevents * events.size > max(USER_END, task.arch.task_size):
        raise SysError(EFAULT)
    if not isinstance(file, EpollFile):
        raise SysError(EINVAL)
    return file
