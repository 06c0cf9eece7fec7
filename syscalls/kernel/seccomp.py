"""Secure computing: which calls a thread may make (kernel/seccomp.c)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL, ENOMEM, ENOSYS, SysError
from syscalls.abi.numbers import NAME
from syscalls.abi.prctl import SECCOMP_MODE_DISABLED, SECCOMP_MODE_FILTER, SECCOMP_MODE_STRICT
from syscalls.abi.ptrace import (
    SECCOMP_RET_ACTION_FULL,
    SECCOMP_RET_ALLOW,
    SECCOMP_RET_DATA,
    SECCOMP_RET_ERRNO,
    SECCOMP_RET_KILL_PROCESS,
    SECCOMP_RET_KILL_THREAD,
    SECCOMP_RET_LOG,
    SECCOMP_RET_TRACE,
    SECCOMP_RET_TRAP,
    SECCOMP_RET_USER_NOTIF,
)
from syscalls.abi.signal import SIGKILL, SIGSYS, SYS_SECCOMP
from syscalls.kernel import bpf, dispatch, signals
from syscalls.kernel.exit import killed_by
from syscalls.kernel.signals import SigInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syscalls.abi.arch import Arch
    from syscalls.kernel.task import Task

MAX_ERRNO = 4095
MAX_INSTRUCTIONS_PER_PATH = 32768
INSTRUCTIONS_PER_FILTER = 4  # what each filter counts beside its own length
STRICT_CALLS = frozenset({"read", "write", "exit", "sigreturn", "rt_sigreturn"})
#: Words of struct seccomp_data that say which call it is, but not with what arguments: number and architecture.
_CALL_WORDS = 0b11
_WORDS = struct.Struct("<iIQ6Q")
_AS_WORDS = struct.Struct("<16I")


def precedence(verdict: int) -> int:
    """Of several verdicts the smallest counts: the action as a signed number (seccomp_run_filters)."""
    action = verdict & SECCOMP_RET_ACTION_FULL
    return action - (1 << 32) if action & 1 << 31 else action


@dataclass(slots=True, eq=False)
class Filter:
    """A program that judges calls, and the one that was installed before it (struct seccomp_filter)."""

    program: Sequence[bpf.Instruction]
    before: Filter | None = None
    #: Verdicts on calls whose arguments this filter and those before it did not look at (seccomp_cache_prepare).
    known: dict[tuple[int, int], int] = field(default_factory=dict)

    def chain(self) -> Iterator[Filter]:
        """The filter, and those that were installed before it, latest first."""
        each: Filter | None = self
        while each is not None:
            yield each
            each = each.before

    def judge(self, number: int, audit: int, pointer: int, args: Sequence[int]) -> int:
        """What is to become of a call; of equal actions, the filter that was installed last decides."""
        verdict = self.known.get((audit, number))
        if verdict is not None:
            return verdict
        signed = (number & 0x7FFF_FFFF) - (number & 0x8000_0000)
        words = _AS_WORDS.unpack(_WORDS.pack(signed, audit, pointer, *args))
        verdict, looked_at = SECCOMP_RET_ALLOW, 0
        for each in self.chain():
            run = bpf.Run(each.program, words)
            looked_at |= run.looked_at
            if precedence(run.result) < precedence(verdict):
                verdict = run.result
        if not looked_at & ~_CALL_WORDS:
            self.known[audit, number] = verdict
        return verdict


@dataclass(frozen=True, slots=True)
class Seccomp:
    """What a thread is restricted to (struct seccomp); a child has the same."""

    mode: int = SECCOMP_MODE_DISABLED
    filter: Filter | None = None


def set_strict(task: Task) -> None:
    """SECCOMP_SET_MODE_STRICT; EINVAL for a thread with filters."""
    if task.seccomp.mode == SECCOMP_MODE_FILTER:
        raise SysError(EINVAL)
    _assign(task, Seccomp(SECCOMP_MODE_STRICT))


def attach(task: Task, program: Sequence[bpf.Instruction], *, all_threads: bool) -> int:
    """SECCOMP_SET_MODE_FILTER: one more filter, for the thread or for its whole process.

    The result is 0, or the id of a thread whose filters are others; EINVAL, ENOMEM for too many instructions.
    """
    if task.seccomp.mode == SECCOMP_MODE_STRICT:
        raise SysError(EINVAL)
    new = Filter(program, task.seccomp.filter)
    total = sum(len(each.program) + INSTRUCTIONS_PER_FILTER for each in new.chain()) - INSTRUCTIONS_PER_FILTER
    if total > MAX_INSTRUCTIONS_PER_PATH:
        raise SysError(ENOMEM)
    others = [other for other in task.group.tasks if other is not task] if all_threads else []
    for other in others:
        if not _may_follow(other, task.seccomp.filter):
            return other.tid
    for each in (task, *others):
        each.no_new_privs |= task.no_new_privs
        _assign(each, Seccomp(SECCOMP_MODE_FILTER, new))
    return 0


def _may_follow(other: Task, filter: Filter | None) -> bool:
    """Has a thread no filters but those of the one that synchronizes? (seccomp_can_sync_threads)."""
    if other.seccomp.mode == SECCOMP_MODE_DISABLED:
        return True
    own = other.seccomp.filter
    return own is None or (filter is not None and own in filter.chain())


def _assign(task: Task, seccomp: Seccomp) -> None:
    task.seccomp = seccomp
    assert task.kernel.processors is not None
    task.kernel.processors.connect(task)  # its calls take the way through `answer` from now on


def answer(task: Task, arch: Arch, number: int, args: tuple[int, ...]) -> int | None:
    """`dispatch.answer` for a restricted thread (__secure_computing)."""
    number &= 0xFFFF_FFFF
    if task.seccomp.filter is None:
        if NAME[arch.name].get(number) in STRICT_CALLS:
            return dispatch.answer(task, arch, number, args)
        task.exit(SIGKILL)
        return None
    verdict = task.seccomp.filter.judge(number, arch.audit, task.cpu.after_trap(), args)
    action, data = verdict & SECCOMP_RET_ACTION_FULL, verdict & SECCOMP_RET_DATA
    if action in (SECCOMP_RET_ALLOW, SECCOMP_RET_LOG):
        return dispatch.answer(task, arch, number, args)
    if action == SECCOMP_RET_ERRNO:
        return -min(data, MAX_ERRNO)
    if action in (SECCOMP_RET_TRACE, SECCOMP_RET_USER_NOTIF):  # nobody traces, nobody listens
        return -ENOSYS
    if action == SECCOMP_RET_TRAP:
        place = task.cpu.after_trap()
        info = SigInfo(
            SIGSYS, SYS_SECCOMP, errno=data, call_address=place, syscall=number, arch=arch.audit,
        )  # fmt: skip
        signals.force(task, info)
        return task.cpu.get(task.arch.result)  # as it was before the call (syscall_rollback)
    _kill(task, process=action != SECCOMP_RET_KILL_THREAD)
    return None


def _kill(task: Task, *, process: bool) -> None:
    """End the process, or the thread: with its last thread the process dies as of any SIGSYS."""
    if process or len(task.group.tasks) == 1:
        task.exit_group(killed_by(task, SIGSYS))
    else:
        task.exit(SIGSYS)


#: For `seccomp(2)`: what a filter may return here (SECCOMP_GET_ACTION_AVAIL).
AVAILABLE = frozenset(
    {
        SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO, SECCOMP_RET_TRACE,
        SECCOMP_RET_LOG, SECCOMP_RET_ALLOW,
    }
)  # fmt: skip
