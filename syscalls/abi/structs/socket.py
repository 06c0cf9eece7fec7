"""Structs of the socket calls. Ports and addresses are in network byte order, as bytes.

Sources: include/linux/socket.h of the kernel, linux/un.h, linux/in.h, linux/in6.h, linux/netlink.h, linux/if_packet.h.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.cstruct import I32, U8, U16, U32, Chars, CPtr, CULong, Struct
from syscalls.abi.kinds import AddressKind
from syscalls.abi.socket import FAMILIES, MSG_FLAGS
from syscalls.abi.sockopt import OPTION_LEVELS

_Address = Annotated[CPtr, AddressKind()]
_Family = Annotated[U16, FAMILIES]


class SockaddrUn(Struct):
    """struct sockaddr_un; a shorter address is legal."""

    sun_family: _Family
    sun_path: Annotated[bytes, Chars(108)]


class SockaddrIn(Struct):
    """struct sockaddr_in."""

    sin_family: _Family
    sin_port: Annotated[bytes, Chars(2)]
    sin_addr: Annotated[bytes, Chars(4)]
    _zero: Annotated[bytes, Chars(8)]


class SockaddrIn6(Struct):
    """struct sockaddr_in6."""

    sin6_family: _Family
    sin6_port: Annotated[bytes, Chars(2)]
    sin6_flowinfo: U32
    sin6_addr: Annotated[bytes, Chars(16)]
    sin6_scope_id: U32


class SockaddrNl(Struct):
    """struct sockaddr_nl."""

    nl_family: _Family
    _pad: U16
    nl_pid: U32
    nl_groups: U32


class SockaddrLl(Struct):
    """struct sockaddr_ll."""

    sll_family: _Family
    sll_protocol: Annotated[bytes, Chars(2)]
    sll_ifindex: I32
    sll_hatype: U16
    sll_pkttype: U8
    sll_halen: U8
    sll_addr: Annotated[bytes, Chars(8)]


class Msghdr(Struct):
    """struct user_msghdr."""

    msg_name: _Address
    msg_namelen: I32
    msg_iov: _Address
    msg_iovlen: CULong
    msg_control: _Address
    msg_controllen: CULong
    msg_flags: Annotated[U32, MSG_FLAGS]


class Mmsghdr(Struct):
    """struct mmsghdr."""

    msg_hdr: Msghdr
    msg_len: U32


class Cmsghdr(Struct):
    """struct cmsghdr; cmsg_len counts itself and the data that follows."""

    cmsg_len: CULong
    cmsg_level: Annotated[I32, OPTION_LEVELS]
    cmsg_type: I32


class Ucred(Struct):
    """struct ucred."""

    pid: U32
    uid: U32
    gid: U32


class Linger(Struct):
    """struct linger."""

    l_onoff: I32
    l_linger: I32


class Nlmsghdr(Struct):
    """struct nlmsghdr."""

    nlmsg_len: U32
    nlmsg_type: U16
    nlmsg_flags: U16
    nlmsg_seq: U32
    nlmsg_pid: U32


class IpMreq(Struct):
    """struct ip_mreq."""

    imr_multiaddr: Annotated[bytes, Chars(4)]
    imr_interface: Annotated[bytes, Chars(4)]
