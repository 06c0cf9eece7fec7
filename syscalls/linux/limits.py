"""Limits and usage: getrlimit(2), prlimit(2), getrusage(2), times(2) (kernel/sys.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.arch import I386, PAGE_SIZE
from syscalls.abi.errno import EINVAL, EPERM, SysError
from syscalls.abi.kinds import FlagsKind, In, Out, Pid
from syscalls.abi.prctl import CAP_SYS_RESOURCE
from syscalls.abi.resource import (
    OLD_RLIM_INFINITY,
    RLIM32_INFINITY,
    RLIM64_INFINITY,
    RLIM_NLIMITS,
    RLIMIT_CPU,
    RLIMIT_NOFILE,
    RLIMITS,
    RUSAGE_CHILDREN,
    RUSAGE_SELF,
    RUSAGE_THREAD,
    RUSAGE_WHO,
)
from syscalls.abi.structs.system import Rlimit, Rlimit64, Rusage
from syscalls.abi.structs.time import Timeval, Tms
from syscalls.abi.time import NSEC_PER_USEC, USEC_PER_SEC, USER_TICK_NS
from syscalls.kernel.task import Task, ThreadGroup
from syscalls.kernel.usage import Usage, of_group, of_task, watch_limit
from syscalls.spec import syscall

Resource = Annotated[int, FlagsKind(RLIMITS)]
Who = Annotated[int, FlagsKind(RUSAGE_WHO, signed=True)]
#: /proc/sys/fs/nr_open: nobody may ask for more descriptors.
NR_OPEN = 1 << 20
INFINITE = (RLIM64_INFINITY, RLIM64_INFINITY)


def _get(group: ThreadGroup, resource: int) -> tuple[int, int]:
    if resource >= RLIM_NLIMITS:
        raise SysError(EINVAL)
    return group.limits.get(resource, INFINITE)


def _set(task: Task, group: ThreadGroup, resource: int, soft: int, hard: int) -> None:
    """The second half of do_prlimit."""
    _, old_hard = _get(group, resource)
    if soft > hard:
        raise SysError(EINVAL)
    if resource == RLIMIT_NOFILE and hard > NR_OPEN:
        raise SysError(EPERM)
    if hard > old_hard and not task.cred.capable(CAP_SYS_RESOURCE):
        raise SysError(EPERM)
    group.limits[resource] = (soft, hard)
    if resource == RLIMIT_CPU:
        watch_limit(group)


@syscall("getrlimit", "ugetrlimit")
def getrlimit(task: Task, resource: Resource, rlim: Out[Rlimit]) -> int:
    """Store the soft and hard limit of a resource (getrlimit(2))."""
    soft, hard = _get(task.group, resource)
    largest = RLIM32_INFINITY if rlim.size == 8 else RLIM64_INFINITY
    rlim.put(Rlimit(rlim_cur=min(soft, largest), rlim_max=min(hard, largest)))
    return 0


@syscall("getrlimit", only=I386)
def old_getrlimit(task: Task, resource: Resource, rlim: Out[Rlimit]) -> int:
    """The same with limits that stop at 2 GB (getrlimit(2))."""
    soft, hard = _get(task.group, resource)
    rlim.put(Rlimit(rlim_cur=min(soft, OLD_RLIM_INFINITY), rlim_max=min(hard, OLD_RLIM_INFINITY)))
    return 0


@syscall()
def setrlimit(task: Task, resource: Resource, rlim: In[Rlimit]) -> int:
    """Set the soft and hard limit of a resource (setrlimit(2))."""
    wanted = rlim.get()
    soft, hard = wanted.rlim_cur, wanted.rlim_max
    if rlim.size == 8:  # two 32-bit numbers, of which the largest means infinity
        soft, hard = (RLIM64_INFINITY if limit == RLIM32_INFINITY else limit for limit in (soft, hard))
    _set(task, task.group, resource, soft, hard)
    return 0


@syscall()
def prlimit64(task: Task, pid: Pid, resource: Resource, new_limit: In[Rlimit64], old_limit: Out[Rlimit64]) -> int:
    """Set and get a limit of any process (prlimit(2))."""
    wanted = new_limit.get() if new_limit else None
    other = task.kernel.find(pid) if pid else task
    if other is None:
        raise task.kernel.missing(pid)
    if other is not task and not _may_limit(task, other):
        raise SysError(EPERM)
    soft, hard = _get(other.group, resource)
    if wanted is not None:
        _set(task, other.group, resource, wanted.rlim_cur, wanted.rlim_max)
    if old_limit:
        old_limit.put(Rlimit64(rlim_cur=soft, rlim_max=hard))
    return 0


def _may_limit(task: Task, other: Task) -> bool:
    """check_prlimit_permission."""
    mine, theirs = task.cred, other.cred
    same = {theirs.uid, theirs.euid, theirs.suid} == {mine.uid} and {theirs.gid, theirs.egid, theirs.sgid} == {mine.gid}
    return same or mine.capable(CAP_SYS_RESOURCE)


# --- usage ------------------------------------------------------------------------------------------------------------


def timeval(nanoseconds: int) -> Timeval:
    """A time in microseconds."""
    seconds, microseconds = divmod(nanoseconds // NSEC_PER_USEC, USEC_PER_SEC)
    return Timeval(tv_sec=seconds, tv_usec=microseconds)


@syscall()
def getrusage(task: Task, who: Who, usage: Out[Rusage]) -> int:
    """Store what the process, its children or this thread has used (getrusage(2))."""
    if who not in (RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD):
        raise SysError(EINVAL)
    if who == RUSAGE_CHILDREN:
        used = task.group.account.children
    else:
        used = of_group(task.group) if who == RUSAGE_SELF else of_task(task)
    usage.put(rusage_of(used))
    return 0


def rusage_of(used: Usage) -> Rusage:
    """The struct of what was used."""
    return Rusage(
        ru_utime=timeval(used.user_ns),
        ru_stime=timeval(used.system_ns),
        ru_maxrss=used.max_rss * PAGE_SIZE >> 10,
        ru_minflt=used.faults,
        ru_nvcsw=used.voluntary,
        ru_nivcsw=used.involuntary,
    )


@syscall()
def times(task: Task, buf: Out[Tms]) -> int:
    """Store processor times; the result is the uptime, both in clock ticks (times(2))."""
    if buf:
        mine, children = of_group(task.group), task.group.account.children
        buf.put(
            Tms(
                tms_utime=mine.user_ns // USER_TICK_NS,
                tms_stime=mine.system_ns // USER_TICK_NS,
                tms_cutime=children.user_ns // USER_TICK_NS,
                tms_cstime=children.system_ns // USER_TICK_NS,
            )
        )
    return (task.kernel.clock.monotonic() // USER_TICK_NS) & (task.arch.mask >> 1)
