"""poll(2) and ppoll(2) (fs/select.c)."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Annotated, Any

from syscalls.abi.errno import EINTR, EINVAL, SysError
from syscalls.abi.kinds import ArrayKind, In, InOut, Int, Pointer, Size, UInt
from syscalls.abi.resource import RLIMIT_NOFILE
from syscalls.abi.signal import SIGSET_SIZE
from syscalls.abi.structs.event import Pollfd
from syscalls.abi.structs.signal import SigSet
from syscalls.abi.structs.time import Timespec, Timespec64, Timeval
from syscalls.kernel import poll as polling
from syscalls.kernel.signals import temporary_mask
from syscalls.kernel.task import Task
from syscalls.kernel.time import from_ns, to_ns
from syscalls.kernel.wait import Interrupted
from syscalls.linux.limits import timeval
from syscalls.spec import Restart, syscall

Pollfds = Annotated[Pointer[Pollfd], ArrayKind(Pollfd, count="nfds", inout=True)]
NSEC_PER_MSEC = 1_000_000


async def _poll(task: Task, fds: Pointer[Pollfd], nfds: int, deadline: int | None) -> int:
    """do_sys_poll: only `revents` are stored."""
    if nfds > task.group.limit(RLIMIT_NOFILE):
        raise SysError(EINVAL)
    wanted = fds.array(nfds)
    results = await polling.poll(task, [(item.fd, item.events) for item in wanted], deadline)
    for index, revents in enumerate(results):
        task.mm.write(fds.address + 8 * index + 6, revents.to_bytes(2, "little"))
    return len(results) - results.count(0)


@syscall(restart=Restart.BLOCK)
async def poll(task: Task, fds: Pollfds, nfds: UInt, timeout: Int) -> int:
    """Wait until one of several files is ready, for some milliseconds (poll(2))."""
    deadline = polling.deadline(task, timeout * NSEC_PER_MSEC if timeout >= 0 else None)
    return await _restartable(task, fds, nfds, deadline)


async def _restartable(task: Task, fds: Pointer[Pollfd], nfds: int, deadline: int | None) -> int:
    try:
        return await _poll(task, fds, nfds, deadline)
    except Interrupted:
        task.restart_block = lambda: _restartable(task, fds, nfds, deadline)
        raise


@syscall(restart=Restart.NOHAND)
async def ppoll(
    task: Task, fds: Pollfds, nfds: UInt, tmo_p: InOut[Timespec], sigmask: In[SigSet], sigsetsize: Size
) -> int:
    """The same with another signal mask meanwhile; the time left is stored (ppoll(2))."""
    return await _ppoll(task, fds, nfds, tmo_p, sigmask, sigsetsize)


@syscall(restart=Restart.NOHAND)
async def ppoll_time64(
    task: Task, fds: Pollfds, nfds: UInt, tmo_p: InOut[Timespec64], sigmask: In[SigSet], sigsetsize: Size
) -> int:
    """The same with 64-bit seconds (ppoll(2))."""
    return await _ppoll(task, fds, nfds, tmo_p, sigmask, sigsetsize)


async def _ppoll(
    task: Task, fds: Pointer[Pollfd], nfds: int, tmo_p: Pointer[Any], sigmask: Pointer[int], sigsetsize: int
) -> int:
    timeout = timespec_ns(tmo_p)
    mask = user_mask(sigmask, sigsetsize)
    deadline = polling.deadline(task, timeout)
    return await finish(task, _poll(task, fds, nfds, deadline), mask, tmo_p if timeout else None, deadline)


def timespec_ns(pointer: Pointer[Any]) -> int | None:
    """A timeout, None for ever; EFAULT, EINVAL."""
    if not pointer:
        return None
    given = pointer.get()
    return to_ns(given.tv_sec, given.tv_nsec)


def user_mask(pointer: Pointer[int], size: int) -> int | None:
    """The mask that a call sets meanwhile, None for none (set_user_sigmask)."""
    if not pointer:
        return None
    if size != SIGSET_SIZE:
        raise SysError(EINVAL)
    return pointer.get()


async def finish(
    task: Task,
    waiting: Coroutine[Any, Any, int],
    mask: int | None,
    timeout: Pointer[Any] | None,
    deadline: int | None,
) -> int:
    """Wait with another mask, and store how much of the timeout is left (poll_select_finish).

    Where that cannot be stored, the result counts all the same; but an interrupted call cannot go on then.
    """
    stored = True
    try:
        with temporary_mask(task, mask):
            try:
                return await waiting
            finally:
                if timeout is not None and deadline is not None:
                    stored = _store_left(timeout, max(0, deadline - task.kernel.clock.monotonic()))
    except Interrupted:
        if not stored:
            raise SysError(EINTR) from None
        raise


def _store_left(timeout: Pointer[Any], left_ns: int) -> bool:
    try:
        left = from_ns(left_ns)
        timeout.put(left if timeout.layout.type is not Timeval else timeval(left_ns))
    except SysError:
        return False
    return True
