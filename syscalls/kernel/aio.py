"""Linux's asynchronous input and output: contexts and their events (io_submit(2), fs/aio.c).

A request on a file is carried out when it is submitted, as Linux does with what is in the page cache; only a poll may
be outstanding.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from syscalls.abi.arch import PAGE_SIZE
from syscalls.abi.errno import EAGAIN, EINVAL, SysError
from syscalls.abi.mman import MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE
from syscalls.abi.structs.aio import IoEvent
from syscalls.kernel.wait import WaitQueue
from syscalls.mm.mmap import do_mmap, do_munmap

if TYPE_CHECKING:
    from syscalls.fs.eventfd import EventFile
    from syscalls.fs.file import File
    from syscalls.mm.space import AddressSpace

MAX_EVENTS = 65536  # fs.aio-max-nr
_EVENT_SIZE = _RING_HEAD = 32
_MOST = 0x10000000 // _EVENT_SIZE
_PER_CPU = 4


class Request:
    """An iocb that was accepted."""

    def __init__(self, context: Context, data: int, place: int, signals: EventFile | None) -> None:
        self.context = context
        self.data = data
        self.place = place  # the iocb's address
        self.signals = signals  # whose counter goes up at the end (IOCB_FLAG_RESFD)

    def complete(self, result: int) -> None:
        """Let the program know (aio_complete)."""
        self.context.events.append(IoEvent(data=self.data, obj=self.place, res=result, res2=0))
        if self.signals is not None:
            self.signals.write((1).to_bytes(8, "little"))
        self.context.queue.wake()


class PollRequest(Request):
    """IOCB_CMD_POLL: ends when something is ready, once."""

    def start(self, file: File, events: int) -> None:
        """Look, and stay when it is not ready (aio_poll)."""
        self.file, self.wanted, self.queues = file, events, file.queues()
        file.users += 1
        self.context.polls[self.place] = self
        for queue in self.queues:
            queue.listeners.append(self._woken)
        self._woken(0)

    def _woken(self, events: int) -> bool:
        """What the waker says counts, if it says anything (aio_poll_wake)."""
        ready = self.file.poll() & self.wanted if not events else events if events & self.wanted else 0
        if ready and self.context.polls.get(self.place) is self:
            self.stop(ready)
        return False

    def stop(self, result: int) -> None:
        """It is over: an event tells why."""
        from syscalls.fs.fdtable import put

        del self.context.polls[self.place]
        for queue in self.queues:
            queue.listeners.remove(self._woken)
        put(self.file)
        self.complete(result)

    def cancel(self) -> None:
        """io_cancel(2)."""
        self.stop(0)


class Context:
    """Requests and events of one io_setup(2) (struct kioctx); its number is the address of its (unused) ring."""

    def __init__(self, wanted: int, size: int) -> None:
        self.wanted = wanted
        self.size = size  # bytes of the ring
        self.capacity = (size - _RING_HEAD) // _EVENT_SIZE
        self.events: deque[IoEvent] = deque()
        self.polls: dict[int, PollRequest] = {}  # by their iocbs' addresses
        self.queue = WaitQueue("an asynchronous request")
        self.dead = False

    def check_room(self) -> None:
        """EAGAIN when there would be more events than fit (aio_get_req)."""
        if len(self.events) + len(self.polls) >= self.capacity - 1:
            raise SysError(EAGAIN)


class Contexts:
    """All contexts of a world, by address space."""

    def __init__(self) -> None:
        self._of: WeakKeyDictionary[AddressSpace, dict[int, Context]] = WeakKeyDictionary()

    @property
    def used(self) -> int:
        """Events that were asked for (fs.aio-nr)."""
        return sum(context.wanted for table in self._of.values() for context in table.values())

    def setup(self, space: AddressSpace, wanted: int) -> int:
        """A new context; EINVAL, EAGAIN, ENOMEM (ioctx_alloc)."""
        events = 2 * max(wanted, _PER_CPU)
        if events > _MOST:
            raise SysError(EINVAL)
        if wanted > MAX_EVENTS or self.used + wanted > MAX_EVENTS:
            raise SysError(EAGAIN)
        size = -(-(_RING_HEAD + (events + 2) * _EVENT_SIZE) // PAGE_SIZE) * PAGE_SIZE
        address = do_mmap(space, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
        self._of.setdefault(space, {})[address] = Context(wanted, size)
        return address

    def get(self, space: AddressSpace, id: int) -> Context:
        """EINVAL when there is none (lookup_ioctx)."""
        context = self._of.get(space, {}).get(id)
        if context is None:
            raise SysError(EINVAL)
        return context

    def destroy(self, space: AddressSpace, id: int) -> None:
        """What is outstanding is cancelled; who waits for events gets those that there are (kill_ioctx); EINVAL."""
        context = self.get(space, id)
        del self._of[space][id]
        context.dead = True
        for poll in list(context.polls.values()):
            poll.cancel()
        context.queue.wake()
        do_munmap(space, id, context.size)
