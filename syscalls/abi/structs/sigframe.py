"""What the kernel puts on a user stack for a signal handler: ucontext_t and the machine's state in it.

Sources: asm/sigcontext.h, asm/ucontext.h, asm-generic/ucontext.h of each architecture; struct ucontext_ia32
(asm/ia32.h) for i386, whose sigset_t has 8 bytes inside the kernel.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import U16, U32, U64, Chars, CPtr, CULong, Repeat, Struct
from syscalls.abi.structs.signal import SigaltStack

FP_XSTATE_MAGIC1 = 0x46505853
FP_XSTATE_MAGIC2 = 0x46505845
UC_FP_XSTATE = 1
UC_SIGCONTEXT_SS = 2
UC_STRICT_RESTORE_SS = 4
FPSIMD_MAGIC = 0x46508001
ESR_MAGIC = 0x45535201


class Sigcontext(Struct):
    """struct sigcontext of x86_64."""

    r8: U64
    r9: U64
    r10: U64
    r11: U64
    r12: U64
    r13: U64
    r14: U64
    r15: U64
    rdi: U64
    rsi: U64
    rbp: U64
    rbx: U64
    rdx: U64
    rax: U64
    rcx: U64
    rsp: U64
    rip: U64
    eflags: U64
    cs: U16
    gs: U16
    fs: U16
    ss: U16
    err: U64
    trapno: U64
    oldmask: U64
    cr2: U64
    fpstate: CPtr
    _reserved: Annotated[tuple[int, ...], Repeat(U64, 8)]


class SigcontextI386(Struct, variant_of=Sigcontext, arches={"i386"}):
    """struct sigcontext of i386."""

    gs: U16
    _gsh: U16
    fs: U16
    _fsh: U16
    es: U16
    _esh: U16
    ds: U16
    _dsh: U16
    edi: U32
    esi: U32
    ebp: U32
    esp: U32
    ebx: U32
    edx: U32
    ecx: U32
    eax: U32
    trapno: U32
    err: U32
    eip: U32
    cs: U16
    _csh: U16
    eflags: U32
    esp_at_signal: U32
    ss: U16
    _ssh: U16
    fpstate: CPtr
    oldmask: U32
    cr2: U32


class SigcontextArm64(Struct, variant_of=Sigcontext, arches={"arm64"}):
    """struct sigcontext of arm64; `records` is a chain of struct _aarch64_ctx, ended by one of zeros."""

    fault_address: U64
    regs: Annotated[tuple[int, ...], Repeat(U64, 31)]
    sp: U64
    pc: U64
    pstate: U64
    _align: U64
    records: Annotated[bytes, Chars(4096)]


class Ucontext(Struct):
    """struct ucontext of x86."""

    uc_flags: CULong
    uc_link: CPtr
    uc_stack: SigaltStack
    uc_mcontext: Sigcontext
    uc_sigmask: U64


class UcontextArm64(Struct, variant_of=Ucontext, arches={"arm64"}):
    """struct ucontext of arm64: the mask has room to grow, the machine's state comes last."""

    uc_flags: CULong
    uc_link: CPtr
    uc_stack: SigaltStack
    uc_sigmask: U64
    _unused: Annotated[bytes, Chars(120)]
    _align: U64
    uc_mcontext: Sigcontext


class FpxSwBytes(Struct):
    """struct _fpx_sw_bytes: what lies behind the 512 bytes of FXSAVE."""

    magic1: U32
    extended_size: U32
    xfeatures: U64
    xstate_size: U32
    _padding: Annotated[tuple[int, ...], Repeat(U32, 7)]


class Fpstate(Struct):
    """struct _fpstate_64: the image of FXSAVE64."""

    cwd: U16
    swd: U16
    twd: U16
    fop: U16
    rip: U64
    rdp: U64
    mxcsr: U32
    mxcsr_mask: U32
    st_space: Annotated[bytes, Chars(128)]
    xmm_space: Annotated[bytes, Chars(256)]
    _reserved2: Annotated[bytes, Chars(48)]
    sw_reserved: FpxSwBytes


class FpstateI386(Struct, variant_of=Fpstate, arches={"i386"}):
    """struct _fpstate_32: the image of FSAVE, then that of FXSAVE."""

    cw: U32
    sw: U32
    tag: U32
    ipoff: U32
    cssel: U32
    dataoff: U32
    datasel: U32
    st: Annotated[bytes, Chars(80)]
    status: U16
    magic: U16
    fxsr_env: Annotated[bytes, Chars(24)]
    mxcsr: U32
    reserved: U32
    fxsr_st: Annotated[bytes, Chars(128)]
    xmm: Annotated[bytes, Chars(128)]
    _padding: Annotated[bytes, Chars(176)]
    sw_reserved: FpxSwBytes


class ContextRecord(Struct):
    """struct _aarch64_ctx: the head of each record in arm64's sigcontext."""

    magic: U32
    size: U32


class FpsimdContext(Struct):
    """struct fpsimd_context: arm64's vector registers, 16 bytes each."""

    head: ContextRecord
    fpsr: U32
    fpcr: U32
    vregs: Annotated[bytes, Chars(512)]


class EsrContext(Struct):
    """struct esr_context: arm64's ESR_EL1 of a fault."""

    head: ContextRecord
    esr: U64
