# ruff: noqa: ARG002  # what does nothing ignores its arguments
"""The machinery of /proc: directories, files and links whose content is made when somebody looks (proc(5)).

What they say is in syscalls/kernel/proc.py, which knows tasks; this module knows only callables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from syscalls.abi.errno import EACCES, EINVAL, ENOENT, SysError
from syscalls.abi.fcntl import O_ACCMODE, O_RDONLY, SEEK_CUR, SEEK_SET
from syscalls.abi.poll import DEFAULT_POLLMASK
from syscalls.abi.stat import PROC_SUPER_MAGIC, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from syscalls.fs.directory import DirectoryFile
from syscalls.fs.file import File
from syscalls.fs.inode import FileSystem, Inode
from syscalls.fs.path import Path

Render = Callable[[], bytes]
Store = Callable[[bytes], None]
Guard = Callable[[], None]
Owner = tuple[int, int]


def nobody_asks() -> None:
    """The guard of what everybody may see."""


class ProcFs(FileSystem):
    """One mounted /proc; `top` is its root directory."""

    name = "proc"
    has_xattrs = False
    magic = PROC_SUPER_MAGIC
    pinned = False  # processes come and go

    def __init__(self, dev: int, now: Callable[[], int], top: Directory) -> None:
        super().__init__(dev, now)
        self.root = ProcDirectory(self, top)
        self._numbers: dict[tuple[int, bytes], int] = {}

    def number(self, directory: int, name: bytes) -> int:
        """The inode number of an entry: the same each time."""
        key = directory, name
        if key not in self._numbers:
            self._numbers[key] = self.new_ino()
        return self._numbers[key]


class Node:
    """Something in /proc: its type and permission bits, and who owns it."""

    def __init__(self, mode: int, owner: Owner = (0, 0)) -> None:
        self.mode = mode
        self.owner = owner

    def inode(self, fs: ProcFs, ino: int) -> Inode:
        """A fresh inode for it."""
        raise NotImplementedError


class Directory(Node):
    """A directory: `names` lists it, `find` makes the node of one name (None: there is none)."""

    def __init__(
        self,
        names: Callable[[], Iterable[bytes]],
        find: Callable[[bytes], Node | None],
        mode: int = 0o555,
        owner: Owner = (0, 0),
    ) -> None:
        super().__init__(S_IFDIR | mode, owner)
        self.names = names
        self.find = find

    def inode(self, fs: ProcFs, ino: int) -> Inode:
        return ProcDirectory(fs, self, ino)


class Text(Node):
    """A file; `render` gives its content when it is read, `store` (if any) takes what is written.

    `guard` raises SysError when the caller may not open it; `unwritable` is what writing answers without `store`.
    `events` are what poll(2) says; None: the file has nothing to say to epoll(7) either.
    """

    def __init__(
        self,
        render: Render,
        mode: int = 0o444,
        owner: Owner = (0, 0),
        store: Store | None = None,
        guard: Guard = nobody_asks,
        unwritable: int = EINVAL,
        events: int | None = None,
    ) -> None:
        super().__init__(S_IFREG | mode, owner)
        self.render = render
        self.store = store
        self.guard = guard
        self.unwritable = unwritable
        self.events = events

    def inode(self, fs: ProcFs, ino: int) -> Inode:
        return ProcRegular(fs, self, ino)


class Setting(Text):
    """A file of /proc/sys: not even root opens for writing what cannot be set (sysctl_perm)."""

    def __init__(self, render: Render, store: Store | None = None, mode: int = 0o644) -> None:
        super().__init__(render, mode if store else 0o444, store=store, unwritable=EACCES, events=DEFAULT_POLLMASK)


class Link(Node):
    """A symbolic link; `jump` (if any) makes it a magic one, which leads to an object and not to a name."""

    def __init__(
        self,
        target: Render,
        jump: Callable[[], Path | None] | None = None,
        mode: int = 0o777,
        owner: Owner = (0, 0),
    ) -> None:
        super().__init__(S_IFLNK | mode, owner)
        self.target = target
        self.jump = jump

    def inode(self, fs: ProcFs, ino: int) -> Inode:
        return ProcLink(fs, self, ino)


class ProcInode(Inode):
    """What all of them have in common; every look makes a new one with the same number."""

    __slots__ = ("node",)
    fs: ProcFs
    node: Node

    def __init__(self, fs: ProcFs, node: Node, ino: int = 1) -> None:
        super().__init__(fs, node.mode, *node.owner, ino=ino)
        self.node = node

    @property
    def blksize(self) -> int:
        return 1024


class ProcDirectory(ProcInode):
    """A directory."""

    __slots__ = ()
    node: Directory

    def __init__(self, fs: ProcFs, node: Directory, ino: int = 1) -> None:
        super().__init__(fs, node, ino)
        self.nlink = 2

    def open(self, flags: int) -> File:
        return DirectoryFile(self, flags)

    def lookup(self, name: bytes) -> Inode | None:
        node = self.node.find(name)
        return None if node is None else node.inode(self.fs, self.fs.number(self.ino, name))

    def entries(self) -> Iterator[tuple[bytes, int, int]]:
        for name in self.node.names():
            node = self.node.find(name)
            if node is not None:
                yield name, self.fs.number(self.ino, name), node.mode & S_IFMT

    def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int = 0) -> Inode:
        raise SysError(ENOENT)

    def mkdir(self, name: bytes, mode: int, uid: int, gid: int) -> Inode:
        raise SysError(ENOENT)


class ProcRegular(ProcInode):
    """A file."""

    __slots__ = ()
    node: Text

    def open(self, flags: int) -> File:
        self.node.guard()
        if self.node.store is None and self.node.unwritable == EACCES and flags & O_ACCMODE != O_RDONLY:
            raise SysError(EACCES)
        return (ProcFile if self.node.events is None else PollableProcFile)(self, flags)

    def truncate(self, length: int) -> None:
        """O_TRUNC does no harm here."""


class ProcLink(ProcInode):
    """A link."""

    __slots__ = ()
    node: Link

    @property
    def size(self) -> int:
        return 64 if self.node.jump is not None else 0

    def readlink(self) -> bytes:
        return self.node.target()

    def follow(self) -> Path | None:
        return self.node.jump() if self.node.jump is not None else None


class ProcFile(File):
    """An open file: its content is made at the first read from the start, as seq_file does."""

    seekable = True
    inode: ProcRegular

    def __init__(self, inode: ProcRegular, flags: int) -> None:
        super().__init__(inode, flags)
        self._content: bytes | None = None

    def pread(self, count: int, offset: int) -> bytes:
        if self._content is None or offset == 0:
            self._content = self.inode.node.render()
        return self._content[offset : offset + count]

    def read(self, count: int) -> bytes:
        data = self.pread(count, self.position)
        self.position += len(data)
        return data

    def write(self, data: bytes | memoryview) -> int:
        store = self.inode.node.store
        if store is None:
            raise SysError(self.inode.node.unwritable)
        store(bytes(data))
        self.position += len(data)
        return len(data)

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        del offset
        return self.write(data)

    def seek(self, offset: int, whence: int) -> int:
        if whence == SEEK_CUR:
            offset += self.position
        elif whence != SEEK_SET:
            raise SysError(EINVAL)
        if offset < 0:
            raise SysError(EINVAL)
        self.position = offset
        return offset


class PollableProcFile(ProcFile):
    """One that is made by a module of its own, or a setting: those can be polled (proc_reg_poll, proc_sys_poll)."""

    def poll(self) -> int:
        return self.inode.node.events or 0
