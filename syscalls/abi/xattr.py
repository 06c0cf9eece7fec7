"""sys/xattr.h: setxattr(2). Sources: linux/xattr.h, linux/limits.h."""

from __future__ import annotations

from syscalls.abi.flags import Flags

XATTR_CREATE = 1
XATTR_REPLACE = 2
XATTR_FLAGS = Flags(globals(), "XATTR_???", "XATTR_CREATE XATTR_REPLACE")

XATTR_NAME_MAX = 255
XATTR_SIZE_MAX = 65536
XATTR_LIST_MAX = 65536
