"""tmpfs: files in memory (tmpfs(5), mm/shmem.c, fs/libfs.c)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from syscalls.abi.arch import PAGE_SIZE
from syscalls.abi.errno import ENAMETOOLONG, ENOSPC, ENOTEMPTY, SysError
from syscalls.abi.fcntl import RENAME_EXCHANGE, RENAME_WHITEOUT
from syscalls.abi.stat import S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from syscalls.fs.dentry import Dentry
from syscalls.fs.directory import DirectoryFile
from syscalls.fs.file import File
from syscalls.fs.inode import FileSystem, Inode, StatFs
from syscalls.fs.pagecache import PageCache
from syscalls.fs.regular import RegularInode
from syscalls.fs.special import SpecialFiles
from syscalls.kernel.ports import Ram

TMPFS_MAGIC = 0x01021994
_HANDLE = struct.Struct("<IQ")
_BOGO_DIRENT_SIZE = 20  # what an entry adds to the size of its directory (mm/shmem.c)


def _generation(ino: int) -> int:
    """What tells an inode from another one that had its number: numbers are not used again here."""
    return ino * 0x9E3779B1 & 0xFFFFFFFF


def _alias(directory: Dentry, ino: int) -> Dentry | None:
    """Another name of an inode (d_find_alias)."""
    for dentry in (directory.children or {}).values():
        found = dentry if dentry.inode.ino == ino else _alias(dentry, ino)
        if found is not None:
            return found
    return None


class TmpFs(FileSystem):
    """One instance; `root` is its top directory."""

    name = "tmpfs"
    magic = TMPFS_MAGIC
    has_flags = True
    moves_ranges = False
    has_handles = True

    def __init__(
        self,
        dev: int,
        now: Callable[[], int],
        ram: Ram,
        special: SpecialFiles,
        *,
        mode: int = 0o1777,
        max_pages: int | None = None,
        max_inodes: int | None = None,
    ) -> None:
        super().__init__(dev, now)
        self.ram = ram
        self.special = special
        self.max_pages = max_pages if max_pages is not None else len(ram.view) // PAGE_SIZE // 2
        self.max_inodes = max_inodes if max_inodes is not None else max(self.max_pages, 1024)
        self.used_pages = 0
        self.used_inodes = 0
        self._last_ino = 0  # the root is 1
        self.root = TmpDirectory(self, mode, 0, 0)

    def charge(self, pages: int) -> None:
        """Count pages in or out; ENOSPC (pagecache.Quota)."""
        if pages > 0 and self.used_pages + pages > self.max_pages:
            raise SysError(ENOSPC)
        self.used_pages += pages

    def new_ino(self) -> int:
        if self.used_inodes >= self.max_inodes:
            raise SysError(ENOSPC)
        self.used_inodes += 1
        return super().new_ino()

    def handle(self, inode: Inode) -> tuple[int, bytes]:
        """As shmem_encode_fh: a generation, and the number."""
        return 1, _HANDLE.pack(_generation(inode.ino), inode.ino)

    def by_handle(self, data: bytes, top: Dentry) -> Dentry | None:
        if len(data) < _HANDLE.size:
            return None
        generation, ino = _HANDLE.unpack_from(data)
        if generation != _generation(ino):
            return None
        known = self.handles.get(ino)
        if (known is None or known.deleted) and (alias := _alias(top, ino)) is not None:
            self.handles[ino] = known = alias
        return known

    def statfs(self) -> StatFs:
        blocks, inodes = self.max_pages - self.used_pages, self.max_inodes - self.used_inodes
        return StatFs(self.max_pages, blocks, blocks, self.max_inodes, inodes)

    def make(self, mode: int, uid: int, gid: int, rdev: int = 0) -> Inode:
        """An inode of any type but directory and symbolic link."""
        if mode & S_IFMT in {0, S_IFREG}:
            return TmpRegular(self, mode, uid, gid, PageCache(self.ram, self))
        inode = TmpSpecial(self, mode, uid, gid)
        inode.rdev = rdev
        return inode


class TmpInode(Inode):
    """What all inodes of tmpfs have in common."""

    __slots__ = ()
    fs: TmpFs

    def __del__(self) -> None:
        if getattr(self, "ino", 0):  # not when making it failed with ENOSPC
            self.fs.used_inodes -= 1

    def set_xattr(self, name: bytes, value: bytes | None) -> None:
        if value is None:
            del self.xattrs[name]
        else:
            self.xattrs[name] = value
        self.ctime = self.fs.now()


class TmpRegular(RegularInode, TmpInode):
    """A regular file."""

    __slots__ = ()


class TmpSpecial(TmpInode):
    """A device node, FIFO or socket."""

    __slots__ = ()

    def open(self, flags: int) -> File:
        return self.fs.special.open(self, flags)


class TmpSymlink(TmpInode):
    """A symbolic link."""

    __slots__ = ("target",)

    def __init__(self, fs: TmpFs, target: bytes, uid: int, gid: int) -> None:
        super().__init__(fs, S_IFLNK | 0o777, uid, gid)
        self.target = target

    @property
    def size(self) -> int:
        return len(self.target)

    def readlink(self) -> bytes:
        return self.target


class TmpDirectory(TmpInode):
    """A directory: names in the order of their making."""

    __slots__ = ("children",)

    def __init__(self, fs: TmpFs, mode: int, uid: int, gid: int) -> None:
        super().__init__(fs, S_IFDIR | (mode & 0o7777), uid, gid)
        self.nlink = 2
        self.children: dict[bytes, Inode] = {}

    @property
    def size(self) -> int:
        return (2 + len(self.children)) * _BOGO_DIRENT_SIZE  # "." and ".." too (shmem_get_inode)

    def open(self, flags: int) -> File:
        return DirectoryFile(self, flags)

    def lookup(self, name: bytes) -> Inode | None:
        return self.children.get(name)

    def known(self) -> dict[bytes, Inode]:
        """The children that are in memory."""
        return self.children

    def entries(self) -> Iterator[tuple[bytes, int, int]]:
        # The newest comes first, as Linux walks its list of dentries (offset_iterate_dir).
        for name in reversed(list(self.children)):
            inode = self.children[name]
            yield name, inode.ino, inode.type

    # --- new names ----------------------------------------------------------------------------------------------------

    def _add(self, name: bytes, inode: Inode) -> Inode:
        self.children[name] = inode
        self.mtime = self.ctime = inode.ctime
        return inode

    def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int = 0) -> Inode:
        return self._add(name, self.fs.make(mode, uid, gid, rdev))

    def tmpfile(self, mode: int, uid: int, gid: int) -> Inode:
        inode = self.fs.make(S_IFREG | mode & 0o7777, uid, gid)
        inode.nlink = 0
        return inode

    def mkdir(self, name: bytes, mode: int, uid: int, gid: int) -> Inode:
        inode = self._add(name, TmpDirectory(self.fs, mode, uid, gid))
        self.nlink += 1
        return inode

    def symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> Inode:
        if len(target) >= PAGE_SIZE:
            raise SysError(ENAMETOOLONG)
        return self._add(name, TmpSymlink(self.fs, target, uid, gid))

    def link(self, name: bytes, inode: Inode) -> None:
        inode.nlink += 1
        inode.ctime = self.fs.now()
        self._add(name, inode)

    # --- names that go ------------------------------------------------------------------------------------------------

    def unlink(self, name: bytes, inode: Inode) -> None:
        del self.children[name]
        inode.nlink -= 1
        self.mtime = self.ctime = inode.ctime = self.fs.now()

    def rmdir(self, name: bytes, inode: Inode) -> None:
        assert isinstance(inode, TmpDirectory)
        if inode.children:
            raise SysError(ENOTEMPTY)
        inode.nlink = 1
        self.nlink -= 1
        self.unlink(name, inode)

    def rename(self, name: bytes, new_dir: Inode, new_name: bytes, flags: int) -> None:
        assert isinstance(new_dir, TmpDirectory)
        inode = self.children[name]
        target = new_dir.children.get(new_name)
        if flags & RENAME_EXCHANGE:
            assert target is not None
            self._exchange(name, new_dir, new_name)
        else:
            if isinstance(target, TmpDirectory):
                new_dir.rmdir(new_name, target)
            elif target is not None:
                new_dir.unlink(new_name, target)
            del self.children[name]
            new_dir.children[new_name] = inode
            if inode.type == S_IFDIR:
                self.nlink -= 1
                new_dir.nlink += 1
        now = self.fs.now()
        self.mtime = self.ctime = new_dir.mtime = new_dir.ctime = inode.ctime = now
        if flags & RENAME_EXCHANGE and target is not None:
            target.ctime = now
        if flags & RENAME_WHITEOUT:
            self._add(name, self.fs.make(S_IFCHR, inode.uid, inode.gid))

    def _exchange(self, name: bytes, new_dir: TmpDirectory, new_name: bytes) -> None:
        mine, theirs = self.children[name], new_dir.children[new_name]
        self.children[name], new_dir.children[new_name] = theirs, mine
        balance = (theirs.type == S_IFDIR) - (mine.type == S_IFDIR)
        self.nlink += balance
        new_dir.nlink -= balance
