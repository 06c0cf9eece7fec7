from __future__ import annotations

import os

import pytest

from syscalls.abi.errno import EDEADLK, SysError
from syscalls.abi.fcntl import F_RDLCK, F_UNLCK, F_WRLCK, LOCK_EX, LOCK_SH
from syscalls.fs.fdtable import FdTable
from syscalls.fs.locks import Record, locks_of, stop_waiting


@pytest.fixture
def files(world):
    return [world.open(name, os.O_CREAT | os.O_RDWR) for name in (b"a", b"b")]


def test_waiting_in_a_circle_is_refused(files):
    one, two = FdTable(), FdTable()
    a, b = (locks_of(file.inode) for file in files)
    whole = Record(F_WRLCK, 0)
    assert a.set_record(one, whole, wait=True) is None
    assert b.set_record(two, whole, wait=True) is None
    assert b.set_record(one, whole, wait=True) is b.queue
    with pytest.raises(SysError) as caught:
        a.set_record(two, whole, wait=True)
    assert caught.value.errno == EDEADLK
    stop_waiting(one)
    assert a.set_record(two, whole, wait=True) is a.queue


def test_closing_any_descriptor_drops_the_locks_of_the_process(files):
    one, two = FdTable(), FdTable()
    fd = one.install(files[0], 10)
    other = one.dup(fd, 10)
    locks = locks_of(files[0].inode)
    locks.set_record(one, Record(F_WRLCK, 0, 9, pid=7))
    assert locks.conflict(two, Record(F_RDLCK, 5, 5)) == Record(F_WRLCK, 0, 9, pid=7)
    one.close(other)
    assert locks.conflict(two, Record(F_RDLCK, 5, 5)) is None


def test_a_lock_can_be_split(files):
    one, two = FdTable(), FdTable()
    locks = locks_of(files[0].inode)
    locks.set_record(one, Record(F_WRLCK, 0, 99))
    locks.set_record(one, Record(F_UNLCK, 40, 59))
    assert locks.set_record(two, Record(F_WRLCK, 40, 59)) is None
    assert locks.set_record(two, Record(F_WRLCK, 60, 60)) is locks.queue
    assert locks.conflict(two, Record(F_WRLCK, 45)) == Record(F_WRLCK, 60, 99)


def test_flock_belongs_to_the_open_file_description(world, files):
    again = world.open(b"a")
    table = FdTable()
    fd = table.install(files[0], 10)
    locks = locks_of(again.inode)
    assert locks.flock(files[0], LOCK_EX) is None
    assert locks.flock(again, LOCK_SH) is locks.queue
    table.close(table.dup(fd, 10))
    assert locks.flock(again, LOCK_SH) is locks.queue
    table.close(fd)
    assert locks.flock(again, LOCK_SH) is None
