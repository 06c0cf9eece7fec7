"""arch_prctl(2): x86's thread pointers, and questions about the processor (arch/x86/kernel/process_64.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.arch import I386, X86_64
from syscalls.abi.cstruct import U64
from syscalls.abi.errno import EINVAL, ENODEV, EOPNOTSUPP, EPERM, SysError
from syscalls.abi.kinds import AddressKind, FlagsKind, PointerKind, SwitchKind, ULongKind
from syscalls.abi.prctl import (
    ARCH_GET_CPUID,
    ARCH_GET_FS,
    ARCH_GET_GS,
    ARCH_GET_MAX_TAG_BITS,
    ARCH_GET_UNTAG_MASK,
    ARCH_GET_XCOMP_PERM,
    ARCH_GET_XCOMP_SUPP,
    ARCH_PRCTL,
    ARCH_REQ_XCOMP_PERM,
    ARCH_SET_CPUID,
    ARCH_SET_FS,
    ARCH_SET_GS,
)
from syscalls.kernel.task import Task
from syscalls.spec import syscall

#: Registers behind the options that set and get a base address.
_SETS = {ARCH_SET_FS: "fs_base", ARCH_SET_GS: "gs_base"}
_GETS = {ARCH_GET_FS: "fs_base", ARCH_GET_GS: "gs_base"}
#: Vector state that programs may use: x87 and SSE, as without XSAVE (XFEATURE_MASK_FPSSE).
_XCOMP = 0b11

Option = Annotated[int, FlagsKind(ARCH_PRCTL)]
_CASES = dict.fromkeys(_SETS, AddressKind()) | dict.fromkeys(_GETS, PointerKind(U64, out=True))
Addr = Annotated[int, SwitchKind("option", _CASES | {ARCH_GET_CPUID: None}, ULongKind())]


@syscall(only=X86_64)
def arch_prctl(task: Task, option: Option, addr: Addr) -> int:
    """Set or get the base of FS or GS, or ask about the processor (arch_prctl(2))."""
    if option in _SETS:
        if addr >= task.arch.task_size:
            raise SysError(EPERM)
        task.cpu.set(_SETS[option], addr)
        return 0
    if option in _GETS:
        return _put(task, addr, task.cpu.get(_GETS[option]))
    if option == ARCH_GET_UNTAG_MASK:
        return _put(task, addr, task.arch.mask)
    if option == ARCH_GET_MAX_TAG_BITS:
        return _put(task, addr, 0)
    return _common(task, option, addr)


@syscall("arch_prctl", only=I386)
def arch_prctl_i386(task: Task, option: Option, addr: Addr) -> int:
    """Ask about the processor (arch_prctl(2))."""
    return _common(task, option, addr)


def _put(task: Task, address: int, value: int) -> int:
    task.mm.write(address, value.to_bytes(8, "little"))
    return 0


def _common(task: Task, option: int, addr: int) -> int:
    """do_arch_prctl_common."""
    if option == ARCH_GET_CPUID:
        return 1
    if option == ARCH_SET_CPUID:
        raise SysError(ENODEV)  # the processor cannot trap CPUID
    if option in (ARCH_GET_XCOMP_SUPP, ARCH_GET_XCOMP_PERM):
        return _put(task, addr, _XCOMP)
    if option == ARCH_REQ_XCOMP_PERM:
        raise SysError(EINVAL if addr > 63 else EOPNOTSUPP)
    raise SysError(EINVAL)
