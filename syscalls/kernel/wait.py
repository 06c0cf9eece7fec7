"""Wait queues, and the only place where a system call sleeps.

A handler that may sleep is an `async def`. It sleeps in a loop around its condition, as kernel code does:

    while not condition():
        await queue.wait()

Waiting suspends the handler's coroutine with a `Wait`; the scheduler (sched.py) files it under its queues and its
deadline, and resumes it when one of them fires. There is no asyncio here: a wake-up only moves a task to the run queue.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from enum import Enum, auto
from typing import TYPE_CHECKING

from syscalls.kernel.ports import HostStream

if TYPE_CHECKING:
    from syscalls.spec import Restart


class Woken(Enum):
    """Why a wait ended."""

    QUEUE = auto()
    DEADLINE = auto()


class Interrupted(Exception):  # noqa: N818  # not an error: dispatch turns it into EINTR or a restart
    """A signal ended the sleep; the call's restart policy decides what the guest sees.

    A handler that re-raises with another `restart` overrules what its declaration says.
    """

    def __init__(self, restart: Restart | None = None) -> None:
        super().__init__()
        self.restart = restart


class Wait:
    """One sleep: wakes at any of `queues`, at `deadline_ns` on the monotonic clock, or with Interrupted by a signal."""

    __slots__ = ("deadline_ns", "killable", "queues", "result", "wake_up")

    def __init__(self, queues: Iterable[WaitQueue], deadline_ns: int | None = None, *, killable: bool = False) -> None:
        self.queues = tuple(queues)
        self.deadline_ns = deadline_ns
        self.killable = killable  # no signal but SIGKILL interrupts it (TASK_KILLABLE)
        self.result: Woken | None = None
        self.wake_up: Callable[[Wait], None] | None = None  # set by the scheduler while the wait is filed

    def fire(self, why: Woken) -> None:
        """End the wait; only the first reason counts."""
        if self.result is None:
            self.result = why
            for queue in self.queues:
                queue.waits.pop(self, None)
            if self.wake_up is not None:
                self.wake_up(self)

    def __await__(self) -> Generator[Wait, None, Woken]:
        yield self
        if self.result is None:
            for queue in self.queues:
                queue.waits.pop(self, None)
            raise Interrupted
        return self.result


#: Told of each wake-up, with the POLL* events that it is about (0: any). True: it has taken a wake-up that is for one.
Listener = Callable[[int], bool]


class WaitQueue:
    """Those who wait for one thing, in order of arrival. Compare include/linux/wait.h."""

    __slots__ = ("__weakref__", "listeners", "name", "stream", "waits", "writing")

    def __init__(self, name: str = "", stream: HostStream | None = None, *, writing: bool = False) -> None:
        self.name = name  # what is awaited, for reports on a deadlock
        self.stream = stream  # a stream of the host that wakes this queue when it is ready ...
        self.writing = writing  # ... for writing, or for reading
        self.waits: dict[Wait, None] = {}
        self.listeners: list[Listener] = []  # those who stay, whatever happens: epoll(7)

    def wait(self, deadline_ns: int | None = None) -> Wait:
        """Await the next wake-up (or the deadline)."""
        return Wait((self,), deadline_ns)

    def wake(self, count: int | None = None, events: int = 0) -> int:
        """Wake the first `count` waiters, or all; how many there were.

        `events`: the POLL* that may hold now; 0 when that is not known. Only listeners make a difference between them.
        """
        for listener in tuple(self.listeners):
            if listener(events):
                break
        woken = list(self.waits)[:count]
        for wait in woken:
            wait.fire(Woken.QUEUE)
        return len(woken)


def sleep_until(deadline_ns: int | None) -> Wait:
    """Await a moment of the monotonic clock; None: for ever (a signal ends it)."""
    return Wait((), deadline_ns)
