"""The host behind the kernel's ports: its clock, random bytes, standard streams, and directories given to the guest."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import stat
import struct
import termios
import time
from collections.abc import Iterator

from syscalls.abi.errno import SysError
from syscalls.kernel.ports import HostStream

PAGE = 4096


@contextlib.contextmanager
def host_errors() -> Iterator[None]:
    """OSError of the host becomes SysError of the guest: the numbers are Linux's on both sides."""
    try:
        yield
    except OSError as error:
        raise SysError(error.errno or errno.EIO) from error


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
        poller = select.poll()
        for stream, writing in streams:
            if isinstance(stream, FdStream):
                poller.register(stream.fd, select.POLLOUT if writing else select.POLLIN)
        if deadline is None:
            poller.poll()
        else:
            wait_ns = deadline - time.monotonic_ns()
            if wait_ns > 0 and not streams:
                time.sleep(wait_ns / 1e9)
            elif wait_ns > 0:
                poller.poll(-(-wait_ns // 1_000_000))


class HostRandom:
    """The host's random bytes."""

    def random_bytes(self, count: int) -> bytes:
        """From getrandom(2)."""
        return os.urandom(count)


class FdStream:
    """A descriptor of the host given to the guest as a stream. It never blocks the kernel."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.mode = os.fstat(fd).st_mode
        self.terminal = FdTerminal(fd) if os.isatty(fd) else None
        self._always_ready = stat.S_ISREG(self.mode)

    def ready(self, *, writing: bool) -> bool:
        """Ask the host's poll(2)."""
        if self._always_ready:
            return True
        poller = select.poll()
        poller.register(self.fd, select.POLLOUT if writing else select.POLLIN)
        return bool(poller.poll(0))

    def read(self, count: int) -> bytes | None:
        """What is there now."""
        if not self.ready(writing=False):
            return None
        with host_errors():
            return os.read(self.fd, count)

    def write(self, data: bytes | memoryview) -> int | None:
        """What fits now; a pipe takes at least PIPE_BUF bytes without blocking once it is ready."""
        if not self.ready(writing=True):
            return None
        with host_errors():
            return os.write(self.fd, data if self._takes_all() else data[:PAGE])

    def _takes_all(self) -> bool:
        """Would a large write block us? Only for pipes, sockets and terminals, whose readers may be slow."""
        return self._always_ready

    def close(self) -> None:
        """The descriptor belongs to whoever gave it: leave it open."""


class FdTerminal:
    """ioctl_tty(2) on a descriptor of the host."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def get_attributes(self) -> bytes:
        """struct termios as the kernel has it (36 bytes)."""
        with host_errors():
            return fcntl.ioctl(self.fd, termios.TCGETS, bytes(36))

    def set_attributes(self, attributes: bytes, when: int) -> None:
        """TCSETS, TCSETSW or TCSETSF."""
        with host_errors():
            fcntl.ioctl(self.fd, termios.TCSETS + when, attributes)

    def window_size(self) -> tuple[int, int, int, int]:
        """TIOCGWINSZ."""
        with host_errors():
            rows, columns, x, y = struct.unpack("4H", fcntl.ioctl(self.fd, termios.TIOCGWINSZ, bytes(8)))
        return rows, columns, x, y


class BytesStream:
    """Standard input from bytes."""

    mode = stat.S_IFIFO | 0o600
    terminal = None

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

    def close(self) -> None:
        """Nothing to do."""


class CaptureStream:
    """Standard output into memory."""

    mode = stat.S_IFIFO | 0o600
    terminal = None

    def __init__(self) -> None:
        self.data = bytearray()

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

    def close(self) -> None:
        """Nothing to do."""
