"""Names of sockets, and sending and receiving as a call that may sleep does it (net/socket.c, net/unix/af_unix.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import (
    EADDRINUSE,
    EAGAIN,
    ECONNREFUSED,
    EEXIST,
    EFAULT,
    EINTR,
    EINVAL,
    EISCONN,
    ENOTCONN,
    ENOTSOCK,
    EOPNOTSUPP,
    EPIPE,
    EPROTOTYPE,
    SysError,
)
from syscalls.abi.signal import SIGPIPE
from syscalls.abi.socket import (
    AF_UNIX,
    AF_UNSPEC,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    MSG_OOB,
    MSG_PEEK,
    MSG_WAITALL,
    SOCK_SEQPACKET,
    SOCK_STREAM,
)
from syscalls.abi.stat import S_IFSOCK
from syscalls.fs import vfs
from syscalls.fs.file import WOULD_BLOCK
from syscalls.fs.path import resolve
from syscalls.fs.perm import MAY_WRITE, permission
from syscalls.kernel import poll
from syscalls.kernel.fileio import send_to_self
from syscalls.kernel.scm import Control, own_creds, peer_creds
from syscalls.kernel.wait import Interrupted, Wait, WaitQueue, Woken
from syscalls.net.unix import CLOSED, CONNECTED, Received, UnixSocket

if TYPE_CHECKING:
    from syscalls.fs.path import Path
    from syscalls.kernel.task import Task

_FAMILY = 2  # bytes of sun_family
_ADDRESS_MAX = 110  # sizeof(struct sockaddr_un)
_STORAGE = 128  # sizeof(struct sockaddr_storage)


def socket_of(task: Task, fd: int) -> UnixSocket:
    """The socket of a descriptor; EBADF, ENOTSOCK."""
    file = task.file(fd)
    if not isinstance(file, UnixSocket):
        raise SysError(ENOTSOCK)
    return file


# --- addresses --------------------------------------------------------------------------------------------------------


def read_address(task: Task, address: int, length: int) -> bytes:
    """A struct sockaddr from the caller; EINVAL, EFAULT (move_addr_to_kernel)."""
    if not 0 <= length <= _STORAGE:
        raise SysError(EINVAL)
    return task.mm.read(address, length) if length else b""


def put_address(task: Task, name: bytes, address: int, length_at: int) -> None:
    """A struct sockaddr for the caller, cut to the room that it has; EFAULT, EINVAL (move_addr_to_user)."""
    if not length_at:
        raise SysError(EFAULT)
    room = int.from_bytes(task.mm.read(length_at, 4), "little", signed=True)
    if room < 0:
        raise SysError(EINVAL)
    task.mm.write(length_at, len(name).to_bytes(4, "little"))
    if name[:room]:
        task.mm.write(address, name[:room])


def name_of(socket: UnixSocket | None) -> bytes:
    """What getsockname(2) and getpeername(2) store; ENOTCONN without a peer."""
    if socket is None:
        raise SysError(ENOTCONN)
    return socket.address or AF_UNIX.to_bytes(_FAMILY, "little")


def _validate(address: bytes) -> bytes:
    """The name in an address: a pathname, or with a NUL in front an abstract one; EINVAL (unix_validate_addr)."""
    if not _FAMILY < len(address) <= _ADDRESS_MAX or int.from_bytes(address[:_FAMILY], "little") != AF_UNIX:
        raise SysError(EINVAL)
    name = address[_FAMILY:]
    return name if name[:1] == b"\0" else name.split(b"\0", 1)[0]


def bind(task: Task, socket: UnixSocket, address: bytes) -> None:
    """Give a socket its name; EINVAL, EADDRINUSE, and all that mknod(2) may say (unix_bind)."""
    if address == AF_UNIX.to_bytes(_FAMILY, "little"):
        if socket.address is None:
            socket.fs.autobind(socket)
        return
    name = _validate(address)
    if name[:1] == b"\0":
        if socket.address is not None:
            raise SysError(EINVAL)
        socket.fs.bind_abstract(socket, address)
        return
    try:
        vfs.mknod(task, None, name, S_IFSOCK | (socket.inode.mode & 0o777), 0)
    except SysError as error:
        raise SysError(EADDRINUSE) if error.errno == EEXIST else error from None
    if socket.address is not None:
        vfs.unlink(task, None, name)
        raise SysError(EINVAL)
    socket.bound_inode = resolve(task, None, name).inode
    socket.fs.by_inode[socket.bound_inode] = socket
    socket.address = address[:_FAMILY] + name + b"\0"


def find(task: Task, socket: UnixSocket, address: bytes) -> UnixSocket:
    """Who has this name; ECONNREFUSED, EPROTOTYPE, and all that a path may say (unix_find_other)."""
    name = _validate(address)
    if name[:1] == b"\0":
        found = socket.fs.abstract.get((socket.type, address))
        if found is None:
            raise SysError(ECONNREFUSED)
        return found
    path: Path = resolve(task, None, name)
    permission(path.inode, task.cred, MAY_WRITE)
    found = socket.fs.by_inode.get(path.inode)
    if found is None:
        raise SysError(ECONNREFUSED)
    if found.type != socket.type:
        raise SysError(EPROTOTYPE)
    return found


# --- waiting ----------------------------------------------------------------------------------------------------------


class Patience:
    """How long a call waits: not at all, for a while (SO_RCVTIMEO), or for ever."""

    def __init__(self, task: Task, socket: UnixSocket, flags: int, timeout_ns: int | None) -> None:
        self.none = bool(flags & MSG_DONTWAIT) or socket.nonblocking
        self.deadline_ns = poll.deadline(task, timeout_ns)

    async def wait(self, queues: tuple[WaitQueue, ...]) -> None:
        """Sleep; EAGAIN when there is no time (left), and a timeout makes an interruption final (sock_intr_errno)."""
        if self.none:
            raise SysError(EAGAIN)
        try:
            if await Wait(queues, self.deadline_ns) is Woken.DEADLINE:
                raise SysError(EAGAIN)
        except Interrupted:
            if self.deadline_ns is not None:
                raise SysError(EINTR) from None
            raise


async def connect(task: Task, socket: UnixSocket, address: bytes) -> None:
    """As unix_stream_connect and unix_dgram_connect."""
    if len(address) < _FAMILY:
        raise SysError(EINVAL)
    creds = peer_creds(task)
    if not socket.connects:
        unspecified = int.from_bytes(address[:_FAMILY], "little") == AF_UNSPEC
        socket.set_peer(None if unspecified else find(task, socket, address), creds)
        return
    _validate(address)
    patience = Patience(task, socket, 0, socket.send_timeout_ns)
    while True:
        other = find(task, socket, address)
        if socket.connect(other, creds) is not WOULD_BLOCK:
            return
        await patience.wait((other.queue,))


async def accept(task: Task, socket: UnixSocket) -> UnixSocket:
    """The next connection (unix_accept)."""
    patience = Patience(task, socket, 0, socket.receive_timeout_ns)
    while (end := socket.accept()) is WOULD_BLOCK:
        await patience.wait(socket.queues())
    return end


# --- transfer ---------------------------------------------------------------------------------------------------------


async def send(task: Task, socket: UnixSocket, data: bytes, address: bytes, control: Control | None, flags: int) -> int:
    """Send a message, all of it unless something comes in between (sock_sendmsg)."""
    files, creds = control or Control([], own_creds(task))
    if flags & MSG_OOB:
        raise SysError(EOPNOTSUPP)
    to = _recipient(task, socket, address)
    patience = Patience(task, socket, flags, socket.send_timeout_ns)
    done = 0
    try:
        while True:
            taken = socket.send(memoryview(data)[done:], to, files, creds)
            if taken is not WOULD_BLOCK:
                done, files = done + taken, []
                if done >= len(data):
                    return done
                continue
            await patience.wait(socket.queues() if to is None else (*socket.queues(), to.queue))
    except (SysError, Interrupted) as error:
        if done:
            return done
        broken = isinstance(error, SysError) and error.errno == EPIPE
        if broken and socket.type == SOCK_STREAM and not flags & MSG_NOSIGNAL:
            send_to_self(task, SIGPIPE)
        raise


def _recipient(task: Task, socket: UnixSocket, address: bytes) -> UnixSocket | None:
    """Whom sendto(2) names, None for the peer; EISCONN, EOPNOTSUPP for a stream."""
    if not address or socket.type == SOCK_SEQPACKET:
        return None
    if socket.type == SOCK_STREAM:
        raise SysError(EISCONN if socket.state == CONNECTED else EOPNOTSUPP)
    return find(task, socket, address)


async def receive(task: Task, socket: UnixSocket, count: int, flags: int) -> Received:
    """Receive a message, or some of a stream: SO_RCVLOWAT bytes at least, all with MSG_WAITALL (sock_recvmsg)."""
    if flags & MSG_OOB:
        raise SysError(EINVAL if socket.type == SOCK_STREAM and socket.state != CLOSED else EOPNOTSUPP)
    patience = Patience(task, socket, flags, socket.receive_timeout_ns)
    peek = bool(flags & MSG_PEEK)
    target = (count if flags & MSG_WAITALL else min(socket.low_water, count)) or 1
    whole: Received | None = None
    while True:
        try:
            part = socket.receive(count - (len(whole.data) if whole else 0), peek=peek, wait=not patience.none)
            if part is WOULD_BLOCK:
                await patience.wait(socket.queues())
                continue
        except (SysError, Interrupted):
            if whole is None:
                raise
            return whole
        whole = part if whole is None else whole._replace(data=whole.data + part.data, files=part.files)
        if socket.type != SOCK_STREAM or peek or part.files or not part.data or len(whole.data) >= target:
            return whole
