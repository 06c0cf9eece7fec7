"""Scheduling parameters (sched(7), kernel/sched/syscalls.c): kept and checked, although one processor serves in turn.

There is one processor: affinity is always {0}.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import U32, layout
from syscalls.abi.errno import E2BIG, EINVAL, EPERM, SysError
from syscalls.abi.kinds import Address, Buffer, BufferKind, FlagsKind, In, InOut, Out, Pid, Pointer, UInt
from syscalls.abi.prctl import CAP_SYS_NICE
from syscalls.abi.resource import RLIMIT_NICE, RLIMIT_RTPRIO
from syscalls.abi.sched import (
    SCHED_BATCH,
    SCHED_DEADLINE,
    SCHED_EXT,
    SCHED_FIFO,
    SCHED_FLAG_RESET_ON_FORK,
    SCHED_IDLE,
    SCHED_OTHER,
    SCHED_POLICIES,
    SCHED_RESET_ON_FORK,
    SCHED_RR,
)
from syscalls.abi.structs.process import SchedAttr, SchedParam
from syscalls.abi.structs.time import Timespec, Timespec64
from syscalls.kernel.task import Task
from syscalls.kernel.time import from_ns
from syscalls.spec import syscall

Policy = Annotated[int, FlagsKind(SCHED_POLICIES, signed=True)]
CpuMask = Annotated[Buffer, BufferKind("cpusetsize", out=False)]
CpuMaskOut = Annotated[Buffer, BufferKind("cpusetsize", out=True)]

REALTIME = (SCHED_FIFO, SCHED_RR)
NORMAL = (SCHED_OTHER, SCHED_BATCH, SCHED_IDLE)
RR_TIMESLICE_NS = 100_000_000
#: A slice of the fair scheduler on one processor (sysctl_sched_base_slice).
BASE_SLICE_NS = 3_000_000
ATTR_SIZE_VER0 = 48
ATTR_SIZE = 56


def find(task: Task, pid: int) -> Task:
    """The thread with this id, 0 for oneself; ESRCH, EPERM."""
    other = task.kernel.find(pid) if pid else task
    if other is None:
        raise task.kernel.missing(pid)
    return other


def same_owner(task: Task, other: Task) -> bool:
    """Does the caller's effective user own the other thread? (check_same_owner)."""
    return task.cred.euid in (other.cred.euid, other.cred.uid)


@syscall()
def sched_yield(task: Task) -> int:
    """Let others run (sched_yield(2))."""
    task.kernel.scheduler.end_turn()
    return 0


# --- policies ---------------------------------------------------------------------------------------------------------


def _set(task: Task, other: Task, policy: int, priority: int, nice: int | None = None) -> None:
    """__sched_setscheduler: EINVAL, then EPERM."""
    reset = policy & SCHED_RESET_ON_FORK
    policy &= ~SCHED_RESET_ON_FORK
    if policy not in (*REALTIME, *NORMAL) or not 0 <= priority <= 99 or (policy in REALTIME) != (priority != 0):
        raise SysError(EINVAL)
    if not task.cred.capable(CAP_SYS_NICE):
        old_policy, old_priority = other.scheduler
        limit = other.group.limit(RLIMIT_RTPRIO)
        if policy in REALTIME and ((policy != old_policy and not limit) or priority > max(old_priority, limit)):
            raise SysError(EPERM)
        if nice is not None and nice < other.nice and not can_nice(task, other, nice):
            raise SysError(EPERM)
        if old_policy == SCHED_IDLE and policy != SCHED_IDLE and not can_nice(task, other, other.nice):
            raise SysError(EPERM)
        if not same_owner(task, other) or (other.reset_on_fork and not reset):
            raise SysError(EPERM)
    if other.scheduler[1] or priority:
        task.kernel.scheduler.reprioritize()
    other.scheduler = (policy, priority)
    other.reset_on_fork = bool(reset)
    if nice is not None:
        other.nice = nice


def can_nice(task: Task, other: Task, nice: int) -> bool:
    """May the nice value be so low? (can_nice)."""
    return 20 - nice <= other.group.limit(RLIMIT_NICE) or task.cred.capable(CAP_SYS_NICE)


@syscall()
def sched_setscheduler(task: Task, pid: Pid, policy: Policy, param: In[SchedParam]) -> int:
    """Set policy and priority of a thread (sched_setscheduler(2))."""
    if policy < 0 or not param or pid < 0:
        raise SysError(EINVAL)
    _set_by_param(task, pid, policy, param)
    return 0


@syscall()
def sched_setparam(task: Task, pid: Pid, param: In[SchedParam]) -> int:
    """Set the priority of a thread (sched_setparam(2))."""
    if not param or pid < 0:
        raise SysError(EINVAL)
    _set_by_param(task, pid, None, param)
    return 0


def _set_by_param(task: Task, pid: int, policy: int | None, param: Pointer[SchedParam]) -> None:
    priority = param.get().sched_priority
    other = find(task, pid)
    if policy is None:
        policy = other.scheduler[0] | (SCHED_RESET_ON_FORK if other.reset_on_fork else 0)
    _set(task, other, policy, priority)


@syscall()
def sched_getscheduler(task: Task, pid: Pid) -> int:
    """Policy of a thread (sched_getscheduler(2))."""
    if pid < 0:
        raise SysError(EINVAL)
    other = find(task, pid)
    return other.scheduler[0] | (SCHED_RESET_ON_FORK if other.reset_on_fork else 0)


