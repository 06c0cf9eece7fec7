"""epoll files and eventfds, without tasks."""

from __future__ import annotations

from itertools import pairwise

import pytest

from syscalls.abi.errno import EEXIST, EINVAL, ELOOP, ENOENT, SysError
from syscalls.abi.poll import (
    EPOLLERR,
    EPOLLET,
    EPOLLEXCLUSIVE,
    EPOLLHUP,
    EPOLLIN,
    EPOLLONESHOT,
    EPOLLOUT,
    POLLIN,
    POLLOUT,
)
from syscalls.fs.anon import AnonInodeFs
from syscalls.fs.epoll import EpollFile
from syscalls.fs.eventfd import LIMIT, EventFile
from syscalls.fs.fdtable import FdTable
from syscalls.fs.file import WOULD_BLOCK
from syscalls.fs.pipe import PipeFs, make_pipe
from syscalls.kernel.wait import Wait

FS = AnonInodeFs(1, lambda: 0)
ONE = (1).to_bytes(8, "little")


def event(count=0, *, semaphore=False):
    return EventFile(FS, 0, count, semaphore=semaphore)


def pipe():
    return make_pipe(PipeFs(2, lambda: 0), 0, 0, 0)


def events(epoll, limit=10):
    found = []
    assert epoll.send(limit, lambda index, bits, data: found.append((data, bits))) == len(found)
    return found


def fails(errno, function, *args):
    with pytest.raises(SysError) as caught:
        function(*args)
    assert caught.value.errno == errno


# --- eventfd ----------------------------------------------------------------------------------------------------------


def test_eventfd_counts():
    file = event(3)
    assert file.read(8) == (3).to_bytes(8, "little")
    assert file.read(8) is WOULD_BLOCK
    assert file.write(ONE) == 8
    assert file.write(ONE) == 8
    assert file.read(100) == (2).to_bytes(8, "little")


def test_eventfd_semaphore():
    file = event(2, semaphore=True)
    assert [file.read(8), file.read(8), file.read(8)] == [ONE, ONE, WOULD_BLOCK]


def test_eventfd_limits():
    file = event()
    fails(EINVAL, file.read, 7)
    fails(EINVAL, file.write, bytes(7))
    fails(EINVAL, file.write, bytes(9))
    fails(EINVAL, file.write, LIMIT.to_bytes(8, "little"))
    assert file.write((LIMIT - 1).to_bytes(8, "little")) == 8
    assert file.poll() == POLLIN
    assert file.write(ONE) is WOULD_BLOCK
    assert file.write(bytes(8)) == 8
    file.read(8)
    assert file.poll() == POLLOUT


# --- the interest list ------------------------------------------------------------------------------------------------


def test_add_modify_remove():
    epoll, file = EpollFile(FS), event()
    fails(ENOENT, epoll.modify, file, 3, EPOLLIN, 0)
    fails(ENOENT, epoll.remove, file, 3)
    epoll.add(file, 3, EPOLLIN, 30)
    fails(EEXIST, epoll.add, file, 3, EPOLLIN, 30)
    epoll.add(file, 4, EPOLLOUT, 40)
    assert events(epoll) == [(40, EPOLLOUT)]
    epoll.modify(file, 3, EPOLLIN | EPOLLOUT, 31)
    assert sorted(events(epoll)) == [(31, EPOLLOUT), (40, EPOLLOUT)]
    epoll.remove(file, 4)
    assert events(epoll) == [(31, EPOLLOUT)]
    epoll.remove(file, 3)
    assert file.epoll_items is None
    assert not file.queue.listeners


def test_exclusive_cannot_be_modified():
    epoll, file = EpollFile(FS), event()
    epoll.add(file, 3, EPOLLIN | EPOLLEXCLUSIVE, 0)
    fails(EINVAL, epoll.modify, file, 3, EPOLLIN, 0)


def test_closing_the_last_descriptor_removes():
    epoll, file, table = EpollFile(FS), event(1), FdTable()
    fd = table.install(file, 10)
    other = table.dup(fd, 10)
    epoll.add(file, fd, EPOLLIN, 5)
    table.close(fd)
    assert events(epoll) == [(5, EPOLLIN)]
    table.close(other)
    assert events(epoll) == []
    assert not epoll.items


def test_closing_the_epoll_file_stops_listening():
    epoll, file = EpollFile(FS), event()
    epoll.add(file, 3, EPOLLIN, 0)
    epoll.close()
    assert not file.queue.listeners
    assert file.epoll_items is None


# --- triggers ---------------------------------------------------------------------------------------------------------


def test_level_triggered_repeats():
    epoll, file = EpollFile(FS), event(1)
    epoll.add(file, 3, EPOLLIN, 7)
    assert events(epoll) == events(epoll) == [(7, EPOLLIN)]
    file.read(8)
    assert events(epoll) == []


