from __future__ import annotations

import os

import pytest

from syscalls.abi.errno import EBADF, EINVAL, EMFILE, ENOENT, SysError
from syscalls.abi.fcntl import AT_FDCWD, O_PATH
from syscalls.fs.fdtable import FdTable
from syscalls.fs.file import File

LIMIT = 8


class Counted(File):
    closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def table():
    return FdTable()


@pytest.fixture
def new(world):
    return lambda flags=0: Counted(world.tmpfs.root, flags)


def fails(errno, function, *arguments, **keywords):
    with pytest.raises(SysError) as caught:
        function(*arguments, **keywords)
    assert caught.value.errno == errno


def test_the_lowest_free_descriptor_is_taken(table, new):
    assert [table.install(new(), LIMIT) for _ in range(4)] == [0, 1, 2, 3]
    table.close(2)
    table.close(1)
    assert table.install(new(), LIMIT) == 1
    assert table.install(new(), LIMIT, start=3) == 4
    assert list(table) == [0, 1, 3, 4]


def test_the_limit_is_the_first_number_that_cannot_be_had(table, new):
    for _ in range(LIMIT):
        table.install(new(), LIMIT)
    fails(EMFILE, table.lowest_free, LIMIT)
    fails(EMFILE, table.dup, 0, LIMIT)
    fails(EINVAL, table.dup, 0, LIMIT, LIMIT)
    fails(EBADF, table.dup_to, 0, LIMIT, LIMIT)


def test_a_file_is_closed_with_its_last_descriptor(table, new):
    file = new()
    fd = table.install(file, LIMIT)
    assert table.dup_to(fd, 5, LIMIT) == 5
    child = table.copy()
    table.close(fd)
    table.close(5)
    assert file.closed == 0
    child.release()
    assert file.closed == 1
    fails(EBADF, table.close, fd)


def test_dup2_closes_what_it_replaces(table, new):
    first, second = new(), new()
    table.install(first, LIMIT)
    table.install(second, LIMIT, cloexec=True)
    assert table.dup_to(0, 1, LIMIT) == 1
    assert (second.closed, table.get(1), table.cloexec) == (1, first, set())
    assert table.dup_to(0, 0, LIMIT) == 0
    fails(EBADF, table.dup_to, 4, 4, LIMIT)


def test_close_on_exec(table, new):
    table.install(new(), LIMIT, cloexec=True)
    table.install(new(), LIMIT)
    table.set_cloexec(1, on=True)
    table.set_cloexec(0, on=False)
    table.close_on_exec()
    assert list(table) == [0]


def test_a_shared_table_closes_with_the_last_process(table, new):
    file = new()
    table.install(file, LIMIT)
    table.share()
    table.release()
    assert file.closed == 0
    table.release()
    assert file.closed == 1


def test_o_path_is_no_file_to_read(table, new):
    fd = table.install(new(O_PATH), LIMIT)
    fails(EBADF, table.get, fd)
    assert table.get_any(fd).flags == O_PATH


def test_at_looks_at_the_descriptor_last(table, world):
    fd = table.install(world.open(b"/", os.O_DIRECTORY), LIMIT)
    assert table.at(fd, b"x") == world.mounts.root_path
    assert table.at(99, b"/x") is None
    assert table.at(AT_FDCWD, b"x") is None
    fails(ENOENT, table.at, 99, b"")
    fails(EBADF, table.at, 99, b"", empty=True)
    fails(EBADF, table.at, 99, b"x")
