"""rseq(2): restartable sequences, an area that a thread shares with the kernel."""

from __future__ import annotations

from syscalls.abi.errno import EBUSY, EFAULT, EINVAL, EPERM, SysError
from syscalls.abi.kinds import Address, UInt
from syscalls.kernel import rseq as areas
from syscalls.kernel.task import Task
from syscalls.spec import syscall

RSEQ_FLAG_UNREGISTER = 1


@syscall()
def rseq(task: Task, rseq: Address, rseq_len: UInt, flags: UInt, sig: UInt) -> int:
    """Register or unregister the area of restartable sequences (rseq(2), kernel/rseq.c)."""
    address, length, signature = task.rseq
    if flags == RSEQ_FLAG_UNREGISTER:
        if address != rseq or not address or length != rseq_len:
            raise SysError(EINVAL)
        if signature != sig:
            raise SysError(EPERM)
        areas.publish(task, registered=False)
        task.rseq = (0, 0, 0)
        return 0
    if flags:
        raise SysError(EINVAL)
    if address:
        if (address, length) != (rseq, rseq_len):
            raise SysError(EINVAL)
        raise SysError(EPERM if signature != sig else EBUSY)
    if rseq_len < areas.ORIGINAL_SIZE or rseq % areas.ALIGNMENT:
        raise SysError(EINVAL)
    if rseq + rseq_len > task.arch.task_size:
        raise SysError(EFAULT)
    task.rseq = (rseq, rseq_len, sig)
    areas.publish(task)
    return 0
