"""epoll(7): which of many files are ready, without asking each of them (fs/eventpoll.c).

An interest (`Item`, an epitem in Linux) listens to the queues of its file. A wake-up moves it to the list of items that
may be ready; epoll_wait(2) asks only those. Streams of the host do not wake anybody by themselves: items with such
queues are asked each time, and whoever waits for the epoll file waits for these queues too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import Struct

from syscalls.abi.errno import EEXIST, EINVAL, ELOOP, ENOENT, SysError
from syscalls.abi.fcntl import O_RDWR
from syscalls.abi.poll import (
    EPIOCGPARAMS,
    EPIOCSPARAMS,
    EPOLLERR,
    EPOLLET,
    EPOLLEXCLUSIVE,
    EPOLLHUP,
    EPOLLIN,
    EPOLLONESHOT,
    EPOLLOUT,
    EPOLLRDNORM,
    EPOLLWAKEUP,
    EPOLLWRNORM,
    POLLIN,
    POLLRDNORM,
)
from syscalls.fs.anon import AnonFile, AnonInodeFs
from syscalls.fs.file import File
from syscalls.kernel.ports import Memory
from syscalls.kernel.wait import WaitQueue

#: How to be told, not what (EP_PRIVATE_BITS).
PRIVATE = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE
#: What may stand beside EPOLLEXCLUSIVE (EPOLLEXCLUSIVE_OK_BITS).
EXCLUSIVE_OK = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE
ALWAYS = EPOLLERR | EPOLLHUP
#: How deep epoll files may watch each other (EP_MAX_NESTS).
MAX_NESTS = 4
_BUSY_POLL = Struct("<IHBB")
#: Stores one event: (index, events, data).
Store = Callable[[int, int, int], None]


def can_poll(file: File) -> bool:
    """Does its class say when it is ready? Regular files, directories and /dev/null do not (file_can_poll)."""
    return type(file).poll is not File.poll


class Item:
    """One descriptor that an epoll file watches."""

    __slots__ = ("data", "epoll", "events", "fd", "file", "hosted", "queues", "seen")

    def __init__(self, epoll: EpollFile, file: File, fd: int, events: int, data: int) -> None:
        self.epoll = epoll
        self.file = file
        self.fd = fd
        self.events = events
        self.data = data
        self.seen = 0  # edge-triggered and hosted: what has been reported, and not been acted upon
        self.queues = file.queues()
        self.hosted = isinstance(file, EpollFile) or any(queue.stream is not None for queue in self.queues)
        for queue in self.queues:
            queue.listeners.insert(len(queue.listeners) if events & EPOLLEXCLUSIVE else 0, self.notify)

    def notify(self, events: int) -> bool:
        """The file may be ready (ep_poll_callback)."""
        if not self.events & ~PRIVATE or (events and not events & self.events):
            return False
        self.seen &= ~events
        if not self.hosted or isinstance(self.file, EpollFile):
            self.epoll.ready[self] = None
        return self.epoll.wake() and bool(self.events & EPOLLEXCLUSIVE)

    def check(self) -> int:
        """The events that hold and are wanted (ep_item_poll)."""
        return self.file.poll() & self.events

    def fresh(self) -> int:
        """Of a hosted file: what is to be reported now. An edge is one until the file was read or written since."""
        events = self.check()
        self.seen &= events
        return events & ~self.seen

    def host_queues(self) -> Iterator[WaitQueue]:
        """Queues that only the host wakes, as far as their events are still awaited."""
        if isinstance(self.file, EpollFile):
            yield from self.file.host_queues()
            return
        wanted = self.events & ~self.seen
        for queue in self.queues:
            bits = EPOLLOUT | EPOLLWRNORM if queue.writing else EPOLLIN | EPOLLRDNORM
            if queue.stream is not None and wanted & bits:
                yield queue

    def forget(self) -> None:
        """Listen no more."""
        for queue in self.queues:
            queue.listeners.remove(self.notify)


class EpollFile(AnonFile):
    """The interest list, and those of it that may be ready."""

    kind = b"[eventpoll]"

    def __init__(self, fs: AnonInodeFs) -> None:
        super().__init__(fs, O_RDWR)
        self.items: dict[tuple[int, int], Item] = {}  # by id of the file (which the item keeps alive) and descriptor
        self.ready: dict[Item, None] = {}  # in the order in which they became so
        self.waiters = WaitQueue("an epoll file")  # those in epoll_wait(2): woken one by one
        self.busy_poll = (0, 0, 0, 0)  # struct epoll_params
        self.watchers = WaitQueue("an epoll file")  # those who poll this file itself

    # --- the interest list --------------------------------------------------------------------------------------------

    def add(self, file: File, fd: int, events: int, data: int) -> None:
        """EPOLL_CTL_ADD: ELOOP, EEXIST (do_epoll_ctl, ep_insert)."""
        if isinstance(file, EpollFile) and self._would_loop(file):
            raise SysError(ELOOP)
        if (id(file), fd) in self.items:
            raise SysError(EEXIST)
        item = self.items[id(file), fd] = Item(self, file, fd, events | ALWAYS, data)
        file.epoll_items = [*(file.epoll_items or ()), item]
        self._announce(item)

    def modify(self, file: File, fd: int, events: int, data: int) -> None:
        """EPOLL_CTL_MOD: ENOENT, EINVAL for one that is exclusive (ep_modify)."""
        item = self._find(file, fd)
        if item.events & EPOLLEXCLUSIVE:
            raise SysError(EINVAL)
        item.events, item.data, item.seen = events | ALWAYS, data, 0
        self._announce(item)

    def remove(self, file: File, fd: int) -> None:
        """EPOLL_CTL_DEL: ENOENT (ep_remove)."""
        self.drop(self._find(file, fd))

    def drop(self, item: Item) -> None:
        """Forget an item, also when its file is closed."""
        del self.items[id(item.file), item.fd]
        self.ready.pop(item, None)
        item.forget()
        item.file.epoll_items = [other for other in item.file.epoll_items or () if other is not item] or None

    def _find(self, file: File, fd: int) -> Item:
        try:
            return self.items[id(file), fd]
        except KeyError:
            raise SysError(ENOENT) from None

    def _announce(self, item: Item) -> None:
        if item.check():
            self.ready[item] = None
            self.wake()

    def _would_loop(self, file: EpollFile) -> bool:
        """Is this file below `file`, or would the chain get too long? (ep_loop_check)."""
        below = file.depth_below(self)
        return below > MAX_NESTS or below + 1 + self.depth_above() > MAX_NESTS

    def depth_below(self, forbidden: EpollFile, depth: int = 0) -> int:
        """Levels of epoll files that this one watches; more than MAX_NESTS when `forbidden` is there."""
        result = 0
        for item in self.items.values():
            if isinstance(item.file, EpollFile):
                if item.file is forbidden or depth > MAX_NESTS:
                    return MAX_NESTS + 1
                result = max(result, item.file.depth_below(forbidden, depth + 1) + 1)
        return result

    def depth_above(self) -> int:
        """Levels of epoll files that watch this one."""
        return max([item.epoll.depth_above() + 1 for item in self.epoll_items or ()], default=0)

    # --- waiting ------------------------------------------------------------------------------------------------------

    def wake(self) -> bool:
        """Something may be ready: tell one who waits, and those who poll; True when one has waited."""
        woken = self.waiters.wake(1)
        self.watchers.wake(events=POLLIN)
        return bool(woken)

    def send(self, limit: int, store: Store) -> int:
        """Store up to `limit` events; how many there were. An error of `store` counts only for the first.

        What is level-triggered goes back to the end of the list, for whoever asks next (ep_send_events).
        """
        self._ask_hosted()
        candidates = list(self.ready)
        again: dict[Item, None] = {}
        done = asked = 0
        try:
            for item in candidates:
                if done == limit:
                    break
                if events := item.check():
                    store(done, events, item.data)
                    done += 1
                    self._reported(item, events, again)
                asked += 1
        except SysError:
            if not done:
                raise
        finally:
            self.ready = dict.fromkeys(candidates[asked:]) | again
        if self.ready:
            self.waiters.wake(1)  # it is no news for those who poll this file (ep_done_scan)
        return done

    def _reported(self, item: Item, events: int, again: dict[Item, None]) -> None:
        if item.events & EPOLLONESHOT:
            item.events &= PRIVATE
        elif not item.events & EPOLLET:
            again[item] = None
        elif item.hosted:
            item.seen |= events

    def _ask_hosted(self) -> None:
        for item in self.items.values():
            if item.hosted and item not in self.ready and item.fresh():
                self.ready[item] = None

    def poll(self) -> int:
        """Readable when something that is watched is ready (__ep_eventpoll_poll)."""
        self._ask_hosted()
        for item in list(self.ready):
            if item.check():
                return POLLIN | POLLRDNORM
            del self.ready[item]
        return 0

    def host_queues(self) -> Iterator[WaitQueue]:
        """The queues of watched files that only the host wakes."""
        for item in self.items.values():
            if item.hosted:
                yield from item.host_queues()

    def queues(self) -> tuple[WaitQueue, ...]:
        return (self.watchers, *self.host_queues())

    def details(self) -> bytes:
        """A line for each item (ep_show_fdinfo)."""
        return b"".join(
            b"tfd: %8d events: %8x data: %16x  pos:%d ino:%x sdev:%x\n"
            % (item.fd, item.events, item.data, item.file.position, item.file.inode.ino, item.file.inode.fs.dev)
            for item in self.items.values()
        )

    def ioctl(self, request: int, argument: int, memory: Memory) -> int:
        """How to poll network devices busily, which here are none (ep_eventpoll_bp_ioctl)."""
        if request == EPIOCSPARAMS:
            usecs, _, prefer, pad = params = _BUSY_POLL.unpack(memory.read(argument, _BUSY_POLL.size))
            if pad or usecs >> 31 or prefer > 1:
                raise SysError(EINVAL)
            self.busy_poll = params
        elif request == EPIOCGPARAMS:
            memory.write(argument, _BUSY_POLL.pack(*self.busy_poll))
        else:
            raise SysError(EINVAL)
        return 0

    def close(self) -> None:
        for item in list(self.items.values()):
            self.drop(item)


def forget(file: File) -> None:
    """The last descriptor of a watched file is gone (eventpoll_release)."""
    for item in tuple(file.epoll_items or ()):
        item.epoll.drop(item)
