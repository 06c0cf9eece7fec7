"""Structs of System V IPC without IPC_64, as i386's ipc(2) still knows them: ids and counts of 16 bits (linux/ipc.h).

Fields have the names of their IPC_64 relatives, so that one object packs into either.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import I32, U16, U32, Repeat, Struct


class OldIpcPerm(Struct):
    """struct ipc_perm."""

    key: U32
    uid: U16
    gid: U16
    cuid: U16
    cgid: U16
    mode: U16
    seq: U16


class OldMsqid(Struct):
    """struct msqid_ds."""

    msg_perm: OldIpcPerm
    _first: U32
    _last: U32
    msg_stime: U32
    msg_rtime: U32
    msg_ctime: U32
    _lcbytes: U32
    _lqbytes: U32
    msg_cbytes: U16
    msg_qnum: U16
    msg_qbytes: U16
    msg_lspid: U16
    msg_lrpid: U16


class OldSemid(Struct):
    """struct semid_ds."""

    sem_perm: OldIpcPerm
    sem_otime: U32
    sem_ctime: U32
    _pointers: Annotated[tuple[int, ...], Repeat(U32, 4)]
    sem_nsems: U16


class OldShmid(Struct):
    """struct shmid_ds."""

    shm_perm: OldIpcPerm
    shm_segsz: U32
    shm_atime: U32
    shm_dtime: U32
    shm_ctime: U32
    shm_cpid: U16
    shm_lpid: U16
    shm_nattch: U16
    _unused: U16
    _pointers: Annotated[tuple[int, ...], Repeat(U32, 2)]


class OldShminfo(Struct):
    """struct shminfo."""

    shmmax: I32
    shmmin: I32
    shmmni: I32
    shmseg: I32
    shmall: I32
