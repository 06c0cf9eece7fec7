"""User namespaces: which ids of the kernel a process sees as which (user_namespaces(7), kernel/user_namespace.c).

Ids in credentials and inodes are the kernel's, which are those of the first user namespace. That one is None here: it
has no maps, and whoever is in it sees every id as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from syscalls.abi.errno import EINVAL, EPERM, SysError

if TYPE_CHECKING:
    from syscalls.fs.cred import Credentials

OVERFLOW_ID = 65534
NO_ID = 0xFFFFFFFF
MAX_EXTENTS = 340
MAX_LEVEL = 32


class Extent(NamedTuple):
    """One line of a map: `length` ids from `first` on are the kernel's from `kernel` on."""

    first: int
    kernel: int
    length: int


class IdMap:
    """Of users, or of groups (struct uid_gid_map)."""

    def __init__(self) -> None:
        self.extents: tuple[Extent, ...] = ()

    def to_kernel(self, id: int) -> int | None:
        """make_kuid; None: nobody."""
        return next((e.kernel + id - e.first for e in self.extents if e.first <= id < e.first + e.length), None)

    def shown(self, id: int) -> int | None:
        """from_kuid; None: it has no name in here."""
        return next((e.first + id - e.kernel for e in self.extents if e.kernel <= id < e.kernel + e.length), None)


class UserNamespace:
    """One of them, but for the first."""

    def __init__(self, parent: UserNamespace | None, owner: int, group: int) -> None:
        """`owner`, `group`: whose capabilities in the parent reach into it."""
        self.parent = parent
        self.level: int = parent.level + 1 if parent else 1
        self.owner, self.group = owner, group
        self.users, self.groups = IdMap(), IdMap()
        self.setgroups_allowed: bool = parent.setgroups_allowed if parent else True

    def is_within(self, other: UserNamespace) -> bool:
        """Is `other` this one, or above?"""
        ns: UserNamespace | None = self
        while ns is not None and ns is not other:
            ns = ns.parent
        return ns is other


def to_kernel(ns: UserNamespace | None, id: int, *, group: bool = False) -> int | None:
    """The kernel's id for one that a member of `ns` names; None when there is none."""
    if ns is None:
        return id
    return (ns.groups if group else ns.users).to_kernel(id)


def shown(ns: UserNamespace | None, id: int, *, group: bool = False) -> int:
    """An id of the kernel's as a member of `ns` sees it: the overflow id when it has no name (from_kuid_munged)."""
    if ns is None:
        return id
    found = (ns.groups if group else ns.users).shown(id)
    return OVERFLOW_ID if found is None else found


def parse(text: bytes) -> list[tuple[int, int, int]]:
    """The lines that somebody writes to uid_map or gid_map, still with the parent's ids; EINVAL (map_write)."""
    rows: list[tuple[int, int, int]] = []
    for line in text.rstrip(b"\n\0").split(b"\n"):
        words = line.split()
        if len(words) != 3 or not all(word.isdigit() for word in words):
            raise SysError(EINVAL)
        first, lower, count = (int(word) for word in words)
        if not count or NO_ID in (first, lower) or max(first, lower) + count > NO_ID:
            raise SysError(EINVAL)
        for other_first, other_lower, other_count in rows:
            if first < other_first + other_count and other_first < first + count:
                raise SysError(EINVAL)
            if lower < other_lower + other_count and other_lower < lower + count:
                raise SysError(EINVAL)
        rows.append((first, lower, count))
    if len(rows) > MAX_EXTENTS:
        raise SysError(EINVAL)
    return rows


def set_map(ns: UserNamespace, writer: Credentials, text: bytes, capability: int, *, group: bool) -> None:
    """Write uid_map or gid_map, which can be done once; EINVAL, EPERM (map_write, new_idmap_permitted)."""
    target = ns.groups if group else ns.users
    rows = parse(text)
    if target.extents or not writer.ns_capable(ns, _CAP_SYS_ADMIN):
        raise SysError(EPERM)
    extents = []
    for first, lower, count in rows:
        kernel, last = (to_kernel(ns.parent, id, group=group) for id in (lower, lower + count - 1))
        if kernel is None or last != kernel + count - 1:
            raise SysError(EPERM)
        extents.append(Extent(first, kernel, count))
    own = len(extents) == 1 and extents[0].length == 1 and ns.owner == writer.euid
    if group:
        own = own and not ns.setgroups_allowed and extents[0].kernel == writer.egid
    else:
        own = own and extents[0].kernel == writer.euid
    if not own and not writer.ns_capable(ns.parent, capability):
        raise SysError(EPERM)
    target.extents = tuple(extents)


def show_map(ns: UserNamespace | None, reader: UserNamespace | None, *, group: bool) -> bytes:
    """uid_map or gid_map, with ids outside as the reader names them (m_show)."""
    if ns is None:
        return b"%10d %10d %10d\n" % (0, 0, NO_ID)
    outside = ns.parent if reader is ns else reader
    rows = []
    for extent in (ns.groups if group else ns.users).extents:
        kernel: int | None = extent.kernel
        if outside is not None:
            kernel = (outside.groups if group else outside.users).shown(extent.kernel)
        rows.append(b"%10d %10d %10d\n" % (extent.first, NO_ID if kernel is None else kernel, extent.length))
    return b"".join(rows)


_CAP_SYS_ADMIN = 21  # cred.py has it, and imports this module