@syscall()
def sched_getparam(task: Task, pid: Pid, param: Out[SchedParam]) -> int:
    """Priority of a thread (sched_getparam(2))."""
    if not param or pid < 0:
        raise SysError(EINVAL)
    param.put(SchedParam(sched_priority=find(task, pid).scheduler[1]))
    return 0


@syscall(partial="SCHED_DEADLINE and utilization clamps are EINVAL.")
def sched_setattr(task: Task, pid: Pid, uattr: InOut[SchedAttr], flags: UInt) -> int:
    """Set policy, priority and nice value of a thread (sched_setattr(2))."""
    if not uattr or pid < 0 or flags:
        raise SysError(EINVAL)
    size_field = Pointer[int](task.mm, uattr.address, layout(U32, task.arch))
    size = size_field.get() or ATTR_SIZE_VER0
    if not ATTR_SIZE_VER0 <= size <= 4096 or any(task.mm.read(uattr.address + ATTR_SIZE, max(0, size - ATTR_SIZE))):
        size_field.put(ATTR_SIZE)
        raise SysError(E2BIG)
    attr = uattr.layout.unpack(task.mm.read(uattr.address, min(size, ATTR_SIZE)).ljust(ATTR_SIZE, b"\0"))
    policy = attr.sched_policy
    if policy >= 1 << 31 or policy == SCHED_DEADLINE or attr.sched_flags & ~SCHED_FLAG_RESET_ON_FORK:
        raise SysError(EINVAL)
    other = find(task, pid)
    reset = SCHED_RESET_ON_FORK if attr.sched_flags & SCHED_FLAG_RESET_ON_FORK else 0
    nice = max(-20, min(19, attr.sched_nice)) if policy in (SCHED_OTHER, SCHED_BATCH) else None
    _set(task, other, policy | reset, attr.sched_priority, nice)
    return 0


@syscall()
def sched_getattr(task: Task, pid: Pid, uattr: Out[SchedAttr], usize: UInt, flags: UInt) -> int:
    """Policy, priority and nice value of a thread (sched_getattr(2))."""
    if not uattr or pid < 0 or not ATTR_SIZE_VER0 <= usize <= 4096 or flags:
        raise SysError(EINVAL)
    other = find(task, pid)
    policy, priority = other.scheduler
    attr = SchedAttr(
        size=min(usize, ATTR_SIZE), sched_policy=policy, sched_priority=priority,
        sched_flags=SCHED_FLAG_RESET_ON_FORK if other.reset_on_fork else 0,
        sched_nice=other.nice if policy in (SCHED_OTHER, SCHED_BATCH) else 0, sched_util_max=1024,
    )  # fmt: skip
    task.mm.write(uattr.address, uattr.layout.pack(attr)[:usize].ljust(usize, b"\0"))
    return 0


@syscall()
def sched_get_priority_max(task: Task, policy: Policy) -> int:
    """Highest priority of a policy (sched_get_priority_max(2))."""
    return _bounds(task, policy)[1]


@syscall()
def sched_get_priority_min(task: Task, policy: Policy) -> int:
    """Lowest priority of a policy (sched_get_priority_min(2))."""
    return _bounds(task, policy)[0]


def _bounds(task: Task, policy: int) -> tuple[int, int]:
    del task
    if policy in REALTIME:
        return 1, 99
    if policy in (*NORMAL, SCHED_DEADLINE, SCHED_EXT):
        return 0, 0
    raise SysError(EINVAL)


@syscall()
def sched_rr_get_interval(task: Task, pid: Pid, tp: Out[Timespec]) -> int:
    """Store a thread's time slice (sched_rr_get_interval(2))."""
    tp.put(from_ns(_slice(task, pid)))
    return 0


@syscall()
def sched_rr_get_interval_time64(task: Task, pid: Pid, tp: Out[Timespec64]) -> int:
    """Store a thread's time slice, in 64-bit seconds (sched_rr_get_interval(2))."""
    tp.put(from_ns(_slice(task, pid)))
    return 0


def _slice(task: Task, pid: int) -> int:
    if pid < 0:
        raise SysError(EINVAL)
    policy = find(task, pid).scheduler[0]
    return {SCHED_RR: RR_TIMESLICE_NS, SCHED_FIFO: 0}.get(policy, BASE_SLICE_NS)


# --- processors -------------------------------------------------------------------------------------------------------


@syscall()
def sched_setaffinity(task: Task, pid: Pid, cpusetsize: UInt, mask: CpuMask) -> int:
    """Choose processors: 0 must be among them, as there is no other (sched_setaffinity(2))."""
    wanted = mask.get(min(cpusetsize, 8)) if cpusetsize else b""
    other = find(task, pid)
    if not same_owner(task, other) and not task.cred.capable(CAP_SYS_NICE):
        raise SysError(EPERM)
    if not wanted or not wanted[0] & 1:
        raise SysError(EINVAL)
    return 0


@syscall()
def sched_getaffinity(task: Task, pid: Pid, cpusetsize: UInt, mask: CpuMaskOut) -> int:
    """Store the set of processors; the result is its size in bytes (sched_getaffinity(2))."""
    if cpusetsize < 1 or cpusetsize % task.arch.word:
        raise SysError(EINVAL)
    find(task, pid)
    return mask.put((1).to_bytes(min(cpusetsize, 8), "little"))


@syscall()
def getcpu(task: Task, cpu: Out[U32], node: Out[U32], tcache: Address) -> int:
    """Store which processor and node this is: 0 and 0 (getcpu(2))."""
    del task, tcache
    for pointer in (cpu, node):
        if pointer:
            pointer.put(0)
    return 0
