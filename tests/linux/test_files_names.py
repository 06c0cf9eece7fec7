"""Opening, naming, listing, attributes."""

from __future__ import annotations

import struct

import pytest
from fakes import NOWHERE, SCRATCH, begin, call, finish, make_task, new_thread

from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.abi.cstruct import layout
from syscalls.abi.errno import (
    EACCES,
    EAGAIN,
    EBADF,
    EEXIST,
    EFAULT,
    EINVAL,
    ELOOP,
    EMFILE,
    ENAMETOOLONG,
    ENOENT,
    ENOTDIR,
    ENOTTY,
    EOVERFLOW,
    EPERM,
    ERANGE,
)
from syscalls.abi.fcntl import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_REMOVEDIR,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GETFD,
    F_GETFL,
    F_GETLK,
    F_GETPIPE_SZ,
    F_OFD_SETLK,
    F_SETFL,
    F_SETLK,
    F_SETLKW,
    F_SETPIPE_SZ,
    F_UNLCK,
    F_WRLCK,
    LOCK_EX,
    LOCK_NB,
    LOCK_UN,
    O_CLOEXEC,
    O_CREAT,
    O_EXCL,
    O_NONBLOCK,
    O_RDWR,
    O_WRONLY,
)
from syscalls.abi.ioctl import FIOCLEX, FIONBIO, FIONREAD, TCGETS
from syscalls.abi.resource import RLIMIT_NOFILE
from syscalls.abi.structs.file import Flock
from syscalls.abi.structs.stat import OldStat, Stat, Stat64, Statx


@pytest.fixture(params=[X86_64, I386, ARM64], ids=str)
def task(request):
    return make_task(request.param)


def openat(task, name, flags=O_RDWR, mode=0o644, dirfd=AT_FDCWD):
    return call(task, "openat", dirfd, name, flags, mode)


def create(task, name=b"/tmp/f", data=b""):
    fd = openat(task, name, O_RDWR | O_CREAT)
    if data:
        task.mm.write(SCRATCH, data)
        assert call(task, "pwritev", fd, iovec(task, SCRATCH, len(data)), 1, 0, 0) == len(data)
    return fd


def iovec(task, address, length, at=SCRATCH + 0x8000):
    task.mm.write(at, address.to_bytes(task.arch.word, "little") + length.to_bytes(task.arch.word, "little"))
    return at


def get(task, struct_type):
    place = layout(struct_type, task.arch)
    return place.unpack(task.mm.read(SCRATCH, place.size))


# --- opening ----------------------------------------------------------------------------------------------------------


def test_open_errors(task):
    assert openat(task, b"/tmp/none") == -ENOENT
    assert openat(task, b"") == -ENOENT
    assert openat(task, b"/tmp/" + b"x" * 256) == -ENAMETOOLONG
    assert openat(task, b"/" * 4096) == -ENAMETOOLONG
    fd = create(task)
    assert openat(task, b"/tmp/f", O_CREAT | O_EXCL | O_RDWR) == -EEXIST
    assert openat(task, b"x", dirfd=fd) == -ENOTDIR
    assert openat(task, b"x", dirfd=77) == -EBADF
    assert call(task, "openat", AT_FDCWD, NOWHERE, 0, 0) == -EFAULT


def test_emfile_comes_before_anything_is_made(task):
    task.group.limits[RLIMIT_NOFILE] = (1, 1)
    assert create(task) == 0
    assert openat(task, b"/tmp/g", O_CREAT | O_WRONLY) == -EMFILE
    assert openat(task, b"/tmp/g", O_CREAT | O_WRONLY) == -EMFILE
    task.group.limits[RLIMIT_NOFILE] = (9, 9)
    assert openat(task, b"/tmp/g") == -ENOENT


def test_umask_and_mode(task):
    assert call(task, "umask", 0o27) == 0o22
    openat(task, b"/tmp/m", O_CREAT | O_WRONLY, 0o777)
    assert call(task, "statx", AT_FDCWD, b"/tmp/m", 0, 0xFFF, SCRATCH) == 0
    assert get(task, Statx).stx_mode == 0o100750
    assert call(task, "umask", 0) == 0o27


