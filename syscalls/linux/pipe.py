"""pipe(2), pipe2(2) (fs/pipe.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import I32
from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.fcntl import O_CLOEXEC, O_DIRECT, O_NONBLOCK
from syscalls.abi.kinds import ArrayKind, Pointer
from syscalls.fs.pipe import make_pipe
from syscalls.kernel.fileio import install
from syscalls.kernel.task import Task
from syscalls.linux.types import CreationFlags
from syscalls.spec import syscall

FdPair = Annotated[Pointer[int], ArrayKind(I32, count=2, out=True)]


@syscall()
def pipe(task: Task, pipefd: FdPair) -> int:
    """Create a pipe and store its read and write descriptors (pipe(2))."""
    return _pipe(task, pipefd, 0)


@syscall()
def pipe2(task: Task, pipefd: FdPair, flags: CreationFlags) -> int:
    """Create a pipe with O_CLOEXEC, O_NONBLOCK, O_DIRECT (pipe2(2))."""
    return _pipe(task, pipefd, flags)


def _pipe(task: Task, pipefd: Pointer[int], flags: int) -> int:
    """EINVAL, EMFILE, then EFAULT, which leaves no descriptors behind (do_pipe2)."""
    if flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT):
        raise SysError(EINVAL)
    cred = task.cred
    ends = make_pipe(task.kernel.pipefs, cred.fsuid, cred.fsgid, flags & ~O_CLOEXEC)
    fds: list[int] = []
    try:
        for end in ends:
            fds.append(install(task, end, cloexec=bool(flags & O_CLOEXEC)))  # noqa: PERF401  # it may fail half-way
        pipefd.put_array(fds)
    except SysError:
        for end in ends[len(fds) :]:
            end.close()
        for fd in fds:
            task.files.close(fd)
        raise
    return 0
