"""Standard input, output and error of the first process, by what they are on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.fcntl import O_ACCMODE, O_RDWR
from syscalls.abi.stat import S_IFCHR, S_IFMT, ST_NOATIME
from syscalls.fs import devices, vfs
from syscalls.fs.hostfs import HostFs, HostRegular
from syscalls.fs.mount import anonymous
from syscalls.fs.open import vfs_open
from syscalls.fs.stream import RegularStreamFile, StreamFile, StreamInode, Tty, TtyFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emu.world import World
    from syscalls.fs.file import File
    from syscalls.kernel.ports import HostDirectory, HostStream

PTS_0, CURRENT_TTY = devices.makedev(136, 0), devices.makedev(5, 0)
TTY_GROUP = 5


def open_streams(world: World, streams: Iterable[HostStream], uid: int, gid: int) -> list[File]:
    """An open file for each stream. A terminal among them becomes /dev/pts/0 and /dev/tty."""
    return [_Opener(world, uid, gid).open(stream) for stream in streams]


class _Opener:
    """Makes the files for a user."""

    def __init__(self, world: World, uid: int, gid: int) -> None:
        self.world = world
        self.uid = uid
        self.gid = gid

    def open(self, stream: HostStream) -> File:
        """The file for one stream."""
        if stream.terminal is not None:
            return self._terminal(stream)
        if stream.content is not None:
            return self._regular(stream, stream.content)
        if stream.mode & S_IFMT == S_IFCHR:
            for name, (rdev, _) in devices.NODES.items():
                if rdev == stream.rdev != CURRENT_TTY:
                    return vfs_open(self.world.path(f"/dev/{name.decode()}"), stream.flags)
        return StreamFile(
            StreamInode(self.world.kernel.pipefs, stream, self.uid, self.gid), stream.flags & O_ACCMODE, stream
        )

    def _regular(self, stream: HostStream, content: HostDirectory) -> File:
        """A regular file of the host: as on Linux, but that it is nowhere in the tree."""
        world, kernel = self.world, self.world.kernel
        fs = HostFs(kernel.new_dev(), kernel.realtime, kernel.ram, world.special, content)
        world.bound.append(fs)
        assert isinstance(fs.root, HostRegular)
        file = RegularStreamFile(fs.root, stream.flags, stream)
        file.path = anonymous(fs.root, b"/stdio:[%d] (deleted)" % fs.root.ino)
        file.path.mount.flags = ST_NOATIME
        return file

    def _terminal(self, stream: HostStream) -> File:
        """The first terminal is the session's; all of them are called /dev/pts/0."""
        world = self.world
        if world.tty is None:
            assert stream.terminal is not None
            groups = world.kernel.groups
            world.tty = Tty(stream, stream.terminal, lambda pgid: any(pgid == it.pgid for it in groups.values()))
            world.tty.session = world.tty.foreground = world.kernel.outer_session
            for rdev in (PTS_0, CURRENT_TTY):
                world.special.register(S_IFCHR, rdev, world.tty.open)
            vfs.mknod(world, None, b"/dev/pts/0", S_IFCHR | 0o620, PTS_0)
            inode = world.path("/dev/pts/0").inode
            inode.uid, inode.gid = self.uid, TTY_GROUP
        path = world.path("/dev/pts/0")
        file = TtyFile(path.inode, O_RDWR, stream, world.tty)
        file.path = path
        return file
