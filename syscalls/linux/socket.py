"""Sockets of AF_UNIX: socket(2), bind(2), connect(2), accept(2) and their relatives (net/socket.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi import socket as abi
from syscalls.abi.cstruct import I32
from syscalls.abi.errno import (
    EAFNOSUPPORT,
    EINVAL,
    EOPNOTSUPP,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
    SysError,
)
from syscalls.abi.fcntl import O_NONBLOCK
from syscalls.abi.kinds import Address, ArrayKind, Buffer, BufferKind, Fd, FdResult, FlagsKind, Int, Pointer
from syscalls.kernel import sockio
from syscalls.kernel.fileio import install, nofile_limit
from syscalls.kernel.scm import peer_creds
from syscalls.kernel.sockio import name_of, put_address, read_address, socket_of
from syscalls.kernel.task import Task
from syscalls.net.unix import UnixSocket
from syscalls.spec import syscall

PARTIAL = "AF_UNIX only; other families answer EAFNOSUPPORT"
_SOCK_MAX = 11

Family = Annotated[int, FlagsKind(abi.FAMILIES, signed=True)]
Type = Annotated[int, FlagsKind(abi.SOCK_TYPES, signed=True)]
Flags = Annotated[int, FlagsKind(abi.SOCK_FLAGS)]
How = Annotated[int, FlagsKind(abi.SHUTDOWN_HOW, signed=True)]
FdPair = Annotated[Pointer[int], ArrayKind(I32, count=2, out=True)]
InAddress = Annotated[Buffer, BufferKind("addrlen", out=False)]


@syscall(partial=PARTIAL)
def socket(task: Task, domain: Family, type: Type, protocol: Int) -> FdResult:
    """Create a socket (socket(2))."""
    return install(task, _create(task, domain, type, protocol), cloexec=bool(type & abi.SOCK_CLOEXEC))


def _create(task: Task, domain: int, type: int, protocol: int) -> UnixSocket:
    """EINVAL for unknown flags, EAFNOSUPPORT, EINVAL, EPROTONOSUPPORT, ESOCKTNOSUPPORT (__sock_create, unix_create)."""
    _check_flags(type & ~abi.SOCK_TYPE_MASK)
    kind = type & abi.SOCK_TYPE_MASK
    if domain >= 0 and kind >= _SOCK_MAX:
        raise SysError(EINVAL)
    if domain != abi.AF_UNIX:
        raise SysError(EAFNOSUPPORT)
    if protocol not in {0, abi.AF_UNIX}:
        raise SysError(EPROTONOSUPPORT)
    if kind == abi.SOCK_RAW:
        kind = abi.SOCK_DGRAM
    if kind not in {abi.SOCK_STREAM, abi.SOCK_DGRAM, abi.SOCK_SEQPACKET}:
        raise SysError(ESOCKTNOSUPPORT)
    return _new(task, kind, type)


def _new(task: Task, kind: int, flags: int) -> UnixSocket:
    status = O_NONBLOCK if flags & abi.SOCK_NONBLOCK else 0
    return UnixSocket(task.kernel.sockfs, kind, status, task.cred.fsuid, task.cred.fsgid)


def _check_flags(flags: int) -> None:
    if flags & ~(abi.SOCK_CLOEXEC | abi.SOCK_NONBLOCK):
        raise SysError(EINVAL)


@syscall(partial=PARTIAL)
def socketpair(task: Task, domain: Family, type: Type, protocol: Int, sv: FdPair) -> int:
    """Create two sockets that are connected with each other (socketpair(2))."""
    _check_flags(type & ~abi.SOCK_TYPE_MASK)
    first = task.files.lowest_free(nofile_limit(task))
    sv.put_array([first, task.files.lowest_free(nofile_limit(task), first + 1)])  # before there is any socket
    if domain in {abi.AF_INET, abi.AF_INET6} and type & abi.SOCK_TYPE_MASK < _SOCK_MAX:
        raise SysError(EOPNOTSUPP)  # they have no pairs, on Linux neither
    one, other = (_create(task, domain, type, protocol) for _ in range(2))
    one.pair(other, peer_creds(task))
    for end in (one, other):
        install(task, end, cloexec=bool(type & abi.SOCK_CLOEXEC))
    return 0


@syscall(partial=PARTIAL)
def bind(task: Task, sockfd: Fd, addr: InAddress, addrlen: Int) -> int:
    """Give a socket its name: a pathname, or an abstract one (bind(2))."""
    end = socket_of(task, sockfd)
    sockio.bind(task, end, read_address(task, addr.address, addrlen))
    return 0


@syscall(partial=PARTIAL)
def listen(task: Task, sockfd: Fd, backlog: Int) -> int:
    """Wait for connections (listen(2))."""
    socket_of(task, sockfd).listen(backlog, peer_creds(task))
    return 0


@syscall(partial=PARTIAL)
async def connect(task: Task, sockfd: Fd, addr: InAddress, addrlen: Int) -> int:
    """Connect to a named socket (connect(2))."""
    task.file(sockfd)
    address = read_address(task, addr.address, addrlen)  # before anybody asks whether it is a socket (__sys_connect)
    await sockio.connect(task, socket_of(task, sockfd), address)
    return 0


@syscall(partial=PARTIAL)
async def accept(task: Task, sockfd: Fd, addr: Address, addrlen: Address) -> FdResult:
    """Take the next connection (accept(2))."""
    return await _accept(task, sockfd, addr, addrlen, 0)


@syscall(partial=PARTIAL)
async def accept4(task: Task, sockfd: Fd, addr: Address, addrlen: Address, flags: Flags) -> FdResult:
    """Take the next connection, with SOCK_CLOEXEC and SOCK_NONBLOCK for the new descriptor (accept4(2))."""
    return await _accept(task, sockfd, addr, addrlen, flags)


async def _accept(task: Task, sockfd: int, addr: int, addrlen: int, flags: int) -> int:
    task.file(sockfd)
    _check_flags(flags)
    end = await sockio.accept(task, socket_of(task, sockfd))
    end.flags |= O_NONBLOCK if flags & abi.SOCK_NONBLOCK else 0
    try:
        if addr:
            put_address(task, name_of(end.peer) if end.peer else name_of(end), addr, addrlen)
        return install(task, end, cloexec=bool(flags & abi.SOCK_CLOEXEC))
    except SysError:
        end.close()
        raise


@syscall(partial=PARTIAL)
def getsockname(task: Task, sockfd: Fd, addr: Address, addrlen: Address) -> int:
    """Store the name of a socket (getsockname(2))."""
    put_address(task, name_of(socket_of(task, sockfd)), addr, addrlen)
    return 0


@syscall(partial=PARTIAL)
def getpeername(task: Task, sockfd: Fd, addr: Address, addrlen: Address) -> int:
    """Store the name of whom a socket is connected with; ENOTCONN (getpeername(2))."""
    put_address(task, name_of(socket_of(task, sockfd).peer), addr, addrlen)
    return 0


@syscall(partial=PARTIAL)
def shutdown(task: Task, sockfd: Fd, how: How) -> int:
    """Say that nothing more will be sent, or received (shutdown(2))."""
    socket_of(task, sockfd).shutdown(how)
    return 0
