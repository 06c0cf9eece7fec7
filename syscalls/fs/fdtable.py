"""Descriptor tables: small numbers for open file descriptions (fs/file.c)."""

from __future__ import annotations

from collections.abc import Iterator

from syscalls.abi.errno import EBADF, EINVAL, EMFILE, ENOENT, SysError
from syscalls.abi.fcntl import AT_FDCWD, O_PATH
from syscalls.fs import epoll, notify
from syscalls.fs.file import File
from syscalls.fs.mount import Path, anonymous

#: Descriptors that a new table has room for (NR_OPEN_DEFAULT).
_PLACES = 64


def path_of(file: File) -> Path:
    """Where the file was opened; for a pipe and the like, a path that leads nowhere else."""
    if file.path is None:
        file.path = anonymous(file.inode, file.name())
    return file.path


class FdTable:
    """Descriptors of a process, and which of them execve(2) closes (struct files_struct)."""

    __slots__ = ("__weakref__", "_files", "_used", "cloexec", "places", "users")

    def __init__(self) -> None:
        self._files: dict[int, File] = {}
        self._used = 0  # bit n: descriptor n is taken
        self.places = _PLACES  # how large the table has become (max_fds)
        self.cloexec: set[int] = set()
        self.users = 1  # processes that share it (CLONE_FILES)

    # --- looking up ---------------------------------------------------------------------------------------------------

    def get(self, fd: int) -> File:
        """The file of a descriptor; EBADF, also when it was opened with O_PATH (fdget)."""
        file = self._files.get(fd)
        if file is None or file.flags & O_PATH:
            raise SysError(EBADF)
        return file

    def get_any(self, fd: int) -> File:
        """The file of a descriptor, O_PATH included (fdget_raw); EBADF."""
        file = self._files.get(fd)
        if file is None:
            raise SysError(EBADF)
        return file

    def at(self, dirfd: int, name: bytes, *, empty: bool = False, in_root: bool = False) -> Path | None:
        """What a relative `name` of an *at call starts at, for `resolve`; None: the working directory.

        The order of path_init: ENOENT for an empty name (unless AT_EMPTY_PATH: `empty`), then EBADF, and no look at
        `dirfd` when the name is absolute, unless it is the root that the name is absolute in (RESOLVE_IN_ROOT).
        """
        if not name and not empty:
            raise SysError(ENOENT)
        if dirfd == AT_FDCWD or (name[:1] == b"/" and not in_root):
            return None
        return path_of(self.get_any(dirfd))

    def __contains__(self, fd: int) -> bool:
        return fd in self._files

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._files))

    def __len__(self) -> int:
        return len(self._files)

    # --- new descriptors ----------------------------------------------------------------------------------------------

    def lowest_free(self, limit: int, start: int = 0) -> int:
        """The lowest descriptor from `start` on that is free; EMFILE from `limit` (RLIMIT_NOFILE) on (alloc_fd)."""
        used = self._used | (1 << start) - 1
        fd = (~used & used + 1).bit_length() - 1
        if fd >= limit:
            raise SysError(EMFILE)
        return fd

    def install(self, file: File, limit: int, *, cloexec: bool = False, start: int = 0) -> int:
        """Give `file` the lowest free descriptor; EMFILE."""
        fd = self.lowest_free(limit, start)
        self._set(fd, file, cloexec=cloexec)
        return fd

    def _set(self, fd: int, file: File, *, cloexec: bool) -> None:
        file.users += 1
        self._files[fd] = file
        self._used |= 1 << fd
        if fd >= self.places:
            self.places = 1 << fd.bit_length()  # alloc_fdtable
        if cloexec:
            self.cloexec.add(fd)
        else:
            self.cloexec.discard(fd)

    def dup(self, fd: int, limit: int, start: int = 0, *, cloexec: bool = False) -> int:
        """Another descriptor, from `start` on, of the same file (dup(2), F_DUPFD); EBADF, EINVAL, EMFILE."""
        file = self.get_any(fd)
        if start >= limit:
            raise SysError(EINVAL)
        return self.install(file, limit, cloexec=cloexec, start=start)

    def dup_to(self, old: int, new: int, limit: int, *, cloexec: bool = False) -> int:
        """Let `new` be the file of `old`, closing what it was (dup2(2), dup3(2) with different numbers); EBADF."""
        if new < 0 or new >= limit:
            raise SysError(EBADF)
        file = self.get_any(old)
        if old != new:
            file.users += 1  # closing `new` must not close it
            if new in self._files:
                self.close(new)
            file.users -= 1
            self._set(new, file, cloexec=cloexec)
        return new

    # --- closing ------------------------------------------------------------------------------------------------------

    def close(self, fd: int) -> None:
        """Free a descriptor; EBADF."""
        file = self._files.pop(fd, None)
        if file is None:
            raise SysError(EBADF)
        self._used &= ~(1 << fd)
        self.cloexec.discard(fd)
        file.flush(self)
        locks = file.inode.locks
        if locks is not None and not file.flags & O_PATH:
            locks.drop_posix(self)
        if file.inode.marks is not None:
            notify.on_flush(file, self)
        put(file)

    def in_range(self, first: int, last: int) -> list[int]:
        """Open descriptors from `first` to `last`, both included (close_range(2))."""
        return sorted(fd for fd in self._files if first <= fd <= last)

    def close_range(self, first: int, last: int) -> None:
        """Close them all."""
        for fd in self.in_range(first, last):
            self.close(fd)

    def close_on_exec(self) -> None:
        """Close what is marked so (do_close_on_exec)."""
        for fd in sorted(self.cloexec):
            self.close(fd)

    def set_cloexec(self, fd: int, *, on: bool) -> None:
        """F_SETFD; EBADF."""
        self.get_any(fd)
        if on:
            self.cloexec.add(fd)
        else:
            self.cloexec.discard(fd)

    # --- sharing and copying ------------------------------------------------------------------------------------------

    def copy(self) -> FdTable:
        """A table of its own with the same files (dup_fd), for fork(2) and unshare(2)."""
        table = FdTable()
        table._files = dict(self._files)
        table._used = self._used
        table.places = max(_PLACES, 1 << (self._used.bit_length() - 1).bit_length() if self._used else 0)
        table.cloexec = set(self.cloexec)
        for file in table._files.values():
            file.users += 1
        return table

    def share(self) -> FdTable:
        """The same table for one process more (CLONE_FILES)."""
        self.users += 1
        return self

    def release(self) -> None:
        """One process less; the last one closes everything (exit_files)."""
        self.users -= 1
        if not self.users:
            for fd in list(self):
                self.close(fd)


def put(file: File) -> None:
    """One user less of an open file description; the last one closes it (fput)."""
    file.users -= 1
    if file.users <= 0:
        if file.inode.fs.watched:
            notify.on_close(file)
        if file.inode.locks is not None:
            file.inode.locks.drop_file(file)
        if file.inode.leases is not None:
            file.inode.leases.drop(file)
        if file.epoll_items is not None:
            epoll.forget(file)
        file.close()
