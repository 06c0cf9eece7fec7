"""Options of sockets: getsockopt(2), setsockopt(2) (net/core/sock.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi import sockopt as abi
from syscalls.abi.arch import Arch
from syscalls.abi.cstruct import layout
from syscalls.abi.errno import EDOM, EINVAL, ENOPROTOOPT, EOPNOTSUPP, EPERM, SysError
from syscalls.abi.kinds import Address, Buffer, BufferKind, Fd, FlagsKind, Int
from syscalls.abi.prctl import CAP_NET_ADMIN
from syscalls.abi.socket import AF_UNIX
from syscalls.abi.structs.socket import Linger, Ucred
from syscalls.abi.structs.time import Timeval
from syscalls.kernel.sockio import name_of, socket_of
from syscalls.kernel.task import Task
from syscalls.net.unix import BUFFER_BYTES, LISTENING, UnixSocket
from syscalls.spec import syscall

Level = Annotated[int, FlagsKind(abi.OPTION_LEVELS, signed=True)]
Value = Annotated[Buffer, BufferKind("optlen", out=False)]
_MIN_SEND, _MIN_RECEIVE = 4608, 2304  # SOCK_MIN_SNDBUF, SOCK_MIN_RCVBUF
_NSEC, _USEC = 10**9, 10**6
#: Switches that are kept and, between sockets of one machine, change nothing.
_KEPT = frozenset({
    abi.SO_DEBUG, abi.SO_REUSEADDR, abi.SO_DONTROUTE, abi.SO_BROADCAST, abi.SO_KEEPALIVE, abi.SO_OOBINLINE,
    abi.SO_NO_CHECK, abi.SO_TIMESTAMP_OLD, abi.SO_TIMESTAMPNS_OLD, abi.SO_PASSSEC, abi.SO_RXQ_OVFL,
    abi.SO_LOCK_FILTER, abi.SO_BUSY_POLL, abi.SO_SELECT_ERR_QUEUE, abi.SO_WIFI_STATUS, abi.SO_NOFCS,
})  # fmt: skip


@syscall(partial="SOL_SOCKET only; no filters, timestamps or out-of-band data")
def setsockopt(task: Task, sockfd: Fd, level: Level, optname: Int, optval: Value, optlen: Int) -> int:
    """Set an option of a socket (setsockopt(2))."""
    socket = socket_of(task, sockfd)
    if optlen < 0:
        raise SysError(EINVAL)
    if level != abi.SOL_SOCKET:
        raise SysError(EOPNOTSUPP)
    if optlen < 4:
        raise SysError(EINVAL)
    value = int.from_bytes(optval.get(4), "little", signed=True)
    if optname in {abi.SO_RCVTIMEO_OLD, abi.SO_SNDTIMEO_OLD, abi.SO_RCVTIMEO_NEW, abi.SO_SNDTIMEO_NEW}:
        _set_timeout(task, socket, optname, optval, optlen)
    elif optname == abi.SO_LINGER:
        _set_linger(task, socket, optval, optlen)
    else:
        _set_number(task, socket, optname, value)
    return 0


def _set_number(task: Task, socket: UnixSocket, name: int, value: int) -> None:
    """Options that are an int (sk_setsockopt)."""
    admin = task.cred.capable(CAP_NET_ADMIN)
    if name in {abi.SO_SNDBUFFORCE, abi.SO_RCVBUFFORCE, abi.SO_MARK} and not admin:
        raise SysError(EPERM)
    if name in {abi.SO_SNDBUF, abi.SO_SNDBUFFORCE}:
        most = BUFFER_BYTES if name == abi.SO_SNDBUF else (1 << 30) - 1
        socket.send_buffer = max(min(value & 0xFFFFFFFF, most) * 2, _MIN_SEND)
        socket.queue.wake()
    elif name in {abi.SO_RCVBUF, abi.SO_RCVBUFFORCE}:
        most = BUFFER_BYTES if name == abi.SO_RCVBUF else (1 << 30) - 1
        socket.receive_buffer = max(min(value & 0xFFFFFFFF, most) * 2, _MIN_RECEIVE)
    elif name == abi.SO_PASSCRED:
        socket.passes_creds = bool(value)
    elif name == abi.SO_RCVLOWAT:
        socket.low_water = (1 << 31) - 1 if value < 0 else value or 1
    elif name == abi.SO_PEEK_OFF:
        socket.peek_offset = value
    elif name == abi.SO_PRIORITY:
        if not (0 <= value <= 6 or admin):
            raise SysError(EPERM)
        socket.options[name] = value
    elif name == abi.SO_MARK:
        socket.options[name] = value
    elif name == abi.SO_REUSEPORT and value:
        raise SysError(EOPNOTSUPP)
    elif name in _KEPT:
        socket.options[name] = int(bool(value))
    elif name != abi.SO_REUSEPORT:
        raise SysError(ENOPROTOOPT)


def _timeval(arch: Arch, name: int) -> tuple[int, int]:
    """Bytes of each half of a struct timeval: of the caller's long, or 64 bits (SO_RCVTIMEO_NEW)."""
    size = 16 if name in {abi.SO_RCVTIMEO_NEW, abi.SO_SNDTIMEO_NEW} else layout(Timeval, arch).size
    return size, size // 2


