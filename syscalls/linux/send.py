"""send(2) and recv(2) with all their relatives (net/socket.c)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from syscalls.abi.cstruct import layout
from syscalls.abi.errno import EFAULT, EINVAL, EMSGSIZE, ENOBUFS, SysError
from syscalls.abi.kinds import (
    Address,
    ArrayKind,
    Buffer,
    BufferKind,
    Fd,
    FlagsKind,
    In,
    InOut,
    Int,
    Pointer,
    Size,
    UInt,
)
from syscalls.abi.socket import (
    MSG_CMSG_CLOEXEC,
    MSG_CMSG_COMPAT,
    MSG_DONTWAIT,
    MSG_FLAGS,
    MSG_TRUNC,
    MSG_WAITFORONE,
)
from syscalls.abi.structs.socket import Mmsghdr, Msghdr
from syscalls.abi.structs.time import Timespec, Timespec64
from syscalls.abi.structs.uio import Iovec
from syscalls.abi.uio import UIO_MAXIOV
from syscalls.kernel import poll, sockio
from syscalls.kernel.fileio import segment, store
from syscalls.kernel.scm import Store, parse, read_control
from syscalls.kernel.sockio import put_address, read_address, socket_of
from syscalls.kernel.task import Task
from syscalls.kernel.wait import Interrupted
from syscalls.linux.poll import timespec_ns
from syscalls.linux.read import import_iovec
from syscalls.linux.socket import PARTIAL
from syscalls.net.unix import Received, UnixSocket
from syscalls.spec import syscall

Flags = Annotated[int, FlagsKind(MSG_FLAGS)]
Data = Annotated[Buffer, BufferKind("len", out=False)]
Room = Annotated[Buffer, BufferKind("len", out=True)]
ToAddress = Annotated[Buffer, BufferKind("addrlen", out=False)]
Messages = Annotated[Pointer[Mmsghdr], ArrayKind(Mmsghdr, count="vlen", inout=True)]
_STORAGE = 128
_INT_MAX = (1 << 31) - 1


def _fetch(task: Task, segments: list[tuple[int, int]]) -> bytes:
    """All of the sender's data; EFAULT."""
    return b"".join(task.mm.read(address, length) for address, length in segments if length)


# --- one buffer -------------------------------------------------------------------------------------------------------


@syscall(partial=PARTIAL)
async def sendto(task: Task, sockfd: Fd, buf: Data, len: Size, flags: Flags, dest_addr: ToAddress, addrlen: Int) -> int:
    """Send a message, perhaps to a named socket (sendto(2))."""
    piece = segment(task, buf.address, len)
    socket = socket_of(task, sockfd)
    address = read_address(task, dest_addr.address, addrlen) if dest_addr else b""
    return await sockio.send(task, socket, _fetch(task, [piece]), address, None, flags & ~MSG_CMSG_COMPAT)


@syscall(partial=PARTIAL)
async def recvfrom(
    task: Task, sockfd: Fd, buf: Room, len: Size, flags: Flags, src_addr: Address, addrlen: Address
) -> int:
    """Receive a message, and who has sent it (recvfrom(2))."""
    piece = segment(task, buf.address, len)
    socket = socket_of(task, sockfd)
    received = await sockio.receive(task, socket, piece[1], flags)
    Store(task, 0, 0, flags).put_received(socket, received)
    result = _deliver(task, socket, received, [piece], flags)
    if src_addr:
        put_address(task, received.address or b"", src_addr, addrlen)
    return result


def _deliver(task: Task, socket: UnixSocket, received: Received, segments: list[tuple[int, int]], flags: int) -> int:
    """Store the data; how many bytes, or with MSG_TRUNC how long the message was."""
    if store(task.mm, segments, received.data) < len(received.data):
        raise SysError(EFAULT)
    return received.length if flags & MSG_TRUNC and not socket.whole_writes else len(received.data)


# --- struct msghdr ----------------------------------------------------------------------------------------------------


@syscall(partial=PARTIAL)
async def sendmsg(task: Task, sockfd: Fd, msg: In[Msghdr], flags: Flags) -> int:
    """Send a message with descriptors or credentials beside it (sendmsg(2))."""
    _no_compat(flags)
    return await _sendmsg(task, socket_of(task, sockfd), msg, flags)


def _no_compat(flags: int) -> None:
    if flags & MSG_CMSG_COMPAT:
        raise SysError(EINVAL)


def _header(task: Task, msg: Pointer[Msghdr]) -> tuple[Msghdr, list[tuple[int, int]]]:
    """The header and what its vector describes; EFAULT, EINVAL, EMSGSIZE (copy_msghdr_from_user)."""
    header = msg.get()
    if header.msg_namelen < 0 and header.msg_name:
        raise SysError(EINVAL)
    if header.msg_iovlen > UIO_MAXIOV:
        raise SysError(EMSGSIZE)
    vector: Pointer[Iovec] = Pointer(task.mm, header.msg_iov, layout(Iovec, task.arch))
    return header, import_iovec(task, vector, header.msg_iovlen)


