"""signalfd(2) (fs/signalfd.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.kinds import Fd, FdResult, FlagsKind, In, Pointer, Size
from syscalls.abi.signal import SFD_CLOEXEC, SFD_FLAGS, SFD_NONBLOCK, SIGSET_SIZE, UNBLOCKABLE
from syscalls.abi.structs.signal import SigSet
from syscalls.kernel.fileio import install
from syscalls.kernel.signalfd import SignalFile
from syscalls.kernel.task import Task
from syscalls.spec import syscall

SignalFlags = Annotated[int, FlagsKind(SFD_FLAGS)]


@syscall()
def signalfd(task: Task, fd: Fd, mask: In[SigSet], sizemask: Size) -> FdResult:
    """A descriptor that signals are read from, or other signals for one (signalfd(2))."""
    return _signalfd(task, fd, mask, sizemask, 0)


@syscall()
def signalfd4(task: Task, fd: Fd, mask: In[SigSet], sizemask: Size, flags: SignalFlags) -> FdResult:
    """The same with SFD_CLOEXEC and SFD_NONBLOCK (signalfd(2))."""
    return _signalfd(task, fd, mask, sizemask, flags)


def _signalfd(task: Task, fd: int, mask: Pointer[int], sizemask: int, flags: int) -> int:
    """EINVAL, EFAULT, EINVAL, EBADF, EINVAL (do_signalfd4)."""
    if sizemask != SIGSET_SIZE:
        raise SysError(EINVAL)
    wanted = mask.get() & ~UNBLOCKABLE
    if flags & ~(SFD_CLOEXEC | SFD_NONBLOCK):
        raise SysError(EINVAL)
    if fd == -1:
        file = SignalFile(task.kernel, wanted, flags & SFD_NONBLOCK)
        return install(task, file, cloexec=bool(flags & SFD_CLOEXEC))
    known = task.file(fd)
    if not isinstance(known, SignalFile):
        raise SysError(EINVAL)
    known.set_mask(wanted)
    return fd
