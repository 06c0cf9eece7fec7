"""Structs of threads and processes: clone3(2), futexes, rseq(2), TLS of i386, scheduling, capabilities.

Sources: linux/sched.h, linux/sched/types.h, linux/futex.h, linux/rseq.h, asm/ldt.h, linux/capability.h.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import I32, U32, U64, CLong, CPtr, Struct
from syscalls.abi.futex import FUTEX2_FLAGS
from syscalls.abi.kinds import AddressKind, SignalKind
from syscalls.abi.prctl import CAPABILITY_VERSIONS
from syscalls.abi.sched import CLONE3_FLAGS, SCHED_ATTR_FLAGS, SCHED_POLICIES

_Address = Annotated[CPtr, AddressKind()]
_Address64 = Annotated[U64, AddressKind()]


class CloneArgs(Struct):
    """struct clone_args in its third version (88 bytes); older programs give the first 64 or 80."""

    flags: Annotated[U64, CLONE3_FLAGS]
    pidfd: _Address64
    child_tid: _Address64
    parent_tid: _Address64
    exit_signal: Annotated[U64, SignalKind()]
    stack: _Address64
    stack_size: U64
    tls: _Address64
    set_tid: _Address64
    set_tid_size: U64
    cgroup: U64


class RobustList(Struct):
    """struct robust_list."""

    next: _Address


class RobustListHead(Struct):
    """struct robust_list_head, for set_robust_list(2)."""

    list: RobustList
    futex_offset: CLong
    list_op_pending: _Address


class FutexWaitv(Struct):
    """struct futex_waitv."""

    val: U64
    uaddr: _Address64
    flags: Annotated[U32, FUTEX2_FLAGS]
    _reserved: U32


class Rseq(Struct):
    """struct rseq as far as the kernel writes it; the program aligns it to 32 bytes and may reserve more."""

    cpu_id_start: U32
    cpu_id: U32
    rseq_cs: U64
    flags: U32
    node_id: U32
    mm_cid: U32
    _pad: U32


class UserDesc(Struct):
    """struct user_desc, for set_thread_area(2) and modify_ldt(2); `bits` holds the one-bit fields.

    From bit 0: seg_32bit, contents (2 bits), read_exec_only, limit_in_pages, seg_not_present, useable.
    """

    entry_number: U32
    base_addr: U32
    limit: U32
    bits: U32


class SchedParam(Struct):
    """struct sched_param."""

    sched_priority: I32


class SchedAttr(Struct):
    """struct sched_attr with utilization clamps (56 bytes); the first version has 48."""

    size: U32
    sched_policy: Annotated[U32, SCHED_POLICIES]
    sched_flags: Annotated[U64, SCHED_ATTR_FLAGS]
    sched_nice: I32
    sched_priority: U32
    sched_runtime: U64
    sched_deadline: U64
    sched_period: U64
    sched_util_min: U32
    sched_util_max: U32


class CapHeader(Struct):
    """struct __user_cap_header_struct."""

    version: Annotated[U32, CAPABILITY_VERSIONS]
    pid: I32


class CapData(Struct):
    """struct __user_cap_data_struct; version 3 takes two of them."""

    effective: U32
    permitted: U32
    inheritable: U32
