"""Making tasks: fork(2), vfork(2), clone(2), clone3(2) (kernel/fork.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.abi.cstruct import U64, Struct
from syscalls.abi.errno import E2BIG, EINVAL, SysError
from syscalls.abi.kinds import Address, ArrayKind, FlagsKind, PidResult, Pointer, Size
from syscalls.abi.limits import INT_MAX
from syscalls.abi.sched import (
    CLONE_CLEAR_SIGHAND,
    CLONE_DETACHED,
    CLONE_FLAGS,
    CLONE_INTO_CGROUP,
    CLONE_NEWTIME,
    CLONE_PARENT,
    CLONE_PARENT_SETTID,
    CLONE_PIDFD,
    CLONE_SIGHAND,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
    CSIGNAL,
)
from syscalls.abi.signal import SIGCHLD
from syscalls.kernel.clone import CloneArgs, copy, start
from syscalls.kernel.task import Task
from syscalls.kernel.wait import Wait
from syscalls.spec import Restart, syscall

Flags = Annotated[int, FlagsKind(CLONE_FLAGS, wide=True)]
MAX_SIGNAL = 64
CLONE_ARGS_SIZE_VER0, CLONE_ARGS_SIZE_VER2 = 64, 88
MAX_PID_NS_LEVEL = 32
PIDFD_AND_TID = CLONE_PIDFD | CLONE_PARENT_SETTID
#: CLONE_LEGACY_FLAGS and those that only clone3 takes.
CLONE3_FLAGS = 0xFFFFFFFF | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP
PAGE = 4096
U32 = 0xFFFFFFFF


class RawCloneArgs(Struct):
    """struct clone_args (clone3(2)), as far as it is understood."""

    flags: U64
    pidfd: U64
    child_tid: U64
    parent_tid: U64
    exit_signal: U64
    stack: U64
    stack_size: U64
    tls: U64
    set_tid: U64
    set_tid_size: U64
    cgroup: U64


ClonePointer = Annotated[Pointer[RawCloneArgs], ArrayKind(RawCloneArgs, count=1)]


async def _clone(task: Task, args: CloneArgs) -> int:
    """Make a child and let it run; after vfork, sleep until it needs our memory no more (kernel_clone)."""
    if args.flags & PIDFD_AND_TID == PIDFD_AND_TID and args.pidfd == args.parent_tid:
        raise SysError(EINVAL)
    child = copy(task, args)
    child.borrows_memory = bool(args.flags & CLONE_VFORK)
    tid = child.tid
    start(task.kernel, child)
    while child.borrows_memory:
        await Wait((child.gave_memory_back,), killable=True)  # wait_for_vfork_done
    return tid


@syscall(restart=Restart.NOINTR)
async def fork(task: Task) -> PidResult:
    """Make a child process, a copy of this one (fork(2))."""
    return await _clone(task, CloneArgs(0, SIGCHLD))


@syscall(restart=Restart.NOINTR)
async def vfork(task: Task) -> PidResult:
    """Make a child process in this one's memory, and wait until it executes or ends (vfork(2))."""
    return await _clone(task, CloneArgs(CLONE_VFORK | CLONE_VM, SIGCHLD))


async def _old_clone(task: Task, flags: int, stack: int, parent_tid: int, child_tid: int, tls: int) -> int:
    """clone(2): the exit signal is in the flags, and a pidfd goes where the parent's tid would."""
    flags &= U32
    args = CloneArgs(flags & ~CSIGNAL, flags & CSIGNAL, stack, parent_tid, child_tid, tls, parent_tid)
    return await _clone(task, args)


@syscall("clone", only=X86_64, restart=Restart.NOINTR)
async def clone(
    task: Task, flags: Flags, stack: Address, parent_tid: Address, child_tid: Address, tls: Address
) -> PidResult:
    """Make a task that shares with this one what the flags say (clone(2))."""
    return await _old_clone(task, flags, stack, parent_tid, child_tid, tls)


@syscall("clone", only=(I386, ARM64), restart=Restart.NOINTR)
async def clone_backwards(
    task: Task, flags: Flags, stack: Address, parent_tid: Address, tls: Address, child_tid: Address
) -> PidResult:
    """The same where `tls` comes before `child_tid` (CONFIG_CLONE_BACKWARDS)."""
    return await _old_clone(task, flags, stack, parent_tid, child_tid, tls)


@syscall(restart=Restart.NOINTR, partial="There are no cgroups to be put into: EBADF.")
async def clone3(task: Task, cl_args: ClonePointer, size: Size) -> PidResult:
    """The same with its arguments in a struct (clone3(2))."""
    if size > PAGE:
        raise SysError(E2BIG)
    if size < CLONE_ARGS_SIZE_VER0:
        raise SysError(EINVAL)
    data = task.mm.read(cl_args.address, size)
    known = cl_args.size
    if any(data[known:]):
        raise SysError(E2BIG)
    raw = cl_args.layout.unpack(data[:known].ljust(known, b"\0"))
    if raw.set_tid_size > MAX_PID_NS_LEVEL or bool(raw.set_tid) != bool(raw.set_tid_size):
        raise SysError(EINVAL)
    if raw.exit_signal > MAX_SIGNAL:
        raise SysError(EINVAL)
    if raw.flags & CLONE_INTO_CGROUP and (raw.cgroup > INT_MAX or size < CLONE_ARGS_SIZE_VER2):
        raise SysError(EINVAL)
    ids = task.mm.read(raw.set_tid & task.arch.mask, 4 * raw.set_tid_size) if raw.set_tid_size else b""
    _check_struct(task, raw)
    args = CloneArgs(
        raw.flags, raw.exit_signal, raw.stack + raw.stack_size, raw.parent_tid, raw.child_tid, raw.tls, raw.pidfd,
        tuple(int.from_bytes(ids[at : at + 4], "little", signed=True) for at in range(0, len(ids), 4)), raw.cgroup,
    )  # fmt: skip
    return await _clone(task, args)


def _check_struct(task: Task, raw: RawCloneArgs) -> None:
    """clone3_args_valid."""
    flags = raw.flags
    if flags & ~CLONE3_FLAGS or flags & (CLONE_DETACHED | CSIGNAL & ~CLONE_NEWTIME):
        raise SysError(EINVAL)
    if flags & (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND) == CLONE_SIGHAND | CLONE_CLEAR_SIGHAND:
        raise SysError(EINVAL)
    if flags & (CLONE_THREAD | CLONE_PARENT) and raw.exit_signal:
        raise SysError(EINVAL)
    if bool(raw.stack) != bool(raw.stack_size) or raw.stack + raw.stack_size > task.arch.task_size:
        raise SysError(EINVAL)
