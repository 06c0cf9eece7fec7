"""name_to_handle_at(2), open_by_handle_at(2), flags of files, and small calls about file systems."""

from __future__ import annotations

import struct

import pytest
from fakes import NOWHERE, SCRATCH, call, make_task

from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.abi.errno import (
    E2BIG,
    EACCES,
    EBADF,
    EFAULT,
    EINVAL,
    EISDIR,
    ENODEV,
    ENOENT,
    ENOSYS,
    ENOTBLK,
    ENOTTY,
    EOPNOTSUPP,
    EOVERFLOW,
    EPERM,
    ESTALE,
)
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, O_APPEND, O_CREAT, O_PATH, O_RDONLY, O_RDWR, O_WRONLY
from syscalls.abi.fileattr import FS_APPEND_FL, FS_IMMUTABLE_FL, FS_NOATIME_FL, FS_NODUMP_FL
from syscalls.abi.ioctl import FS_IOC_FSGETXATTR, FS_IOC_FSSETXATTR, FS_IOC_GETFLAGS, FS_IOC_SETFLAGS
from syscalls.fs.cred import Credentials

HANDLE, MOUNT_ID = SCRATCH + 64, SCRATCH
ARCHES = pytest.mark.parametrize("arch", [X86_64, I386, ARM64], ids=lambda arch: arch.name)


@pytest.fixture
def task():
    """It has /tmp/f open for reading and writing as 0."""
    task = make_task()
    assert call(task, "openat", AT_FDCWD, b"/tmp/f", O_CREAT | O_RDWR, 0o644) == 0
    call(task, "mkdir", b"/tmp/d", 0o755)
    return task


def handle_of(task, name, room=128, flags=0):
    task.mm.write(HANDLE, struct.pack("<I", room))
    return call(task, "name_to_handle_at", AT_FDCWD, name, HANDLE, MOUNT_ID, flags)


def reopen(task, flags=O_RDONLY, anchor=AT_FDCWD):
    return call(task, "open_by_handle_at", anchor, HANDLE, flags)


@ARCHES
def test_a_handle_survives_renaming_and_ends_with_the_file(arch):
    task = make_task(arch)
    call(task, "openat", AT_FDCWD, b"/tmp/f", O_CREAT | O_RDWR, 0o644)
    assert handle_of(task, b"/tmp/f") == 0
    assert task.mm.read(HANDLE, 8) == struct.pack("<Ii", 12, 1)
    call(task, "renameat", AT_FDCWD, b"/tmp/f", AT_FDCWD, b"/tmp/g")
    assert reopen(task) == 1
    call(task, "linkat", AT_FDCWD, b"/tmp/g", AT_FDCWD, b"/tmp/h", 0)
    call(task, "unlinkat", AT_FDCWD, b"/tmp/g", 0)
    for fd in (0, 1):
        call(task, "close", fd)
    assert reopen(task) == 0
    call(task, "unlinkat", AT_FDCWD, b"/tmp/h", 0)
    assert reopen(task) == 1  # the first one keeps it
    for fd in (0, 1):
        call(task, "close", fd)
    assert reopen(task) == -ESTALE


def test_the_room_for_a_handle(task):
    assert handle_of(task, b"/tmp/f", 11) == -EOVERFLOW
    assert task.mm.read(HANDLE, 8) == struct.pack("<Ii", 12, 255)
    assert handle_of(task, b"/tmp/f", 129) == -EINVAL
    assert handle_of(task, b"/tmp/f", 12) == 0


def test_errors_of_handles(task):
    assert handle_of(task, b"/tmp/f", flags=0x100) == -EINVAL
    assert handle_of(task, b"/tmp/f", flags=0x202) == -EINVAL
    assert handle_of(task, b"/tmp/f", flags=2) == -EOPNOTSUPP
    assert handle_of(task, b"/tmp/nothing") == -ENOENT
    assert call(task, "name_to_handle_at", AT_FDCWD, b"/tmp/f", HANDLE, NOWHERE, 0) == -EFAULT
    handle_of(task, b"/tmp/f")
    assert reopen(task, anchor=99) == -EBADF
    place = call(task, "openat", AT_FDCWD, b"/tmp", O_PATH, 0)
    assert reopen(task, anchor=place) == -EBADF
    task.cred = Credentials.of(1000, 1000)
    assert handle_of(task, b"/tmp/f") == 0
    assert reopen(task) == -EPERM
    task.mm.write(HANDLE, bytes(4))
    assert reopen(task) == -EINVAL


