"""Open directories."""

from __future__ import annotations

from collections.abc import Iterator

from syscalls.abi.errno import EBADF, EINVAL, EISDIR, ENOENT, SysError
from syscalls.abi.fcntl import SEEK_CUR, SEEK_SET
from syscalls.abi.stat import S_IFDIR
from syscalls.fs.file import File
from syscalls.fs.inode import Inode


class DirectoryFile(File):
    """An open directory. Its listing is taken when it is read from the start: offsets stay what they are."""

    seekable = True

    def __init__(self, inode: Inode, flags: int) -> None:
        super().__init__(inode, flags)
        self._listing: list[tuple[bytes, int, int]] | None = None

    def read(self, count: int) -> bytes:
        del count
        raise SysError(EISDIR)

    def pread(self, count: int, offset: int) -> bytes:
        del count, offset
        raise SysError(EISDIR)

    def write(self, data: bytes | memoryview) -> int:
        del data
        raise SysError(EBADF)

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        del data, offset
        raise SysError(EBADF)

    def seek(self, offset: int, whence: int) -> int:
        if whence == SEEK_CUR:
            offset += self.position
        elif whence != SEEK_SET:
            raise SysError(EINVAL)
        if offset < 0:
            raise SysError(EINVAL)
        self.position = offset
        return offset

    def entries(self) -> Iterator[tuple[bytes, int, int, int]]:
        if self.path is not None:
            if self.path.dentry.deleted:
                raise SysError(ENOENT)
            self.path.mount.accessed(self.inode)
        if self._listing is None or self.position == 0:
            self._listing = self._list()
        return self._from(self._listing, self.position)

    def _list(self) -> list[tuple[bytes, int, int]]:
        parent = self.inode if self.path is None else self.path.dentry.parent.inode
        dots = [(b".", self.inode.ino, S_IFDIR), (b"..", parent.ino, S_IFDIR)]
        return [*dots, *self.inode.entries()]

    def _from(self, listing: list[tuple[bytes, int, int]], position: int) -> Iterator[tuple[bytes, int, int, int]]:
        pinned = self.inode.fs.pinned
        for index in range(position, len(listing)):
            name, ino, kind = listing[index]
            if pinned and index > 1:  # what was removed since the listing was taken
                inode = self.inode.lookup(name)
                if inode is None or inode.ino != ino:
                    continue
            yield name, ino, kind, index + 1

    def sync(self) -> None:
        """Nothing is ever late here."""
