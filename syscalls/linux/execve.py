"""Executing programs: execve(2), execveat(2) (fs/exec.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import E2BIG, EAGAIN, EINVAL, ELOOP, ENAMETOOLONG, SysError
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from syscalls.abi.kinds import DirFd, Path, Strings, StringsKind
from syscalls.abi.resource import RLIMIT_NPROC, RLIMIT_STACK
from syscalls.fs.fdtable import put
from syscalls.fs.file import File
from syscalls.fs.path import resolve
from syscalls.kernel.creds import count_processes
from syscalls.kernel.exec import MAX_ARG_STRLEN, Invocation, check_size, execute, open_exec
from syscalls.kernel.task import Task
from syscalls.linux.types import AtFlags
from syscalls.spec import NO_RETURN, syscall

Environment = Annotated[int, StringsKind(brief=True)]
MAX_STRINGS = 0x7FFFFFFF


def _strings(task: Task, address: int) -> list[bytes]:
    """A NULL-terminated array of strings; NULL is an empty one. EFAULT, E2BIG."""
    strings: list[bytes] = []
    word = task.arch.word
    while address:
        pointer = int.from_bytes(task.mm.read(address + len(strings) * word, word), "little")
        if not pointer:
            break
        try:
            strings.append(task.mm.cstr(pointer, MAX_ARG_STRLEN))
        except SysError as error:
            raise SysError(E2BIG if error.errno == ENAMETOOLONG else error.errno) from None
    return strings


def _execute(task: Task, dirfd: int, pathname: bytes, argv: int, envp: int, flags: int) -> None:
    if task.too_many and count_processes(task.kernel, task.cred.uid) > task.group.limit(RLIMIT_NPROC):
        raise SysError(EAGAIN)
    task.too_many = False
    base = task.files.at(dirfd, pathname, empty=bool(flags & AT_EMPTY_PATH))
    path = resolve(
        task, base, pathname, follow=not flags & AT_SYMLINK_NOFOLLOW, empty=bool(flags & AT_EMPTY_PATH)
    )  # fmt: skip
    if path.dentry.is_symlink:
        raise SysError(ELOOP)
    file = open_exec(task, path)
    try:
        args, env = _strings(task, argv) or [b""], _strings(task, envp)
        check_size(args, env, task.group.limit(RLIMIT_STACK))
    except SysError:
        put(file)
        raise
    execute(task, _invocation(task, file, dirfd, pathname, args, env))


def _invocation(
    task: Task, file: File, dirfd: int, pathname: bytes, args: list[bytes], env: list[bytes]
) -> Invocation:  # fmt: skip
    """What the program is told its file is called; a name by descriptor may not lead anywhere later (alloc_bprm)."""
    if dirfd == AT_FDCWD or pathname.startswith(b"/"):
        return Invocation(file, pathname, args, env, comm_of_file=not pathname)
    name = b"/dev/fd/%d" % dirfd + (b"/" + pathname if pathname else b"")
    closed = dirfd in task.files.cloexec
    return Invocation(file, name, args, env, is_inaccessible=closed, comm_of_file=not pathname)


@syscall()
def execve(task: Task, pathname: Path, argv: Strings, envp: Environment) -> None:
    """Run another program in this process (execve(2))."""
    _execute(task, AT_FDCWD, pathname, argv, envp, 0)
    return NO_RETURN


@syscall()
def execveat(task: Task, dirfd: DirFd, pathname: Path, argv: Strings, envp: Environment, flags: AtFlags) -> None:
    """The same, relative to a directory or of a descriptor itself (execveat(2))."""
    if flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW):
        raise SysError(EINVAL)
    _execute(task, dirfd, pathname, argv, envp, flags)
    return NO_RETURN