async def _sendmsg(task: Task, socket: UnixSocket, msg: Pointer[Msghdr], flags: int) -> int:
    header, segments = _header(task, msg)
    address = b""
    if header.msg_name and header.msg_namelen:
        address = read_address(task, header.msg_name, min(header.msg_namelen, _STORAGE))
    if header.msg_controllen > _INT_MAX:
        raise SysError(ENOBUFS)
    control = parse(task, read_control(task, header.msg_control, header.msg_controllen))
    return await sockio.send(task, socket, _fetch(task, segments), address, control, flags)


@syscall(partial=PARTIAL)
async def recvmsg(task: Task, sockfd: Fd, msg: InOut[Msghdr], flags: Flags) -> int:
    """Receive a message with what was sent beside it (recvmsg(2))."""
    _no_compat(flags)
    return await _recvmsg(task, socket_of(task, sockfd), msg, flags)


async def _recvmsg(task: Task, socket: UnixSocket, msg: Pointer[Msghdr], flags: int) -> int:
    """As ____sys_recvmsg: msg_namelen, msg_controllen and msg_flags are stored."""
    header, segments = _header(task, msg)
    count = sum([length for _, length in segments])
    received = await sockio.receive(task, socket, count, flags)
    control = Store(task, header.msg_control, header.msg_controllen, flags)
    control.put_received(socket, received)
    result = _deliver(task, socket, received, segments, flags)
    name = received.address or b""
    if header.msg_name:
        if name[: header.msg_namelen]:
            task.mm.write(header.msg_name, name[: header.msg_namelen])
        header.msg_namelen = len(name)
    cut = MSG_TRUNC if received.length > len(received.data) and not socket.whole_writes else 0
    header.msg_flags = control.flags | cut | flags & MSG_CMSG_CLOEXEC
    header.msg_controllen = control.used
    msg.put(header)
    return result


# --- several at once --------------------------------------------------------------------------------------------------


@syscall(partial=PARTIAL)
async def sendmmsg(task: Task, sockfd: Fd, msgvec: Messages, vlen: UInt, flags: Flags) -> int:
    """Send several messages; how many were sent before the first that failed (sendmmsg(2))."""
    _no_compat(flags)
    socket = socket_of(task, sockfd)

    async def one(msg: Pointer[Msghdr], done: int) -> int:
        del done
        return await _sendmsg(task, socket, msg, flags)

    return await _each(task, msgvec, min(vlen, UIO_MAXIOV), one, lambda: False)


@syscall(partial=PARTIAL)
async def recvmmsg(task: Task, sockfd: Fd, msgvec: Messages, vlen: UInt, flags: Flags, timeout: InOut[Timespec]) -> int:
    """Receive several messages; a timeout is looked at between them (recvmmsg(2))."""
    return await _recvmmsg(task, sockfd, msgvec, vlen, flags, timeout)


@syscall(partial=PARTIAL)
async def recvmmsg_time64(
    task: Task, sockfd: Fd, msgvec: Messages, vlen: UInt, flags: Flags, timeout: InOut[Timespec64]
) -> int:
    """The same with 64-bit seconds (recvmmsg(2))."""
    return await _recvmmsg(task, sockfd, msgvec, vlen, flags, timeout)


async def _recvmmsg(
    task: Task, sockfd: int, msgvec: Pointer[Mmsghdr], vlen: int, flags: int, timeout: Pointer[Any]
) -> int:
    _no_compat(flags)
    deadline = poll.deadline(task, timespec_ns(timeout))
    socket = socket_of(task, sockfd)
    if socket.error:
        raise SysError(socket.take_error())

    async def one(msg: Pointer[Msghdr], done: int) -> int:
        more = MSG_DONTWAIT if done and flags & MSG_WAITFORONE else 0
        return await _recvmsg(task, socket, msg, flags & ~MSG_WAITFORONE | more)

    def late() -> bool:
        return deadline is not None and task.kernel.clock.monotonic() >= deadline

    return await _each(task, msgvec, min(vlen, UIO_MAXIOV), one, late)


async def _each(
    task: Task,
    msgvec: Pointer[Mmsghdr],
    count: int,
    transfer: Callable[[Pointer[Msghdr], int], Awaitable[int]],
    late: Callable[[], bool],
) -> int:
    """Transfer one message after the other and store each one's length; an error counts when it is the first."""
    header, size = layout(Msghdr, task.arch), msgvec.size
    for done in range(count):
        place = msgvec.address + done * size
        try:
            length = await transfer(Pointer(task.mm, place, header), done)
            task.mm.write(place + header.size, length.to_bytes(4, "little"))
        except (SysError, Interrupted):
            if not done:
                raise
            return done
        if late():
            return done + 1
    return count
