# ruff: noqa: ARG002  # what does nothing by default ignores its arguments
"""Inodes: what every file system offers to path resolution, and the error each answers by default.

A file system is a module of `Inode` subclasses. Inodes never sleep and never see a task: permission checks, the
working directory and mounts belong to `path.py`; descriptors and offsets to `file.py`. See inode(7), and
Documentation/filesystems/vfs.rst of the kernel.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

from syscalls.abi.errno import EINVAL, ENODEV, ENOTDIR, EOPNOTSUPP, EPERM, SysError
from syscalls.abi.stat import S_IFMT

if TYPE_CHECKING:
    from syscalls.fs.dentry import Dentry
    from syscalls.fs.file import File
    from syscalls.fs.leases import Leases
    from syscalls.fs.locks import FileLocks
    from syscalls.fs.notify import Mark, Marks
    from syscalls.fs.path import Path


FILEID_INO64_GEN = 0x81  # linux/exportfs.h


class StatFs(NamedTuple):
    """Blocks and inodes of a file system, as statfs(2) counts them."""

    blocks: int = 0
    bfree: int = 0
    bavail: int = 0
    files: int = 0
    ffree: int = 0


class FileSystem:
    """One mounted instance: superblock facts that statfs(2) and stat(2) show."""

    name = "none"  # as in /proc/mounts
    magic = 0  # f_type of statfs(2)
    read_only = False
    max_name = 255
    max_links = 0  # links of one inode; 0: no limit
    has_flags = False  # can its files be immutable, append-only ...? (fileattr.py)
    has_handles = False  # can files be found by their handles?
    moves_ranges = True  # FALLOC_FL_COLLAPSE_RANGE, _INSERT_RANGE and _ZERO_RANGE of regular files?
    has_xattrs = True  # does it know extended attributes? (IOP_XATTR)
    max_bytes = (1 << 63) - 1  # s_maxbytes, the largest offset of a file
    has_attributes = True  # can mode, owner and times be set?
    pinned = True  # names change only through syscalls.fs.vfs, so that dentries may be kept for ever
    options = b""  # what /proc/mounts shows after "rw"

    def __init__(self, dev: int, now: Callable[[], int]) -> None:
        self.dev = dev  # st_dev
        self.now = now  # realtime in ns, for timestamps
        self._last_ino = 1
        self.marks: Marks | None = None  # who watches all of it (fanotify(7)) ...
        self.handles: WeakValueDictionary[int, Dentry] = WeakValueDictionary()  # what name_to_handle_at(2) has told of
        self.watched: dict[Mark, None] = {}  # ... or anything in it: without these no event is made

    def new_ino(self) -> int:
        """A fresh inode number."""
        self._last_ino += 1
        return self._last_ino

    def handle(self, inode: Inode) -> tuple[int, bytes]:
        """Type and bytes by which an inode is known outside; this one can be compared only (FILEID_INO64_GEN)."""
        return FILEID_INO64_GEN, struct.pack("<QI", inode.ino, 0)

    def by_handle(self, data: bytes, top: Dentry) -> Dentry | None:
        """What a handle stands for, below `top`; None when it is gone (fh_to_dentry)."""
        return None

    def statfs(self) -> StatFs:
        """Its sizes, in units of 4096 bytes (statfs(2))."""
        return StatFs()


class Inode:
    """One object of a file system. Attributes are those of stat(2); times are realtime nanoseconds."""

    __slots__ = (
        "__weakref__", "atime", "btime", "ctime", "flags", "fs", "gid", "ino", "leases", "linkable", "locks", "marks",
        "mode", "mtime", "nlink", "rdev", "readers", "uid", "writers", "xattrs",
    )  # fmt: skip

    def __init__(self, fs: FileSystem, mode: int, uid: int = 0, gid: int = 0, ino: int = 0) -> None:
        self.fs = fs
        self.ino = ino or fs.new_ino()
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.nlink = 1
        self.rdev = 0
        self.atime = self.mtime = self.ctime = self.btime = fs.now()
        self.xattrs: dict[bytes, bytes] = {}
        self.flags = 0  # FS_*_FL
        self.writers = 0  # files open for writing; negative while it is being executed (ETXTBSY)
        self.readers = 0  # files open for nothing but reading
        self.linkable = False  # may link(2) give it a name although nlink is 0? (O_TMPFILE)
        self.locks: FileLocks | None = None  # fcntl(2) and flock(2), once there were any
        self.leases: Leases | None = None  # F_SETLEASE, once there were any
        self.marks: Marks | None = None  # who watches it: inotify(7) and the like

    # --- what it is -------------------------------------------------------------------------------------------------

    @property
    def type(self) -> int:
        """S_IFREG, S_IFDIR ..."""
        return self.mode & S_IFMT

    @property
    def size(self) -> int:
        """st_size."""
        return 0

    @property
    def blocks(self) -> int:
        """st_blocks, in units of 512 bytes."""
        return 0

    @property
    def blksize(self) -> int:
        """st_blksize."""
        return 4096

    # --- directories --------------------------------------------------------------------------------------------------
    # `name` is a plain component: never empty, ".", ".." or with a slash. The caller has checked permissions.

    def lookup(self, name: bytes) -> Inode | None:
        """The child called `name`, None when there is none."""
        raise SysError(ENOTDIR)

    def tmpfile(self, mode: int, uid: int, gid: int) -> Inode:
        """A regular file without a name (O_TMPFILE); link() may give it one."""
        raise SysError(EOPNOTSUPP)

    def entries(self) -> Iterator[tuple[bytes, int, int]]:
        """(name, inode number, S_IFMT type) of each child, without "." and "..", in the order getdents shows."""
        raise SysError(ENOTDIR)

    def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int = 0) -> Inode:
        """A new child of any type but directory and symlink (mknod(2), open(2) with O_CREAT); EEXIST is checked.

        `uid`, `gid` and `mode` are final: the caller has applied the umask and the directory's set-group-ID bit.
        """
        raise SysError(EPERM)

    def mkdir(self, name: bytes, mode: int, uid: int, gid: int) -> Inode:
        """A new directory (mkdir(2))."""
        raise SysError(EPERM)

    def symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> Inode:
        """A new symbolic link (symlink(2))."""
        raise SysError(EPERM)

    def link(self, name: bytes, inode: Inode) -> None:
        """Another name for `inode`, of the same file system (link(2))."""
        raise SysError(EPERM)

    def unlink(self, name: bytes, inode: Inode) -> None:
        """Remove the name of a non-directory, and one from its nlink (unlink(2))."""
        raise SysError(EPERM)

    def rmdir(self, name: bytes, inode: Inode) -> None:
        """Remove an empty directory; ENOTEMPTY when it is not; its nlink becomes 0 (rmdir(2))."""
        raise SysError(EPERM)

    def rename(self, name: bytes, new_dir: Inode, new_name: bytes, flags: int) -> None:
        """Move a child; flags are RENAME_* of renameat2(2). The types have been checked against each other.

        A directory that is replaced must be empty (ENOTEMPTY); RENAME_NOREPLACE has been checked.
        """
        raise SysError(EPERM)

    # --- symbolic links -----------------------------------------------------------------------------------------------

    def readlink(self) -> bytes:
        """Target of a symbolic link."""
        raise SysError(EINVAL)

    def follow(self) -> Path | None:
        """A magic link (/proc/self/fd/N, /proc/self/exe) leads here directly; None for an ordinary link."""
        return None

    # --- attributes ---------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Bring the attributes up to date, where they live elsewhere (the host). Called before stat and permission."""

    def changed(self) -> None:
        """Attributes (mode, uid, gid, times, ctime) were set by the caller: carry them to where they live."""

    def set_xattr(self, name: bytes, value: bytes | None) -> None:
        """Store or (None) remove an extended attribute; existence has been checked."""
        raise SysError(EOPNOTSUPP)

    # --- content ------------------------------------------------------------------------------------------------------

    def open(self, flags: int) -> File:
        """A new open file description; flags are O_* in x86's values. May raise ENXIO, ENODEV ..."""
        raise SysError(ENODEV)

    def truncate(self, length: int) -> None:
        """Set the size and the times (truncate(2)); EFBIG is checked."""
        raise SysError(EINVAL)

    def frame(self, index: int) -> int:
        """Page frame of the page cache that holds page `index`, for mmap(2); the caller shares it in `Ram`."""
        raise SysError(ENODEV)