def test_openat2_checks_the_size(task):
    how = struct.pack("<QQQ", O_CREAT | O_WRONLY, 0o600, 0)
    task.mm.write(SCRATCH, how + b"\0" * 8)
    assert call(task, "openat2", AT_FDCWD, b"/tmp/o", SCRATCH, 24) == 0
    assert call(task, "openat2", AT_FDCWD, b"/tmp/o", SCRATCH, 32) == 1
    assert call(task, "openat2", AT_FDCWD, b"/tmp/o", SCRATCH, 16) == -EINVAL
    task.mm.write(SCRATCH + 24, b"\1")
    assert call(task, "openat2", AT_FDCWD, b"/tmp/o", SCRATCH, 32) == -7


def test_flags_on_arm64_are_translated_both_ways():
    task = make_task(ARM64)
    fd = openat(task, b"/tmp", 0o40000)  # O_DIRECTORY there
    assert call(task, "fcntl", fd, F_GETFL, 0) & 0o40000
    create(task)
    assert openat(task, b"/tmp/f", 0o40000) == -ENOTDIR


# --- descriptors ------------------------------------------------------------------------------------------------------


def test_dup_family(task):
    fd = create(task)
    assert call(task, "dup", fd) == 1
    assert call(task, "dup3", fd, 7, O_CLOEXEC) == 7
    assert call(task, "fcntl", 7, F_GETFD, 0) == 1
    assert call(task, "dup3", fd, fd, 0) == -EINVAL
    assert call(task, "fcntl", fd, F_DUPFD, 5) == 5
    assert call(task, "fcntl", fd, F_DUPFD_CLOEXEC, 5) == 6
    assert call(task, "fcntl", fd, F_DUPFD, 1024) == -EINVAL
    assert call(task, "close_range", 1, 100, 0) == 0
    assert list(task.files) == [0]
    assert call(task, "close", 1) == -EBADF


def test_status_flags(task):
    fd = create(task)
    assert call(task, "fcntl", fd, F_SETFL, O_NONBLOCK) == 0
    assert call(task, "fcntl", fd, F_GETFL, 0) & (O_NONBLOCK | O_RDWR) == O_NONBLOCK | O_RDWR
    task.mm.write(SCRATCH, bytes(4))
    assert call(task, "ioctl", fd, FIONBIO, SCRATCH) == 0
    assert not call(task, "fcntl", fd, F_GETFL, 0) & O_NONBLOCK
    assert call(task, "ioctl", fd, FIOCLEX, 0) == 0
    assert call(task, "fcntl", fd, F_GETFD, 0) == 1
    assert call(task, "ioctl", fd, TCGETS, SCRATCH) == -ENOTTY


def test_fionread(task):
    fd = create(task, data=b"12345")
    assert call(task, "ioctl", fd, FIONREAD, SCRATCH) == 0
    assert task.mm.read(SCRATCH, 4) == b"\5\0\0\0"
    assert call(task, "ioctl", fd, FIONREAD, NOWHERE) == -EFAULT


def test_pipe_size(task):
    call(task, "pipe2", SCRATCH, 0)
    assert call(task, "fcntl", 0, F_GETPIPE_SZ, 0) == 65536
    assert call(task, "fcntl", 0, F_SETPIPE_SZ, 5000) == 8192
    assert call(task, "fcntl", create(task), F_GETPIPE_SZ, 0) == -EBADF


# --- locks ------------------------------------------------------------------------------------------------------------


def flock_at(task, type, start=0, length=0, at=SCRATCH):
    task.mm.write(at, layout(Flock, task.arch).pack(Flock(l_type=type, l_start=start, l_len=length)))
    return at


