"""Restartable sequences: the area that tells a thread its processor, and aborts (kernel/rseq.c, rseq(2))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.errno import EFAULT, SysError

if TYPE_CHECKING:
    from syscalls.kernel.task import Task

ORIGINAL_SIZE = 32
ALIGNMENT = 32
END = 28  # offsetof(struct rseq, end)
_CPU_UNINITIALIZED = 0xFFFFFFFF
_CS_OFFSET = 8


def publish(task: Task, *, registered: bool = True) -> None:
    """Store processor 0, node 0 and concurrency id 0 in the thread's area, or that there is none; EFAULT."""
    address, _, _ = task.rseq
    cpu = 0 if registered else _CPU_UNINITIALIZED
    task.mm.write(address, (0).to_bytes(4, "little") + cpu.to_bytes(4, "little"))
    task.mm.write(address + 20, bytes(8))


def abort_section(task: Task) -> None:
    """A thread that is interrupted inside a critical section goes to its abort handler; EFAULT (rseq_ip_fixup)."""
    address, _, signature = task.rseq
    if not address:
        return
    section = int.from_bytes(task.mm.read(address + _CS_OFFSET, 8), "little")
    if not section:
        return
    descriptor = task.mm.read(section, 32)
    version, flags = int.from_bytes(descriptor[:4], "little"), int.from_bytes(descriptor[4:8], "little")
    start, length, abort = (int.from_bytes(descriptor[i : i + 8], "little") for i in (8, 16, 24))
    if version or flags or abort - start in range(length):
        raise SysError(EFAULT)
    if task.mm.read(abort - 4, 4) != signature.to_bytes(4, "little"):
        raise SysError(EFAULT)
    task.mm.write(address + _CS_OFFSET, bytes(8))
    if (task.cpu.get(task.arch.pc) - start) & task.arch.mask < length:
        task.cpu.set(task.arch.pc, abort)
