"""i386's thread-local storage: set_thread_area(2), get_thread_area(2) (arch/x86/kernel/tls.c)."""

from __future__ import annotations

from syscalls.abi.arch import I386
from syscalls.abi.errno import EINVAL, ESRCH, SysError
from syscalls.abi.kinds import InOut
from syscalls.abi.structs.process import UserDesc
from syscalls.kernel import descriptors
from syscalls.kernel.descriptors import ANY_ENTRY, TLS_ENTRIES
from syscalls.kernel.task import Task
from syscalls.spec import syscall


@syscall(only=I386)
def set_thread_area(task: Task, u_info: InOut[UserDesc]) -> int:
    """Set one of the three segments for thread-local storage (set_thread_area(2))."""
    info = u_info.get()
    descriptors.check(info)
    entry = info.entry_number
    if entry == ANY_ENTRY:
        free = [number for number in TLS_ENTRIES if not task.cpu.get_tls_descriptor(number)]
        if not free:
            raise SysError(ESRCH)
        entry = info.entry_number = free[0]
        u_info.put(info)
    if entry not in TLS_ENTRIES:
        raise SysError(EINVAL)
    task.cpu.set_tls_descriptor(entry, 0 if descriptors.is_empty(info) else descriptors.pack(info))
    return 0


@syscall(only=I386)
def get_thread_area(task: Task, u_info: InOut[UserDesc]) -> int:
    """Store what a segment for thread-local storage holds (get_thread_area(2))."""
    entry = u_info.get().entry_number
    if entry not in TLS_ENTRIES:
        raise SysError(EINVAL)
    u_info.put(descriptors.unpack(entry, task.cpu.get_tls_descriptor(entry)))
    return 0
