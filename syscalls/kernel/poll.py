"""Waiting for several files at once: the loops of poll(2) and select(2) (fs/select.c)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from syscalls.abi.errno import SysError
from syscalls.abi.fcntl import O_PATH
from syscalls.abi.poll import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLOUT,
    POLLPRI,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
)
from syscalls.kernel.signals import has_pending
from syscalls.kernel.wait import Wait, WaitQueue, Woken

if TYPE_CHECKING:
    from syscalls.fs.file import File
    from syscalls.kernel.task import Task

#: What select(2)'s three sets mean in terms of poll(2).
READ_SET = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL
WRITE_SET = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR | POLLNVAL
EXCEPT_SET = POLLPRI | POLLNVAL
ALWAYS = POLLERR | POLLHUP


def deadline(task: Task, timeout_ns: int | None) -> int | None:
    """When a timeout ends, on the monotonic clock."""
    return None if timeout_ns is None else task.kernel.clock.monotonic() + timeout_ns


def file_of(task: Task, fd: int) -> File | None:
    """The file of a descriptor that can be polled, or None."""
    try:
        return task.files.get(fd)
    except SysError:
        return None


async def wait_for(task: Task, files: Iterable[File], ready: Callable[[], int], deadline_ns: int | None) -> int:
    """Sleep until `ready` counts something, or the deadline; its last answer."""
    queues: tuple[WaitQueue, ...] | None = None
    files = tuple(files)
    while not (count := ready()):
        if deadline_ns is not None and task.kernel.clock.monotonic() >= deadline_ns and not has_pending(task):
            return 0
        if queues is None:
            queues = tuple(dict.fromkeys(queue for file in files for queue in file.queues()))
        if await Wait(queues, deadline_ns) is Woken.DEADLINE:
            return ready()
    return count


async def poll(task: Task, wanted: list[tuple[int, int]], deadline_ns: int | None) -> list[int]:
    """The events of each (descriptor, events wanted) as soon as there are some (do_poll)."""
    files = [(file_of(task, fd) if fd >= 0 else None, fd, events & 0xFFFF | ALWAYS) for fd, events in wanted]
    results: list[int] = []

    def ready() -> int:
        results[:] = [
            file.poll() & events if file is not None else (POLLNVAL if fd >= 0 else 0) for file, fd, events in files
        ]
        return len(results) - results.count(0)

    await wait_for(task, [file for file, _, _ in files if file is not None], ready, deadline_ns)
    return results


async def select(
    task: Task, sets: tuple[frozenset[int], frozenset[int], frozenset[int]], deadline_ns: int | None
) -> tuple[set[int], set[int], set[int]]:
    """Which descriptors of the three sets are ready, as soon as there are some; EBADF (do_select)."""
    files = {fd: task.files.get_any(fd) for fd in sorted(frozenset().union(*sets))}
    found: tuple[set[int], set[int], set[int]] = (set(), set(), set())

    def ready() -> int:
        events = {fd: POLLNVAL if file.flags & O_PATH else file.poll() for fd, file in files.items()}
        for result, chosen, mask in zip(found, sets, (READ_SET, WRITE_SET, EXCEPT_SET), strict=True):
            result.clear()
            result.update(fd for fd in chosen if events[fd] & mask)
        return sum(map(len, found))

    await wait_for(task, files.values(), ready, deadline_ns)
    return found
