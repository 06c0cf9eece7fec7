"""Where sockets live, and the names that they are bound to (net/socket.c, net/unix/af_unix.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from syscalls.abi.errno import EADDRINUSE, ENOSPC, ENXIO, SysError
from syscalls.abi.stat import S_IFSOCK
from syscalls.fs.inode import FileSystem, Inode

if TYPE_CHECKING:
    from syscalls.net.message import Creds
    from syscalls.net.unix import UnixSocket

SOCKFS_MAGIC = 0x534F434B
_AUTOBIND_NAMES = 1 << 20


class SocketInode(Inode):
    """What fstat(2) shows of a socket."""

    __slots__ = ()

    def __init__(self, fs: FileSystem, uid: int, gid: int) -> None:
        super().__init__(fs, S_IFSOCK | 0o777, uid, gid)
        self.atime = self.mtime = self.ctime = 0  # sock_alloc sets none

    def open(self, flags: int) -> NoReturn:
        """Sockets cannot be opened, through /proc/PID/fd neither (sock_no_open)."""
        del flags
        raise SysError(ENXIO)


class SocketFs(FileSystem):
    """All sockets of a world, and who is bound where."""

    name = "sockfs"
    magic = SOCKFS_MAGIC

    def __init__(
        self, dev: int, now: Callable[[], int], caller: Callable[[], Creds], monotonic: Callable[[], int]
    ) -> None:
        super().__init__(dev, now)
        self.monotonic = monotonic  # the clock of timeouts
        self.caller = caller  # who writes, where nobody says it: write(2)
        self.abstract: dict[tuple[int, bytes], UnixSocket] = {}  # by type and address
        self.by_inode: dict[Inode, UnixSocket] = {}
        self._last_name = 0

    def bind_abstract(self, socket: UnixSocket, address: bytes) -> None:
        """Take a name that is not in the file system; EADDRINUSE (unix_bind_abstract)."""
        key = (socket.type, address)
        if key in self.abstract:
            raise SysError(EADDRINUSE)
        self.abstract[key] = socket
        socket.address = address

    def autobind(self, socket: UnixSocket) -> None:
        """Take an abstract name of five hexadecimal digits that is free; ENOSPC (unix_autobind)."""
        for _ in range(_AUTOBIND_NAMES):
            self._last_name = (self._last_name + 1) % _AUTOBIND_NAMES
            address = b"\x01\0\0%05x" % self._last_name
            if (socket.type, address) not in self.abstract:
                self.bind_abstract(socket, address)
                return
        raise SysError(ENOSPC)

    def unbind(self, socket: UnixSocket) -> None:
        """The socket is gone, and its name free. A socket file stays."""
        if socket.address is not None and self.abstract.get((socket.type, socket.address)) is socket:
            del self.abstract[socket.type, socket.address]
        if socket.bound_inode is not None:
            self.by_inode.pop(socket.bound_inode, None)
