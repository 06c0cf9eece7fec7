"""What libseccomp knows of the architectures whose calls we can judge: numbers, widths, multiplexed calls."""

from __future__ import annotations

from dataclasses import dataclass, field

from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.abi.numbers import NUMBER
from syscalls.abi.socket import SOCKETCALLS

X32_BIT = 1 << 30
#: What arg0 of i386's ipc(2) must be for each call (linux/ipc.h).
IPC_CALLS = {
    "semop": 1, "semget": 2, "semctl": 3, "semtimedop": 4, "msgsnd": 11, "msgrcv": 12, "msgget": 13, "msgctl": 14,
    "shmat": 21, "shmdt": 22, "shmget": 23, "shmctl": 24,
}  # fmt: skip
#: Calls whose structures x32 has in a shape of its own, from number 512 on (arch/x86/entry/syscalls/syscall_64.tbl).
_X32_OWN = [
    "rt_sigaction",
    "rt_sigreturn",
    "ioctl",
    "readv",
    "writev",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "execve",
    "ptrace",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "sigaltstack",
    "timer_create",
    "mq_notify",
    "kexec_load",
    "waitid",
    "set_robust_list",
    "get_robust_list",
    "vmsplice",
    "move_pages",
    "preadv",
    "pwritev",
    "rt_tgsigqueueinfo",
    "recvmmsg",
    "sendmmsg",
    "process_vm_readv",
    "process_vm_writev",
    "setsockopt",
    "getsockopt",
    "io_setup",
    "io_submit",
    "execveat",
    "preadv2",
    "pwritev2",
]
_X32_WITHOUT = frozenset(
    [
        "_sysctl",
        "uselib",
        "create_module",
        "get_kernel_syms",
        "query_module",
        "nfsservctl",
        "vserver",
        "set_thread_area",
        "get_thread_area",
        "epoll_ctl_old",
        "epoll_wait_old",
    ]
)


@dataclass(frozen=True, slots=True)
class Platform:
    """One SCMP_ARCH: `multiplexed` maps a call to the names and first arguments of what it also goes through."""

    name: str
    scmp: str
    audit: int
    numbers: dict[str, int] = field(repr=False)
    wide: bool  #: are arguments compared in 64 bits?
    multiplexed: dict[str, tuple[str, int]] = field(default_factory=dict, repr=False)
    docker: str = ""  #: what docker calls a host of this architecture in includes and excludes


def _x32() -> dict[str, int]:
    shared = {
        name: number | X32_BIT
        for name, number in NUMBER["x86_64"].items()
        if name not in _X32_WITHOUT and name not in _X32_OWN
    }
    return shared | {name: X32_BIT | 512 + place for place, name in enumerate(_X32_OWN)}


_I386_MULTIPLEXED = {name: ("socketcall", call) for call, (name, _) in SOCKETCALLS.items()} | {
    name: ("ipc", call) for name, call in IPC_CALLS.items()
}
AMD64 = Platform("x86_64", "SCMP_ARCH_X86_64", X86_64.audit, NUMBER["x86_64"], wide=True, docker="amd64")
X86 = Platform(
    "i386", "SCMP_ARCH_X86", I386.audit, NUMBER["i386"], wide=False, multiplexed=_I386_MULTIPLEXED, docker="x86"
)
X32 = Platform("x32", "SCMP_ARCH_X32", X86_64.audit, _x32(), wide=False, docker="x32")
AARCH64 = Platform("arm64", "SCMP_ARCH_AARCH64", ARM64.audit, NUMBER["arm64"], wide=True, docker="arm64")
PLATFORMS: dict[str, Platform] = {each.name: each for each in (AMD64, X86, X32, AARCH64)}
BY_SCMP: dict[str, Platform] = {each.scmp: each for each in PLATFORMS.values()}
