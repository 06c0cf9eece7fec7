"""Ending: exit(2), exit_group(2), and waiting for children (wait(2))."""

from __future__ import annotations

from syscalls.abi.kinds import Int
from syscalls.kernel.task import Task
from syscalls.spec import NO_RETURN, syscall


@syscall()
def exit(task: Task, status: Int) -> None:
    """End this thread (_exit(2))."""
    task.exit((status & 0xFF) << 8)
    return NO_RETURN


@syscall()
def exit_group(task: Task, status: Int) -> None:
    """End all threads of the process (exit_group(2))."""
    task.exit_group((status & 0xFF) << 8)
    return NO_RETURN
