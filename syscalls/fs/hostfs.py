"""A host directory in the guest (`--bind`): what either side does, the other sees.

Nothing is kept here that the host could change: an inode holds on to its host object and looks at it again whenever it
is asked. Only pages that are mapped are copied into guest RAM; hostpages.py keeps them and the file alike. Operations
run with the permissions of whoever runs the sandbox. A FIFO connects the guest's processes with one another, not with
the host's, and device nodes are the guest's devices of these numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from syscalls.abi.errno import EPERM, SysError
from syscalls.abi.fcntl import O_ACCMODE, O_APPEND, O_RDONLY, O_WRONLY, SEEK_DATA, SEEK_HOLE
from syscalls.abi.stat import S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, V9FS_MAGIC
from syscalls.fs.directory import DirectoryFile
from syscalls.fs.file import File
from syscalls.fs.hostpages import HostPages
from syscalls.fs.inode import FileSystem, Inode, StatFs
from syscalls.fs.regular import RegularFile, RegularInode

if TYPE_CHECKING:
    from syscalls.fs.special import SpecialFiles
    from syscalls.kernel.ports import HostDirectory, HostObject, HostStat, Ram


class HostFs(FileSystem):
    """One host directory, or file."""

    name = "9p"
    magic = V9FS_MAGIC
    pinned = False

    def __init__(self, dev: int, now: Callable[[], int], ram: Ram, special: SpecialFiles, tree: HostDirectory) -> None:
        super().__init__(dev, now)
        self.ram = ram
        self.special = special
        self.read_only = not tree.writable
        self._numbers: dict[tuple[int, int], int] = {}  # the guest's inode numbers of host objects
        self._inodes: WeakValueDictionary[int, Inode] = WeakValueDictionary()
        self.top = tree.top
        self.root = self.inode(tree.top)

    def number(self, device: int, ino: int) -> int:
        """The guest's number for an inode of the host: always the same, and telling nothing."""
        key = device, ino
        if key not in self._numbers:
            self._numbers[key] = self.new_ino()
        return self._numbers[key]

    def inode(self, node: HostObject) -> Inode:
        """The one inode of a host object, whichever name led to it."""
        stat = node.stat()
        ino = self.number(stat.st_dev, stat.st_ino)
        inode = self._inodes.get(ino)
        if inode is None:
            kind = _KINDS.get(stat.st_mode & S_IFMT, HostSpecial)
            inode = self._inodes[ino] = kind(self, node, stat, ino)
        return inode

    def statfs(self) -> StatFs:
        return StatFs(*self.top.space())

    def write_back(self) -> None:
        """Carry everything that was stored through mappings to the host."""
        for inode in list(self._inodes.values()):
            if isinstance(inode, HostRegular):
                inode.pages.write_back(0, 1 << 52)


class HostInode(Inode):
    """What all of them have in common. Attributes are as of the last `refresh`."""

    fs: HostFs
    node: HostObject
    stat: HostStat

    def _attach(self, node: HostObject, stat: HostStat) -> None:
        self.node = node
        self.take(stat)

    def take(self, stat: HostStat) -> None:
        """These are the attributes now."""
        self.stat = stat
        self.mode, self.uid, self.gid, self.nlink = stat.st_mode, stat.st_uid, stat.st_gid, stat.st_nlink
        self.atime, self.mtime, self.ctime = stat.st_atime_ns, stat.st_mtime_ns, stat.st_ctime_ns
        self.btime = min(stat.st_mtime_ns, stat.st_ctime_ns)  # unknown: no later than anything that happened to it
        self.rdev = stat.st_rdev

    def refresh(self) -> None:
        self.take(self.node.stat())

    def changed(self) -> None:
        """Carry what differs from the host's to the host."""
        node, stat = self.node, self.stat
        mode, times = self.mode, (self.atime, self.mtime)
        try:
            if (self.uid, self.gid) != (stat.st_uid, stat.st_gid):
                node.chown(self.uid, self.gid)
                stat = node.stat()  # chown(2) takes set-ID bits away
            if mode != stat.st_mode:
                node.chmod(mode & 0o7777)
            if times != (stat.st_atime_ns, stat.st_mtime_ns):
                node.utimens(*times)
        finally:
            self.refresh()

    @property
    def size(self) -> int:
        return self.stat.st_size

    @property
    def blocks(self) -> int:
        return self.stat.st_blocks

    @property
    def xattrs(self) -> dict[bytes, bytes]:  # a slot of the base, looked up when read
        return self.node.xattrs()

    @xattrs.setter
    def xattrs(self, value: dict[bytes, bytes]) -> None:
        """The constructor's empty dictionary."""

    def set_xattr(self, name: bytes, value: bytes | None) -> None:
        self.node.set_xattr(name, value)


