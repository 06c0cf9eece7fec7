# ruff: noqa: ARG002  # what does nothing by default ignores its arguments
"""Open file descriptions: what open(2), pipe(2), eventfd(2) ... create and descriptors refer to.

A file never sleeps. Where it would have to wait it answers WOULD_BLOCK, and the handler waits on `readers` or
`writers` (wait queues) and asks again. Subclasses override what they can do; the rest answers as Linux does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal

from syscalls.abi.errno import EBADF, EINVAL, ENODEV, ENOTDIR, ENOTTY, ESPIPE, SysError
from syscalls.abi.fcntl import F_OWNER_PID, O_ACCMODE, O_NONBLOCK, O_PATH, O_RDONLY, O_RDWR, O_WRONLY

if TYPE_CHECKING:
    from syscalls.fs.cred import Credentials
    from syscalls.fs.epoll import Item
    from syscalls.fs.fdtable import FdTable
    from syscalls.fs.inode import Inode
    from syscalls.fs.mount import Path
    from syscalls.kernel.ports import Memory
    from syscalls.kernel.wait import WaitQueue


class _WouldBlock(Enum):
    WOULD_BLOCK = 0


#: A file's answer when the operation cannot go on now.
WOULD_BLOCK: Final = _WouldBlock.WOULD_BLOCK
WouldBlock = Literal[_WouldBlock.WOULD_BLOCK]

# Readiness (poll(2)).
POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL = 1, 2, 4, 8, 16, 32
POLLRDNORM, POLLWRNORM = 0x40, 0x100


class File:
    """One open file description: an inode, a position, status flags."""

    seekable = False
    blind = False  # do writes succeed or fail without a look at the data? (/dev/null, zero and full)
    direct = False  # may it be open with O_DIRECT? (FMODE_CAN_ODIRECT)
    silent = False  # is nobody told of what is done with it? (FMODE_NONOTIFY)
    signals_io = False  # does it know O_ASYNC? (the method fasync)
    times_out = False  # is a deadline that passes an error, EAGAIN? (sockets)
    scatters = True  # does one writev(2) come as one write (write_iter)?
    whole_units = False  # does a write take nothing of a unit (a page of a pipe) that cannot be copied in whole?
    whole_writes = False  # does a blocking write(2) go on until everything is taken (pipes, streams, sockets)?

    def __init__(self, inode: Inode, flags: int) -> None:
        self.inode = inode
        self.flags = flags  # access mode and status flags, as F_GETFL shows them
        self.position = 0
        self.cred: Credentials | None = None  # who opened it by a path
        self.path: Path | None = None  # what it was opened by, when there is one
        self.owner = (F_OWNER_PID, 0)  # whom O_ASYNC is to signal (fcntl(2), F_SETOWN_EX) ...
        self.owner_ids = (0, 0)  # ... on behalf of these ids, real and effective
        self.owner_signal = 0  # ... and how; 0: with SIGIO
        self.fasync: Callable[[int], None] | None = None  # O_ASYNC: signals a POLL_* of sigaction(2)
        self.epoll_items: list[Item] | None = None  # who watches it with epoll(7)
        self.users = 0  # descriptors (of all tables) that refer here; close() is called at the last

    # --- what it may do -----------------------------------------------------------------------------------------------

    @property
    def readable(self) -> bool:
        """Was it opened for reading?"""
        return self.flags & (O_ACCMODE | O_PATH) in (O_RDONLY, O_RDWR)

    @property
    def writable(self) -> bool:
        """Was it opened for writing?"""
        return self.flags & (O_ACCMODE | O_PATH) in (O_WRONLY, O_RDWR)

    @property
    def nonblocking(self) -> bool:
        """O_NONBLOCK is set."""
        return bool(self.flags & O_NONBLOCK)

    # --- transfer -----------------------------------------------------------------------------------------------------

    def read(self, count: int) -> bytes | WouldBlock:
        """Up to `count` bytes from the position, which moves."""
        raise SysError(EINVAL)

    def write(self, data: bytes | memoryview) -> int | WouldBlock:
        """Store at the position (or the end, with O_APPEND), which moves; how many bytes were taken."""
        raise SysError(EINVAL)

    def pread(self, count: int, offset: int) -> bytes | WouldBlock:
        """Up to `count` bytes from `offset`."""
        raise SysError(ESPIPE)

    def pwrite(self, data: bytes | memoryview, offset: int) -> int | WouldBlock:
        """Store at `offset`."""
        raise SysError(ESPIPE)

    def splices(self, *, writing: bool) -> bool:
        """Can splice(2) and sendfile(2) use it (splice_read, splice_write)?"""
        return True

    def putback(self, data: bytes) -> None:
        """The last bytes of a read() did not fit in the reader's memory: they are still to be read."""

    def unread(self, data: bytes, done: int) -> int:
        """Only `done` bytes of what was just read could be stored; how many of them are read by that."""
        self.putback(data[done:])
        return done

    def whole_part(self, got: int, count: int) -> int:
        """How much of a write of `count` bytes is done when only the first `got` can be copied in (`whole_units`)."""
        del count
        return got

    def check_write(self, count: int) -> None:
        """What is said of a write before its data are looked at (`whole_units`)."""

    def seek(self, offset: int, whence: int) -> int:
        """New position (lseek(2), SEEK_DATA and SEEK_HOLE included)."""
        raise SysError(ESPIPE)

    def entries(self) -> Iterator[tuple[bytes, int, int, int]]:
        """(name, inode, S_IFMT type, offset of the next entry) from the position on, "." and ".." included.

        The caller sets `position` to the offset of the last entry it used.
        """
        raise SysError(ENOTDIR)

    def truncate(self, length: int) -> None:
        """Set the size, for ftruncate(2)."""
        raise SysError(EINVAL)

    def allocate(self, mode: int, offset: int, length: int) -> None:
        """fallocate(2)."""
        raise SysError(ENODEV)

    def sync(self) -> None:
        """fsync(2); EINVAL where there is nothing to synchronise."""
        raise SysError(EINVAL)

    @property
    def opened(self) -> bool:
        """Is open(2) done? Until then its handler waits on queues(): a FIFO waits for its other end."""
        return True

    # --- waiting ------------------------------------------------------------------------------------------------------

    def poll(self) -> int:
        """POLLIN, POLLOUT ... that hold now; a regular file is always ready."""
        return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM

    def read_deadline(self) -> int | None:
        """Until when (monotonic ns) a read that begins to wait now does so; None: for ever."""
        return None

    def write_deadline(self) -> int | None:
        """The same for a write."""
        return None

    def read_rest(self, count: int) -> bytes:
        """What a read takes that waits no longer, although there is less than it wanted."""
        return b""

    def queues(self) -> tuple[WaitQueue, ...]:
        """The wait queues that are woken when poll() or an operation's answer may have changed."""
        return ()

    def kill_fasync(self, code: int) -> None:
        """Its readiness has changed: signal the owner, if it has asked for that (POLL_IN, POLL_OUT ... of siginfo)."""
        if self.fasync is not None:
            self.fasync(code)

    # --- control ------------------------------------------------------------------------------------------------------

    def ioctl(self, request: int, argument: int, memory: Memory) -> int:
        """Control the device (ioctl(2)); `argument` is a number, or an address in `memory`, which is the caller's."""
        raise SysError(ENOTTY)

    def frame(self, index: int) -> int:
        """Page frame of page `index`, for mmap(2)."""
        return self.inode.frame(index)

    def name(self) -> bytes:
        """What /proc/self/fd/N shows when there is no path: b"pipe:[123]" and the like."""
        raise SysError(EBADF)

    def details(self) -> bytes:
        """Its own lines in /proc/PID/fdinfo/N (show_fdinfo)."""
        return b""

    def flush(self, files: FdTable) -> None:
        """A descriptor of it in this table is being closed."""

    def close(self) -> None:
        """The last descriptor is gone."""
