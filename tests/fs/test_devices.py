"""/dev/null and its neighbours, with what the running kernel answers."""

from __future__ import annotations

import os

import pytest
from fakes import SCRATCH, make_task

from syscalls.abi.errno import EINVAL, ENODEV, ENOSPC, ENOTTY, ENXIO, EPERM, SysError
from syscalls.abi.fcntl import O_RDWR
from syscalls.abi.stat import S_IFCHR
from syscalls.fs import devices, vfs
from syscalls.fs import open as fs_open
from syscalls.kernel.filemap import MappedFile
from syscalls.mm.vma import SharedMemory


@pytest.fixture
def task():
    task = make_task()
    vfs.mkdir(task, None, b"/dev", 0o755)
    for name, (rdev, mode) in devices.NODES.items():
        vfs.mknod(task, None, b"/dev/" + name, S_IFCHR | mode, rdev)
    return task


def opened(task, name: str):
    return fs_open.open(task, None, b"/dev/" + name.encode(), O_RDWR)


@pytest.mark.parametrize(("name", "data"), [("null", b""), ("zero", bytes(5)), ("full", bytes(5))])
def test_reading(task, name, data) -> None:
    file = opened(task, name)
    fd = os.open(f"/dev/{name}", os.O_RDONLY)
    assert file.read(5) == file.pread(5, 100) == data == os.read(fd, 5)
    os.close(fd)


@pytest.mark.parametrize("name", ["null", "zero", "random", "urandom"])
def test_writing_takes_everything(task, name) -> None:
    assert opened(task, name).write(b"12345") == 5


def test_full_is_full(task) -> None:
    with pytest.raises(SysError) as caught:
        opened(task, "full").write(b"x")
    assert caught.value.errno == ENOSPC


@pytest.mark.parametrize("name", ["null", "zero", "full", "random"])
@pytest.mark.parametrize("whence", [os.SEEK_SET, os.SEEK_CUR, os.SEEK_END])
def test_every_position_is_the_same(task, name, whence) -> None:
    fd = os.open(f"/dev/{name}", os.O_RDONLY)
    assert opened(task, name).seek(1000, whence) == os.lseek(fd, 1000, whence)
    os.close(fd)


def test_random_bytes_are_the_ports(task) -> None:
    assert opened(task, "random").read(4) == task.kernel.random.random_bytes(4)


def test_random_ioctls(task) -> None:
    file = opened(task, "random")
    assert file.ioctl(devices.RNDGETENTCNT, SCRATCH, task.mm) == 0
    assert task.mm.read(SCRATCH, 4) == (256).to_bytes(4, "little")
    for request, errno in ((devices.RNDZAPENTCNT, EPERM), (0x5401, EINVAL)):
        with pytest.raises(SysError) as caught:
            file.ioctl(request, 0, task.mm)
        assert caught.value.errno == errno


def test_others_have_no_ioctls(task) -> None:
    with pytest.raises(SysError) as caught:
        opened(task, "null").ioctl(0x5401, 0, task.mm)
    assert caught.value.errno == ENOTTY


def test_mapping_zero_is_anonymous_memory(task) -> None:
    mapped = MappedFile(opened(task, "zero"))
    assert mapped.backing(task.kernel.ram, 4096, shared=False) is None
    assert isinstance(mapped.backing(task.kernel.ram, 4096, shared=True), SharedMemory)


@pytest.mark.parametrize("name", ["null", "full", "random"])
def test_others_cannot_be_mapped(task, name) -> None:
    with pytest.raises(SysError) as caught:
        MappedFile(opened(task, name)).backing(task.kernel.ram, 4096, shared=True)
    assert caught.value.errno == ENODEV


@pytest.mark.parametrize("rdev", [devices.makedev(5, 0), devices.makedev(8, 0), devices.makedev(1, 1)])
def test_what_is_not_there(task, rdev) -> None:
    vfs.mknod(task, None, b"/dev/x", S_IFCHR | 0o666, rdev)
    with pytest.raises(SysError) as caught:
        opened(task, "x")
    assert caught.value.errno == ENXIO
