"""signalfd(2): pending signals are read from a descriptor instead of being delivered (fs/signalfd.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.cstruct import layout
from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.fcntl import O_RDWR
from syscalls.abi.poll import POLLIN
from syscalls.abi.structs.siginfo import (
    SiginfoChild,
    SiginfoFault,
    SiginfoKill,
    SiginfoPoll,
    SiginfoQueue,
    SiginfoSys,
    SiginfoTimer,
    SignalfdSiginfo,
)
from syscalls.fs.anon import AnonFile
from syscalls.fs.file import WOULD_BLOCK, WouldBlock
from syscalls.kernel import signals
from syscalls.kernel.siginfo import member_of

if TYPE_CHECKING:
    from syscalls.abi.arch import Arch
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.signals import SigInfo
    from syscalls.kernel.task import Task
    from syscalls.kernel.wait import WaitQueue

SIZE = 128
#: Fields that mean something, by the member of siginfo_t's union that a signal has: ssi_x is `SigInfo`'s x.
_FIELDS = {
    SiginfoKill: ("pid", "uid"),
    SiginfoTimer: ("overrun",),
    SiginfoPoll: ("band", "fd"),
    SiginfoFault: ("trapno",),
    SiginfoChild: ("pid", "uid", "status", "utime", "stime"),
    SiginfoQueue: ("pid", "uid"),
    SiginfoSys: ("syscall", "arch"),
}


def pack(info: SigInfo, arch: Arch) -> bytes:
    """struct signalfd_siginfo, which is the same on every `arch` (signalfd_copyinfo)."""
    member = member_of(info.signo, info.code)
    values = {f"ssi_{name}": getattr(info, name) for name in ("signo", "errno", "code", *_FIELDS[member])}
    if member is SiginfoTimer:
        values["ssi_tid"] = info.timer_id
    if member in (SiginfoTimer, SiginfoQueue):
        values["ssi_ptr"] = info.value
        values["ssi_int"] = (info.value & 0xFFFFFFFF ^ 1 << 31) - (1 << 31)
    if member is SiginfoFault:
        values["ssi_addr"] = info.address
    if member is SiginfoSys:
        values["ssi_call_addr"] = info.call_address
    return layout(SignalfdSiginfo, arch).pack(SignalfdSiginfo(**values))


class SignalFile(AnonFile):
    """Readable when a signal of `mask` is pending for the task that asks, or for its process."""

    kind = b"[signalfd]"

    def __init__(self, kernel: Kernel, mask: int, flags: int) -> None:
        super().__init__(kernel.anonfs, O_RDWR | flags)
        self.kernel = kernel
        self.mask = mask

    @property
    def _task(self) -> Task:
        assert self.kernel.current is not None
        return self.kernel.current

    def set_mask(self, mask: int) -> None:
        """Other signals from now on."""
        self.mask = mask
        self._task.group.signal_sent.wake(events=POLLIN)

    def read(self, count: int) -> bytes | WouldBlock:
        """As many pending signals as fit; EINVAL when not even one does."""
        if count < SIZE:
            raise SysError(EINVAL)
        records: list[bytes] = []
        while len(records) < count // SIZE and (info := signals.take(self._task, self.mask)) is not None:
            records.append(pack(info, self._task.arch))
        return b"".join(records) or WOULD_BLOCK

    def details(self) -> bytes:
        return b"sigmask:\t%016x\n" % self.mask

    def poll(self) -> int:
        task = self._task
        pending = task.signals.pending_mask() | task.group.signals.pending_mask()
        return POLLIN if pending & self.mask else 0

    def queues(self) -> tuple[WaitQueue, ...]:
        return (self._task.group.signal_sent,)
