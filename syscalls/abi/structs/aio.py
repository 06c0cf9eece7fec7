"""Structs of asynchronous input and output. Source: linux/aio_abi.h."""

from __future__ import annotations

from syscalls.abi.cstruct import I16, I64, U16, U32, U64, Struct


class Iocb(Struct):
    """struct iocb: one request."""

    aio_data: U64
    aio_key: U32
    aio_rw_flags: U32
    aio_lio_opcode: U16
    aio_reqprio: I16
    aio_fildes: U32
    aio_buf: U64
    aio_nbytes: U64
    aio_offset: I64
    aio_reserved2: U64
    aio_flags: U32
    aio_resfd: U32


class IoEvent(Struct):
    """struct io_event: what has become of one."""

    data: U64
    obj: U64
    res: I64
    res2: I64
