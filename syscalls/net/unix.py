"""AF_UNIX sockets: streams, datagrams and sequenced packets between processes (unix(7), net/unix/af_unix.c).

A socket never sleeps: what cannot go on answers WOULD_BLOCK, and the caller waits on queues(). Names are found by
kernel/sockio.py, which can walk paths; control messages are kernel/scm.py's.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from syscalls.abi.errno import (
    ECONNREFUSED,
    ECONNRESET,
    EINVAL,
    EISCONN,
    EMSGSIZE,
    ENOTCONN,
    ENOTTY,
    EOPNOTSUPP,
    EPERM,
    EPIPE,
    SysError,
)
from syscalls.abi.fcntl import O_RDWR
from syscalls.abi.ioctl import FIONREAD, TIOCOUTQ
from syscalls.abi.poll import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDHUP,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
)
from syscalls.abi.signal import POLL_HUP, POLL_IN
from syscalls.abi.socket import SHUT_RD, SHUT_WR, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, SOMAXCONN
from syscalls.fs.fdtable import put
from syscalls.fs.file import WOULD_BLOCK, File, WouldBlock
from syscalls.fs.inode import Inode
from syscalls.kernel.ports import Memory
from syscalls.kernel.wait import WaitQueue
from syscalls.net.message import STREAM_HEAD, Creds, Message
from syscalls.net.sockfs import SocketFs, SocketInode

# States, of those that include/net/tcp_states.h has.
CLOSED, LISTENING, CONNECTED = range(3)
RCV_SHUTDOWN, SEND_SHUTDOWN, BOTH = 1, 2, 3
#: net.core.wmem_default, and net.unix.max_dgram_qlen.
BUFFER_BYTES = 212992
MAX_DATAGRAMS = 10
_STREAM_PIECE = STREAM_HEAD + (32 << 10)  # most that one message of a stream carries (UNIX_SKB_FRAGS_SZ)
_READABLE, _WRITABLE = POLLIN | POLLRDNORM, POLLOUT | POLLWRNORM | POLLWRBAND
_NO_PEER = Creds(0, 0xFFFFFFFF, 0xFFFFFFFF)


class Received(NamedTuple):
    """What a receive call gets: bytes and what came beside them. `files` are held for the caller."""

    data: bytes
    length: int  # of the whole message, for MSG_TRUNC
    address: bytes | None = None
    files: tuple[File, ...] = ()
    creds: Creds | None = None


class UnixSocket(File):
    """One end of a conversation (struct unix_sock)."""

    signals_io = True
    times_out = True
    whole_units = True

    def __init__(self, fs: SocketFs, type: int, flags: int, uid: int, gid: int) -> None:
        super().__init__(SocketInode(fs, uid, gid), O_RDWR | flags)
        self.fs = fs
        self.type = type
        self.whole_writes = type == SOCK_STREAM
        self.state = CLOSED
        self.peer: UnixSocket | None = None
        self.peer_creds = _NO_PEER
        self.address: bytes | None = None  # struct sockaddr_un as getsockname(2) gives it
        self.bound_inode: Inode | None = None
        self.messages: deque[Message] = deque()
        self.pending: deque[UnixSocket] = deque()  # who waits for accept(2)
        self.backlog = MAX_DATAGRAMS
        self.shutdown_mask = 0
        self.error = 0  # pending, told once (SO_ERROR)
        self.dead = False
        self.sent_bytes = 0  # on their way, management included (sk_wmem_alloc)
        self.send_buffer = self.receive_buffer = BUFFER_BYTES
        self.passes_creds = False  # SO_PASSCRED
        self.send_timeout_ns: int | None = None
        self.receive_timeout_ns: int | None = None
        self.peek_offset = -1  # SO_PEEK_OFF: where the next MSG_PEEK begins
        self.low_water = 1  # SO_RCVLOWAT
        self.options: dict[int, int] = {}  # those that are only kept
        self.queue = WaitQueue("a socket")

    @property
    def connects(self) -> bool:
        """Is its type based on connections?"""
        return self.type != SOCK_DGRAM

    # --- who talks to whom --------------------------------------------------------------------------------------------

    def pair(self, other: UnixSocket, creds: Creds) -> None:
        """Connect two new sockets with each other (unix_socketpair)."""
        for one, another in ((self, other), (other, self)):
            one.peer, one.peer_creds, one.state = another, creds, CONNECTED

    def listen(self, backlog: int, creds: Creds) -> None:
        """Wait for connections; EOPNOTSUPP, EINVAL (unix_listen)."""
        if not self.connects:
            raise SysError(EOPNOTSUPP)
        if self.address is None or self.state == CONNECTED:
            raise SysError(EINVAL)
        self.backlog = min(backlog & 0xFFFFFFFF, SOMAXCONN)
        self.state, self.peer_creds = LISTENING, creds
        self.queue.wake()

    def connect(self, other: UnixSocket, creds: Creds) -> WouldBlock | None:
        """Ask a listening socket for a connection; ECONNREFUSED, EISCONN, EINVAL (unix_stream_connect)."""
        if other.state != LISTENING or other.shutdown_mask & RCV_SHUTDOWN:
            raise SysError(ECONNREFUSED)
        if len(other.pending) > other.backlog:
            return WOULD_BLOCK
        if self.state != CLOSED:
            raise SysError(EISCONN if self.state == CONNECTED else EINVAL)
        end = UnixSocket(self.fs, self.type, 0, other.inode.uid, other.inode.gid)
        end.peer, end.peer_creds, end.state, end.address = self, creds, CONNECTED, other.address
        end.passes_creds = other.passes_creds
        self.peer, self.peer_creds, self.state = end, other.peer_creds, CONNECTED
        other.pending.append(end)
        other.queue.wake(events=_READABLE)
        other.kill_fasync(POLL_IN)
        return None

    def set_peer(self, other: UnixSocket | None, creds: Creds) -> None:
        """Where datagrams go from now on; EPERM when the other talks to somebody else (unix_dgram_connect)."""
        if other is not None and not other.hears(self):
            raise SysError(EPERM)
        if self.peer is not None and self.peer is not other:
            self._forget_messages()
        self.peer, self.state = other, CLOSED if other is None else CONNECTED
        self.peer_creds = _NO_PEER if other is None else creds
        self.queue.wake()

    def hears(self, other: UnixSocket) -> bool:
        """Does it take datagrams from `other`? (unix_may_send)."""
        return self.peer is None or self.peer is other

    def accept(self) -> UnixSocket | WouldBlock:
        """The next connection; EOPNOTSUPP, EINVAL (unix_accept)."""
        if not self.connects:
            raise SysError(EOPNOTSUPP)
        if self.state != LISTENING:
            raise SysError(EINVAL)
        if not self.pending:
            if self.shutdown_mask & RCV_SHUTDOWN:
                raise SysError(EINVAL)
            return WOULD_BLOCK
        end = self.pending.popleft()
        self.queue.wake(events=_WRITABLE)
        return end

    def shutdown(self, how: int) -> None:
        """Say that nothing will be read or written any more; EINVAL (unix_shutdown)."""
        if how not in {SHUT_RD, SHUT_WR, SHUT_RD + SHUT_WR + 1}:
            raise SysError(EINVAL)
        mask = how + 1
        self.shutdown_mask |= mask
        if self.peer is not None and self.connects:
            self.peer.shutdown_mask |= (mask & RCV_SHUTDOWN) << 1 | mask >> 1
            self.peer.queue.wake()
        self.queue.wake()

    def close(self) -> None:
        """Nobody has it any more; who talks to it learns so (unix_release_sock)."""
        self.fs.unbind(self)
        self.dead = True
        unread = bool(self.messages)
        peer, self.peer = self.peer, None
        if peer is not None and self.connects:
            peer.shutdown_mask = BOTH
            if unread:
                peer.error = ECONNRESET
            peer.queue.wake()
            peer.kill_fasync(POLL_HUP)
        for end in self.pending:
            if end.peer is not None:
                end.peer.error = ECONNRESET
            end.close()
        self.pending.clear()
        self._forget_messages()
        self.queue.wake()

    def _forget_messages(self) -> None:
        while self.messages:
            self.messages.popleft().drop()

    # --- sending ------------------------------------------------------------------------------------------------------

    def sent(self, change: int) -> None:
        """Count bytes on their way."""
        self.sent_bytes += change
        if change < 0:
            self.queue.wake(events=_WRITABLE)

    def take_error(self) -> int:
        """The pending error, which is told once (sock_error)."""
        error, self.error = self.error, 0
        return error

    def _check_sending(self) -> None:
        if self.error:
            raise SysError(self.take_error())
        if self.shutdown_mask & SEND_SHUTDOWN:
            raise SysError(EPIPE)

    def send(
        self,
        data: bytes | memoryview,
        to: UnixSocket | None = None,
        files: list[File] | None = None,
        creds: Creds | None = None,
    ) -> int | WouldBlock:
        """Put a message into the queue of `to` or the peer; how many bytes were taken."""
        if self.type == SOCK_STREAM:
            return self._send_stream(data, files or [], creds)
        return self._send_packet(data, to, files or [], creds)

    def whole_part(self, got: int, count: int) -> int:
        """A message at a time, or a piece of a stream (skb_copy_datagram_from_iter)."""
        del count
        return got - got % self._piece if self.type == SOCK_STREAM else 0

    @property
    def _piece(self) -> int:
        """How long the messages are that a stream is cut into."""
        return min(_STREAM_PIECE, self.send_buffer // 2 - 64)

    def _send_stream(self, data: bytes | memoryview, files: list[File], creds: Creds | None) -> int | WouldBlock:
        """As unix_stream_sendmsg: in pieces, as many as fit."""
        other = self.peer
        if other is None:
            raise SysError(EPIPE if self.shutdown_mask & SEND_SHUTDOWN and self.state == CONNECTED else ENOTCONN)
        if self.shutdown_mask & SEND_SHUTDOWN:
            raise SysError(EPIPE)
        done = 0
        while done < len(data):
            self._check_sending()
            if other.dead or other.shutdown_mask & RCV_SHUTDOWN:
                raise SysError(EPIPE)
            if self.sent_bytes >= self.send_buffer:
                return done or WOULD_BLOCK
            piece = bytes(data[done : done + self._piece])
            self._deliver(other, piece, files, creds)
            done, files = done + len(piece), []
        return done

    def _send_packet(
        self, data: bytes | memoryview, to: UnixSocket | None, files: list[File], creds: Creds | None
    ) -> int | WouldBlock:
        """As unix_seqpacket_sendmsg and unix_dgram_sendmsg."""
        if self.connects and self.state != CONNECTED:
            raise SysError(ENOTCONN)
        other = to or self.peer
        if other is None:
            raise SysError(EPIPE if self.connects else ENOTCONN)
        if len(data) > self.send_buffer - 32:
            raise SysError(EMSGSIZE)
        self._check_sending()
        if self.sent_bytes >= self.send_buffer:
            return WOULD_BLOCK
        if other.dead:
            self._lost_peer(other)
        if not other.hears(self):
            raise SysError(EPERM)
        if other.shutdown_mask & RCV_SHUTDOWN:
            raise SysError(EPIPE)
        if other.full_for(self):
            return WOULD_BLOCK
        self._deliver(other, bytes(data), files, creds)
        return len(data)

    def _lost_peer(self, other: UnixSocket) -> None:
        if self.connects:
            raise SysError(EPIPE)
        if self.peer is other:
            self.peer, self.state = None, CLOSED
        raise SysError(ECONNREFUSED)

    def full_for(self, sender: UnixSocket) -> bool:
        """Are there as many datagrams as it takes from those it does not talk to itself? (unix_recvq_full)."""
        return self.peer is not sender and len(self.messages) > self.backlog

    def _deliver(self, other: UnixSocket, data: bytes, files: list[File], creds: Creds | None) -> None:
        told = creds if self.passes_creds or other.passes_creds else None
        message = Message(self, data, files, told)
        self.sent(message.truesize)
        other.messages.append(message)
        other.queue.wake(events=_READABLE)
        other.kill_fasync(POLL_IN)

    # --- receiving ----------------------------------------------------------------------------------------------------

    def receive(self, count: int, *, peek: bool = False, wait: bool = True) -> Received | WouldBlock:
        """The next message, or as much of a stream as goes together."""
        if self.type == SOCK_STREAM:
            return self._receive_stream(count, peek=peek)
        if self.type == SOCK_SEQPACKET and self.state != CONNECTED:
            raise SysError(ENOTCONN)
        if not self.messages:
            if not wait and not self.connects and not self.error:
                return WOULD_BLOCK  # who waits for datagrams after SHUT_RD sees an end, who does not sees none
            return self._nothing()
        message, skip = self._to_peek_at() if peek else (self.messages[0], 0)
        if message is None:
            return self._nothing()
        data = message.data[skip : skip + count]
        result = self._result(message, data, len(message.data) - skip)
        self._move_peeking(len(data) if peek else -len(message.data))
        if not peek:
            self._consumed()
        return result

    def _to_peek_at(self) -> tuple[Message | None, int]:
        """The message that SO_PEEK_OFF leads into, and where in it (__skb_try_recv_from_queue)."""
        skip = max(self.peek_offset, 0)
        for message in self.messages:
            if skip < len(message.data) or not skip:
                return message, skip
            skip -= len(message.data)
        return None, 0

    def _move_peeking(self, count: int) -> None:
        """What was peeked at moves the offset on, what was read back (sk_peek_offset_fwd, _bwd)."""
        if self.peek_offset >= 0:
            self.peek_offset = max(0, self.peek_offset + count)

    def _nothing(self) -> Received | WouldBlock:
        """The queue is empty: an error, the end, or nothing yet."""
        if self.error:
            raise SysError(self.take_error())
        if self.shutdown_mask & RCV_SHUTDOWN:
            return Received(b"", 0)
        return WOULD_BLOCK

    def _receive_stream(self, count: int, *, peek: bool) -> Received | WouldBlock:
        """Bytes of one sender up to the next descriptors (unix_stream_read_generic)."""
        if self.state != CONNECTED:
            raise SysError(EINVAL)
        if not self.messages:
            return self._nothing()
        first: Message | None = None
        skip = max(self.peek_offset, 0) if peek else 0
        parts: list[bytes] = []
        files: tuple[File, ...] = ()
        left = count
        for message in tuple(self.messages):
            if skip and skip >= len(message.data):
                skip -= len(message.data)
                continue
            first = first or message
            if left <= 0 or files or message.creds != first.creds:
                break
            part, skip = message.data[skip : skip + left], 0
            parts.append(part)
            left -= len(part)
            files = self._result(message, b"", 0).files
            if peek:
                continue
            message.data = message.data[len(part) :]
            if files:
                for file in message.files:
                    file.users -= 1  # the caller holds them now
                message.files = []
            if not message.data:
                self._consumed()
        if first is None:
            return self._nothing()
        data = b"".join(parts)
        self._move_peeking(len(data) if peek else -len(data))
        return Received(data, len(data), first.address, files, first.creds)

    def _result(self, message: Message, data: bytes, length: int) -> Received:
        for file in message.files:
            file.users += 1
        return Received(data, length, message.address, tuple(message.files), message.creds)

    def _consumed(self) -> None:
        """The first message has been read."""
        self.messages.popleft().drop()
        if not self.connects:
            self.queue.wake(events=_WRITABLE)  # those who wait for room here

    # --- as a file ----------------------------------------------------------------------------------------------------

    def read(self, count: int) -> bytes | WouldBlock:
        if not count:
            return b""  # sock_read_iter: the packet stays
        received = self.receive(count, wait=not self.nonblocking)
        if received is WOULD_BLOCK:
            return WOULD_BLOCK
        for file in received.files:
            put(file)
        return received.data

    def read_deadline(self) -> int | None:
        """SO_RCVTIMEO, from now on."""
        return None if self.receive_timeout_ns is None else self.fs.monotonic() + self.receive_timeout_ns

    def write_deadline(self) -> int | None:
        """SO_SNDTIMEO, from now on."""
        return None if self.send_timeout_ns is None else self.fs.monotonic() + self.send_timeout_ns

    def write(self, data: bytes | memoryview) -> int | WouldBlock:
        return self.send(data, creds=self.fs.caller())

    def poll(self) -> int:
        """As unix_poll and unix_dgram_poll."""
        mask = self.shutdown_mask
        events = (POLLERR if self.error else 0) | (POLLHUP if mask == BOTH else 0)
        if mask & RCV_SHUTDOWN:
            events |= POLLRDHUP | _READABLE
        if self.messages or self.pending:
            events |= _READABLE
        if self.connects and self.state == CLOSED:
            events |= POLLHUP
        if self.state != LISTENING and self.sent_bytes * 4 <= self.send_buffer and not self._peer_is_full():
            events |= _WRITABLE
        return events

    def _peer_is_full(self) -> bool:
        return not self.connects and self.peer is not None and self.peer.full_for(self)

    def queues(self) -> tuple[WaitQueue, ...]:
        if not self.connects and self.peer is not None:
            return (self.queue, self.peer.queue)
        return (self.queue,)

    def ioctl(self, request: int, argument: int, memory: Memory) -> int:
        """SIOCINQ and SIOCOUTQ (unix_ioctl)."""
        if request == FIONREAD:
            if self.state == LISTENING:
                raise SysError(EINVAL)
            messages = self.messages if self.connects else list(self.messages)[:1]
            value = sum(len(message.data) for message in messages)
        elif request == TIOCOUTQ:
            value = self.sent_bytes
        else:
            raise SysError(ENOTTY)
        memory.write(argument, value.to_bytes(4, "little"))
        return 0

    def name(self) -> bytes:
        return b"socket:[%d]" % self.inode.ino