def set_flags(task, flags, fd=0):
    task.mm.write(SCRATCH, flags.to_bytes(4, "little"))
    return call(task, "ioctl", fd, FS_IOC_SETFLAGS, SCRATCH)


def test_flags_are_kept_and_shown(task):
    assert set_flags(task, FS_NODUMP_FL | FS_NOATIME_FL) == 0
    assert call(task, "ioctl", 0, FS_IOC_GETFLAGS, SCRATCH) == 0
    assert task.mm.read(SCRATCH, 4) == b"\xc0\0\0\0"
    assert call(task, "ioctl", 0, FS_IOC_FSGETXATTR, SCRATCH) == 0
    assert task.mm.read(SCRATCH, 28) == struct.pack("<5I8x", 0xC0, 0, 0, 0, 0)
    assert call(task, "file_getattr", AT_FDCWD, b"/tmp/f", SCRATCH, 32, 0) == 0
    assert task.mm.read(SCRATCH, 32) == struct.pack("<QIIII8x", 0xC0, 0, 0, 0, 0)
    assert set_flags(task, 4) == -EOPNOTSUPP
    task.mm.write(SCRATCH, struct.pack("<5I8x", 0, 4096, 0, 0, 0))
    assert call(task, "ioctl", 0, FS_IOC_FSSETXATTR, SCRATCH) == -EOPNOTSUPP
    call(task, "pipe2", SCRATCH, 0)
    assert call(task, "ioctl", 1, FS_IOC_GETFLAGS, SCRATCH) == -ENOTTY


def test_file_setattr_checks_its_struct(task):
    for size, error in ((23, -EINVAL), (5000, -E2BIG)):
        assert call(task, "file_setattr", AT_FDCWD, b"/tmp/f", SCRATCH, size, 0) == error
    task.mm.write(SCRATCH, bytes(24) + b"\1" + bytes(7))
    assert call(task, "file_setattr", AT_FDCWD, b"/tmp/f", SCRATCH, 32, 0) == -E2BIG
    task.mm.write(SCRATCH, struct.pack("<Q24x", 1 << 40))
    assert call(task, "file_setattr", AT_FDCWD, b"/tmp/f", SCRATCH, 32, 0) == -EINVAL
    task.mm.write(SCRATCH, struct.pack("<Q24x", 0x80))
    assert call(task, "file_setattr", 0, b"", SCRATCH, 24, AT_EMPTY_PATH) == 0
    assert task.files.get(0).inode.flags == FS_NODUMP_FL


def test_an_immutable_file_stays_as_it_is(task):
    assert set_flags(task, FS_IMMUTABLE_FL) == 0
    for name, *args in (
        ("open", b"/tmp/f", O_RDWR, 0), ("chmod", b"/tmp/f", 0o600), ("chown", b"/tmp/f", 0, 0),
        ("unlink", b"/tmp/f"), ("link", b"/tmp/f", b"/tmp/g"), ("rename", b"/tmp/f", b"/tmp/g"),
        ("truncate", b"/tmp/f", 2), ("utimensat", AT_FDCWD, b"/tmp/f", 0, 0), ("fallocate", 0, 0, 0, 10),
        ("setxattr", b"/tmp/f", b"user.a", SCRATCH, 1, 0),
    ):  # fmt: skip
        assert call(task, name, *args) == -EPERM, name
    assert call(task, "write", 0, SCRATCH, 1) == 1  # who has it open may go on
    assert call(task, "ftruncate", 0, 1) == 0
    assert set_flags(task, 0) == 0
    assert call(task, "unlink", b"/tmp/f") == 0


def test_an_append_only_file_can_only_grow(task):
    assert set_flags(task, FS_APPEND_FL) == 0
    assert call(task, "open", b"/tmp/f", O_WRONLY, 0) == -EPERM
    fd = call(task, "open", b"/tmp/f", O_RDWR | O_APPEND, 0)
    assert call(task, "write", fd, SCRATCH, 1) == 1
    assert call(task, "fcntl", fd, 4, 0) == -EPERM
    assert call(task, "ftruncate", 0, 1) == -EPERM
    assert call(task, "utimensat", AT_FDCWD, b"/tmp/f", 0, 0) == 0
    assert call(task, "fallocate", 0, 3, 0, 10) == -EPERM
    assert call(task, "mmap", 0, 4096, 3, 1, fd, 0) == -EACCES


