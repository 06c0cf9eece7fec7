"""Regular files whose data are in the page cache, and the files that read and write them."""

from __future__ import annotations

from syscalls.abi.arch import PAGE_SIZE
from syscalls.abi.errno import EFBIG, EINVAL, ENXIO, EOPNOTSUPP, ETXTBSY, SysError
from syscalls.abi.fcntl import (
    FALLOC_FL_COLLAPSE_RANGE,
    FALLOC_FL_INSERT_RANGE,
    FALLOC_FL_KEEP_SIZE,
    FALLOC_FL_PUNCH_HOLE,
    FALLOC_FL_UNSHARE_RANGE,
    FALLOC_FL_WRITE_ZEROES,
    FALLOC_FL_ZERO_RANGE,
    O_APPEND,
    O_LARGEFILE,
    O_NOATIME,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    SEEK_SET,
)
from syscalls.abi.stat import S_IFREG
from syscalls.fs.file import File
from syscalls.fs.inode import FileSystem, Inode
from syscalls.fs.pagecache import PageCache

MAX_NON_LFS = (1 << 31) - 1  # what a file opened without O_LARGEFILE may reach
_MODE_BITS = (
    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE
    | FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_WRITE_ZEROES
)  # fmt: skip


class RegularInode(Inode):
    """A regular file in the page cache."""

    __slots__ = ("pages",)
    tracks_writes = False  # does the file live elsewhere, so that stores through a mapping must be carried there?

    def __init__(self, fs: FileSystem, mode: int, uid: int, gid: int, pages: PageCache, ino: int = 0) -> None:
        super().__init__(fs, S_IFREG | (mode & 0o7777), uid, gid, ino)
        self.pages = pages

    @property
    def size(self) -> int:
        return self.pages.size

    @property
    def blocks(self) -> int:
        return self.pages.pages * (PAGE_SIZE // 512)

    def open(self, flags: int) -> File:
        return RegularFile(self, flags)

    def truncate(self, length: int) -> None:
        self.pages.truncate(length)
        self.modified()

    def frame(self, index: int) -> int:
        return self.pages.frame(index)

    def modified(self) -> None:
        """The content changes now (file_update_time)."""
        self.mtime = self.ctime = self.fs.now()


class RegularFile(File):
    """An open regular file."""

    seekable = True
    direct = True
    inode: RegularInode

    def __init__(self, inode: RegularInode, flags: int) -> None:
        super().__init__(inode, flags)
        if self.writable:
            if inode.writers < 0:
                raise SysError(ETXTBSY)
            inode.writers += 1
        elif self.readable:
            inode.readers += 1

    def close(self) -> None:
        if self.writable:
            self.inode.writers -= 1
        elif self.readable:
            self.inode.readers -= 1

    @property
    def max_bytes(self) -> int:
        """The largest size that this file may be given."""
        return self.inode.fs.max_bytes if self.flags & O_LARGEFILE else MAX_NON_LFS

    def read(self, count: int) -> bytes:
        data = self.pread(count, self.position)
        self.position += len(data)
        return data

    def pread(self, count: int, offset: int) -> bytes:
        if not self.flags & O_NOATIME and self.path is not None:
            self.path.mount.accessed(self.inode)
        return self.inode.pages.read(offset, count)

    def putback(self, data: bytes) -> None:
        self.position -= len(data)

    def write(self, data: bytes | memoryview) -> int:
        offset = self.inode.size if self.flags & O_APPEND else self.position
        written = self._store(data, offset)
        self.position = offset + written
        return written

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        # Linux appends here too, against POSIX (pwrite(2), BUGS).
        return self._store(data, self.inode.size if self.flags & O_APPEND else offset)

    def _store(self, data: bytes | memoryview, offset: int) -> int:
        count = len(data)
        if not count:
            return 0
        limit = self.max_bytes
        if offset >= limit:
            raise SysError(EFBIG)
        if offset + count > limit:
            data = data[: limit - offset]
        self.inode.modified()
        return self.inode.pages.write(offset, data)

    def seek(self, offset: int, whence: int) -> int:
        size = self.inode.size
        if whence == SEEK_CUR:
            offset += self.position
        elif whence == SEEK_END:
            offset += size
        elif whence in {SEEK_DATA, SEEK_HOLE}:
            if not 0 <= offset < size:
                raise SysError(ENXIO)
            pages = self.inode.pages
            found = pages.next_data(offset) if whence == SEEK_DATA else pages.next_hole(offset)
            if found is None:
                raise SysError(ENXIO)
            offset = found
        elif whence != SEEK_SET:
            raise SysError(EINVAL)
        if not 0 <= offset <= self.inode.fs.max_bytes:
            raise SysError(EINVAL)
        self.position = offset
        return offset

    def truncate(self, length: int) -> None:
        if not self.writable:
            raise SysError(EINVAL)
        self.inode.truncate(length)

    def allocate(self, mode: int, offset: int, length: int) -> None:
        pages, size = self.inode.pages, self.inode.size
        end = offset + length
        operation = mode & _MODE_BITS
        if operation not in {0, FALLOC_FL_PUNCH_HOLE} and not self.inode.fs.moves_ranges:
            raise SysError(EOPNOTSUPP)
        if operation == FALLOC_FL_PUNCH_HOLE:
            pages.punch(offset, length)
        elif operation in {FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE}:
            self._shift(operation, offset, length)
        elif operation in {0, FALLOC_FL_ZERO_RANGE}:
            if operation:
                pages.punch(offset, length)
            pages.allocate(offset, length)
            if end > size and not mode & FALLOC_FL_KEEP_SIZE:
                pages.size = end
        else:
            raise SysError(EOPNOTSUPP)
        self.inode.modified()

    def _shift(self, operation: int, offset: int, length: int) -> None:
        """Take a range out or put one in; it must be whole pages within the file (ext4_collapse_range)."""
        pages, size = self.inode.pages, self.inode.size
        if offset % PAGE_SIZE or length % PAGE_SIZE:
            raise SysError(EINVAL)
        if operation == FALLOC_FL_COLLAPSE_RANGE:
            if offset + length >= size:
                raise SysError(EINVAL)
            pages.collapse(offset, length)
        else:
            if size + length > self.inode.fs.max_bytes:
                raise SysError(EFBIG)
            if offset >= size:
                raise SysError(EINVAL)
            pages.insert(offset, length)

    def sync(self) -> None:
        """Nothing is ever late here."""
