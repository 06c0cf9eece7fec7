"""How mounts copy themselves: whole trees, and propagation between peers (mount_namespaces(7), fs/pnode.c).

A mount with a `group` is shared: what is mounted on it is mounted on all of its group. One with a `master` is a slave
of that group: it gets the group's mounts, and the group does not get its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syscalls.fs.dentry import Dentry
    from syscalls.fs.mount import Mount, MountTable


def tree(mount: Mount) -> Iterator[Mount]:
    """The mount and all that hang below it, parents first."""
    yield mount
    for child in list(mount.children.values()):
        yield from tree(child)


def copy_tree(
    source: Mount,
    root: Dentry,
    table: MountTable,
    parent: Mount | None,
    point: Dentry | None,
    *,
    recursive: bool = True,
    unbindable: bool = True,
    slave: bool = False,
) -> dict[Mount, Mount]:
    """Clone a mount, to show what is below `root`, with the mounts in there: old -> new, the first one on top.

    `unbindable`: also those that bind mounts leave out. `slave`: the clones of shared mounts follow them only.
    """
    twin = table.add(root, parent, point, source.flags, source.source)
    twin.group, twin.master, twin.unbindable = source.group, source.master, source.unbindable
    if slave and source.group:
        twin.group, twin.master = 0, source.group
    twins = {source: twin}
    for place, child in list(source.children.items()) if recursive else ():
        if place.is_under(root) and child is not twin and (unbindable or not child.unbindable):
            below = copy_tree(child, child.root, table, twin, place, unbindable=unbindable, slave=slave)
            twins.update(below)
    return twins


def attached(top: Mount) -> None:
    """A tree hangs at a place of a shared mount now: it is shared, and hangs at the others too (propagate_mnt)."""
    parent, point = top.parent, top.mountpoint
    assert parent is not None
    assert point is not None
    for mount in tree(top):
        mount.group = mount.group or _new_group(mount)
    clones = {parent.group: top}  # by the group of what they hang on
    for target, group, slave in list(_targets(parent)):
        if target.table is None or not point.is_under(target.root) or point in target.children:
            continue
        if slave and target.group in clones:
            group, slave = target.group, False
        source = clones.get(group, top)
        twin = copy_tree(source, source.root, target.table, target, point, slave=slave)[source]
        if slave and target.group:
            clones[target.group] = twin
            for mount in tree(twin):
                mount.group = _new_group(mount)


def detached(parent: Mount, point: Dentry) -> list[Mount]:
    """What hangs at the same place of the others, and must go too (propagate_umount)."""
    found = [target.children.get(point) for target, _, _ in _targets(parent)]
    return [mount for mount in found if mount is not None and not mount.children]


def _targets(mount: Mount) -> Iterator[tuple[Mount, int, bool]]:
    """Who gets what is mounted on a shared mount: (mount, from which group, True: as its slave)."""
    pending, seen = [mount.group], {0}
    while pending:
        group = pending.pop()
        if group in seen:
            continue
        seen.add(group)
        for other in _family(mount):
            if group == mount.group == other.group and other is not mount:
                yield other, group, False
            elif other.master == group:
                yield other, group, True
                pending.append(other.group)


def _family(mount: Mount) -> list[Mount]:
    """The mounts of all namespaces."""
    tables = mount.table.family.tables if mount.table is not None else []
    return [other for table in tables for other in table.mounts]


def _new_group(mount: Mount) -> int:
    """The smallest number that no group has (mnt_alloc_group_id)."""
    used = {number for other in _family(mount) for number in (other.group, other.master)}
    return next(number for number in range(1, len(used) + 2) if number not in used)


# --- changing it ------------------------------------------------------------------------------------------------------


def make_shared(mount: Mount) -> None:
    """MS_SHARED."""
    mount.group = mount.group or _new_group(mount)
    mount.unbindable = False


def make_slave(mount: Mount) -> None:
    """MS_SLAVE: of its group, when there are others in it; of that one's master otherwise."""
    if mount.group:
        group, mount.group = mount.group, 0
        if any(other.group == group for other in _family(mount)):
            mount.master = group
        else:
            _orphan(mount, group, mount.master)
    mount.unbindable = False


def make_private(mount: Mount, *, unbindable: bool = False) -> None:
    """MS_PRIVATE, MS_UNBINDABLE."""
    make_slave(mount)
    mount.master = 0
    mount.unbindable = unbindable


def _orphan(mount: Mount, group: int, master: int) -> None:
    """A group has lost its last member: its slaves follow its master, or nobody."""
    for other in _family(mount):
        if other.master == group:
            other.master = master


def text(mount: Mount) -> bytes:
    """The optional fields of mountinfo, each with a space behind."""
    fields = b"shared:%d " % mount.group if mount.group else b""
    fields += b"master:%d " % mount.master if mount.master else b""
    return fields + (b"unbindable " if mount.unbindable else b"")