def test_names_in_append_only_and_immutable_directories(task):
    directory = call(task, "open", b"/tmp/d", O_RDONLY, 0)
    assert set_flags(task, FS_APPEND_FL, directory) == 0
    assert call(task, "mkdir", b"/tmp/d/x", 0o700) == 0
    assert call(task, "rmdir", b"/tmp/d/x") == -EPERM
    assert set_flags(task, FS_IMMUTABLE_FL, directory) == 0
    assert call(task, "mkdir", b"/tmp/d/y", 0o700) == -EPERM


def test_who_may_change_flags(task):
    task.cred = Credentials.of(1000, 1000)
    assert set_flags(task, FS_NODUMP_FL) == -EPERM
    mine = call(task, "openat", AT_FDCWD, b"/tmp/mine", O_CREAT | O_RDWR, 0o644)
    assert set_flags(task, FS_NODUMP_FL, mine) == 0
    assert set_flags(task, FS_APPEND_FL, mine) == -EPERM


def test_cachestat_counts_pages_that_are_there(task):
    call(task, "ftruncate", 0, 20 * 4096)
    call(task, "pwrite64", 0, SCRATCH, 1, 8192)
    task.mm.write(SCRATCH, bytes(16))
    assert call(task, "cachestat", 0, SCRATCH, SCRATCH + 64, 0) == 0
    assert task.mm.read(SCRATCH + 64, 40) == struct.pack("<5Q", 1, 0, 0, 0, 0)
    task.mm.write(SCRATCH, struct.pack("<QQ", 8191, 1))
    assert call(task, "cachestat", 0, SCRATCH, SCRATCH + 64, 0) == 0
    assert task.mm.read(SCRATCH + 64, 8) == bytes(8)
    assert call(task, "cachestat", 0, SCRATCH, SCRATCH + 64, 1) == -EINVAL
    task.cred = Credentials.of(1000, 1000)
    reading = call(task, "open", b"/tmp/f", O_RDONLY, 0)
    assert call(task, "cachestat", reading, SCRATCH, SCRATCH + 64, 1) == -EPERM


def test_ustat_and_sysfs(task):
    device = task.files.get(0).inode.fs.dev
    assert call(task, "ustat", device, SCRATCH) == 0
    assert struct.unpack_from("<i", task.mm.read(SCRATCH, 4))[0] > 0
    assert call(task, "ustat", 999, SCRATCH) == -EINVAL
    index = call(task, "sysfs", 1, b"tmpfs", 0)
    assert call(task, "sysfs", 2, index, SCRATCH) == 0
    assert task.mm.read(SCRATCH, 6) == b"tmpfs\0"
    assert call(task, "sysfs", 2, call(task, "sysfs", 3, 0, 0), SCRATCH) == -EINVAL
    assert call(task, "sysfs", 1, b"nofs", 0) == -EINVAL


def test_what_containers_may_not_or_cannot(task):
    assert call(task, "quotactl", 0x80000100, 0, 0, 0) == 0
    assert call(task, "quotactl", 0x80000700, 0, 0, 0) == -ENODEV
    assert call(task, "quotactl", 0x80000703, 0, 0, 0) == -EINVAL
    assert call(task, "quotactl", 0x80000700, b"/tmp/f", 0, 0) == -ENOTBLK
    assert call(task, "quotactl_fd", 0, 0x80000700, 0, 0) == -ENOSYS
    assert call(task, "quotactl_fd", 99, 0x80000703, 0, 0) == -EBADF
    assert call(task, "swapon", b"/tmp/d", 0) == -EISDIR
    assert call(task, "swapon", b"/tmp/f", 0) == -EINVAL
    assert call(task, "swapon", b"/tmp/f", 1 << 19) == -EINVAL
    assert call(task, "swapoff", b"/tmp/f") == -EINVAL
    assert call(task, "acct", 0) == 0
    assert call(task, "acct", b"/tmp/d") == -EISDIR
    task.cred = Credentials.of(1000, 1000)
    for name in ("swapon", "swapoff", "acct"):
        assert call(task, name, b"/tmp/nothing", 0) == -EPERM
