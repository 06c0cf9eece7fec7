"""Robust lists: the locks of a thread that dies are marked, and somebody who waits is woken (kernel/futex/core.c)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from syscalls.abi.errno import SysError
from syscalls.abi.futex import FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS, ROBUST_LIST_LIMIT
from syscalls.kernel import futex, futex_pi

if TYPE_CHECKING:
    from syscalls.kernel.task import Task

PI = 1  # in the pointer to an entry: its lock is one with priority inheritance


def release(task: Task) -> None:
    """The thread ends, or leaves its address space: so do its locks (futex_cleanup)."""
    head, task.robust_list = task.robust_list, 0
    if head:
        with suppress(SysError):  # what is wrong with the list is the program's own affair
            _release_list(task, head)
    futex_pi.owner_died(task)


def _release_list(task: Task, head: int) -> None:
    """struct robust_list_head: the first entry, from an entry to its futex, an entry being added or taken off."""
    word = task.arch.word
    entry = _pointer(task, head)
    offset = _pointer(task, head + word)
    pending = _pointer(task, head + 2 * word)
    for _ in range(ROBUST_LIST_LIMIT):
        if entry & ~PI == head:
            break
        try:
            following = _pointer(task, entry & ~PI)
        except SysError:
            following = None
        if entry & ~PI != pending & ~PI:
            _release_one(task, entry, offset, pending=False)
        if following is None:
            return
        entry = following
    if pending & ~PI:
        _release_one(task, pending, offset, pending=True)


def _pointer(task: Task, address: int) -> int:
    return int.from_bytes(task.mm.read(address & task.arch.mask, task.arch.word), "little")


def _release_one(task: Task, entry: int, offset: int, *, pending: bool) -> None:
    """Mark a lock if the thread owns it (handle_futex_death). EFAULT, EINVAL: it is none."""
    address = (entry & ~PI) + offset & task.arch.mask
    pi = bool(entry & PI)
    value = futex.load(task, address) if not address % 4 else 0
    key = futex.key_of(task, address, private=False)
    futexes = task.kernel.futexes
    if pending and not pi and not value & FUTEX_TID_MASK:  # it died between giving it back and waking the next one
        futexes.wake(key, 1)
    elif value & FUTEX_TID_MASK == task.tid:
        futex.store(task, address, value & FUTEX_WAITERS | FUTEX_OWNER_DIED)
        if value & FUTEX_WAITERS and not pi:
            futexes.wake(key, 1)