def test_record_locks_of_two_processes(task):
    other = new_thread(task)
    other.files = task.files.copy()
    fd = create(task)
    other_fd = call(other, "openat", AT_FDCWD, b"/tmp/f", O_RDWR)
    assert call(task, "fcntl", fd, F_SETLK, flock_at(task, F_WRLCK, 10, 10)) == 0
    assert call(other, "fcntl", other_fd, F_SETLK, flock_at(task, F_WRLCK, 15, 1)) == -EAGAIN
    assert call(other, "fcntl", other_fd, F_GETLK, flock_at(task, F_WRLCK)) == 0
    found = get(task, Flock)
    assert (found.l_type, found.l_start, found.l_len, found.l_pid) == (F_WRLCK, 10, 10, task.group.tgid)
    assert begin(other, "fcntl", other_fd, F_SETLKW, flock_at(task, F_WRLCK)) is None
    assert call(task, "fcntl", fd, F_SETLK, flock_at(task, F_UNLCK)) == 0
    assert finish(other) == 0
    assert call(task, "fcntl", fd, F_SETLK, NOWHERE) == -EFAULT


def test_open_file_description_locks(task):
    first, second = create(task), openat(task, b"/tmp/f")
    name = "fcntl64" if task.arch is I386 else "fcntl"
    lock = SCRATCH
    task.mm.write(lock, struct.pack("<hh", F_WRLCK, 0) + bytes(40))
    assert call(task, name, first, F_OFD_SETLK, lock) == 0
    assert call(task, name, second, F_OFD_SETLK, lock) == -EAGAIN
    assert call(task, "close", first) == 0
    assert call(task, name, second, F_OFD_SETLK, lock) == 0


def test_flock(task):
    first, second = create(task), openat(task, b"/tmp/f")
    other = new_thread(task)
    assert call(task, "flock", first, LOCK_EX) == 0
    assert call(task, "flock", second, LOCK_EX | LOCK_NB) == -EAGAIN
    assert begin(other, "flock", second, LOCK_EX) is None
    assert call(task, "flock", first, LOCK_UN) == 0
    assert finish(other) == 0
    assert call(task, "flock", first, 3) == -EINVAL


# --- names ------------------------------------------------------------------------------------------------------------


def test_links_and_removal(task):
    fd = create(task, data=b"x")
    assert call(task, "linkat", AT_FDCWD, b"/tmp/f", AT_FDCWD, b"/tmp/g", 0) == 0
    assert call(task, "symlinkat", b"g", AT_FDCWD, b"/tmp/s") == 0
    assert call(task, "readlinkat", AT_FDCWD, b"/tmp/s", SCRATCH, 10) == 1
    assert task.mm.read(SCRATCH, 1) == b"g"
    assert call(task, "renameat2", AT_FDCWD, b"/tmp/g", AT_FDCWD, b"/tmp/f", 1) == -EEXIST
    assert call(task, "unlinkat", AT_FDCWD, b"/tmp/f", 0) == 0
    assert call(task, "unlinkat", AT_FDCWD, b"/tmp/f", 0) == -ENOENT
    assert call(task, "unlinkat", AT_FDCWD, b"/tmp/s", AT_REMOVEDIR) == -ENOTDIR
    assert call(task, "linkat", fd, b"", AT_FDCWD, b"/tmp/back", AT_EMPTY_PATH) == 0
    assert openat(task, b"/tmp/s", 0o100000 if task.arch is ARM64 else 0o400000) == -ELOOP


def test_working_directory(task):
    call(task, "mkdirat", AT_FDCWD, b"/tmp/d", 0o755)
    assert call(task, "chdir", b"/tmp/d") == 0
    assert call(task, "getcwd", SCRATCH, 100) == 7
    assert task.mm.read(SCRATCH, 7) == b"/tmp/d\0"
    assert call(task, "getcwd", SCRATCH, 6) == -ERANGE
    assert call(task, "getcwd", NOWHERE, 100) == -EFAULT
    assert call(task, "chdir", b"/tmp/none") == -ENOENT
    assert call(task, "fchdir", create(task)) == -ENOTDIR


