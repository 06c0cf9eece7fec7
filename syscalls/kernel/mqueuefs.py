"""The file system of POSIX message queues: their names, and what opening one gives (ipc/mqueue.c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from syscalls.abi.errno import EACCES, EEXIST, EINVAL, EMFILE, ENOENT, ENOSPC, ENXIO, EPERM, SysError
from syscalls.abi.fcntl import O_ACCMODE, O_CREAT, O_EXCL, SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE
from syscalls.abi.resource import RLIMIT_MSGQUEUE
from syscalls.abi.stat import S_IFDIR, S_IFMT, S_IFREG
from syscalls.fs import notify, vfs
from syscalls.fs.cred import CAP_SYS_RESOURCE
from syscalls.fs.dentry import Dentry
from syscalls.fs.directory import DirectoryFile
from syscalls.fs.file import File
from syscalls.fs.inode import FileSystem, Inode
from syscalls.fs.mount import Mount, Path
from syscalls.fs.open import vfs_open
from syscalls.fs.perm import MAY_READ, MAY_WRITE, permission
from syscalls.kernel.mqueue import Queue

if TYPE_CHECKING:
    from syscalls.abi.structs.ipc import MqAttr
    from syscalls.fs.fdtable import FdTable
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import Task
    from syscalls.kernel.wait import WaitQueue

MQUEUE_MAGIC = 0x19800202
HARD_MESSAGES, HARD_MESSAGE_SIZE = 65536, 16 << 20  # HARD_MSGMAX, HARD_MSGSIZEMAX
_DIRENT_SIZE = 20
_ACCESS = (MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE)


class MqueueFs(FileSystem):
    """The queues of one IPC namespace. It exists without being mounted; mount(2) shows it."""

    name = "mqueue"
    magic = MQUEUE_MAGIC
    has_xattrs = False

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel.new_dev(), kernel.realtime)
        self.kernel = kernel
        self.queues_max, self.msg_max, self.msgsize_max = 256, 10, 8192  # /proc/sys/fs/mqueue
        self.msg_default, self.msgsize_default = 10, 8192
        self.count = 0
        self.root = Directory(self)
        self.mount = Mount(None, 0, Dentry(None, b"/", self.root), None, None)

    def new_queue(self, task: Task, mode: int, uid: int, gid: int, attr: MqAttr | None) -> Queue:
        """A queue without a name; ENOSPC, EINVAL, EMFILE at RLIMIT_MSGQUEUE (mqueue_get_inode)."""
        privileged = task.cred.capable(CAP_SYS_RESOURCE)
        if self.count >= self.queues_max and not privileged:
            raise SysError(ENOSPC)
        maximum, size = min(self.msg_max, self.msg_default), min(self.msgsize_max, self.msgsize_default)
        if attr is not None:
            maximum, size = attr.mq_maxmsg, attr.mq_msgsize
        most, largest = (HARD_MESSAGES, HARD_MESSAGE_SIZE) if privileged else (self.msg_max, self.msgsize_max)
        if not (0 < maximum <= most and 0 < size <= largest):
            raise SysError(EINVAL)
        queue = Queue(self, mode, uid, gid, maximum, size)
        used, queue.payer = self.kernel.msgqueue_bytes, task.cred.uid
        total = used.get(queue.payer, 0) + queue.charged
        if total > task.group.limit(RLIMIT_MSGQUEUE):
            raise SysError(EMFILE)
        used[queue.payer] = total
        self.count += 1
        return queue

    def file(self, queue: Queue, flags: int) -> File:
        """A new open file description."""
        return QueueFile(queue, flags)

    def evicted(self, queue: Queue) -> None:
        """A queue is no more."""
        self.kernel.msgqueue_bytes[queue.payer] -= queue.charged
        self.count -= 1

    def open(self, task: Task, name: bytes, flags: int, mode: int, attr: MqAttr | None) -> File:
        """Find or make a queue (do_mq_open, prepare_open)."""
        root = self.mount.root
        dentry = root.child(_checked(name))
        if dentry is None:
            if not flags & O_CREAT:
                raise SysError(ENOENT)
            vfs.may_create(self.root, task.cred)
            mode = S_IFREG | mode & 0o7777 & ~task.fs.umask
            cred = task.cred
            dentry = root.add(name, self.root.add(name, self.new_queue(task, mode, cred.fsuid, cred.fsgid, attr)))
            notify.on_create(dentry)
        elif flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL:
            raise SysError(EEXIST)
        elif flags & O_ACCMODE == O_ACCMODE:
            raise SysError(EINVAL)
        else:
            permission(dentry.inode, task.cred, _ACCESS[flags & O_ACCMODE])
        file = vfs_open(Path(self.mount, dentry), flags)
        file.cred = task.cred
        return file

    def unlink(self, task: Task, name: bytes) -> None:
        """Remove a name (mq_unlink(2))."""
        vfs.unlink(task, Path(self.mount, self.mount.root), _checked(name))


def _checked(name: bytes) -> bytes:
    """ENOENT for an empty name, EACCES for one with a slash, "." and ".." (getname, lookup_noperm)."""
    if not name:
        raise SysError(ENOENT)
    if b"/" in name or name in {b".", b".."}:
        raise SysError(EACCES)
    return name


class Directory(Inode):
    """The only directory."""

    __slots__ = ("children",)
    fs: MqueueFs

    def __init__(self, fs: MqueueFs) -> None:
        super().__init__(fs, S_IFDIR | 0o1777)
        self.nlink = 2
        self.children: dict[bytes, Queue] = {}

    @property
    def size(self) -> int:
        return (2 + len(self.children)) * _DIRENT_SIZE

    def open(self, flags: int) -> File:
        return DirectoryFile(self, flags)

    def lookup(self, name: bytes) -> Inode | None:
        return self.children.get(name)

    def entries(self) -> Iterator[tuple[bytes, int, int]]:
        for name in reversed(list(self.children)):
            yield name, self.children[name].ino, S_IFREG

    def add(self, name: bytes, queue: Queue) -> Queue:
        """Give a queue its name."""
        self.children[name] = queue
        self.atime = self.mtime = self.ctime = queue.ctime
        return queue

    def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int = 0) -> Inode:
        del rdev
        task = self.fs.kernel.current
        if task is None or mode & S_IFMT not in {0, S_IFREG}:
            raise SysError(EPERM)
        return self.add(name, self.fs.new_queue(task, S_IFREG | mode & 0o7777, uid, gid, None))

    def unlink(self, name: bytes, inode: Inode) -> None:
        queue = self.children.pop(name)
        self.atime = self.mtime = self.ctime = inode.ctime = self.fs.now()
        queue.nlink -= 1
        queue.leave()


class QueueFile(File):
    """An open message queue: reading shows a line about its state."""

    seekable = True
    inode: Queue

    def __init__(self, inode: Queue, flags: int) -> None:
        super().__init__(inode, flags)
        inode.openers += 1

    def pread(self, count: int, offset: int) -> bytes:
        data = self.inode.status()[offset : offset + count]
        if data:
            self.inode.atime = self.inode.ctime = self.inode.fs.now()
        return data

    def read(self, count: int) -> bytes:
        data = self.pread(count, self.position)
        self.position += len(data)
        return data

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        del data, offset
        raise SysError(EINVAL)

    def truncate(self, length: int) -> None:
        self.inode.truncate(length)

    def seek(self, offset: int, whence: int) -> int:
        """default_llseek."""
        if whence in {SEEK_DATA, SEEK_HOLE} and offset >= self.inode.size:
            raise SysError(ENXIO)
        offset += {SEEK_CUR: self.position, SEEK_END: self.inode.size}.get(whence, 0)
        if whence == SEEK_HOLE:
            offset = self.inode.size
        if offset < 0:
            raise SysError(EINVAL)
        self.position = offset
        return offset

    def poll(self) -> int:
        return self.inode.events()

    def queues(self) -> tuple[WaitQueue, ...]:
        return (self.inode.queue,)

    def flush(self, files: FdTable) -> None:
        """A descriptor is closed: its process is not to be told of messages any more (mqueue_flush_file)."""
        told = self.inode.notification
        if told is None or told.files is not files:
            return
        task = self.inode.fs.kernel.current
        if not told.owner.tasks or (task is not None and task.group is told.owner):
            self.inode.forget()

    def close(self) -> None:
        self.inode.openers -= 1
        self.inode.leave()