def test_edge_triggered_reports_each_write_once():
    epoll, file = EpollFile(FS), event(1)
    epoll.add(file, 3, EPOLLIN | EPOLLET, 7)
    assert events(epoll) == [(7, EPOLLIN)]
    assert events(epoll) == []
    file.write(ONE)
    assert events(epoll) == [(7, EPOLLIN)]
    file.read(8)
    assert events(epoll) == []


def test_edge_of_a_pipe_is_not_a_partial_read():
    epoll = EpollFile(FS)
    reader, writer = pipe()
    epoll.add(reader, 3, EPOLLIN | EPOLLET, 7)
    writer.write(b"abc")
    assert events(epoll) == [(7, EPOLLIN)]
    assert reader.read(1) == b"a"
    assert events(epoll) == []
    writer.write(b"d")
    assert events(epoll) == [(7, EPOLLIN)]
    writer.close()
    assert events(epoll) == [(7, EPOLLIN | EPOLLHUP)]


def test_edge_of_a_full_pipe():
    epoll = EpollFile(FS)
    reader, writer = pipe()
    epoll.add(writer, 4, EPOLLOUT | EPOLLET, 7)
    assert events(epoll) == [(7, EPOLLOUT)]
    writer.write(bytes(65536))
    assert events(epoll) == []
    reader.read(4096)
    assert events(epoll) == [(7, EPOLLOUT)]
    reader.read(4096)
    assert events(epoll) == []  # it was not full: nobody is woken


def test_oneshot_waits_for_a_modification():
    epoll, file = EpollFile(FS), event(1)
    epoll.add(file, 3, EPOLLIN | EPOLLONESHOT, 7)
    assert events(epoll) == [(7, EPOLLIN)]
    file.write(ONE)
    assert events(epoll) == []
    epoll.modify(file, 3, EPOLLIN | EPOLLONESHOT, 8)
    assert events(epoll) == [(8, EPOLLIN)]


def test_errors_are_always_reported():
    epoll = EpollFile(FS)
    reader, writer = pipe()
    epoll.add(writer, 4, 0, 7)
    reader.close()
    assert events(epoll) == [(7, EPOLLERR)]


def test_the_rest_comes_first_the_next_time():
    epoll = EpollFile(FS)
    files = [event(1) for _ in range(3)]
    for fd, file in enumerate(files):
        epoll.add(file, fd, EPOLLIN, fd)
    assert [data for data, _ in events(epoll, 2)] == [0, 1]
    assert [data for data, _ in events(epoll, 2)] == [2, 0]
    assert [data for data, _ in events(epoll, 2)] == [1, 2]


def test_an_event_that_cannot_be_stored_is_kept():
    epoll, file = EpollFile(FS), event(1)
    epoll.add(file, 3, EPOLLIN | EPOLLET, 7)

    def store(*_):
        raise SysError(EINVAL)

    fails(EINVAL, epoll.send, 1, store)
    assert events(epoll) == [(7, EPOLLIN)]


def test_one_waiter_is_woken_at_a_time():
    epoll, file = EpollFile(FS), event()
    epoll.add(file, 3, EPOLLIN, 0)
    waits = [Wait((epoll.waiters,)) for _ in range(2)]
    for wait in waits:
        epoll.waiters.waits[wait] = None
    file.write(ONE)
    assert [wait.result is not None for wait in waits] == [True, False]


def test_exclusive_wakes_one_epoll_file_of_those_that_wait():
    file = event()
    epolls = [EpollFile(FS) for _ in range(2)]
    waits = []
    for epoll in epolls:
        epoll.add(file, 3, EPOLLIN | EPOLLEXCLUSIVE, 0)
        waits.append(Wait((epoll.waiters,)))
        epoll.waiters.waits[waits[-1]] = None
    file.write(ONE)
    assert [wait.result is not None for wait in waits] == [True, False]


# --- nesting ----------------------------------------------------------------------------------------------------------


def test_nested_readiness():
    outer, inner, file = EpollFile(FS), EpollFile(FS), event()
    inner.add(file, 3, EPOLLIN, 7)
    outer.add(inner, 4, EPOLLIN, 8)
    assert not outer.poll()
    file.write(ONE)
    assert events(outer) == [(8, EPOLLIN)]
    assert events(inner) == [(7, EPOLLIN)]
    file.read(8)
    assert events(outer) == []


def test_nesting_is_limited_and_never_a_loop():
    chain = [EpollFile(FS) for _ in range(8)]
    results = []
    for upper, lower in pairwise(chain):
        try:
            upper.add(lower, 3, EPOLLIN, 0)
            results.append(0)
        except SysError as error:
            results.append(error.errno)
    assert results == [0, 0, 0, 0, ELOOP, 0, 0]
    fails(ELOOP, chain[1].add, chain[0], 3, EPOLLIN, 0)
