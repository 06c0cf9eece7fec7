"""Signal frames: what a handler finds on its stack, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.kernel.signals import SigAction, SigInfo

if TYPE_CHECKING:
    from syscalls.kernel.task import Task


def push(task: Task, info: SigInfo, action: SigAction, mask: int) -> None:
    """Build the frame of `action`'s handler and let the task continue there (setup_rt_frame)."""
    raise NotImplementedError
