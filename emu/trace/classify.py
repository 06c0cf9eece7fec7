"""What a value is, beyond how it looks: an address, an id, a moment in time.

The declarations say it, as far as they go; the members of structures that they leave plain numbers are named here,
after the headers and man pages.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from syscalls.abi.kinds import (
    AddressKind,
    ArrayKind,
    BufferKind,
    FdKind,
    FdSetKind,
    IdKind,
    Kind,
    PointerKind,
    StringKind,
    StringsKind,
    SwitchKind,
)


class Nature(Enum):
    """What a value is. Names stand for something that has another number in every run; the others are just data."""

    ADDRESS = "address"
    FD = "fd"
    PID = "pid"
    INODE = "inode"
    DEVICE = "device"
    TIME = "time"  # when something happened, how long it took
    RANDOM = "random"
    HOST = "host"  # facts of the machine: its name, its memory, its processors
    DATA = "data"


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


#: Of these, two runs are compared by who is who: the same number on one side is the same number on the other.
NAMES = frozenset({Nature.ADDRESS, Nature.FD, Nature.PID, Nature.INODE, Nature.DEVICE})
#: Of these nothing is compared but that they are there.
VOLATILE = frozenset({Nature.TIME, Nature.RANDOM, Nature.HOST})

#: Member of a structure -> what it is.
_MEMBERS: dict[Nature, str] = {
    Nature.INODE: "st_ino stx_ino d_ino",
    Nature.DEVICE: "st_dev",
    Nature.TIME: (
        "st_atime st_atime_nsec st_mtime st_mtime_nsec st_ctime st_ctime_nsec stx_atime stx_btime stx_ctime stx_mtime "
        "ru_utime ru_stime ru_maxrss ru_minflt ru_majflt ru_inblock ru_oublock ru_nvcsw ru_nivcsw "
        "tms_utime tms_stime tms_cutime tms_cstime si_utime si_stime shm_atime shm_dtime shm_ctime sem_otime "
        "sem_ctime msg_stime msg_rtime msg_ctime"
    ),
    Nature.HOST: (
        "stx_dev_major stx_dev_minor stx_mnt_id stx_attributes_mask stx_dio_mem_align stx_dio_offset_align f_fsid "
        "f_blocks f_bfree f_bavail f_files f_ffree nodename release version domainname d_off uptime loads totalram "
        "freeram sharedram bufferram totalswap freeswap procs totalhigh freehigh"
    ),
    Nature.FD: "fd si_fd pidfd",
    Nature.PID: "si_pid l_pid pid tid parent_tid sigev_notify_thread_id msg_lspid msg_lrpid shm_cpid shm_lpid",
    Nature.ADDRESS: (
        "sa_handler sa_restorer si_addr si_ptr si_call_addr si_lower si_upper sival_ptr iov_base ss_sp base_addr stack "
        "tls child_stack child_tidptr child_tid msg_name msg_iov msg_control handler restorer data obj address"
    ),
}
MEMBERS = {name: nature for nature, names in _MEMBERS.items() for name in names.split()}

#: Structures that hold moments or measurements: what a call stores in them is another every time.
_MEASURED = _set("Timespec Timespec64 Timeval Itimerval Itimerspec Itimerspec64 Timex Tms Rusage Sysinfo")

#: What the declarations do not say: call -> parameter -> what it is; "=" is the result.
CALLS: dict[str, dict[str, Nature]] = {
    "getrandom": {"buf": Nature.RANDOM},
    "getcpu": {"cpu": Nature.HOST, "node": Nature.HOST},
    "sched_getaffinity": {"mask": Nature.HOST, "user_mask_ptr": Nature.HOST, "=": Nature.HOST},
    "sysinfo": {"info": Nature.HOST},
    "time": {"tloc": Nature.TIME, "=": Nature.TIME},
    "times": {"=": Nature.TIME},
    "clock_getres": {"res": Nature.DATA},
    "clock_getres_time64": {"res": Nature.DATA},
    "getppid": {"=": Nature.PID},
    "getpgrp": {"=": Nature.PID},
    "getpgid": {"=": Nature.PID},
    "getsid": {"=": Nature.PID},
    "set_tid_address": {"=": Nature.PID},
    "rt_sigreturn": {"=": Nature.HOST},  # whatever the register held that the frame puts back
    "sigreturn": {"=": Nature.HOST},
    "mmap": {"=": Nature.ADDRESS},
    "mmap2": {"=": Nature.ADDRESS},
    "old_mmap": {"=": Nature.ADDRESS},
    "mremap": {"=": Nature.ADDRESS},
    "brk": {"=": Nature.ADDRESS},
    "shmat": {"=": Nature.ADDRESS},
    "signal": {"=": Nature.ADDRESS},
    "futex": {"timeout": Nature.TIME},  # what is left of it, or a moment
    "futex_time64": {"timeout": Nature.TIME},
    "pipe": {"pipefd": Nature.FD},
    "pipe2": {"pipefd": Nature.FD},
    "socketpair": {"sv": Nature.FD},
    "arch_prctl": {"addr": Nature.ADDRESS},
    "clone": {"=": Nature.PID},
    "clone3": {"=": Nature.PID},
    **{name: {"=": Nature.PID} for name in ("fork", "vfork", "wait4", "waitpid", "getpid", "gettid", "setsid")},
}

#: Calls after which a file may be gone, and its inode number another one's.
FREEING = _set("close close_range dup2 dup3 unlink unlinkat rmdir rename renameat renameat2 munmap execve")

#: Calls that a program makes only where the kernel gives it no code of its own to do without (vdso(7)).
VDSO = _set("clock_gettime clock_gettime64 clock_getres clock_getres_time64 gettimeofday time getcpu")

#: Calls whose result is a new name: a number that was another's until now may be given again.
FRESH = _set(
    "mmap mmap2 old_mmap mremap brk shmat open openat openat2 creat dup dup2 dup3 fcntl fcntl64 socket accept accept4 "
    "epoll_create epoll_create1 eventfd eventfd2 signalfd signalfd4 timerfd_create inotify_init inotify_init1 "
    "memfd_create pidfd_open pidfd_getfd open_by_handle_at open_tree fsopen fsmount mq_open clone clone3 fork vfork "
    "fanotify_init userfaultfd memfd_secret pipe pipe2 socketpair"
)


def nature_of_parameter(call: str, name: str, kind: Kind | None) -> Nature:
    """What the parameter of a call is."""
    known = CALLS.get(call, {}).get(name)
    if known is not None:
        return known
    if isinstance(kind, FdKind | FdSetKind):
        return Nature.FD
    if isinstance(kind, IdKind):
        return Nature.PID if kind.what not in {"uid", "gid"} else Nature.DATA
    if isinstance(kind, PointerKind | ArrayKind) and (kind.out or kind.inout):
        return Nature.TIME if getattr(kind.item, "__name__", "") in _MEASURED else Nature.DATA
    if name.startswith("abs_time"):
        return Nature.TIME
    if kind is None and name in MEMBERS:
        return MEMBERS[name]
    return Nature.DATA


def is_pointer(kind: Kind | None) -> bool:
    """Is a bare number in this parameter's place an address, if it is as large as one?"""
    kinds = AddressKind | PointerKind | BufferKind | StringKind | StringsKind | FdSetKind | SwitchKind
    return isinstance(kind, kinds)


def nature_of_result(call: str, kind: Any) -> Nature:
    """What the result of a call is."""
    known = CALLS.get(call, {}).get("=")
    if known is not None:
        return known
    return nature_of_parameter(call, "=", kind) if isinstance(kind, Kind) else Nature.DATA
