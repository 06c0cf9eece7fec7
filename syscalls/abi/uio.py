"""sys/uio.h: flags of preadv2(2) and limits of vectored I/O. Sources: linux/fs.h, linux/uio.h."""

from __future__ import annotations

from syscalls.abi.flags import Flags

UIO_FASTIOV = 8
UIO_MAXIOV = 1024
IOV_MAX = UIO_MAXIOV
#: The most that one read(2) or write(2) transfers: MAX_RW_COUNT of the kernel's linux/fs.h.
MAX_RW_COUNT = 0x7FFFF000

RWF_HIPRI = 1
RWF_DSYNC = 2
RWF_SYNC = 4
RWF_NOWAIT = 8
RWF_APPEND = 0x10
RWF_FLAGS = Flags(globals(), "RWF_???", "RWF_*")
RWF_NOAPPEND = 0x20
RWF_ATOMIC = 0x40
RWF_DONTCACHE = 0x80
