"""select(2) and pselect(2), and i386's first select with its arguments in memory (fs/select.c)."""

from __future__ import annotations

from typing import Annotated, Any

from syscalls.abi.arch import I386
from syscalls.abi.cstruct import layout
from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.kinds import FdSet, FdSetKind, In, InOut, Int, Pointer
from syscalls.abi.structs.event import SelectArguments, SigsetArgpack
from syscalls.abi.structs.signal import SigSet
from syscalls.abi.structs.time import Timespec, Timespec64, Timeval
from syscalls.abi.time import NSEC_PER_USEC, USEC_PER_SEC
from syscalls.kernel import poll as polling
from syscalls.kernel.task import Task
from syscalls.kernel.time import to_ns
from syscalls.linux.poll import finish, timespec_ns, user_mask
from syscalls.spec import Restart, syscall

Set = Annotated[FdSet, FdSetKind()]
Sets = tuple[FdSet, FdSet, FdSet]


async def _select(task: Task, nfds: int, sets: Sets, deadline: int | None) -> int:
    """core_sys_select: the three sets are stored only when the call succeeds."""
    if nfds < 0:
        raise SysError(EINVAL)
    nfds = min(nfds, task.files.places)  # what lies beyond is not looked at
    read, write, exceptional = (given.get(nfds) for given in sets)
    ready = await polling.select(task, (read, write, exceptional), deadline)
    for given, found in zip(sets, ready, strict=True):
        given.put(nfds, found)
    return sum(map(len, ready))


async def _select_timeval(task: Task, nfds: int, sets: Sets, timeout: Pointer[Timeval]) -> int:
    timeout_ns = _timeval_ns(timeout)
    deadline = polling.deadline(task, timeout_ns)
    return await finish(task, _select(task, nfds, sets, deadline), None, timeout if timeout_ns else None, deadline)


def _timeval_ns(timeout: Pointer[Timeval]) -> int | None:
    """Microseconds may be more than a second's."""
    if not timeout:
        return None
    given = timeout.get()
    seconds = given.tv_sec + _quotient(given.tv_usec, USEC_PER_SEC)
    return to_ns(seconds, (given.tv_usec - _quotient(given.tv_usec, USEC_PER_SEC) * USEC_PER_SEC) * NSEC_PER_USEC)


def _quotient(number: int, divisor: int) -> int:
    """C's division, which rounds to zero."""
    return number // divisor if number >= 0 else -(-number // divisor)


@syscall("select", "_newselect", restart=Restart.NOHAND)
async def select(task: Task, nfds: Int, readfds: Set, writefds: Set, exceptfds: Set, timeout: InOut[Timeval]) -> int:
    """Wait until files of three sets of descriptors are ready; the time left is stored (select(2))."""
    return await _select_timeval(task, nfds, (readfds, writefds, exceptfds), timeout)


@syscall("select", only=I386, restart=Restart.NOHAND)
async def old_select(task: Task, arg: In[SelectArguments]) -> int:
    """The same with the five arguments in memory (select(2))."""
    given = arg.get()
    readfds, writefds, exceptfds = (
        FdSet(task.mm, address, I386.word) for address in (given.inp, given.outp, given.exp)
    )
    nfds = (given.n & 0xFFFFFFFF ^ 1 << 31) - (1 << 31)
    timeout = Pointer[Timeval](task.mm, given.tvp, layout(Timeval, I386))
    return await _select_timeval(task, nfds, (readfds, writefds, exceptfds), timeout)


@syscall(restart=Restart.NOHAND)
async def pselect6(
    task: Task, nfds: Int, readfds: Set, writefds: Set, exceptfds: Set, timeout: InOut[Timespec], sig: In[SigsetArgpack]
) -> int:
    """The same with another signal mask meanwhile (pselect(2))."""
    return await _pselect(task, nfds, (readfds, writefds, exceptfds), timeout, sig)


@syscall(restart=Restart.NOHAND)
async def pselect6_time64(
    task: Task, nfds: Int, readfds: Set, writefds: Set, exceptfds: Set, timeout: InOut[Timespec64],
    sig: In[SigsetArgpack],
) -> int:  # fmt: skip
    """The same with 64-bit seconds (pselect(2))."""
    return await _pselect(task, nfds, (readfds, writefds, exceptfds), timeout, sig)


async def _pselect(task: Task, nfds: int, sets: Sets, timeout: Pointer[Any], sig: Pointer[SigsetArgpack]) -> int:
    argument = sig.get() if sig else SigsetArgpack()
    timeout_ns = timespec_ns(timeout)
    mask = user_mask(Pointer(task.mm, argument.p, layout(SigSet, task.arch)), argument.size)
    deadline = polling.deadline(task, timeout_ns)
    return await finish(task, _select(task, nfds, sets, deadline), mask, timeout if timeout_ns else None, deadline)
