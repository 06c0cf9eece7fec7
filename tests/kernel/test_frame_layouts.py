"""The quick struct formats of signal frames, against the declared structs (abi/structs/sigframe.py)."""

import struct

import pytest

from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.abi.cstruct import layout
from syscalls.abi.structs.sigframe import Sigcontext, Ucontext
from syscalls.abi.structs.siginfo import SIGINFO_SIZE, SiginfoChild, SiginfoFault, SiginfoQueue
from syscalls.kernel import sigframe_arm64, sigframe_x86, siginfo
from syscalls.kernel.signals import SigInfo

X86_64_NAMES = (
    *sigframe_x86._REGISTERS64,
    "eflags",
    "cs",
    "gs",
    "fs",
    "ss",
    "err",
    "trapno",
    "oldmask",
    "cr2",
    "fpstate",
)
I386_NAMES = (
    "gs", "fs", "es", "ds", *sigframe_x86._REGISTERS32, "trapno", "err", "eip", "cs", "eflags", "esp_at_signal", "ss",
    "fpstate", "oldmask", "cr2",
)  # fmt: skip


def test_x86_64():
    declared = layout(Ucontext, X86_64)
    values = list(range(1, 34))
    context = declared.unpack(sigframe_x86.UCONTEXT64.pack(*values))
    assert declared.size == sigframe_x86.UCONTEXT64.size
    stack = context.uc_stack
    assert [context.uc_flags, context.uc_link, stack.ss_sp, stack.ss_flags, stack.ss_size] == values[:5]
    assert [getattr(context.uc_mcontext, name) for name in X86_64_NAMES] == values[5:-1]
    assert context.uc_sigmask == values[-1]


def test_i386():
    declared = layout(Sigcontext, I386)
    values = list(range(1, 23))
    context = declared.unpack(sigframe_x86.SIGCONTEXT32.pack(*values))
    assert declared.size == sigframe_x86.SIGCONTEXT32.size
    assert [getattr(context, name) for name in I386_NAMES] == values
    assert layout(Ucontext, I386).size == sigframe_x86.UCONTEXT32_SIZE


def test_arm64():
    declared = layout(Ucontext, ARM64)
    values = list(range(1, 42))
    data = sigframe_arm64.UCONTEXT_HEAD.pack(*values) + bytes(sigframe_arm64.RECORDS)
    context = declared.unpack(data)
    assert declared.size == len(data)
    machine = context.uc_mcontext
    assert [context.uc_stack.ss_sp, context.uc_stack.ss_flags, context.uc_stack.ss_size] == values[2:5]
    assert [context.uc_sigmask, machine.fault_address, *machine.regs] == values[5:38]
    assert [machine.sp, machine.pc, machine.pstate] == values[38:]


@pytest.mark.parametrize("arch", [X86_64, I386, ARM64])
def test_siginfo(arch):
    info = SigInfo(17, 1, pid=-1, uid=3, status=4, utime=5, stime=6)
    packed = siginfo.pack(info, arch)
    child = layout(SiginfoChild, arch).unpack(packed)
    assert (child.si_signo, child.si_code, child.si_pid, child.si_status, child.si_stime) == (17, 1, -1, 4, 6)
    assert len(packed) == SIGINFO_SIZE
    fault = layout(SiginfoFault, arch).unpack(siginfo.pack(SigInfo(11, 1, address=0x1234), arch))
    assert (fault.si_addr, fault.si_addr_lsb) == (0x1234, 0)
    queued = layout(SiginfoQueue, arch).unpack(siginfo.pack(SigInfo(40, -1, value=1 << 40 | 7), arch))
    assert queued.si_value == (1 << 40 | 7) & arch.mask


def test_formats_are_little_endian():
    assert struct.calcsize(sigframe_x86._FRAME_HEAD64.format) == 8 + sigframe_x86.UCONTEXT64.size
