"""pivot_root(2) (fs/namespace.c)."""

from __future__ import annotations

from syscalls.abi.errno import EBUSY, EINVAL, ENOENT, SysError
from syscalls.abi.kinds import Path
from syscalls.fs.mount import Path as Place
from syscalls.fs.path import resolve
from syscalls.kernel.task import Task
from syscalls.linux.mount import may_mount
from syscalls.spec import syscall


@syscall()
def pivot_root(task: Task, new_root: Path, put_old: Path) -> int:
    """Let another mount be the root, and put the old one somewhere below it (pivot_root(2))."""
    table = may_mount(task)
    new = resolve(task, None, new_root, directory=True)
    old = resolve(task, None, put_old, directory=True)
    root = task.fs.root
    parents = (root.mount.parent, new.mount.parent)
    if old.mount.group or any(parent is not None and parent.group for parent in parents):
        raise SysError(EINVAL)
    if root.mount.table is not table or new.mount.table is not table:
        raise SysError(EINVAL)
    if new.dentry.deleted:
        raise SysError(ENOENT)
    if root.mount in (new.mount, old.mount):
        raise SysError(EBUSY)
    if root.dentry is not root.mount.root or new.dentry is not new.mount.root:
        raise SysError(EINVAL)
    if not _below(old, new) or not _below(new, root):
        raise SysError(EINVAL)
    table.pivot(root.mount, new.mount, old)
    for other in task.kernel.tasks.values():  # chroot_fs_refs
        fs = other.fs
        fs.root, fs.cwd = (new if place == root else place for place in (fs.root, fs.cwd))
    return 0


def _below(place: Place, top: Place) -> bool:
    """Can it be reached by going down from `top`? (is_path_reachable)."""
    while place.mount is not top.mount:
        if place.mount.parent is None or place.mount.mountpoint is None:
            return False
        place = Place(place.mount.parent, place.mount.mountpoint)
    return place.dentry.is_under(top.dentry)
