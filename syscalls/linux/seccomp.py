"""seccomp(2): restrict which calls a thread may make (kernel/seccomp.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.bpf import BPF_MAXINSNS, INSTRUCTION_BYTES
from syscalls.abi.errno import EACCES, EINVAL, EOPNOTSUPP, ESRCH, SysError
from syscalls.abi.kinds import Address, FlagsKind
from syscalls.abi.ptrace import (
    SECCOMP_FILTER_FLAG_LOG,
    SECCOMP_FILTER_FLAG_SPEC_ALLOW,
    SECCOMP_FILTER_FLAG_TSYNC,
    SECCOMP_FILTER_FLAG_TSYNC_ESRCH,
    SECCOMP_FILTER_FLAGS,
    SECCOMP_GET_ACTION_AVAIL,
    SECCOMP_OPERATIONS,
    SECCOMP_SET_MODE_FILTER,
    SECCOMP_SET_MODE_STRICT,
)
from syscalls.fs.cred import CAP_SYS_ADMIN
from syscalls.kernel import bpf
from syscalls.kernel import seccomp as kernel_seccomp
from syscalls.kernel.task import Task
from syscalls.spec import syscall

Operation = Annotated[int, FlagsKind(SECCOMP_OPERATIONS)]
Flags = Annotated[int, FlagsKind(SECCOMP_FILTER_FLAGS)]
FLAGS = (
    SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW
    | SECCOMP_FILTER_FLAG_TSYNC_ESRCH
)  # fmt: skip


@syscall(partial="No listeners: SECCOMP_FILTER_FLAG_NEW_LISTENER and SECCOMP_GET_NOTIF_SIZES are EINVAL.")
def seccomp(task: Task, operation: Operation, flags: Flags, args: Address) -> int:
    """Set the thread's secure computing mode, or ask what filters may do (seccomp(2))."""
    if operation == SECCOMP_SET_MODE_STRICT:
        if flags or args:
            raise SysError(EINVAL)
        kernel_seccomp.set_strict(task)
        return 0
    if operation == SECCOMP_SET_MODE_FILTER:
        return set_filter(task, flags, args)
    if operation != SECCOMP_GET_ACTION_AVAIL or flags:
        raise SysError(EINVAL)
    if int.from_bytes(task.mm.read(args, 4), "little") not in kernel_seccomp.AVAILABLE:
        raise SysError(EOPNOTSUPP)
    return 0


def set_filter(task: Task, flags: int, address: int) -> int:
    """Install the filter of a struct sock_fprog (seccomp_set_mode_filter)."""
    if flags & ~FLAGS:
        raise SysError(EINVAL)
    word = task.arch.word
    head = task.mm.read(address, 2 * word)  # a 16-bit length, and behind padding a pointer
    length, place = int.from_bytes(head[:2], "little"), int.from_bytes(head[word:], "little")
    if not 0 < length <= BPF_MAXINSNS:
        raise SysError(EINVAL)
    if not task.no_new_privs and not task.cred.capable(CAP_SYS_ADMIN):
        raise SysError(EACCES)
    program = bpf.unpack(task.mm.read(place, length * INSTRUCTION_BYTES))
    bpf.check(program)
    other = kernel_seccomp.attach(task, program, all_threads=bool(flags & SECCOMP_FILTER_FLAG_TSYNC))
    if other and flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH:
        raise SysError(ESRCH)
    return other
