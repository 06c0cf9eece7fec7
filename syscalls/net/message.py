"""What lies in a socket's receive queue: bytes, with what was sent beside them (struct sk_buff, UNIXCB)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from syscalls.fs.fdtable import put

if TYPE_CHECKING:
    from syscalls.fs.file import File
    from syscalls.net.unix import UnixSocket

#: sizeof(struct sk_buff) and struct skb_shared_info, as they count against a socket's send buffer.
_SKB, _SHARED_INFO = 256, 320
#: How much of a message lies in the buffer's head; the rest is in pages (SKB_MAX_HEAD, SKB_MAX_ALLOC).
STREAM_HEAD, PACKET_HEAD = (4 << 10) - _SHARED_INFO, (16 << 10) - _SHARED_INFO
_PAGE = 4096


class Creds(NamedTuple):
    """Who sent a message or connected: struct ucred. Nobody told: process 0, the overflow ids."""

    pid: int = 0
    uid: int = 65534
    gid: int = 65534


class Message:
    """Bytes that were sent together."""

    __slots__ = ("address", "creds", "data", "files", "owner", "truesize")

    def __init__(self, owner: UnixSocket, data: bytes, files: list[File], creds: Creds | None) -> None:
        self.owner = owner  # whose send buffer it counts against
        self.address = owner.address
        self.data = data
        self.files = files  # SCM_RIGHTS; each is held as long as the message lives
        self.creds = creds
        self.truesize = truesize(len(data), STREAM_HEAD if owner.whole_writes else PACKET_HEAD)
        for file in files:
            file.users += 1

    def drop(self) -> None:
        """It has been read, or never will be."""
        self.owner.sent(-self.truesize)
        for file in self.files:
            put(file)
        self.files = []


def truesize(count: int, most_head: int) -> int:
    """Memory that a message of `count` bytes takes, its management included (SKB_TRUESIZE, kmalloc's sizes)."""
    paged = -(-max(0, count - most_head) // _PAGE) * _PAGE
    head = max(0, count - paged)
    return _SKB + (1 << max(9, (head + _SHARED_INFO - 1).bit_length())) + paged