class HostSpecial(HostInode):
    """A FIFO, socket or device node."""

    def __init__(self, fs: HostFs, node: HostObject, stat: HostStat, ino: int) -> None:
        super().__init__(fs, stat.st_mode, ino=ino)
        self._attach(node, stat)

    def open(self, flags: int) -> File:
        return self.fs.special.open(self, flags)


class HostSymlink(HostInode):
    """A symbolic link; whoever follows it does so in the guest."""

    def __init__(self, fs: HostFs, node: HostObject, stat: HostStat, ino: int) -> None:
        super().__init__(fs, stat.st_mode, ino=ino)
        self._attach(node, stat)

    def readlink(self) -> bytes:
        return self.node.readlink()


class HostRegular(RegularInode, HostInode):
    """A regular file."""

    pages: HostPages
    tracks_writes = True

    def __init__(self, fs: HostFs, node: HostObject, stat: HostStat, ino: int) -> None:
        super().__init__(fs, stat.st_mode, 0, 0, HostPages(fs.ram, node, stat), ino)
        self._attach(node, stat)

    def take(self, stat: HostStat) -> None:
        HostInode.take(self, stat)
        self.pages.revalidate(stat)

    @property
    def size(self) -> int:
        self.refresh()
        return self.stat.st_size

    @property
    def blocks(self) -> int:
        return self.stat.st_blocks

    def open(self, flags: int) -> File:
        mode = flags & O_ACCMODE
        self.node.open(reading=mode != O_WRONLY, writing=mode != O_RDONLY)
        return HostFile(self, flags)

    def modified(self) -> None:
        """The host keeps the times."""


class HostFile(RegularFile):
    """An open regular file of the host."""

    inode: HostRegular

    def write(self, data: bytes | memoryview) -> int:
        if not self.flags & O_APPEND:
            return super().write(data)
        written = self.inode.pages.append(data)
        self.position = self.inode.size
        return written

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        return self.inode.pages.append(data) if self.flags & O_APPEND else super().pwrite(data, offset)

    def allocate(self, mode: int, offset: int, length: int) -> None:
        self.inode.pages.change_range(mode, offset, length)

    def seek(self, offset: int, whence: int) -> int:
        if whence in {SEEK_DATA, SEEK_HOLE}:
            self.inode.pages.write_back(0, 1 << 52)
            self.position = self.inode.node.seek(offset, whence)
            return self.position
        return super().seek(offset, whence)

    def sync(self) -> None:
        self.inode.pages.write_back(0, 1 << 52)
        self.inode.node.sync()


class HostDirectoryInode(HostInode):
    """A directory."""

    def __init__(self, fs: HostFs, node: HostObject, stat: HostStat, ino: int) -> None:
        super().__init__(fs, stat.st_mode, ino=ino)
        self._attach(node, stat)

    def open(self, flags: int) -> File:
        return DirectoryFile(self, flags)

    def lookup(self, name: bytes) -> Inode | None:
        node = self.node.child(name)
        return None if node is None else self.fs.inode(node)

    def entries(self) -> Iterator[tuple[bytes, int, int]]:
        device = self.stat.st_dev
        for name, ino, kind in self.node.entries():
            yield name, self.fs.number(device, ino), kind

    def _new(self, node: HostObject) -> Inode:
        self.refresh()
        return self.fs.inode(node)

    def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int = 0) -> Inode:
        del rdev
        kind = mode & S_IFMT
        if kind in {0, S_IFREG}:
            return self._new(self.node.create(name, mode, uid, gid))
        if kind not in {S_IFIFO, S_IFSOCK}:
            raise SysError(EPERM)  # a device of the host's
        return self._new(self.node.mknod(name, mode, uid, gid))

    def tmpfile(self, mode: int, uid: int, gid: int) -> Inode:
        return self.fs.inode(self.node.tmpfile(mode, uid, gid))

    def mkdir(self, name: bytes, mode: int, uid: int, gid: int) -> Inode:
        return self._new(self.node.mkdir(name, mode, uid, gid))

    def symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> Inode:
        return self._new(self.node.symlink(name, target, uid, gid))

    def link(self, name: bytes, inode: Inode) -> None:
        assert isinstance(inode, HostInode)
        self.node.link(name, inode.node)
        self.refresh()
        inode.refresh()

    def unlink(self, name: bytes, inode: Inode) -> None:
        self.node.unlink(name)
        self.refresh()
        inode.refresh()

    def rmdir(self, name: bytes, inode: Inode) -> None:
        self.node.rmdir(name)
        self.refresh()
        inode.refresh()

    def rename(self, name: bytes, new_dir: Inode, new_name: bytes, flags: int) -> None:
        assert isinstance(new_dir, HostInode)
        self.node.rename(name, new_dir.node, new_name, flags)
        self.refresh()
        new_dir.refresh()


_KINDS: dict[int, Callable[[HostFs, HostObject, HostStat, int], HostInode]] = {
    S_IFDIR: HostDirectoryInode, S_IFLNK: HostSymlink, S_IFREG: HostRegular,
}  # fmt: skip