def _set_timeout(task: Task, socket: UnixSocket, name: int, optval: Buffer, optlen: int) -> None:
    """SO_RCVTIMEO and SO_SNDTIMEO; 0: for ever, negative: not at all (sock_set_timeout)."""
    size, half = _timeval(task.arch, name)
    if optlen < size:
        raise SysError(EINVAL)
    data = optval.get(size)
    seconds = int.from_bytes(data[:half], "little", signed=True)
    micros = int.from_bytes(data[half:], "little", signed=True)
    if not 0 <= micros < _USEC:
        raise SysError(EDOM)
    timeout: int | None = 0 if seconds < 0 else seconds * _NSEC + micros * 1000
    if seconds == 0 and micros == 0:
        timeout = None
    if name in {abi.SO_RCVTIMEO_OLD, abi.SO_RCVTIMEO_NEW}:
        socket.receive_timeout_ns = timeout
    else:
        socket.send_timeout_ns = timeout


def _set_linger(task: Task, socket: UnixSocket, optval: Buffer, optlen: int) -> None:
    shape = layout(Linger, task.arch)
    if optlen < shape.size:
        raise SysError(EINVAL)
    given = shape.unpack(optval.get(shape.size))
    socket.options[abi.SO_LINGER] = given.l_linger << 1 | bool(given.l_onoff)


@syscall(partial="level SOL_SOCKET of AF_UNIX sockets")
def getsockopt(task: Task, sockfd: Fd, level: Level, optname: Int, optval: Address, optlen: Address) -> int:
    """Store an option of a socket (getsockopt(2))."""
    socket = socket_of(task, sockfd)
    if level != abi.SOL_SOCKET:
        raise SysError(EOPNOTSUPP)
    room = int.from_bytes(task.mm.read(optlen, 4), "little", signed=True)
    if room < 0:
        raise SysError(EINVAL)
    data = _option(task, socket, optname)
    if optname == abi.SO_PEERNAME and len(data) < room:
        raise SysError(EINVAL)
    data = data[:room]
    if data:
        task.mm.write(optval, data)
    task.mm.write(optlen, len(data).to_bytes(4, "little"))
    return 0


def _option(task: Task, socket: UnixSocket, name: int) -> bytes:
    """The bytes of an option; ENOPROTOOPT."""
    if name in {abi.SO_RCVTIMEO_OLD, abi.SO_RCVTIMEO_NEW}:
        return _timeout(task, name, socket.receive_timeout_ns)
    if name in {abi.SO_SNDTIMEO_OLD, abi.SO_SNDTIMEO_NEW}:
        return _timeout(task, name, socket.send_timeout_ns)
    if name == abi.SO_PEERCRED:
        return layout(Ucred, task.arch).pack(Ucred(**socket.peer_creds._asdict()))
    if name == abi.SO_PEERNAME:
        return name_of(socket.peer)
    if name == abi.SO_LINGER:
        value = socket.options.get(name, 0)
        return layout(Linger, task.arch).pack(Linger(l_onoff=value & 1, l_linger=value >> 1))
    if name == abi.SO_COOKIE:
        return socket.inode.ino.to_bytes(8, "little")
    if name in {abi.SO_BINDTODEVICE, abi.SO_GET_FILTER}:
        return b""  # no device, no filter
    if name == abi.SO_TIMESTAMPING_OLD:
        return bytes(8)
    return (_number(socket, name) & 0xFFFFFFFF).to_bytes(4, "little")


def _number(socket: UnixSocket, name: int) -> int:
    if name == abi.SO_ERROR:
        return socket.take_error()
    numbers = {
        abi.SO_TYPE: socket.type, abi.SO_DOMAIN: AF_UNIX, abi.SO_PROTOCOL: 0, abi.SO_SNDBUF: socket.send_buffer,
        abi.SO_RCVBUF: socket.receive_buffer, abi.SO_RCVLOWAT: socket.low_water, abi.SO_SNDLOWAT: 1,
        abi.SO_PASSCRED: int(socket.passes_creds), abi.SO_ACCEPTCONN: int(socket.state == LISTENING),
        abi.SO_REUSEPORT: 0, abi.SO_BSDCOMPAT: 0, abi.SO_PEEK_OFF: socket.peek_offset, abi.SO_BPF_EXTENSIONS: 64,
        abi.SO_PRIORITY: socket.options.get(name, 0), abi.SO_MARK: socket.options.get(name, 0),
    }  # fmt: skip
    if name in numbers:
        return numbers[name]
    if name in _KEPT:
        return socket.options.get(name, 0)
    raise SysError(ENOPROTOOPT)


def _timeout(task: Task, name: int, timeout_ns: int | None) -> bytes:
    _, half = _timeval(task.arch, name)
    seconds, rest = divmod(timeout_ns or 0, _NSEC)
    return seconds.to_bytes(half, "little") + (rest // 1000).to_bytes(half, "little")
