"""Listing directories: getdents64(2), getdents(2), and i386's readdir(2) (fs/readdir.c)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Annotated

from syscalls.abi.arch import I386
from syscalls.abi.errno import EINVAL, EOVERFLOW, SysError
from syscalls.abi.kinds import Address, Buffer, BufferKind, Fd, UInt
from syscalls.fs import notify
from syscalls.fs.file import File
from syscalls.kernel.task import Task
from syscalls.spec import syscall

Entries = Annotated[Buffer, BufferKind("count", out=True)]
#: (name, inode, d_type, offset of the next entry) -> the record.
Pack = Callable[[bytes, int, int, int], bytes]


def _pack64(name: bytes, ino: int, kind: int, after: int) -> bytes:
    """struct linux_dirent64."""
    length = 19 + len(name) + 1 + 7 & ~7
    return (struct.pack("<QqHB", ino, after, length, kind) + name).ljust(length, b"\0")


def _pack_native(word: int) -> Pack:
    """struct linux_dirent of a machine with words of that many bytes; d_type is its last byte."""
    head = struct.Struct("<QQH" if word == 8 else "<IIH")

    def pack(name: bytes, ino: int, kind: int, after: int) -> bytes:
        if ino >> 8 * word:
            raise SysError(EOVERFLOW)
        length = head.size + len(name) + 2 + word - 1 & -word
        return (head.pack(ino, after, length) + name).ljust(length - 1, b"\0") + bytes([kind])

    return pack


_pack_int, _pack_long = _pack_native(4), _pack_native(8)


@syscall()
def getdents64(task: Task, fd: Fd, dirp: Entries, count: UInt) -> int:
    """Store the next entries of a directory; 0 at the end (getdents64(2))."""
    return _getdents(task.file(fd), dirp, count, _pack64)


@syscall()
def getdents(task: Task, fd: Fd, dirp: Entries, count: UInt) -> int:
    """Store the next entries of a directory in the older form; 0 at the end (getdents(2))."""
    return _getdents(task.file(fd), dirp, count, _pack_long)


@syscall("getdents", only=I386)
def getdents32(task: Task, fd: Fd, dirp: Entries, count: UInt) -> int:
    """Store the next entries of a directory in the older form, of 32 bits; 0 at the end (getdents(2))."""
    return _getdents(task.file(fd), dirp, count, _pack_int)


@syscall("readdir", only=I386)
def readdir(task: Task, fd: Fd, dirp: Address, count: UInt) -> int:
    """Store one entry of a directory: 1, or 0 at the end (readdir(2)); `count` is ignored."""
    del count
    file = task.file(fd)
    entries = file.entries()
    notify.on_access(file)
    for name, ino, _, after in entries:
        if ino >> 32:
            raise SysError(EOVERFLOW)
        task.mm.write(dirp, struct.pack("<IIH", ino, file.position, len(name)) + name + b"\0")
        file.position = after
        return 1
    return 0


def _getdents(file: File, dirp: Buffer, count: int, pack: Pack) -> int:
    """As many whole records as fit; EINVAL when not even one does, EFAULT (iterate_dir, filldir64)."""
    records: list[tuple[bytes, int]] = []
    room = count
    entries = file.entries()
    notify.on_access(file)
    for name, ino, mode, after in entries:
        record = pack(name, ino, mode >> 12, after)
        if len(record) > room:
            if not records:
                raise SysError(EINVAL)
            break
        room -= len(record)
        records.append((record, after))
    return _store(file, dirp, records)


def _store(file: File, dirp: Buffer, records: list[tuple[bytes, int]]) -> int:
    """Store records, or those before the first page that cannot be written; EFAULT when there are none."""
    done = 0
    try:
        for record, after in records:
            Buffer(dirp.memory, dirp.address + done).put(record)
            done += len(record)
            file.position = after
    except SysError:
        if not done:
            raise
    return done
