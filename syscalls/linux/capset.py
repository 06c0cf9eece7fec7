"""capget(2), capset(2) in their three versions (kernel/capability.c, cap_capset of security/commoncap.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EFAULT, EINVAL, EPERM, ESRCH, SysError
from syscalls.abi.kinds import ArrayKind, InOut, Pointer
from syscalls.abi.prctl import (
    _LINUX_CAPABILITY_VERSION_1,
    _LINUX_CAPABILITY_VERSION_2,
    _LINUX_CAPABILITY_VERSION_3,
    CAP_SETPCAP,
)
from syscalls.abi.structs.process import CapData, CapHeader
from syscalls.fs.cred import ALL_CAPABILITIES
from syscalls.kernel.creds import commit, prepare
from syscalls.kernel.task import Task
from syscalls.spec import syscall

#: Version -> how many 32-bit words of capabilities it has.
_WORDS = {_LINUX_CAPABILITY_VERSION_1: 1, _LINUX_CAPABILITY_VERSION_2: 2, _LINUX_CAPABILITY_VERSION_3: 2}
Data = Annotated[Pointer[CapData], ArrayKind(CapData, count=2)]
DataOut = Annotated[Pointer[CapData], ArrayKind(CapData, count=2, out=True)]


def _words(hdrp: Pointer[CapHeader]) -> int | None:
    """By the header's version; for an unknown one store the one to use, and None (cap_validate_magic)."""
    header = hdrp.get()
    words = _WORDS.get(header.version)
    if words is None:
        header.version = _LINUX_CAPABILITY_VERSION_3
        hdrp.put(header)
    return words


@syscall()
def capget(task: Task, hdrp: InOut[CapHeader], datap: DataOut) -> int:
    """Store the capabilities of a thread (capget(2))."""
    words = _words(hdrp)
    if words is None:
        if datap:
            raise SysError(EINVAL)
        return 0
    pid = hdrp.get().pid
    if pid < 0:
        raise SysError(EINVAL)
    other = task.kernel.tasks.get(pid) if pid else task
    if other is None:
        raise SysError(ESRCH)
    if datap:
        cred = other.cred
        datap.put_array(
            [
                CapData(
                    effective=cred.effective >> shift, permitted=cred.permitted >> shift,
                    inheritable=cred.inheritable >> shift,
                )
                for shift in range(0, 32 * words, 32)
            ]
        )  # fmt: skip
    return 0


@syscall()
def capset(task: Task, hdrp: InOut[CapHeader], datap: Data) -> int:
    """Set the capabilities of this thread (capset(2))."""
    words = _words(hdrp)
    if words is None:
        raise SysError(EINVAL)
    pid = hdrp.get().pid
    if pid not in (0, task.tid):
        raise SysError(EPERM)
    if not datap:
        raise SysError(EFAULT)
    data = datap.array(words)
    effective, permitted, inheritable = (
        sum(getattr(word, name) << 32 * place for place, word in enumerate(data)) & ALL_CAPABILITIES
        for name in ("effective", "permitted", "inheritable")
    )
    old, new = task.cred, prepare(task)
    may_inherit = old.inheritable | (ALL_CAPABILITIES if old.capable_here(CAP_SETPCAP) else old.permitted)
    if inheritable & ~may_inherit or inheritable & ~(old.inheritable | old.bounding):
        raise SysError(EPERM)
    if permitted & ~old.permitted or effective & ~permitted:
        raise SysError(EPERM)
    new.effective, new.permitted, new.inheritable = effective, permitted, inheritable
    new.ambient &= permitted & inheritable
    commit(task, new)
    return 0
