"""memfd_create(2) (mm/memfd.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EINVAL, ENOSYS, SysError
from syscalls.abi.fcntl import F_SEAL_EXEC, F_SEAL_SEAL
from syscalls.abi.kinds import FdResult, FlagsKind, StringKind
from syscalls.abi.random import (
    MFD_ALLOW_SEALING,
    MFD_CLOEXEC,
    MFD_EXEC,
    MFD_FLAGS,
    MFD_HUGETLB,
    MFD_NAME_MAX,
    MFD_NOEXEC_SEAL,
)
from syscalls.fs import memfd
from syscalls.kernel.fileio import install
from syscalls.kernel.task import Task
from syscalls.spec import syscall

MemfdName = Annotated[bytes, StringKind(1 << 16)]
MemfdFlags = Annotated[int, FlagsKind(MFD_FLAGS)]


@syscall(partial="there are no huge pages")
def memfd_create(task: Task, name: MemfdName, flags: MemfdFlags) -> FdResult:
    """Open a new file that is only in memory and has no name (memfd_create(2))."""
    if flags & MFD_HUGETLB:
        raise SysError(ENOSYS)
    if flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC):
        raise SysError(EINVAL)
    if flags & MFD_EXEC and flags & MFD_NOEXEC_SEAL:
        raise SysError(EINVAL)
    if len(name) > MFD_NAME_MAX:
        raise SysError(EINVAL)
    seals = F_SEAL_EXEC if flags & MFD_NOEXEC_SEAL else 0 if flags & MFD_ALLOW_SEALING else F_SEAL_SEAL
    mode = 0o666 if flags & MFD_NOEXEC_SEAL else 0o777
    file = memfd.create(task.kernel.shmem, name, task.cred.fsuid, task.cred.fsgid, mode, seals)
    return install(task, file, cloexec=bool(flags & MFD_CLOEXEC))
