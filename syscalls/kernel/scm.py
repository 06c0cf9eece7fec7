"""Control messages beside a socket's data: descriptors and credentials (unix(7), net/core/scm.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from syscalls.abi.cstruct import layout
from syscalls.abi.errno import EFAULT, EINVAL, EPERM, ESRCH, SysError
from syscalls.abi.resource import RLIMIT_NOFILE
from syscalls.abi.socket import MSG_CMSG_CLOEXEC, MSG_CTRUNC, SCM_CREDENTIALS, SCM_MAX_FD, SCM_RIGHTS
from syscalls.abi.sockopt import SOL_SOCKET
from syscalls.abi.structs.socket import Cmsghdr, Ucred
from syscalls.fs.cred import CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN
from syscalls.fs.fdtable import put
from syscalls.net.message import Creds

if TYPE_CHECKING:
    from syscalls.fs.file import File
    from syscalls.kernel.task import Task
    from syscalls.net.unix import Received, UnixSocket

#: The process that every world has, if only outside.
_INIT = 1


class Control(NamedTuple):
    """What a sender sends beside the data."""

    files: list[File]
    creds: Creds


def own_creds(task: Task) -> Creds:
    """What a sender's credentials are unless it says otherwise."""
    return Creds(task.group.tgid, task.cred.uid, task.cred.gid)


def peer_creds(task: Task) -> Creds:
    """What SO_PEERCRED will show of who connects or listens now (init_peercred)."""
    return Creds(task.group.tgid, task.cred.euid, task.cred.egid)


def parse(task: Task, data: bytes) -> Control:
    """The control messages of a sendmsg(2); EINVAL, EBADF, EPERM, ESRCH (__scm_send)."""
    header = layout(Cmsghdr, task.arch)
    word = task.arch.word
    files: list[File] = []
    creds = own_creds(task)
    place = 0
    while place + header.size <= len(data):
        message = header.unpack(data[place : place + header.size])
        length = message.cmsg_len
        if not header.size <= length <= len(data) - place:
            raise SysError(EINVAL)
        body = data[place + header.size : place + length]
        place += -(-length // word) * word
        if message.cmsg_level != SOL_SOCKET:
            continue
        if message.cmsg_type == SCM_RIGHTS:
            files += _descriptors(task, body, len(files))
        elif message.cmsg_type == SCM_CREDENTIALS:
            creds = _credentials(task, body)
        else:
            raise SysError(EINVAL)
    return Control(files, creds)


def _descriptors(task: Task, body: bytes, known: int) -> list[File]:
    """SCM_RIGHTS (scm_fp_copy)."""
    if len(body) // 4 + known > SCM_MAX_FD:
        raise SysError(EINVAL)
    fds = [int.from_bytes(body[i : i + 4], "little", signed=True) for i in range(0, len(body) - 3, 4)]
    return [task.files.get_any(fd) for fd in fds]


def _credentials(task: Task, body: bytes) -> Creds:
    """SCM_CREDENTIALS: ids that the sender has, unless it is privileged (scm_check_creds)."""
    shape = layout(Ucred, task.arch)
    if len(body) != shape.size:
        raise SysError(EINVAL)
    given = shape.unpack(body)
    cred = task.cred
    if not (
        (given.pid == task.group.tgid or cred.capable(CAP_SYS_ADMIN))
        and (given.uid in (cred.uid, cred.euid, cred.suid) or cred.capable(CAP_SETUID))
        and (given.gid in (cred.gid, cred.egid, cred.sgid) or cred.capable(CAP_SETGID))
    ):
        raise SysError(EPERM)
    if given.pid != _INIT and given.pid not in task.kernel.groups:
        raise SysError(ESRCH)
    return Creds(given.pid, given.uid, given.gid)


class Store:
    """A receiver's room for control messages, and what has been put there."""

    def __init__(self, task: Task, address: int, room: int, flags: int) -> None:
        self.task = task
        self.start = self.address = address
        self.room = room if address else 0
        self.cloexec = bool(flags & MSG_CMSG_CLOEXEC)
        self.header = layout(Cmsghdr, task.arch)
        self.flags = 0  # MSG_CTRUNC

    @property
    def used(self) -> int:
        """msg_controllen."""
        return self.address - self.start

    def put_received(self, socket: UnixSocket, received: Received) -> None:
        """Credentials if they are wanted, then descriptors (scm_recv_unix)."""
        if socket.passes_creds:
            creds = received.creds or Creds()
            self.put(SCM_CREDENTIALS, layout(Ucred, self.task.arch).pack(Ucred(**creds._asdict())))
        if received.files:
            self._put_files(received.files)

    def put(self, kind: int, data: bytes) -> None:
        """One message, cut to the room that there is (put_cmsg)."""
        if self.room < self.header.size:
            self.flags |= MSG_CTRUNC
            return
        length = self.header.size + len(data)
        if self.room < length:
            self.flags |= MSG_CTRUNC
            length = self.room
        head = self.header.pack(Cmsghdr(cmsg_len=length, cmsg_level=SOL_SOCKET, cmsg_type=kind))
        self.task.mm.write(self.address, (head + data)[:length])
        word = self.task.arch.word
        space = min(-(-(self.header.size + len(data)) // word) * word, self.room)
        self.address += space
        self.room -= space

    def _put_files(self, files: tuple[File, ...]) -> None:
        """As many descriptors as there is room for, in the message and in the table (scm_detach_fds)."""
        most = (self.room - self.header.size) // 4 if self.room > self.header.size else 0
        fds: list[int] = []
        try:
            for file in files[:most]:
                limit = self.task.group.limit(RLIMIT_NOFILE)
                fds.append(self.task.files.install(file, limit, cloexec=self.cloexec))  # may fail
        except SysError:
            pass  # those that came so far count
        for file in files:
            put(file)  # a descriptor holds it now
        if len(fds) < len(files):
            self.flags |= MSG_CTRUNC
        if fds:
            self.put(SCM_RIGHTS, b"".join(fd.to_bytes(4, "little") for fd in fds))


def read_control(task: Task, address: int, length: int) -> bytes:
    """A sender's control messages as bytes; EFAULT."""
    if not length:
        return b""
    if not address:
        raise SysError(EFAULT)
    return task.mm.read(address, length)
