"""Structs of System V IPC, in their IPC_64 forms (the only ones of 64-bit programs; all that C libraries use).

Sources: asm-generic/ipcbuf.h, asm-generic/msgbuf.h, asm/sembuf.h, asm-generic/shmbuf.h, linux/{msg,sem,shm}.h. On i386
the upper half of each time follows the lower, and msqid has them in the same order as semid and shmid.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import I16, I32, U16, U32, CLong, CULong, Repeat, Struct
from syscalls.abi.fcntl import MQ_FLAGS
from syscalls.abi.flags import Octal

_Mode = Annotated[U32, Octal()]
_Mode16 = Annotated[U16, Octal()]


class IpcPerm(Struct):
    """struct ipc64_perm."""

    key: U32
    uid: U32
    gid: U32
    cuid: U32
    cgid: U32
    mode: _Mode
    seq: U16
    _unused: Annotated[tuple[int, ...], Repeat(CULong, 2)]


class IpcPermI386(Struct, variant_of=IpcPerm, arches={"i386"}):
    """struct ipc64_perm of i386: a mode of 16 bits."""

    key: U32
    uid: U32
    gid: U32
    cuid: U32
    cgid: U32
    mode: _Mode16
    _pad1: U16
    seq: U16
    _pad2: U16
    _unused: Annotated[tuple[int, ...], Repeat(CULong, 2)]


class Msqid(Struct):
    """struct msqid64_ds."""

    msg_perm: IpcPerm
    msg_stime: CLong
    msg_rtime: CLong
    msg_ctime: CLong
    msg_cbytes: CULong
    msg_qnum: CULong
    msg_qbytes: CULong
    msg_lspid: I32
    msg_lrpid: I32
    _unused: Annotated[tuple[int, ...], Repeat(CULong, 2)]


class MsqidI386(Struct, variant_of=Msqid, arches={"i386"}):
    """struct msqid64_ds of i386."""

    msg_perm: IpcPerm
    msg_stime: CULong
    _stime_high: CULong
    msg_rtime: CULong
    _rtime_high: CULong
    msg_ctime: CULong
    _ctime_high: CULong
    msg_cbytes: CULong
    msg_qnum: CULong
    msg_qbytes: CULong
    msg_lspid: I32
    msg_lrpid: I32
    _unused: Annotated[tuple[int, ...], Repeat(CULong, 2)]


class Semid(Struct):
    """struct semid64_ds of x86, with room behind each time; on i386 it is for the upper half."""

    sem_perm: IpcPerm
    sem_otime: CLong
    _otime_high: CULong
    sem_ctime: CLong
    _ctime_high: CULong
    sem_nsems: CULong
    _unused: Annotated[tuple[int, ...], Repeat(CULong, 2)]


class SemidArm64(Struct, variant_of=Semid, arches={"arm64"}):
    """struct semid64_ds of asm-generic."""

    sem_perm: IpcPerm
    sem_otime: CLong
    sem_ctime: CLong
    sem_nsems: CULong
    _unused: Annotated[tuple[int, ...], Repeat(CULong, 2)]


class Shmid(Struct):
    """struct shmid64_ds."""

    shm_perm: IpcPerm
    shm_segsz: CULong
    shm_atime: CLong
    shm_dtime: CLong
    shm_ctime: CLong
    shm_cpid: I32
    shm_lpid: I32
    shm_nattch: CULong
    _unused: Annotated[tuple[int, ...], Repeat(CULong, 2)]


class ShmidI386(Struct, variant_of=Shmid, arches={"i386"}):
    """struct shmid64_ds of i386."""

    shm_perm: IpcPerm
    shm_segsz: CULong
    shm_atime: CULong
    _atime_high: CULong
    shm_dtime: CULong
    _dtime_high: CULong
    shm_ctime: CULong
    _ctime_high: CULong
    shm_cpid: I32
    shm_lpid: I32
    shm_nattch: CULong
    _unused: Annotated[tuple[int, ...], Repeat(CULong, 2)]


class Sembuf(Struct):
    """struct sembuf."""

    sem_num: U16
    sem_op: I16
    sem_flg: I16


class Seminfo(Struct):
    """struct seminfo."""

    semmap: I32
    semmni: I32
    semmns: I32
    semmnu: I32
    semmsl: I32
    semopm: I32
    semume: I32
    semusz: I32
    semvmx: I32
    semaem: I32


class Msginfo(Struct):
    """struct msginfo."""

    msgpool: I32
    msgmap: I32
    msgmax: I32
    msgmnb: I32
    msgmni: I32
    msgssz: I32
    msgtql: I32
    msgseg: U16


class Shminfo(Struct):
    """struct shminfo64."""

    shmmax: CULong
    shmmin: CULong
    shmmni: CULong
    shmseg: CULong
    shmall: CULong
    _unused: Annotated[tuple[int, ...], Repeat(CULong, 4)]


class ShmInfo(Struct):
    """struct shm_info."""

    used_ids: I32
    shm_tot: CULong
    shm_rss: CULong
    shm_swp: CULong
    swap_attempts: CULong
    swap_successes: CULong


class MqAttr(Struct):
    """struct mq_attr of POSIX message queues (linux/mqueue.h)."""

    mq_flags: Annotated[CLong, MQ_FLAGS]
    mq_maxmsg: CLong
    mq_msgsize: CLong
    mq_curmsgs: CLong
    _reserved: Annotated[tuple[int, ...], Repeat(CLong, 4)]