def names(task, fd, call_name="getdents64", count=4096):
    found = []
    while (length := call(task, call_name, fd, SCRATCH, count)) > 0:
        data = task.mm.read(SCRATCH, length)
        while data:
            if call_name == "getdents64":
                size, kind, text = struct.unpack_from("<H", data, 16)[0], data[18], data[19:]
            else:
                head = 2 * task.arch.word
                size = struct.unpack_from("<H", data, head)[0]
                kind, text = data[size - 1], data[head + 2 : size - 1]
            found.append((text.split(b"\0")[0], kind))
            data = data[size:]
    assert length == 0
    return sorted(found)


def test_listing(task):
    call(task, "mkdirat", AT_FDCWD, b"/tmp/d", 0o755)
    for name in (b"a", b"bb", b"ccc"):
        create(task, b"/tmp/d/" + name)
    fd = openat(task, b"/tmp/d", 0)
    expected = [(b".", 4), (b"..", 4), (b"a", 8), (b"bb", 8), (b"ccc", 8)]
    assert names(task, fd) == expected
    call(task, "lseek", fd, 0, 0)
    assert names(task, fd, count=24) == expected
    assert call(task, "getdents64", create(task), SCRATCH, 100) == -ENOTDIR
    call(task, "lseek", fd, 0, 0)
    assert call(task, "getdents64", fd, SCRATCH, 10) == -EINVAL
    assert call(task, "getdents64", fd, NOWHERE, 100) == -EFAULT
    if task.arch is not ARM64:
        assert names(task, fd, "getdents") == expected


# --- attributes -------------------------------------------------------------------------------------------------------


def test_stat_forms_agree():
    task = make_task(I386)
    create(task, data=b"hello")
    assert call(task, "chown", b"/tmp/f", 70, 71) == 0
    seen = []
    for name, struct_type in (("stat64", Stat64), ("stat", Stat), ("oldstat", OldStat)):
        assert call(task, name, b"/tmp/f", SCRATCH) == 0
        value = get(task, struct_type)
        seen.append((value.st_ino, value.st_mode, value.st_size, value.st_uid, value.st_gid, value.st_nlink))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][1:] == (0o100644, 5, 70, 71, 1)


def test_stat_overflow_of_32_bits():
    task = make_task(I386)
    create(task)
    assert call(task, "truncate64", b"/tmp/f", 0, 1) == 0
    assert call(task, "stat", b"/tmp/f", SCRATCH) == -EOVERFLOW
    assert call(task, "oldstat", b"/tmp/f", SCRATCH) == -EOVERFLOW
    assert call(task, "stat64", b"/tmp/f", SCRATCH) == 0
    assert get(task, Stat64).st_size == 1 << 32
    assert call(task, "chown32", b"/tmp/f", 100_000, -1) == 0
    assert call(task, "stat64", b"/tmp/f", SCRATCH) == 0
    assert get(task, Stat64).st_uid == 100_000


def test_times(task):
    create(task)
    fields = "<qq" if task.arch.word == 8 else "<ii"
    now, omit = (1 << 30) - 1, (1 << 30) - 2
    task.mm.write(SCRATCH, struct.pack(fields, 5, 6) + struct.pack(fields, 0, omit))
    assert call(task, "utimensat", AT_FDCWD, b"/tmp/f", SCRATCH, 0) == 0
    assert call(task, "statx", AT_FDCWD, b"/tmp/f", 0, 0xFFF, SCRATCH) == 0
    seen = get(task, Statx)
    assert (seen.stx_atime.tv_sec, seen.stx_atime.tv_nsec) == (5, 6)
    assert seen.stx_mtime.tv_sec >= 1_700_000_000
    task.mm.write(SCRATCH, struct.pack(fields, 5, 10**9) + struct.pack(fields, 0, now))
    assert call(task, "utimensat", AT_FDCWD, b"/tmp/f", SCRATCH, 0) == -EINVAL
    assert call(task, "utimensat", AT_FDCWD, b"/tmp/none", SCRATCH, 0) == -ENOENT
    assert call(task, "utimensat", AT_FDCWD, 0, 0, 0) == -EFAULT


