"""Structs of waiting for files: poll(2), select(2), epoll(7), inotify(7).

Sources: asm-generic/poll.h, fs/select.c, linux/eventpoll.h, linux/inotify.h.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import I16, I32, U32, U64, CPtr, CULong, Struct
from syscalls.abi.kinds import AddressKind
from syscalls.abi.poll import EPOLL_EVENTS, INOTIFY_EVENTS, POLL_EVENTS

_Address = Annotated[CPtr, AddressKind()]


class Pollfd(Struct):
    """struct pollfd."""

    fd: I32
    events: Annotated[I16, POLL_EVENTS]
    revents: Annotated[I16, POLL_EVENTS]


class SigsetArgpack(Struct):
    """The last argument of pselect6(2): where the mask is, and its size."""

    p: _Address
    size: CULong


class SelectArguments(Struct):
    """struct sel_arg_struct, what i386's old select(82) points to."""

    n: CULong
    inp: _Address
    outp: _Address
    exp: _Address
    tvp: _Address


class EpollEvent(Struct, packed={"x86_64"}):
    """struct epoll_event."""

    events: Annotated[U32, EPOLL_EVENTS]
    data: U64


class InotifyEvent(Struct):
    """Head of struct inotify_event; `len` bytes of name follow."""

    wd: I32
    mask: Annotated[U32, INOTIFY_EVENTS]
    cookie: U32
    len: U32
