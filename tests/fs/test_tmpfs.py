from __future__ import annotations

import os

import pytest

from syscalls.abi.arch import PAGE_SIZE
from syscalls.abi.errno import (
    EBADF,
    EFBIG,
    EINVAL,
    EISDIR,
    ENOENT,
    ENOSPC,
    ENXIO,
    EOPNOTSUPP,
    ETXTBSY,
    SysError,
)  # fmt: skip
from syscalls.abi.fcntl import (
    FALLOC_FL_COLLAPSE_RANGE,
    FALLOC_FL_INSERT_RANGE,
    FALLOC_FL_KEEP_SIZE,
    FALLOC_FL_PUNCH_HOLE,
    FALLOC_FL_ZERO_RANGE,
    O_LARGEFILE,
    O_TMPFILE,
    RENAME_WHITEOUT,
)  # fmt: skip
from syscalls.abi.stat import S_IFCHR
from syscalls.fs import attr, vfs
from syscalls.fs.file import File


def fails(errno, function, *arguments, **keywords):
    with pytest.raises(SysError) as caught:
        function(*arguments, **keywords)
    assert caught.value.errno == errno, caught.value


def test_frames_go_when_nobody_holds_the_file(world):
    before = world.ram.used
    file = world.open(b"f", os.O_CREAT | os.O_RDWR)
    file.write(b"x" * 3 * PAGE_SIZE)
    vfs.unlink(world, None, b"f")
    assert (world.ram.used - before, file.pread(2, 0), file.inode.nlink) == (3, b"xx", 0)
    assert world.tmpfs.statfs().bfree == 61
    file.close()
    del file
    assert (world.ram.used, world.tmpfs.used_pages, world.tmpfs.used_inodes) == (before, 0, 1)


def test_a_full_file_system(world):
    file = world.open(b"f", os.O_CREAT | os.O_RDWR)
    assert file.write(bytes(70 * PAGE_SIZE)) == 64 * PAGE_SIZE
    fails(ENOSPC, file.write, b"x")
    fails(ENOSPC, file.allocate, 0, 70 * PAGE_SIZE, 1)
    world.tmpfs.max_inodes = world.tmpfs.used_inodes
    fails(ENOSPC, vfs.mkdir, world, None, b"d", 0o755)
    assert world.tmpfs.root.lookup(b"d") is None
    file.truncate(1)
    assert file.pwrite(b"y", 5) == 1


def test_appending_ignores_the_position(world):
    world.open(b"f", os.O_CREAT | os.O_WRONLY).write(b"abc")
    file = world.open(b"f", os.O_RDWR | os.O_APPEND)
    assert (file.write(b"d"), file.position, file.pwrite(b"e", 0), file.pread(9, 0)) == (1, 4, 1, b"abcde")


def test_seeking_data_and_holes(world):
    file = world.open(b"f", os.O_CREAT | os.O_RDWR)
    file.pwrite(b"x", 2 * PAGE_SIZE + 5)
    assert file.seek(0, os.SEEK_DATA) == 2 * PAGE_SIZE
    assert file.seek(2 * PAGE_SIZE + 1, os.SEEK_DATA) == 2 * PAGE_SIZE + 1
    assert file.seek(2 * PAGE_SIZE, os.SEEK_HOLE) == 2 * PAGE_SIZE + 6
    assert file.seek(7, os.SEEK_HOLE) == 7
    fails(ENXIO, file.seek, 2 * PAGE_SIZE + 6, os.SEEK_HOLE)
    fails(EINVAL, file.seek, -1, os.SEEK_SET)
    fails(EINVAL, file.seek, 1 << 63, os.SEEK_END)
    assert file.position == 7


def test_large_files_need_to_be_asked_for(world):
    small, large = (world.open(b"f", os.O_CREAT | os.O_RDWR | flag) for flag in (0, O_LARGEFILE))
    assert small.pwrite(b"xy", (1 << 31) - 2) == 1
    fails(EFBIG, small.pwrite, b"x", (1 << 31) - 1)
    assert large.pwrite(b"x", 1 << 40) == 1
    fails(EFBIG, large.pwrite, b"x", (1 << 63) - 1)
    fails(75, world.open, b"f")


def test_the_limit_on_file_size(world):
    file = world.open(b"f", os.O_CREAT | os.O_RDWR)
    assert attr.write_checks(world, file, 100, limit=30) == 30
    with pytest.raises(attr.FileSizeExceeded):
        attr.write_checks(world, file, 1, 30, limit=30)
    with pytest.raises(attr.FileSizeExceeded):
        attr.ftruncate(world, file, 31, limit=30)


