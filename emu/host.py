"""The host behind the kernel's ports: its clock, random bytes, and its standard streams."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import stat
import termios
import time

from emu.errors import UsageError
from emu.hosttree import HostTree, host_errors
from syscalls.abi.errno import SysError
from syscalls.abi.fcntl import O_ACCMODE, O_APPEND, O_LARGEFILE
from syscalls.kernel.ports import HostStream

PAGE = 4096
LONGEST_MS = 1 << 30  # whoever waits longer waits again
#: Of the flags that the host opened a stream with, what the guest sees.
SHOWN_FLAGS = O_ACCMODE | O_APPEND | O_LARGEFILE


class HostClock:
    """The host's time."""

    def realtime(self) -> int:
        """CLOCK_REALTIME."""
        return time.time_ns()

    def monotonic(self) -> int:
        """CLOCK_MONOTONIC."""
        return time.monotonic_ns()

    def cputime(self) -> int:
        """Processor time of the whole process: engine and kernel."""
        return time.process_time_ns()

    def sleep_until(self, deadline: int | None, streams: list[tuple[HostStream, bool]]) -> None:
        """Wait for the deadline or a stream, with the host's poll(2)."""
        wanted: dict[int, int] = {}
        for stream, writing in streams:
            if isinstance(stream, FdStream):
                wanted[stream.fd] = wanted.get(stream.fd, 0) | (select.POLLOUT if writing else select.POLLIN)
        poller = select.poll()
        for fd, events in wanted.items():
            poller.register(fd, events)
        if deadline is None:
            poller.poll()
        else:
            wait_ns = deadline - time.monotonic_ns()
            if wait_ns > 0 and not streams:
                time.sleep(min(wait_ns / 1e9, LONGEST_MS / 1e3))
            elif wait_ns > 0:
                poller.poll(min(-(-wait_ns // 1_000_000), LONGEST_MS))


class HostRandom:
    """The host's random bytes."""

    def random_bytes(self, count: int) -> bytes:
        """From getrandom(2)."""
        return os.urandom(count)


class FdStream:
    """A descriptor of the host given to the guest as a stream. It never blocks the kernel."""

    live = True

    def __init__(self, fd: int) -> None:
        self.fd = fd
        try:
            found = os.fstat(fd)
        except OSError as error:
            raise UsageError(f"standard stream {fd} is not open: {error.strerror}") from None
        self.mode = found.st_mode
        self.rdev = os.major(found.st_rdev) << 8 | os.minor(found.st_rdev)
        self.flags = fcntl.fcntl(fd, fcntl.F_GETFL) & SHOWN_FLAGS
        self.terminal = FdTerminal(fd) if os.isatty(fd) else None
        self._always_ready = stat.S_ISREG(self.mode)
        self.content: HostTree | None = None
        if self._always_ready:
            self.content = HostTree.of_stream(fd, self.flags & O_ACCMODE)

    def poll(self) -> int:
        """What the host says."""
        poller = select.poll()
        poller.register(self.fd, select.POLLIN | select.POLLOUT)
        found = poller.poll(0)
        return found[0][1] if found else 0

    def ready(self, *, writing: bool) -> bool:
        """Anything that ends a wait, hang-up and error included."""
        interesting = select.POLLERR | select.POLLHUP | (select.POLLOUT if writing else select.POLLIN)
        return self._always_ready or bool(self.poll() & interesting)

    def read(self, count: int) -> bytes | None:
        """What is there now."""
        if not self.ready(writing=False):
            return None
        with host_errors():
            try:
                return os.read(self.fd, count)
            except BlockingIOError:  # somebody else was faster
                return None

    def write(self, data: bytes | memoryview) -> int | None:
        """What fits now; a pipe takes at least PIPE_BUF bytes without blocking once it is ready."""
        if not self.ready(writing=True):
            return None
        with host_errors():
            try:
                return os.write(self.fd, data if self._always_ready else data[:PAGE])
            except BlockingIOError:
                return None

    def available(self) -> int:
        """FIONREAD."""
        with host_errors():
            return int.from_bytes(fcntl.ioctl(self.fd, termios.FIONREAD, bytes(4)), "little")

    def tell(self) -> int:
        """lseek(2) with SEEK_CUR."""
        with host_errors():
            return os.lseek(self.fd, 0, os.SEEK_CUR)

    def move(self, offset: int) -> None:
        """lseek(2) with SEEK_SET."""
        with host_errors():
            os.lseek(self.fd, offset, os.SEEK_SET)

    def close(self) -> None:
        """The descriptor belongs to whoever gave it: leave it open."""


class FdTerminal:
    """ioctl_tty(2) on a descriptor of the host."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def get(self, request: int, size: int) -> bytes:
        """What the request stores."""
        with host_errors():
            return fcntl.ioctl(self.fd, request, bytes(size))

    def put(self, request: int, data: bytes) -> None:
        """A request that takes a struct."""
        with host_errors():
            fcntl.ioctl(self.fd, request, data)

    def control(self, request: int, argument: int) -> None:
        """A request that takes a number."""
        with host_errors():
            fcntl.ioctl(self.fd, request, argument)


class MemoryStream:
    """What streams that are not the host's have in common."""

    mode = stat.S_IFIFO | 0o600
    rdev = 0
    terminal = content = None
    live = False
    flags = os.O_RDONLY

    def available(self) -> int:
        """Nothing to read."""
        return 0

    def tell(self) -> int:
        """Like a pipe."""
        raise SysError(errno.ESPIPE)

    def move(self, offset: int) -> None:
        """Like a pipe."""
        del offset
        raise SysError(errno.ESPIPE)

    def close(self) -> None:
        """Nothing to do."""


class BytesStream(MemoryStream):
    """Standard input from bytes."""

    def __init__(self, data: bytes = b"") -> None:
        self._data = memoryview(data)

    def ready(self, *, writing: bool) -> bool:
        """Always."""
        return not writing

    def read(self, count: int) -> bytes | None:
        """The next bytes."""
        data, self._data = self._data[:count], self._data[count:]
        return bytes(data)

    def write(self, data: bytes | memoryview) -> int | None:
        """Not for writing."""
        del data
        raise SysError(errno.EBADF)

    def poll(self) -> int:
        """There is something, or the end; nobody will write more."""
        return select.POLLIN if self._data else select.POLLHUP

    def available(self) -> int:
        """What is left."""
        return len(self._data)


class CaptureStream(MemoryStream):
    """Standard output into memory."""

    flags = os.O_WRONLY

    def __init__(self) -> None:
        self.data = bytearray()

    def poll(self) -> int:
        """There is always room."""
        return select.POLLOUT

    def ready(self, *, writing: bool) -> bool:
        """Takes everything, gives nothing."""
        return writing

    def read(self, count: int) -> bytes | None:
        """Not for reading."""
        del count
        raise SysError(errno.EBADF)

    def write(self, data: bytes | memoryview) -> int | None:
        """Keep it."""
        self.data += data
        return len(data)
