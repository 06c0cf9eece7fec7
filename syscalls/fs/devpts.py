"""devpts: /dev/ptmx makes pseudo-terminals, /dev/pts/N are their slaves (pts(4), fs/devpts/inode.c)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from syscalls.abi.errno import EBUSY, EIO, ENOSPC, ENOTTY, ENXIO, SysError
from syscalls.abi.fcntl import O_ACCMODE, O_NOCTTY, O_NONBLOCK
from syscalls.abi.stat import S_IFCHR, S_IFDIR
from syscalls.fs.devices import makedev
from syscalls.fs.directory import DirectoryFile
from syscalls.fs.file import File
from syscalls.fs.inode import FileSystem, Inode
from syscalls.fs.mount import Mount, Path
from syscalls.fs.tty import Sessions, Tty, master_modes, slave_modes
from syscalls.fs.ttyfile import TtyFile
from syscalls.fs.ttyioctl import PTS_MAJOR
from syscalls.fs.vfs import lookup

DEVPTS_SUPER_MAGIC = 0x1CD1
PTMX, CURRENT_TTY = makedev(5, 2), makedev(5, 0)
TTY_GROUP = 5
MOST = 4096  # /proc/sys/kernel/pty/max
_FIRST_INO = 3  # 1 is the directory, 2 is ptmx


class DevPts(FileSystem):
    """The pseudo-terminals of a world."""

    name = "devpts"
    magic = DEVPTS_SUPER_MAGIC
    has_xattrs = False
    pinned = False  # terminals come and go
    options = b",gid=5,mode=620,ptmxmode=000"

    def __init__(self, dev: int, now: Callable[[], int], sessions: Sessions) -> None:
        super().__init__(dev, now)
        self.sessions = sessions
        self.slaves: dict[int, SlaveInode] = {}
        self.root = PtsDirectory(self, S_IFDIR | 0o755, ino=1)
        self.ptmx = PtmxInode(self, S_IFCHR, ino=2)
        self.ptmx.rdev = PTMX
        self.mount: Mount | None = None  # where names of terminals come from

    def open_master(self, inode: Inode, flags: int) -> File:
        """Open /dev/ptmx: a new pair; ENOSPC when there are too many (ptmx_open)."""
        index = next((number for number in range(MOST) if number not in self.slaves), None)
        if index is None:
            raise SysError(ENOSPC)
        master = Tty(self.sessions, index, master_modes(), master=True)
        slave = Tty(self.sessions, index, slave_modes(), master=False)
        master.link, slave.link = slave, master
        master.locked = True
        self.slaves[index] = SlaveInode(self, slave, self.sessions.user())
        return MasterFile(inode, flags, master, self)

    def open_current(self, inode: Inode, flags: int) -> File:
        """Open /dev/tty: the caller's controlling terminal; ENXIO without one (tty_open_current_tty)."""
        del inode
        tty = self.sessions.current()
        if tty is None:
            raise SysError(ENXIO)
        return self.slaves[tty.index].open(flags | O_NOCTTY)

    def path(self, index: int) -> Path:
        """Where the slave is to be found."""
        assert self.mount is not None
        dentry = lookup(self.mount.root, b"%d" % index)
        assert dentry is not None
        return Path(self.mount, dentry)


class PtsDirectory(Inode):
    """/dev/pts itself."""

    __slots__ = ()
    fs: DevPts

    def lookup(self, name: bytes) -> Inode | None:
        if name == b"ptmx":
            return self.fs.ptmx
        number = int(name) if name.isdigit() and name == b"%d" % int(name) else -1
        return self.fs.slaves.get(number)

    def entries(self) -> Iterator[tuple[bytes, int, int]]:
        yield b"ptmx", self.fs.ptmx.ino, S_IFCHR
        for index, inode in sorted(self.fs.slaves.items(), reverse=True):
            yield b"%d" % index, inode.ino, S_IFCHR

    def open(self, flags: int) -> File:
        return DirectoryFile(self, flags)


class PtmxInode(Inode):
    """/dev/pts/ptmx: nobody but root may open it, mode 000."""

    __slots__ = ()
    fs: DevPts

    def open(self, flags: int) -> File:
        return self.fs.open_master(self, flags)


class SlaveInode(Inode):
    """/dev/pts/N, for as long as the master is open."""

    __slots__ = ("tty",)
    fs: DevPts

    def __init__(self, fs: DevPts, tty: Tty, uid: int) -> None:
        super().__init__(fs, S_IFCHR | 0o620, uid, TTY_GROUP, ino=tty.index + _FIRST_INO)
        self.rdev = makedev(PTS_MAJOR, tty.index)
        self.tty = tty

    def open(self, flags: int) -> File:
        """EIO while it is locked, or without a master; EBUSY with TIOCEXCL (pty_open, tty_reopen)."""
        tty = self.tty
        if tty.exclusive and not tty.sessions.privileged():
            raise SysError(EBUSY)
        if tty.link.locked or tty.link.closed:
            raise SysError(EIO)
        return TtyFile(self, flags, tty)


class MasterFile(TtyFile):
    """An open master; with it, the slave's name goes."""

    def __init__(self, inode: Inode, flags: int, tty: Tty, fs: DevPts) -> None:
        super().__init__(inode, flags, tty)
        self._fs = fs

    def peer(self, flags: int) -> File:
        """Open the slave, whatever has become of its name (TIOCGPTPEER)."""
        path = self._fs.path(self.tty.index)
        file = path.inode.open(flags & (O_ACCMODE | O_NONBLOCK))
        file.path = path
        return file

    def close(self) -> None:
        if self.tty.users == 1:
            self._fs.slaves.pop(self.tty.index, None)
        super().close()


def peer(file: File, flags: int) -> File:
    """TIOCGPTPEER on any file; ENOTTY unless it is a master."""
    if not isinstance(file, MasterFile):
        raise SysError(ENOTTY)
    return file.peer(flags)
