"""AF_UNIX sockets: what Linux answered to the same calls (tests compare with its numbers, not with each other)."""

import pytest
from fakes import SCRATCH, begin, call, finish, make_task, new_thread

from syscalls.abi.arch import I386, X86_64
from syscalls.abi.errno import (
    EADDRINUSE,
    EAFNOSUPPORT,
    EAGAIN,
    ECONNREFUSED,
    ECONNRESET,
    EINVAL,
    EMSGSIZE,
    ENOTCONN,
    ENOTSOCK,
    EPIPE,
    EPROTONOSUPPORT,
    EPROTOTYPE,
    ESOCKTNOSUPPORT,
)
from syscalls.abi.signal import SIGPIPE

AF_UNIX, STREAM, DGRAM, SEQPACKET, NONBLOCK = 1, 1, 2, 5, 0o4000
MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT, MSG_WAITALL, MSG_NOSIGNAL = 2, 0x20, 0x40, 0x100, 0x4000
SOL_SOCKET, SO_SNDBUF, SO_PASSCRED = 1, 7, 16
BUFFER, HEADER, CONTROL = SCRATCH + 0x1000, SCRATCH + 0x100, SCRATCH + 0x400


def pair(task, kind=STREAM):
    assert call(task, "socketpair", AF_UNIX, kind, 0, SCRATCH) == 0
    data = task.mm.read(SCRATCH, 8)
    return int.from_bytes(data[:4], "little"), int.from_bytes(data[4:], "little")


def send(task, fd, data, flags=0):
    task.mm.write(BUFFER, data or b"\0")
    return call(task, "sendto", fd, BUFFER, len(data), flags, 0, 0)


def receive(task, fd, count, flags=MSG_DONTWAIT):
    result = call(task, "recvfrom", fd, BUFFER, count, flags, 0, 0)
    return result if result < 0 else task.mm.read(BUFFER, min(result, count))


def address(task, name):
    data = b"\x01\0" + name
    task.mm.write(SCRATCH + 0x200, data)
    return SCRATCH + 0x200, len(data)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((AF_UNIX, STREAM, 5), EPROTONOSUPPORT),
        ((AF_UNIX, 4, 0), ESOCKTNOSUPPORT),
        ((AF_UNIX, 12, 0), EINVAL),
        ((AF_UNIX, STREAM | 0x100, 0), EINVAL),
        ((2, STREAM, 0), EAFNOSUPPORT),
        ((99, STREAM, 0), EAFNOSUPPORT),
    ],
)
def test_socket_refuses(arguments, error):
    assert call(make_task(), "socket", *arguments) == -error


def test_a_stream_has_no_borders():
    task = make_task()
    one, other = pair(task)
    assert [send(task, one, b"abc"), send(task, one, b"de")] == [3, 2]
    assert receive(task, other, 4, MSG_PEEK) == b"abcd"
    assert receive(task, other, 100) == b"abcde"
    assert receive(task, other, 100) == -EAGAIN


@pytest.mark.parametrize("kind", [DGRAM, SEQPACKET])
def test_packets_are_cut_and_their_rest_is_lost(kind):
    task = make_task()
    one, other = pair(task, kind)
    send(task, one, b"abcdef")
    send(task, one, b"")
    assert call(task, "recvfrom", other, BUFFER, 2, MSG_TRUNC, 0, 0) == 6
    assert receive(task, other, 10) == b""
    assert receive(task, other, 10) == -EAGAIN


@pytest.mark.parametrize("kind", [STREAM, DGRAM, SEQPACKET])
@pytest.mark.parametrize(("size", "messages"), [(1, 278), (1000, 93)])
def test_as_many_messages_fit_as_on_linux(kind, size, messages):
    task = make_task()
    one, _ = pair(task, kind)
    count = 0
    while (result := send(task, one, bytes(size), MSG_DONTWAIT)) == size:
        count += 1
    assert (count, result) == (messages, -EAGAIN)


def test_how_much_a_stream_takes_at_once():
    task = make_task()
    one, _ = pair(task)
    assert call(task, "sendto", one, SCRATCH, 300_000, MSG_DONTWAIT, 0, 0) == 219264
    packets, _ = pair(task, DGRAM)
    assert call(task, "sendto", packets, SCRATCH, 212961, MSG_DONTWAIT, 0, 0) == -EMSGSIZE


def test_closing_with_unread_data_resets_the_connection():
    task = make_task()
    one, other = pair(task)
    send(task, other, b"unread")
    call(task, "close", one)
    assert receive(task, other, 1) == -ECONNRESET
    assert receive(task, other, 1) == b""


