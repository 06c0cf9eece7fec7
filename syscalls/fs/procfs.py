"""The machinery of /proc: directories, files and links whose content is made when somebody looks (proc(5)).

What they say is in syscalls/kernel/proc.py, which knows tasks; this module knows only callables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from syscalls.abi.errno import EACCES, EINVAL, ENOENT, SysError
from syscalls.abi.fcntl import SEEK_CUR, SEEK_SET
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFREG
from syscalls.fs.directory import DirectoryFile
from syscalls.fs.file import File
from syscalls.fs.inode import FileSystem, Inode
from syscalls.fs.path import Path

PROC_SUPER_MAGIC = 0x9FA0

Render = Callable[[], bytes]
Store = Callable[[bytes], None]
Nodes = dict[bytes, "Node"]


class ProcFs(FileSystem):
    """One mounted /proc. `root` is the directory of `nodes`."""

    name = "proc"
    magic = PROC_SUPER_MAGIC
    pinned = False  # processes come and go

    def __init__(self, dev: int, now: Callable[[], int], nodes: Callable[[], Nodes]) -> None:
        super().__init__(dev, now)
        self.root = ProcDirectory(self, Directory(nodes))
        self.inodes: dict[object, int] = {}

    def ino_of(self, identity: object) -> int:
        """The same number for the same thing each time."""
        if identity not in self.inodes:
            self.inodes[identity] = self.new_ino()
        return self.inodes[identity]


class Node:
    """Something in /proc: who owns it, and its permission bits."""

    mode = 0

    def __init__(self, mode: int, owner: tuple[int, int] = (0, 0)) -> None:
        self.mode = mode
        self.owner = owner

    def inode(self, fs: ProcFs) -> Inode:
        """A fresh inode for it."""
        raise NotImplementedError


class Directory(Node):
    """A directory; `nodes` gives its entries now."""

    def __init__(self, nodes: Callable[[], Nodes], mode: int = 0o555, owner: tuple[int, int] = (0, 0)) -> None:
        super().__init__(S_IFDIR | mode, owner)
        self.nodes = nodes

    def inode(self, fs: ProcFs) -> Inode:
        return ProcDirectory(fs, self)


class Text(Node):
    """A file; `render` gives its content when it is opened, `store` (if any) takes what is written."""

    def __init__(
        self, render: Render, mode: int = 0o444, owner: tuple[int, int] = (0, 0), store: Store | None = None
    ) -> None:
        super().__init__(S_IFREG | mode, owner)
        self.render = render
        self.store = store

    def inode(self, fs: ProcFs) -> Inode:
        return ProcRegular(fs, self)


class Link(Node):
    """A symbolic link; `jump` (if any) makes it a magic one, which leads to an object and not to a name."""

    def __init__(
        self,
        target: Render,
        jump: Callable[[], Path | None] | None = None,
        mode: int = 0o777,
        owner: tuple[int, int] = (0, 0),
    ) -> None:
        super().__init__(S_IFLNK | mode, owner)
        self.target = target
        self.jump = jump

    def inode(self, fs: ProcFs) -> Inode:
        return ProcLink(fs, self)


class ProcInode(Inode):
    """What all of them have in common; every look makes a new one with the same number."""

    __slots__ = ("node",)
    fs: ProcFs
    node: Node

    def __init__(self, fs: ProcFs, node: Node) -> None:
        super().__init__(fs, node.mode, *node.owner, ino=1)
        self.node = node


class ProcDirectory(ProcInode):
    """A directory."""

    __slots__ = ()
    node: Directory

    def __init__(self, fs: ProcFs, node: Directory) -> None:
        super().__init__(fs, node)
        self.nlink = 2

    def open(self, flags: int) -> File:
        return DirectoryFile(self, flags)

    def lookup(self, name: bytes) -> Inode | None:
        node = self.node.nodes().get(name)
        if node is None:
            return None
        inode = node.inode(self.fs)
        inode.ino = self.fs.ino_of((self.ino, name))
        return inode

    def entries(self) -> Iterator[tuple[bytes, int, int]]:
        for name, node in self.node.nodes().items():
            yield name, self.fs.ino_of((self.ino, name)), node.mode & 0o170000

    def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int = 0) -> Inode:
        raise SysError(ENOENT)


class ProcRegular(ProcInode):
    """A file."""

    __slots__ = ()
    node: Text

    def open(self, flags: int) -> File:
        return ProcFile(self, flags)

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
            raise SysError(EACCES)
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
