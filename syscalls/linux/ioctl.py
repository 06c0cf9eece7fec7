"""ioctl(2): what every descriptor knows; all else is the open file's business (fs/ioctl.c)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Annotated

from syscalls.abi import ioctl as abi
from syscalls.abi.arch import PAGE_SIZE
from syscalls.abi.cstruct import I32, I64
from syscalls.abi.errno import ENOTTY, EOPNOTSUPP, EPERM, SysError
from syscalls.abi.fcntl import O_ASYNC, O_CLOEXEC, O_NONBLOCK
from syscalls.abi.kinds import AddressKind, Fd, FlagsKind, Kind, PointerKind, SwitchKind
from syscalls.abi.poll import EPIOCSPARAMS, NAPI_POLL_WEIGHT
from syscalls.abi.prctl import CAP_NET_ADMIN
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFREG
from syscalls.abi.structs.termios import Termios, Winsize
from syscalls.fs import devpts, fileattr
from syscalls.fs.cred import CAP_SYS_ADMIN
from syscalls.fs.epoll import EpollFile
from syscalls.fs.fdtable import path_of
from syscalls.fs.file import File
from syscalls.kernel.fileio import install
from syscalls.kernel.sigio import set_async
from syscalls.kernel.task import Task
from syscalls.spec import syscall

_INT_OUT, _INT_IN = PointerKind(I32, out=True), PointerKind(I32, out=False)
_CASES: dict[int, Kind | None] = {
    abi.FIOCLEX: None,
    abi.FIONCLEX: None,
    abi.FIONBIO: _INT_IN,
    abi.FIOASYNC: _INT_IN,
    abi.FIONREAD: _INT_OUT,
    abi.FIGETBSZ: _INT_OUT,
    abi.FIOQSIZE: PointerKind(I64, out=True),
    abi.TCGETS: PointerKind(Termios, out=True),
    abi.TCSETS: PointerKind(Termios, out=False),
    abi.TCSETSW: PointerKind(Termios, out=False),
    abi.TCSETSF: PointerKind(Termios, out=False),
    abi.TIOCGWINSZ: PointerKind(Winsize, out=True),
    abi.TIOCSWINSZ: PointerKind(Winsize, out=False),
    abi.TIOCGPGRP: _INT_OUT,
    abi.TIOCSPGRP: _INT_IN,
    abi.TIOCGSID: _INT_OUT,
    abi.TIOCGPTN: _INT_OUT,
    abi.TIOCSPTLCK: _INT_IN,
    abi.TIOCPKT: _INT_IN,
}
_FSXATTR = struct.Struct("<5I8x")  # struct fsxattr
Request = Annotated[int, FlagsKind(abi.IOCTL_REQUEST)]
Argument = Annotated[int, SwitchKind("op", _CASES, AddressKind())]


@syscall(partial="requests of terminals, pipes and files only")
def ioctl(task: Task, fd: Fd, op: Request, argp: Argument) -> int:
    """Control a device or an open file (ioctl(2)); ENOTTY when it does not know the request."""
    file = task.file(fd)
    if op in (abi.FIOCLEX, abi.FIONCLEX):
        task.files.set_cloexec(fd, on=op == abi.FIOCLEX)
        return 0
    common = _COMMON.get(op)
    if common is not None:
        return common(task, file, argp)
    if file.inode.type == S_IFREG and op == abi.FIONREAD:
        return _put_int(task, argp, file.inode.size - file.position)
    return file.ioctl(op, argp, task.mm)


def _put_int(task: Task, address: int, value: int) -> int:
    task.mm.write(address, (value & 0xFFFFFFFF).to_bytes(4, "little"))
    return 0


def _set_nonblocking(task: Task, file: File, argp: int) -> int:
    return _set_flag(file, O_NONBLOCK, on=any(task.mm.read(argp, 4)))


def _set_async(task: Task, file: File, argp: int) -> int:
    on = any(task.mm.read(argp, 4))
    if on != bool(file.flags & O_ASYNC) and not file.signals_io:
        raise SysError(ENOTTY)
    if file.signals_io:
        fd = next(fd for fd in task.files if task.files.get_any(fd) is file)
        set_async(task.kernel, fd, file, on=on)
    return 0


def _set_flag(file: File, flag: int, *, on: bool) -> int:
    file.flags = file.flags | flag if on else file.flags & ~flag
    return 0


def _quota_size(task: Task, file: File, argp: int) -> int:
    """FIOQSIZE: the size, which for directories is what quota counts."""
    if file.inode.type not in (S_IFDIR, S_IFREG, S_IFLNK):
        raise SysError(ENOTTY)
    task.mm.write(argp, file.inode.size.to_bytes(8, "little"))
    return 0


def _block_size(task: Task, file: File, argp: int) -> int:
    del file
    return _put_int(task, argp, PAGE_SIZE)


def _get_flags(task: Task, file: File, argp: int) -> int:
    return _put_int(task, argp, fileattr.get_flags(path_of(file)))


def _set_flags(task: Task, file: File, argp: int) -> int:
    path = path_of(file)
    fileattr.get_flags(path)  # ENOTTY comes first
    fileattr.set_flags(task, path, int.from_bytes(task.mm.read(argp, 4), "little"))
    return 0


def _get_extended(task: Task, file: File, argp: int) -> int:
    found = fileattr.get_extended(path_of(file))
    task.mm.write(argp, _FSXATTR.pack(found.xflags, found.extsize, found.nextents, found.projid, found.cowextsize))
    return 0


def _set_extended(task: Task, file: File, argp: int) -> int:
    path = path_of(file)
    fileattr.get_flags(path)
    fileattr.set_extended(task, path, fileattr.Extended(*_FSXATTR.unpack(task.mm.read(argp, _FSXATTR.size))))
    return 0


def _freeze(task: Task, file: File, argp: int) -> int:
    del file, argp
    raise SysError(EOPNOTSUPP if task.cred.capable(CAP_SYS_ADMIN) else EPERM)


def _unsupported(task: Task, file: File, argp: int) -> int:
    del task, file, argp
    raise SysError(EOPNOTSUPP)


def _open_peer(task: Task, file: File, argp: int) -> int:
    """TIOCGPTPEER: the other side of a pseudo-terminal, wherever devpts is mounted; `argp` are O_* flags."""
    flags = argp & 0xFFFFFFFF
    peer = devpts.peer(file, flags)
    try:
        return install(task, peer, cloexec=bool(flags & O_CLOEXEC))
    except SysError:
        peer.close()
        raise


def _set_busy_poll(task: Task, file: File, argp: int) -> int:
    """EPIOCSPARAMS: EPERM for more packets at once than NAPI takes, for whom is no administrator."""
    if isinstance(file, EpollFile) and not task.cred.capable(CAP_NET_ADMIN):
        budget = int.from_bytes(task.mm.read(argp + 4, 2), "little")
        if budget > NAPI_POLL_WEIGHT:
            raise SysError(EPERM)
    return file.ioctl(EPIOCSPARAMS, argp, task.mm)


_COMMON: dict[int, Callable[[Task, File, int], int]] = {
    abi.FIONBIO: _set_nonblocking,
    EPIOCSPARAMS: _set_busy_poll,
    abi.FIOASYNC: _set_async,
    abi.FIOQSIZE: _quota_size,
    abi.TIOCGPTPEER: _open_peer,
    abi.FIGETBSZ: _block_size,
    abi.FS_IOC_GETFLAGS: _get_flags,
    abi.FS_IOC_SETFLAGS: _set_flags,
    abi.FS_IOC32_GETFLAGS: _get_flags,
    abi.FS_IOC32_SETFLAGS: _set_flags,
    abi.FS_IOC_FSGETXATTR: _get_extended,
    abi.FS_IOC_FSSETXATTR: _set_extended,
    abi.FIFREEZE: _freeze,
    abi.FITHAW: _freeze,
    abi.FICLONE: _unsupported,
    abi.FICLONERANGE: _unsupported,
    abi.FIDEDUPERANGE: _unsupported,
    abi.FS_IOC_FIEMAP: _unsupported,
}
