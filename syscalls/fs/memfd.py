"""memfd_create(2): files without a name in any directory, which can be sealed (mm/memfd.c, mm/shmem.c)."""

from __future__ import annotations

from collections.abc import Callable

from syscalls.abi.arch import PAGE_MASK
from syscalls.abi.errno import EBUSY, EINVAL, EPERM, SysError
from syscalls.abi.fcntl import (
    F_SEAL_EXEC,
    F_SEAL_FUTURE_WRITE,
    F_SEAL_GROW,
    F_SEAL_SEAL,
    F_SEAL_SHRINK,
    F_SEAL_WRITE,
    FALLOC_FL_PUNCH_HOLE,
    O_LARGEFILE,
    O_RDWR,
)
from syscalls.fs.file import File
from syscalls.fs.inode import Inode
from syscalls.fs.mount import anonymous
from syscalls.fs.pagecache import PageCache
from syscalls.fs.regular import RegularFile
from syscalls.fs.tmpfs import TmpFs, TmpRegular

ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC
NO_WRITES = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE


class MemfdInode(TmpRegular):
    """A regular file of the kernel's own tmpfs."""

    __slots__ = ("seals",)

    def __init__(self, fs: TmpFs, mode: int, uid: int, gid: int, seals: int) -> None:
        super().__init__(fs, mode, uid, gid, PageCache(fs.ram, fs))
        self.nlink = 0
        self.seals = seals

    def open(self, flags: int) -> File:
        return MemfdFile(self, flags)


class MemfdFile(RegularFile):
    """An open memfd; what its seals forbid is EPERM."""

    inode: MemfdInode

    def _store(self, data: bytes | memoryview, offset: int) -> int:
        """As shmem_write_begin, page by page: whole pages before the present end are still written."""
        seals, size = self.inode.seals, self.inode.size
        if len(data) and seals & NO_WRITES:
            raise SysError(EPERM)
        if seals & F_SEAL_GROW and offset + len(data) > size:
            data = data[: max(0, (size & PAGE_MASK) - offset)]
            if not len(data):
                raise SysError(EPERM)
        return super()._store(data, offset)

    def truncate(self, length: int) -> None:
        seals, size = self.inode.seals, self.inode.size
        if (length < size and seals & F_SEAL_SHRINK) or (length > size and seals & F_SEAL_GROW):
            raise SysError(EPERM)
        super().truncate(length)

    def allocate(self, mode: int, offset: int, length: int) -> None:
        if mode & FALLOC_FL_PUNCH_HOLE:
            if self.inode.seals & NO_WRITES:
                raise SysError(EPERM)
        elif self.inode.seals & F_SEAL_GROW and offset + length > self.inode.size:
            raise SysError(EPERM)
        super().allocate(mode, offset, length)


def create(fs: TmpFs, name: bytes, uid: int, gid: int, mode: int, seals: int) -> MemfdFile:
    """A new memfd, open for reading and writing; /proc shows it as `/memfd:name (deleted)`."""
    inode = MemfdInode(fs, mode, uid, gid, seals)
    file = MemfdFile(inode, O_RDWR | O_LARGEFILE)
    file.direct = False  # as long as nobody opens it by way of /proc
    file.path = anonymous(inode, b"/memfd:" + name + b" (deleted)")
    return file


def seals_of(file: File) -> int:
    """F_GET_SEALS; EINVAL when the file system knows no seals. A plain file of tmpfs can never be sealed."""
    if isinstance(file.inode, MemfdInode):
        return file.inode.seals
    if isinstance(file.inode, TmpRegular):
        return F_SEAL_SEAL
    raise SysError(EINVAL)


def write_sealed(file: File) -> bool:
    """Is no shared mapping to write to the file?"""
    return isinstance(file.inode, MemfdInode) and bool(file.inode.seals & NO_WRITES)


def check_mode(inode: Inode, mode: int) -> None:
    """F_SEAL_EXEC keeps the execute bits as they are; EPERM (shmem_setattr)."""
    if isinstance(inode, MemfdInode) and inode.seals & F_SEAL_EXEC and (inode.mode ^ mode) & 0o111:
        raise SysError(EPERM)


def add_seals(file: File, seals: int, *, mapped: Callable[[Inode], bool]) -> None:
    """F_ADD_SEALS: EPERM, EINVAL, EPERM, EBUSY (memfd_add_seals).

    `mapped` tells whether the inode has shared mappings through which it might be written.
    """
    if not file.writable:
        raise SysError(EPERM)
    if seals & ~ALL_SEALS:
        raise SysError(EINVAL)
    known = seals_of(file)
    if known & F_SEAL_SEAL:
        raise SysError(EPERM)
    inode = file.inode
    assert isinstance(inode, MemfdInode)
    if seals & F_SEAL_EXEC and inode.mode & 0o111:
        seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE
    if seals & F_SEAL_WRITE and not known & F_SEAL_WRITE and mapped(inode):
        raise SysError(EBUSY)
    inode.seals |= seals
