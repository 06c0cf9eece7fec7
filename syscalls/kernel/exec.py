"""execve(2): from a pathname to another program in the same process (fs/exec.c, fs/binfmt_script.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from syscalls.abi.arch import Arch
from syscalls.abi.errno import E2BIG, EACCES, ELOOP, ENOENT, ENOEXEC, ETXTBSY, SysError
from syscalls.abi.fcntl import O_LARGEFILE, O_RDONLY
from syscalls.abi.process import PER_CLEAR_ON_SETID, READ_IMPLIES_EXEC
from syscalls.abi.signal import SIG_IGN
from syscalls.abi.stat import S_IFREG, ST_NOEXEC
from syscalls.fs import notify
from syscalls.fs.fdtable import put
from syscalls.fs.open import vfs_open
from syscalls.fs.path import resolve
from syscalls.fs.perm import MAY_EXEC, MAY_READ, permission
from syscalls.kernel import posixtimer, usage
from syscalls.kernel.creds import SUID_DUMPABLE, commit
from syscalls.kernel.exec_creds import Becoming, becoming
from syscalls.kernel.signals import AltStack

if TYPE_CHECKING:
    from syscalls.fs.file import File
    from syscalls.fs.path import Caller, Path
    from syscalls.kernel.ports import CpuState
    from syscalls.kernel.task import Task
    from syscalls.mm.space import AddressSpace

SCRIPT_BYTES = 256  # BINPRM_BUF_SIZE: what of the first line counts
MAX_SCRIPTS = 5  # interpreters of interpreters
MAX_ARG_STRLEN = 32 * 4096
ARGUMENT_SPACE_MAX = 6 << 20  # three quarters of 8 MiB
ARGUMENT_SPACE_MIN = 128 << 10
COMM_BYTES = 15
BLANKS = b" \t"
#: SET_PERSONALITY of the architectures.
PER_CLEAR_ON_EXEC = {"x86_64": READ_IMPLIES_EXEC, "i386": 0, "arm64": READ_IMPLIES_EXEC}


@dataclass(slots=True)
class Invocation:
    """What is to be executed (struct linux_binprm)."""

    file: File
    filename: bytes  # AT_EXECFN
    args: list[bytes]
    env: list[bytes]
    depth: int = 0
    interpreter: bytes = b""  # whom the last script has named
    is_inaccessible: bool = False  # `filename` leads through a descriptor that will be closed
    comm_of_file: bool = False  # the thread is named after the file: `filename` is only a descriptor's number
    secure: bool = False  # AT_SECURE


@dataclass(slots=True)
class Program:
    """A program in memory, ready to run: what the machine makes of an Invocation."""

    arch: Arch
    mm: AddressSpace
    cpu: CpuState
    auxv: bytes
    vdso: dict[str, int]
    arguments_at: tuple[int, int]  # where argv's strings begin and end
    environment_at: tuple[int, int]
    vectors: tuple[int, int, int] = (0, 0, 0)  # addresses of the file name, of argv and of envp
    exe: Path | None = None
    args: list[bytes] = field(default_factory=list)
    env: list[bytes] = field(default_factory=list)


def open_exec(caller: Caller, path: Path) -> File:
    """The file of a program; EACCES unless it is a regular file that may be executed, ETXTBSY (do_open_execat).

    The caller is its one user, and gives it up with `put`.
    """
    inode = path.inode
    inode.refresh()
    if inode.type != S_IFREG or path.mount.flags & ST_NOEXEC:
        raise SysError(EACCES)
    permission(inode, caller.cred, MAY_EXEC)
    if inode.writers > 0:
        raise SysError(ETXTBSY)
    file = vfs_open(path, O_RDONLY | O_LARGEFILE, execute=True)
    file.users = 1
    return file


def follow_scripts(caller: Caller, invocation: Invocation) -> Invocation:
    """Replace a script by its interpreter, as often as needed (load_script)."""
    try:
        while (line := _first_line(invocation.file)) is not None:
            script, invocation = invocation, _interpreted(caller, invocation, line)
            put(script.file)
    except SysError:
        put(invocation.file)
        raise
    return invocation


def _interpreted(caller: Caller, script: Invocation, line: bytes) -> Invocation:
    """The interpreter that a script's first line names, with the script as its argument; ELOOP, ENOEXEC."""
    if script.depth == MAX_SCRIPTS:
        raise SysError(ELOOP)
    interpreter, option = _words(line)
    if script.is_inaccessible:
        raise SysError(ENOENT)
    args = [interpreter, *option, script.interpreter or script.filename, *script.args[1:]]
    file = open_exec(caller, resolve(caller, None, interpreter or b"."))
    return replace(script, file=file, args=args, depth=script.depth + 1, interpreter=interpreter)


def _words(line: bytes) -> tuple[bytes, list[bytes]]:
    """The interpreter and its one argument, if there is one; a NUL ends either."""
    line = line.strip(BLANKS)
    if not line:
        raise SysError(ENOEXEC)
    end = min((at for at in map(line.find, (b" ", b"\t", b"\0")) if at >= 0), default=len(line))
    rest = b"" if line[end : end + 1] == b"\0" else line[end:].lstrip(BLANKS).split(b"\0")[0]
    return line[:end], [rest] if line[end:].lstrip(BLANKS) and line[end : end + 1] != b"\0" else []


