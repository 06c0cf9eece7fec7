"""sysinfo(2): uptime, load and memory of the guest's machine (kernel/sys.c)."""

from __future__ import annotations

from syscalls.abi.kinds import Out
from syscalls.abi.structs.system import Sysinfo
from syscalls.abi.time import NSEC_PER_SEC
from syscalls.kernel.task import Task
from syscalls.spec import syscall


@syscall()
def sysinfo(task: Task, info: Out[Sysinfo]) -> int:
    """Store uptime, load, memory and how many processes there are (sysinfo(2))."""
    kernel = task.kernel
    total, free = kernel.memory_bytes()
    unit = 1
    if total > task.arch.mask:  # do_sysinfo and compat_sysinfo: in larger units where bytes do not fit
        unit = 4096
    uptime_ns = kernel.clock.monotonic() - kernel.boot_ns
    info.put(
        Sysinfo(
            uptime=-(-uptime_ns // NSEC_PER_SEC),
            totalram=total // unit,
            freeram=free // unit,
            procs=len(kernel.tasks),
            mem_unit=unit,
        )
    )
    return 0