def test_shutdown_ends_one_direction():
    task = make_task()
    one, other = pair(task)
    assert call(task, "shutdown", one, 1) == 0
    assert receive(task, other, 1) == b""
    assert send(task, one, b"x", MSG_NOSIGNAL) == -EPIPE
    assert not task.signals.pending
    assert send(task, one, b"x") == -EPIPE
    assert list(task.signals.pending) == [SIGPIPE]
    assert send(task, other, b"y") == 1
    assert call(task, "shutdown", one, 5) == -EINVAL


def test_a_receiver_sleeps_until_somebody_sends():
    task = make_task()
    one, other = pair(task)
    sleeper = new_thread(task)
    assert begin(sleeper, "recvfrom", other, BUFFER, 4, MSG_WAITALL, 0, 0) is None
    send(task, one, b"ab")
    send(task, one, b"cd")
    assert finish(sleeper) == 4


def test_connecting_by_pathname():
    task = make_task()
    server, client = (call(task, "socket", AF_UNIX, STREAM | NONBLOCK, 0) for _ in range(2))
    name = address(task, b"/tmp/s\0")
    assert call(task, "connect", client, *name) < 0
    assert call(task, "bind", server, *name) == 0
    assert call(task, "bind", client, *name) == -EADDRINUSE
    assert call(task, "connect", client, *name) == -ECONNREFUSED
    assert call(task, "listen", server, 1) == 0
    assert call(task, "accept", server, 0, 0) == -EAGAIN
    assert call(task, "connect", client, *name) == 0
    accepted = call(task, "accept", server, 0, 0)
    assert send(task, client, b"hi") == 2
    assert receive(task, accepted, 9) == b"hi"
    datagrams = call(task, "socket", AF_UNIX, DGRAM, 0)
    assert call(task, "connect", datagrams, *name) == -EPROTOTYPE
    call(task, "close", server)
    assert call(task, "connect", datagrams, *name) == -ECONNREFUSED


def test_eleven_datagrams_wait_for_one_who_does_not_read():
    task = make_task()
    server, client = (call(task, "socket", AF_UNIX, DGRAM | NONBLOCK, 0) for _ in range(2))
    name = address(task, b"\0queue")
    assert call(task, "bind", server, *name) == 0
    results = [call(task, "sendto", client, BUFFER, 1, 0, *name) for _ in range(12)]
    assert results == [1] * 11 + [-EAGAIN]


@pytest.mark.parametrize("arch", [X86_64, I386])
def test_descriptors_and_credentials_travel(arch):
    task = make_task(arch)
    one, other = pair(task)
    word = arch.word
    size = 8 + word
    control = (size + 4).to_bytes(word, "little") + bytes([1, 0, 0, 0, 1, 0, 0, 0]) + one.to_bytes(4, "little")
    task.mm.write(CONTROL, control)

    def header(room):
        task.mm.write(HEADER + 0x80, BUFFER.to_bytes(word, "little") + (5).to_bytes(word, "little"))
        fields = (0, 0, HEADER + 0x80, 1, CONTROL, room, 0)
        task.mm.write(HEADER, b"".join(value.to_bytes(word, "little") for value in fields))

    header(len(control))
    assert call(task, "sendmsg", one, HEADER, 0) == 5
    header(64)
    assert call(task, "recvmsg", other, HEADER, 0) == 5
    got = task.mm.read(CONTROL, size + 4)
    fd = int.from_bytes(got[size:], "little")
    assert got[:size] == control[:size]
    assert task.files.get(fd) is task.files.get(one)
    task.mm.write(SCRATCH, (1).to_bytes(4, "little"))
    call(task, "setsockopt", other, SOL_SOCKET, SO_PASSCRED, SCRATCH, 4)
    assert call(task, "write", one, BUFFER, 1) == 1
    header(64)
    assert call(task, "recvmsg", other, HEADER, 0) == 1
    got = task.mm.read(CONTROL, size + 12)
    assert int.from_bytes(got[size : size + 4], "little") == task.group.tgid


def test_socketcall_makes_the_same_calls():
    task = make_task(I386)
    numbers = (AF_UNIX, STREAM, 0, SCRATCH)
    task.mm.write(SCRATCH + 64, b"".join(value.to_bytes(4, "little") for value in numbers))
    assert call(task, "socketcall", 8, SCRATCH + 64) == 0
    assert task.mm.read(SCRATCH, 4) == b"\0\0\0\0"
    assert call(task, "socketcall", 21, SCRATCH + 64) == -EINVAL


def test_what_is_no_socket():
    task = make_task()
    fd = call(task, "memfd_create", b"m", 0)
    assert call(task, "listen", fd, 1) == -ENOTSOCK
    end = call(task, "socket", AF_UNIX, STREAM, 0)
    assert call(task, "getpeername", end, SCRATCH, SCRATCH) == -ENOTCONN
