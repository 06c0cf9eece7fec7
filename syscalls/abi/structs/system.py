"""What uname(2), sysinfo(2), getrlimit(2), getrusage(2) fill in.

Sources: linux/utsname.h, linux/sysinfo.h, linux/resource.h.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import U16, U32, U64, Chars, CLong, CULong, Repeat, Struct
from syscalls.abi.structs.time import Timeval

_Name = Annotated[bytes, Chars(65)]
_ShortName = Annotated[bytes, Chars(9)]


class Utsname(Struct):
    """struct new_utsname."""

    sysname: _Name
    nodename: _Name
    release: _Name
    version: _Name
    machine: _Name
    domainname: _Name


class OldUtsname(Struct):
    """struct old_utsname: without the domain."""

    sysname: _Name
    nodename: _Name
    release: _Name
    version: _Name
    machine: _Name


class OldOldUtsname(Struct):
    """struct oldold_utsname: names of eight bytes."""

    sysname: _ShortName
    nodename: _ShortName
    release: _ShortName
    version: _ShortName
    machine: _ShortName


class Sysinfo(Struct):
    """struct sysinfo; sizes in units of mem_unit bytes."""

    uptime: CLong
    loads: Annotated[tuple[int, ...], Repeat(CULong, 3)]
    totalram: CULong
    freeram: CULong
    sharedram: CULong
    bufferram: CULong
    totalswap: CULong
    freeswap: CULong
    procs: U16
    _pad: U16
    totalhigh: CULong
    freehigh: CULong
    mem_unit: U32


class SysinfoI386(Struct, variant_of=Sysinfo, arches={"i386"}):
    """struct sysinfo of i386: eight bytes longer than its fields."""

    uptime: CLong
    loads: Annotated[tuple[int, ...], Repeat(CULong, 3)]
    totalram: CULong
    freeram: CULong
    sharedram: CULong
    bufferram: CULong
    totalswap: CULong
    freeswap: CULong
    procs: U16
    _pad: U16
    totalhigh: CULong
    freehigh: CULong
    mem_unit: U32
    _tail: U64


class Rlimit(Struct):
    """struct rlimit of a program's own width."""

    rlim_cur: CULong
    rlim_max: CULong


class Rlimit64(Struct):
    """struct rlimit64."""

    rlim_cur: U64
    rlim_max: U64


class Rusage(Struct):
    """struct rusage."""

    ru_utime: Timeval
    ru_stime: Timeval
    ru_maxrss: CLong
    ru_ixrss: CLong
    ru_idrss: CLong
    ru_isrss: CLong
    ru_minflt: CLong
    ru_majflt: CLong
    ru_nswap: CLong
    ru_inblock: CLong
    ru_oublock: CLong
    ru_msgsnd: CLong
    ru_msgrcv: CLong
    ru_nsignals: CLong
    ru_nvcsw: CLong
    ru_nivcsw: CLong
