"""struct iovec. Source: linux/uio.h."""

from __future__ import annotations

from syscalls.abi.cstruct import CPtr, CULong, Struct


class Iovec(Struct):
    """One piece of user memory."""

    iov_base: CPtr
    iov_len: CULong
