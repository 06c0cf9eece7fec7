"""Locks with priority inheritance, whose owner's thread id is the futex (kernel/futex/pi.c, requeue.c).

The kernel knows of a lock while somebody waits for it; a turn goes to whoever waits longest. As nothing here has
priorities, nothing is inherited: what remains is who owns a lock, deadlocks, and owners that die.
"""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from typing import TYPE_CHECKING

from syscalls.abi.errno import EAGAIN, EDEADLK, EINVAL, ESRCH, SysError
from syscalls.abi.futex import FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS
from syscalls.kernel.futex import Timeout, Waiter, load, store
from syscalls.kernel.wait import Interrupted
from syscalls.spec import Restart

if TYPE_CHECKING:
    from syscalls.kernel.task import Task


class PiState:
    """A lock that somebody waits for (struct futex_pi_state)."""

    __slots__ = ("owner",)

    def __init__(self, owner: Task) -> None:
        self.owner = owner


def acquire(task: Task, new: Task, key: Hashable, address: int, *, contended: bool = False) -> PiState | None:
    """Take a free lock for the task `new`: None. Otherwise the lock to wait for (futex_lock_pi_atomic).

    `address` is one of `task`. `contended` sets FUTEX_WAITERS on success. EFAULT, EDEADLK, EINVAL, ESRCH.
    """
    value = load(task, address)
    owner_tid = value & FUTEX_TID_MASK
    if owner_tid == new.tid:
        raise SysError(EDEADLK)
    first = task.kernel.futexes.first(key)
    if first is not None:
        if first.pi is None or owner_tid != first.pi.owner.tid:
            raise SysError(EINVAL)
        return first.pi
    if not owner_tid:
        store(task, address, value & FUTEX_OWNER_DIED | new.tid | (FUTEX_WAITERS if contended else 0))
        return None
    store(task, address, value | FUTEX_WAITERS)
    owner = task.kernel.tasks.get(owner_tid)
    if owner is None or not owner.alive:
        raise SysError(ESRCH)
    return PiState(owner)


def _block(waiter: Waiter, state: PiState, key: Hashable) -> None:
    """Let it wait for the lock; EDEADLK when the owner waits for it in turn (task_blocks_on_rt_mutex)."""
    futexes = waiter.task.kernel.futexes
    owner: Task | None = state.owner
    seen: set[Task] = set()
    while owner is not None and owner not in seen:
        if owner is waiter.task:
            raise SysError(EDEADLK)
        seen.add(owner)
        behind = futexes.blocked.get(owner)
        owner = behind.pi.owner if behind is not None and behind.pi is not None else None
    futexes.remove(waiter)
    waiter.key = key
    waiter.pi = state
    futexes.add(waiter)


async def lock(task: Task, key: Hashable, address: int, timeout: Timeout | None, *, trying: bool = False) -> int:
    """FUTEX_LOCK_PI and, `trying`, FUTEX_TRYLOCK_PI (futex_lock_pi)."""
    state = acquire(task, task, key, address)
    if state is None:
        return 0
    if trying:
        raise SysError(EAGAIN)
    waiter = Waiter(task, key)
    waiter.address = address
    _block(waiter, state, key)
    try:
        await waiter.sleep(timeout)
    except Interrupted:
        raise Interrupted(Restart.NOINTR) from None
    finally:
        task.kernel.futexes.remove(waiter)
    return 0


def unlock(task: Task, key: Hashable, address: int) -> int:
    """FUTEX_UNLOCK_PI by the owner, of which the caller has made sure (futex_unlock_pi)."""
    first = task.kernel.futexes.first(key)
    if first is None:
        store(task, address, 0)
        return 0
    if first.pi is None or first.pi.owner is not task:
        raise SysError(EINVAL)
    store(task, address, FUTEX_WAITERS | first.task.tid)
    _hand_over(first, first.pi)
    return 0


def _hand_over(waiter: Waiter, state: PiState) -> None:
    """The waiter owns its lock now."""
    state.owner = waiter.task
    waiter.task.kernel.futexes.remove(waiter)
    waiter.wake()


def owner_died(task: Task) -> None:
    """Locks of a dying task that others wait for go to them, marked (exit_pi_state_list)."""
    futexes = task.kernel.futexes
    for waiter in list(futexes.blocked.values()):
        if waiter.pi is not None and waiter.pi.owner is task and futexes.first(waiter.key) is waiter:
            with suppress(SysError):  # its memory may have gone: nobody will look at it then
                store(waiter.task, waiter.address, FUTEX_OWNER_DIED | FUTEX_WAITERS | waiter.task.tid)
            _hand_over(waiter, waiter.pi)


async def wait_requeue(task: Task, waiter: Waiter, uaddr: int, value: int, timeout: Timeout | None) -> int:
    """FUTEX_WAIT_REQUEUE_PI: wait on a futex, then for the lock `waiter.target` (futex_wait_requeue_pi)."""
    if load(task, uaddr) != value:
        raise SysError(EAGAIN)
    if waiter.key == waiter.target:
        raise SysError(EINVAL)
    futexes = task.kernel.futexes
    futexes.add(waiter)
    try:
        await waiter.sleep(timeout)
    except Interrupted:
        if waiter.pi is not None:  # it has been requeued: the futex has changed, it cannot be called again
            raise SysError(EAGAIN) from None
        raise Interrupted(Restart.NOINTR) from None
    finally:
        futexes.remove(waiter)
    return 0


def requeue(task: Task, key: Hashable, target: Hashable, address: int, move: int) -> int:
    """FUTEX_CMP_REQUEUE_PI: the first waiter gets the lock at `address` if it is free, the others wait for it."""
    futexes = task.kernel.futexes
    first = futexes.first(key)
    if first is None:
        return 0
    _check_pair(first, target)
    done = 0
    state = acquire(task, first.task, target, address, contended=move > 0)
    if state is None:
        state = PiState(first.task)
        futexes.remove(first)
        first.wake()
        done = 1
    for waiter in futexes.waiters(key):
        if done - 1 >= move:
            break
        _check_pair(waiter, target)
        _block(waiter, state, target)
        done += 1
    return done


def _check_pair(waiter: Waiter, target: Hashable) -> None:
    """EINVAL for one that is not in FUTEX_WAIT_REQUEUE_PI with this lock."""
    if waiter.pi is not None or waiter.target is None or waiter.target != target:
        raise SysError(EINVAL)
