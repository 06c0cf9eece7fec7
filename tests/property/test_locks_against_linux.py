"""Record locks of open file descriptions, and flock, against the kernel that runs this test."""

from __future__ import annotations

import fcntl
import os
import struct
import tempfile
from typing import Any

from fakes import FakeRam
from hypothesis import given, settings
from hypothesis import strategies as st

from syscalls.abi.errno import EAGAIN, SysError
from syscalls.abi.fcntl import F_OFD_GETLK, F_OFD_SETLK, F_RDLCK, F_UNLCK, F_WRLCK
from syscalls.fs.file import File
from syscalls.fs.locks import check_access, locks_of, record_of
from syscalls.fs.special import SpecialFiles
from syscalls.fs.tmpfs import TmpFs

FLOCK = struct.Struct("hhqqi4x")
FILES = 3
TYPES = st.sampled_from([F_RDLCK, F_WRLCK, F_WRLCK, F_UNLCK, 7])
REQUESTS = st.tuples(
    st.sampled_from(["set", "set", "set", "get"]),
    st.integers(0, FILES - 1),
    TYPES,
    st.sampled_from([0, 0, 0, 1, 2, 9]),
    st.one_of(st.integers(-3, 12), st.sampled_from([2**63 - 1, 2**63 - 3])),
    st.one_of(st.integers(-6, 6), st.sampled_from([2**63 - 1])),
)


def real(fd: int, operation: str, type: int, whence: int, start: int, length: int) -> object:
    command = F_OFD_SETLK if operation == "set" else F_OFD_GETLK
    try:
        answer = fcntl.fcntl(fd, command, FLOCK.pack(type, whence, start, length, 0))
    except OSError as error:
        return error.errno
    if operation == "set":
        return "set"
    found = FLOCK.unpack(answer)
    return found[0] if found[0] == F_UNLCK else found


def ours(file: File, operation: str, type: int, whence: int, start: int, length: int) -> object:
    try:
        wanted = record_of(file, type, whence, start, length)
        locks = locks_of(file.inode)
        if operation == "get":
            found = locks.conflict(file, wanted)
            return F_UNLCK if found is None else (found.type, 0, found.start, found.length, found.pid)
        check_access(file, type)
        return "set" if locks.set_record(file, wanted) is None else EAGAIN
    except SysError as error:
        return error.errno


@settings(max_examples=200, deadline=None)
@given(st.lists(REQUESTS, min_size=3, max_size=20))
def test_open_file_description_locks(requests: list[tuple[Any, ...]]) -> None:
    inode = TmpFs(1, lambda: 0, FakeRam(16), SpecialFiles()).root.create(b"f", 0o100644, 0, 0)
    inode.truncate(5)
    modes = [os.O_RDWR, os.O_RDWR, os.O_RDONLY]
    files = [inode.open(mode) for mode in modes]
    with tempfile.NamedTemporaryFile() as temporary:
        temporary.truncate(5)
        fds = [os.open(temporary.name, mode) for mode in modes]
        try:
            for operation, number, *rest in requests:
                if operation == "get" and rest[0] == F_UNLCK:
                    continue  # kernels differ: newer ones then look for any lock
                expected = real(fds[number], operation, *rest)
                assert ours(files[number], operation, *rest) == expected
        finally:
            for fd in fds:
                os.close(fd)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, FILES - 1), st.sampled_from([fcntl.LOCK_SH, fcntl.LOCK_EX, fcntl.LOCK_UN])),
        max_size=15,
    )
)
def test_flock(requests: list[tuple[int, int]]) -> None:
    inode = TmpFs(1, lambda: 0, FakeRam(16), SpecialFiles()).root.create(b"f", 0o100644, 0, 0)
    files = [inode.open(os.O_RDWR) for _ in range(FILES)]
    with tempfile.NamedTemporaryFile() as temporary:
        fds = [os.open(temporary.name, os.O_RDWR) for _ in range(FILES)]
        try:
            for number, operation in requests:
                try:
                    fcntl.flock(fds[number], operation | fcntl.LOCK_NB)
                    expected = True
                except BlockingIOError:
                    expected = False
                assert (locks_of(inode).flock(files[number], operation) is None) == expected
        finally:
            for fd in fds:
                os.close(fd)