def test_fallocate(world):
    file = world.open(b"f", os.O_CREAT | os.O_RDWR)
    size = 4 * PAGE_SIZE

    def go(mode, offset, length):
        attr.fallocate(world, file, mode, offset, length)

    go(0, 0, size)
    assert (file.inode.size, file.inode.blocks) == (size, 32)
    file.pwrite(b"a" * PAGE_SIZE + b"b" * PAGE_SIZE + b"c" * 2 * PAGE_SIZE, 0)
    go(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10, 2 * PAGE_SIZE)
    assert file.pread(size, 0) == b"a" * 10 + bytes(2 * PAGE_SIZE) + b"c" * (2 * PAGE_SIZE - 10)
    fails(EOPNOTSUPP, go, FALLOC_FL_COLLAPSE_RANGE, 0, 2 * PAGE_SIZE)
    world.tmpfs.moves_ranges = True  # as the overlay's upper layer
    go(FALLOC_FL_COLLAPSE_RANGE, 0, 2 * PAGE_SIZE)
    assert (file.inode.size, file.pread(12, 0)) == (2 * PAGE_SIZE, bytes(10) + b"cc")
    go(FALLOC_FL_INSERT_RANGE, PAGE_SIZE, PAGE_SIZE)
    assert file.pread(2, PAGE_SIZE - 1) == b"c\0"
    go(FALLOC_FL_ZERO_RANGE, 0, PAGE_SIZE)
    assert file.pread(PAGE_SIZE, 0) == bytes(PAGE_SIZE)
    fails(EOPNOTSUPP, go, FALLOC_FL_PUNCH_HOLE, 0, 1)
    fails(EINVAL, go, 0, 0, 0)
    fails(EINVAL, go, FALLOC_FL_COLLAPSE_RANGE, 1, PAGE_SIZE)
    fails(EFBIG, go, 0, 1 << 62, 1 << 62)
    fails(EBADF, attr.fallocate, world, world.open(b"f"), 0, 0, 1)


def test_listing_survives_deletion(world):
    for number in range(10):
        world.open(b"f%d" % number, os.O_CREAT).close()
    directory = world.open(b"/")
    seen = []
    for _ in range(6):
        name, _ino, _kind, directory.position = next(directory.entries())
        seen.append(name)
        if name.startswith(b"f"):
            vfs.unlink(world, None, name)
    seen += [name for name, *_ in directory.entries()]
    assert seen == [b".", b"..", *(b"f%d" % number for number in range(9, -1, -1))]
    directory.seek(0, os.SEEK_SET)
    assert len(list(directory.entries())) == 8
    fails(EISDIR, directory.read, 1)


def test_a_file_without_a_name_may_get_one(world):
    file = world.open(b"/", O_TMPFILE | os.O_RDWR, 0o666)
    file.write(b"data")
    assert (file.inode.nlink, oct(file.inode.mode)) == (0, "0o100644")
    assert world.fs.name(file.path) == b"/#%d (deleted)" % file.inode.ino
    vfs.link(world, file.path, None, b"named")
    assert (world.open(b"named").read(9), file.inode.nlink) == (b"data", 1)
    secret = world.open(b"/", O_TMPFILE | os.O_RDWR | os.O_EXCL)
    fails(ENOENT, vfs.link, world, secret.path, None, b"other")


def test_a_whiteout_is_left_behind(world):
    world.open(b"a", os.O_CREAT)
    vfs.rename(world, None, b"a", None, b"b", RENAME_WHITEOUT)
    inode = world.path(b"a").inode
    assert (inode.type, inode.rdev) == (S_IFCHR, 0)


def test_a_running_program_is_not_written(world):
    file = world.open(b"prog", os.O_CREAT | os.O_WRONLY)
    assert file.inode.writers == 1
    file.close()
    file.inode.writers = -1
    fails(ETXTBSY, world.open, b"prog", os.O_WRONLY)
    fails(ETXTBSY, world.open, b"prog", os.O_RDONLY | os.O_TRUNC)
    fails(ETXTBSY, attr.truncate, world, world.path(b"prog"), 0)
    world.open(b"prog")


def test_devices_come_from_the_registry(world):
    vfs.mknod(world, None, b"null", S_IFCHR | 0o666, 0x103)
    fails(ENXIO, world.open, b"null")
    world.special.register(S_IFCHR, 0x103, File)
    assert world.open(b"null", os.O_TRUNC | os.O_WRONLY).inode.rdev == 0x103


def test_the_access_time_is_relative(world):
    file = world.open(b"f", os.O_CREAT | os.O_RDWR)
    file.write(b"x")
    file.pread(1, 0)
    first = file.inode.atime
    assert first > file.inode.mtime
    file.pread(1, 0)
    assert file.inode.atime == first
    file.write(b"y")
    world.open(b"f", os.O_NOATIME).read(1)
    assert file.inode.atime == first
    file.pread(1, 0)
    assert file.inode.atime > first
