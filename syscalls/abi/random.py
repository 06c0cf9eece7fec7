"""sys/random.h, sys/mman.h's memfd_create(2). Sources: linux/random.h, linux/memfd.h."""

from __future__ import annotations

from syscalls.abi.flags import Flags

GRND_NONBLOCK = 1
GRND_RANDOM = 2
GRND_INSECURE = 4
GRND_FLAGS = Flags(globals(), "GRND_???", "GRND_*")

MFD_CLOEXEC = 1
MFD_ALLOW_SEALING = 2
MFD_HUGETLB = 4
MFD_HUGE_SHIFT = 26
MFD_FLAGS = Flags(
    globals(), "MFD_???", "MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB", shift="MFD_HUGE_SHIFT", shift_bit=MFD_HUGE_SHIFT
)
MFD_NOEXEC_SEAL = 8
MFD_EXEC = 0x10
MFD_NAME_MAX = 249  # NAME_MAX less "memfd:"
