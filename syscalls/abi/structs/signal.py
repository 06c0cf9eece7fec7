"""struct sigaction, stack_t and sets of signals. Sources: asm/signal.h, asm-generic/signal-defs.h."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import I32, U32, U64, CPtr, CULong, Struct
from syscalls.abi.signal import HANDLERS, OLD_SIGNAL_SET, SA_FLAGS, SIGNAL_SET, SS_FLAGS

SigSet = Annotated[U64, SIGNAL_SET]
OldSigSet = Annotated[U32, OLD_SIGNAL_SET]


class KernelSigaction(Struct):
    """struct sigaction as rt_sigaction(2) takes it."""

    handler: Annotated[CPtr, HANDLERS]
    flags: Annotated[CULong, SA_FLAGS]
    restorer: CPtr
    mask: SigSet


class OldSigaction(Struct):
    """struct old_sigaction of i386's sigaction(2)."""

    handler: Annotated[CPtr, HANDLERS]
    mask: OldSigSet
    flags: Annotated[CULong, SA_FLAGS]
    restorer: CPtr


class SigaltStack(Struct):
    """stack_t of sigaltstack(2)."""

    ss_sp: CPtr
    ss_flags: Annotated[I32, SS_FLAGS]
    ss_size: CULong