def test_extended_attributes(task):
    create(task)
    task.mm.write(SCRATCH, b"value")
    assert call(task, "setxattr", b"/tmp/f", b"user.a", SCRATCH, 5, 0) == 0
    assert call(task, "setxattr", b"/tmp/f", b"user.a", SCRATCH, 5, 1) == -EEXIST
    assert call(task, "getxattr", b"/tmp/f", b"user.a", SCRATCH, 0) == 5
    assert call(task, "getxattr", b"/tmp/f", b"user.a", SCRATCH, 4) == -ERANGE
    assert call(task, "listxattr", b"/tmp/f", SCRATCH, 100) == 7
    assert call(task, "removexattr", b"/tmp/f", b"user.a") == 0
    assert call(task, "setxattr", b"/tmp/f", b"user." + b"x" * 300, SCRATCH, 5, 0) == -ERANGE


def test_nobody_may_not():
    task = make_task(uid=65534)
    assert call(task, "mkdir", b"/d", 0o755) == -EACCES
    assert call(task, "chroot", b"/tmp") == -EPERM
    assert call(task, "chown", b"/tmp", 1, 1) == -EPERM
    assert call(task, "access", b"/", 2) == -EACCES
    assert call(task, "access", b"/", 5) == 0


# --- moving data ------------------------------------------------------------------------------------------------------


def test_sendfile_and_copy_file_range(task):
    source, target = create(task, data=b"0123456789"), create(task, b"/tmp/g")
    assert call(task, "sendfile", target, source, 0, 4) == 4
    task.mm.write(SCRATCH, (2).to_bytes(8, "little"))
    assert call(task, "copy_file_range", source, SCRATCH, target, 0, 3, 0) == 3
    assert task.mm.read(SCRATCH, 8) == (5).to_bytes(8, "little")
    assert call(task, "copy_file_range", source, 0, source, 0, 3, 0) == -EINVAL
    assert call(task, "preadv", target, iovec(task, SCRATCH, 20), 1, 0, 0) == 7
    assert task.mm.read(SCRATCH, 7) == b"0123234"


def test_splice_and_tee(task):
    source = create(task, data=b"0123456789")
    call(task, "pipe2", SCRATCH, 0)
    call(task, "pipe2", SCRATCH, 0)
    assert list(task.files) == [0, 1, 2, 3, 4]
    assert call(task, "splice", source, 0, 2, 0, 10, 0) == 10
    assert call(task, "tee", 1, 4, 6, 0) == 6
    assert call(task, "read", 3, SCRATCH, 100) == 6
    assert task.mm.read(SCRATCH, 6) == b"012345"
    task.mm.write(SCRATCH, (20).to_bytes(8, "little"))
    assert call(task, "splice", 1, 0, source, SCRATCH, 100, 0) == 10
    assert call(task, "lseek", source, 0, 2) == 30
    assert call(task, "vmsplice", 2, iovec(task, SCRATCH, 5), 1, 0) == 5
    assert call(task, "splice", 1, 0, 4, 0, 3, 0) == 3
    assert call(task, "read", 1, SCRATCH, 100) == 2


# --- sealed memory ----------------------------------------------------------------------------------------------------


def test_seals(task):
    fd = call(task, "memfd_create", b"name", 2)
    task.mm.write(SCRATCH, b"x" * 10)
    assert call(task, "write", fd, SCRATCH, 10) == 10
    assert call(task, "fcntl", fd, 1034, 0) == 0
    assert call(task, "fcntl", fd, 1033, 2 | 4) == 0  # F_SEAL_SHRINK, F_SEAL_GROW
    assert call(task, "write", fd, SCRATCH, 1) == -EPERM
    assert call(task, "ftruncate", fd, 5) == -EPERM
    assert call(task, "lseek", fd, 0, 0) == 0
    assert call(task, "write", fd, SCRATCH, 5) == 5
    assert call(task, "fcntl", fd, 1033, 8) == 0
    assert call(task, "write", fd, SCRATCH, 1) == -EPERM
    assert call(task, "fcntl", fd, 1034, 0) == 14
    unsealable = call(task, "memfd_create", b"name", 0)
    assert call(task, "fcntl", unsealable, 1033, 1) == -EPERM
    assert call(task, "memfd_create", b"n" * 250, 0) == -EINVAL
