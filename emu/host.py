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
O_PATH_NOFOLLOW = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


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


class HostTree:
    """A directory (or one file) of the host, for `ports.HostDirectory`.

    Each path is walked one component at a time with O_NOFOLLOW from a descriptor of the top, so a symbolic link in the
    tree, or one planted there during the run, leads nowhere.
    """

    def __init__(self, path: str, *, writable: bool) -> None:
        self.writable = writable
        self._top = os.open(path, os.O_PATH | os.O_CLOEXEC)
        self._is_directory = stat.S_ISDIR(os.fstat(self._top).st_mode)

    @contextlib.contextmanager
    def _parent(self, path: bytes) -> Iterator[tuple[int, bytes]]:
        """A descriptor of the directory that holds the last component, and that component."""
        with host_errors():
            *directories, name = path.split(b"/")
            fd, opened = self._top, -1
            try:
                for directory in directories:
                    following = os.open(directory, O_PATH_NOFOLLOW | os.O_DIRECTORY, dir_fd=fd)
                    if opened >= 0:
                        os.close(opened)
                    fd = opened = following
                yield fd, name
            finally:
                if opened >= 0:
                    os.close(opened)

    @contextlib.contextmanager
    def _open(self, path: bytes, flags: int) -> Iterator[int]:
        """The object itself, opened; the top by way of its own descriptor."""
        if not path:
            with host_errors():
                fd = os.open(f"/proc/self/fd/{self._top}", flags | os.O_CLOEXEC)
                try:
                    yield fd
                finally:
                    os.close(fd)
            return
        with self._parent(path) as (parent, name):
            fd = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
            try:
                yield fd
            finally:
                os.close(fd)

    def lstat(self, path: bytes) -> os.stat_result:
        if not path:
            return os.fstat(self._top)
        with self._parent(path) as (parent, name):
            return os.stat(name, dir_fd=parent, follow_symlinks=False)

    def listdir(self, path: bytes) -> list[bytes]:
        with self._open(path, os.O_RDONLY | os.O_DIRECTORY) as fd:
            return [os.fsencode(name) for name in os.listdir(fd)]  # noqa: PTH208  # of a descriptor

    def readlink(self, path: bytes) -> bytes:
        with self._parent(path) as (parent, name):
            return os.readlink(name, dir_fd=parent)

    def pread(self, path: bytes, offset: int, count: int) -> bytes:
        with self._open(path, os.O_RDONLY | os.O_NONBLOCK) as fd:
            return os.pread(fd, count, offset)

    def pwrite(self, path: bytes, offset: int, data: bytes | memoryview) -> int:
        with self._open(path, os.O_WRONLY | os.O_NONBLOCK) as fd:
            return os.pwrite(fd, data, offset)

    def truncate(self, path: bytes, length: int) -> None:
        with self._open(path, os.O_WRONLY | os.O_NONBLOCK) as fd:
            os.ftruncate(fd, length)

    def create(self, path: bytes, mode: int) -> None:
        with self._parent(path) as (parent, name):
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(name, flags, mode, dir_fd=parent))

    def mkdir(self, path: bytes, mode: int) -> None:
        with self._parent(path) as (parent, name):
            os.mkdir(name, mode, dir_fd=parent)

    def symlink(self, target: bytes, path: bytes) -> None:
        with self._parent(path) as (parent, name):
            os.symlink(target, name, dir_fd=parent)

    def mknod(self, path: bytes, mode: int, rdev: int) -> None:
        with self._parent(path) as (parent, name):
            os.mknod(name, mode, rdev, dir_fd=parent)

    def link(self, old: bytes, new: bytes) -> None:
        with self._parent(old) as (old_parent, old_name), self._parent(new) as (new_parent, new_name):
            os.link(old_name, new_name, src_dir_fd=old_parent, dst_dir_fd=new_parent, follow_symlinks=False)

    def unlink(self, path: bytes) -> None:
        with self._parent(path) as (parent, name):
            os.unlink(name, dir_fd=parent)

    def rmdir(self, path: bytes) -> None:
        with self._parent(path) as (parent, name):
            os.rmdir(name, dir_fd=parent)

    def rename(self, old: bytes, new: bytes) -> None:
        with self._parent(old) as (old_parent, old_name), self._parent(new) as (new_parent, new_name):
            os.rename(old_name, new_name, src_dir_fd=old_parent, dst_dir_fd=new_parent)

    def chmod(self, path: bytes, mode: int) -> None:
        with self._open(path, os.O_RDONLY | os.O_NONBLOCK) as fd:
            os.fchmod(fd, mode)

    def chown(self, path: bytes, uid: int, gid: int) -> None:
        with self._parent(path) as (parent, name):
            os.chown(name, uid, gid, dir_fd=parent, follow_symlinks=False)

    def utimens(self, path: bytes, atime_ns: int, mtime_ns: int) -> None:
        with self._parent(path) as (parent, name):
            os.utime(name, ns=(atime_ns, mtime_ns), dir_fd=parent, follow_symlinks=False)

    def getxattr(self, path: bytes) -> dict[bytes, bytes]:
        with self._open(path, os.O_RDONLY | os.O_NONBLOCK) as fd:
            return {os.fsencode(name): os.getxattr(fd, name) for name in os.listxattr(fd)}

    def setxattr(self, path: bytes, name: bytes, value: bytes | None) -> None:
        with self._open(path, os.O_RDONLY | os.O_NONBLOCK) as fd:
            if value is None:
                os.removexattr(fd, name)
            else:
                os.setxattr(fd, name, value)
