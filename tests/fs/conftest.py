"""A small world: a tmpfs as root, one caller, and a clock that counts."""

from __future__ import annotations

import itertools

import pytest
from fakes import FakeRam

from syscalls.fs.cred import Credentials
from syscalls.fs.file import File
from syscalls.fs.mount import MountTable, Path
from syscalls.fs.open import open as vfs_open
from syscalls.fs.path import FsContext, resolve
from syscalls.fs.special import SpecialFiles
from syscalls.fs.tmpfs import TmpFs


class World:
    """The caller, and what its tests need."""

    def __init__(self) -> None:
        clock = itertools.count(1000)
        self.now = lambda: next(clock)
        self.ram = FakeRam(256)
        self.special = SpecialFiles()
        self.tmpfs = TmpFs(1, self.now, self.ram, self.special, max_pages=64, max_inodes=1000)
        self.mounts = MountTable(self.tmpfs.root, source=b"root fs")
        root = self.mounts.root_path
        self.fs = FsContext(root, root)
        self.cred = Credentials.of(0, 0)

    def open(self, name: bytes, flags: int = 0, mode: int = 0o644) -> File:
        return vfs_open(self, None, name, flags, mode)

    def path(self, name: bytes) -> Path:
        return resolve(self, None, name)


@pytest.fixture
def world() -> World:
    return World()
