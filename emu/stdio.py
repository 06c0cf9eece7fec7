"""Standard input, output and error of the first process, by what they are on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.fcntl import O_ACCMODE
from syscalls.abi.stat import S_IFCHR, S_IFMT, ST_NOATIME
from syscalls.fs import devices
from syscalls.fs.hostfs import HostFs, HostRegular
from syscalls.fs.mount import anonymous
from syscalls.fs.open import vfs_open
from syscalls.fs.stream import RegularStreamFile, StreamFile, StreamInode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emu.console import Console
    from emu.world import World
    from syscalls.fs.file import File
    from syscalls.kernel.ports import HostDirectory, HostStream

CURRENT_TTY = devices.makedev(5, 0)


def open_streams(world: World, streams: Iterable[HostStream], uid: int, gid: int) -> tuple[list[File], Console | None]:
    """An open file for each stream. Terminals among them become /dev/pts/0, at whose other side is the console."""
    opener = _Opener(world, uid, gid)
    return [opener.open(stream) for stream in streams], opener.console


class _Opener:
    """Makes the files for a user."""

    def __init__(self, world: World, uid: int, gid: int) -> None:
        self.world = world
        self.uid = uid
        self.gid = gid
        self.console: Console | None = None

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
        if self.console is None:
            from emu.console import Console

            self.console = Console(self.world.kernel, self.world.devpts)
            self.world.devpts.slaves[0].uid = self.uid
        self.console.add(stream)
        return self.console.open()
