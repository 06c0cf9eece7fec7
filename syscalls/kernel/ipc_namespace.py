"""All System V IPC and the message queues of a world (struct ipc_namespace)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from syscalls.kernel.ipc_msg import MessageQueues
from syscalls.kernel.ipc_sem import Semaphores
from syscalls.kernel.ipc_shm import SharedSegments
from syscalls.kernel.mqueuefs import MqueueFs

if TYPE_CHECKING:
    from syscalls.kernel.kernel import Kernel


class IpcNamespace:
    """Queues, sets, segments, and their limits as /proc/sys/kernel names those."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.msgmax, self.msgmnb, self.msgmni = 8192, 16384, 32000
        self.semmsl, self.semmns, self.semopm, self.semmni = 32000, 1024000000, 500, 32000
        self.shmmax = self.shmall = (1 << 64) - 1 - (1 << 24)
        self.shmmni = 4096
        self.messages = MessageQueues(self)
        self.semaphores = Semaphores(self)
        self.segments = SharedSegments(self)

    @cached_property
    def mqueues(self) -> MqueueFs:
        """POSIX message queues."""
        return MqueueFs(self.kernel)