def _first_line(file: File) -> bytes | None:
    """What stands behind `#!`; None when it is no script. ENOEXEC when the interpreter's name is cut off.

    A shorter file is followed by zeros, as in the kernel's buffer, whose last byte does not count.
    """
    head = file.pread(SCRIPT_BYTES, 0)
    if head:
        notify.on_access(file)
    if not isinstance(head, bytes) or not head.startswith(b"#!"):
        return None
    line, newline, _ = head.ljust(SCRIPT_BYTES, b"\0")[2:].partition(b"\n")
    if newline:
        return line
    line = line[: SCRIPT_BYTES - 3]
    if not any(byte in line.lstrip(BLANKS) for byte in b" \t\0"):
        raise SysError(ENOEXEC)
    return line


def check_size(args: Sequence[bytes], env: Sequence[bytes], stack_limit: int) -> None:
    """E2BIG when a string, or all of them, are too long (bprm_stack_limits)."""
    space = max(min(stack_limit // 4, ARGUMENT_SPACE_MAX), ARGUMENT_SPACE_MIN)
    total = 0
    for text in (*args, *env):
        if len(text) >= MAX_ARG_STRLEN:
            raise SysError(E2BIG)
        total += len(text) + 1 + 8
    if total > space:
        raise SysError(E2BIG)


def execute(task: Task, invocation: Invocation) -> None:
    """Become the program; every error is raised before anything of the old one is gone (begin_new_exec)."""
    kernel = task.kernel
    assert kernel.processors is not None
    invocation = follow_scripts(task, invocation)
    script_file = invocation.file
    try:
        become = becoming(task, script_file)
        invocation.secure = become.secure
        program = kernel.processors.load(task, invocation, become.cred, task.group.limits)
    except SysError:
        put(script_file)
        raise
    _leave_threads(task)
    _leave_memory(task, program)
    _reset_signals(task)
    table = task.files
    if table.users > 1:  # nobody else may see descriptors go
        task.files = table.copy()
        table.release()
    task.files.close_on_exec()
    _become(task, become)
    path = script_file.path
    task.comm = comm_of(path.dentry.name if invocation.comm_of_file and path is not None else invocation.filename)
    put(script_file)
    kernel.processors.connect(task)


def install(task: Task, program: Program) -> None:
    """Let the task and its process be this program."""
    group = task.group
    task.arch, task.mm, task.cpu = program.arch, program.mm, program.cpu
    group.exe = program.exe
    group.arguments, group.environment, group.auxv = program.args, program.env, program.auxv
    group.arguments_at, group.environment_at, group.vdso = program.arguments_at, program.environment_at, program.vdso
    task.mm.limits = group.limits


def _leave_threads(task: Task) -> None:
    """The other threads die, and this one takes the process's id (de_thread)."""
    kernel, group = task.kernel, task.group
    for other in [other for other in group.tasks if other is not task]:
        if other.tid == group.tgid and kernel.observer is not None:
            kernel.observer.superseded(other, task)
        other.exit(0)
    if task.tid != group.tgid:
        kernel.tasks.pop(task.tid, None)
        group.dead_leader = None
        task.tid = group.tgid
        kernel.tasks[task.tid] = task


def _leave_memory(task: Task, program: Program) -> None:
    """Give the old address space up; a parent that waits in vfork(2) goes on (exec_mmap, mm_release)."""
    old = task.mm
    usage.leave_memory(task)
    task.release_thread_pointers()
    program.mm.inherit_flags(old)
    install(task, program)
    old.release()
    task.vfork_done()


def _reset_signals(task: Task) -> None:
    """Handlers of the old program are gone; what was ignored stays ignored (flush_signal_handlers)."""
    actions = task.group.signals.actions
    task.group.signals.actions = {signo: action for signo, action in actions.items() if action.handler == SIG_IGN}
    task.signals.altstack = AltStack()
    posixtimer.delete_all(task.group)
    task.robust_list = 0
    task.clear_child_tid = 0
    task.rseq = (0, 0, 0)
    task.group.membarrier.clear()
    task.group.has_executed = True


def _become(task: Task, become: Becoming) -> None:
    """The program's credentials; what the old one asked for that must not outlive it (setup_new_exec)."""
    cred, group = become.cred, task.group
    group.dumpable = 1 if (cred.euid, cred.egid) == (cred.uid, cred.gid) else SUID_DUMPABLE
    if not _is_readable(task):
        group.dumpable = SUID_DUMPABLE
    if become.secure:
        task.death_signal = 0
    commit(task, cred)
    task.personality &= ~(PER_CLEAR_ON_SETID if become.set_id else PER_CLEAR_ON_EXEC[task.arch.name])


def _is_readable(task: Task) -> bool:
    """Could the caller have read the program? A core of it would show it (would_dump)."""
    exe = task.group.exe
    try:
        if exe is not None:
            permission(exe.inode, task.cred, MAY_READ)
    except SysError:
        return False
    return True


def comm_of(name: bytes) -> bytes:
    """The thread's name after execve: the last component of the file's (__set_task_comm)."""
    return name.rpartition(b"/")[2][:COMM_BYTES]
