"""Namespaces: what a task shares with some others only (namespaces(7), kernel/nsproxy.c)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL, ENOSPC, EPERM, SysError
from syscalls.abi.sched import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
)
from syscalls.fs.cred import ALL_CAPABILITIES, CAP_SYS_ADMIN
from syscalls.fs.userns import MAX_LEVEL, UserNamespace
from syscalls.kernel.ipc_namespace import IpcNamespace

if TYPE_CHECKING:
    from syscalls.fs.cred import Credentials
    from syscalls.fs.mount import Mount, MountTable
    from syscalls.fs.path import FsContext
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import Task

#: Those that clone(2) and unshare(2) can make, beside CLONE_NEWUSER.
MADE = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP
#: Those of which there is only the first: as in a kernel that was built without them.
SINGLE = CLONE_NEWPID | CLONE_NEWTIME
#: Numbers of the first ones (include/uapi/linux/nsfs.h).
FIRST = {
    "ipc": 0xEFFFFFFF, "uts": 0xEFFFFFFE, "user": 0xEFFFFFFD, "pid": 0xEFFFFFFC, "cgroup": 0xEFFFFFFB,
    "time": 0xEFFFFFFA, "net": 0xEFFFFFF9, "mnt": 0xEFFFFFF8,
}  # fmt: skip
DYNAMIC = 0xF0000000
FLAG = {
    "ipc": CLONE_NEWIPC, "uts": CLONE_NEWUTS, "user": CLONE_NEWUSER, "pid": CLONE_NEWPID, "cgroup": CLONE_NEWCGROUP,
    "time": CLONE_NEWTIME, "net": CLONE_NEWNET, "mnt": CLONE_NEWNS,
}  # fmt: skip


class Namespace:
    """One of any kind: `number` is what /proc/PID/ns shows; `owner` the user namespace whose capabilities count."""

    def __init__(self, kernel: Kernel, kind: str, owner: UserNamespace | None, *, first: bool = False) -> None:
        self.kernel = kernel
        self.kind = kind
        self.owner = owner
        self.number = FIRST[kind] if first else kernel.new_namespace_number()


class UtsNamespace(Namespace):
    """The names of the system."""

    nodename = b"trapeze"
    domainname = b"(none)"


class MountNamespace(Namespace):
    """A tree of mounts; None only while a world is being made."""

    table: MountTable | None = None


class NetNamespace(Namespace):
    """A network: here only the abstract names of sockets, by type and address."""


class IpcNs(Namespace):
    """System V IPC and message queues."""

    def __init__(self, kernel: Kernel, owner: UserNamespace | None, *, first: bool = False) -> None:
        super().__init__(kernel, "ipc", owner, first=first)
        self.ipc = IpcNamespace(kernel)


class UserNs(Namespace):
    """A user namespace as /proc/PID/ns shows it; `ns` None is the first one."""

    ns: UserNamespace | None = None


@dataclass(frozen=True)
class NsProxy:
    """The namespaces of a task, but for its user namespace, which is in its credentials (struct nsproxy)."""

    uts: UtsNamespace
    ipcs: IpcNs
    mnt: MountNamespace
    net: NetNamespace
    cgroup: Namespace
    pid: Namespace
    time: Namespace

    @property
    def ipc(self) -> IpcNamespace:
        """System V IPC and message queues."""
        return self.ipcs.ipc

    def of(self, kind: str) -> Namespace:
        """The namespace of a kind, under the name that /proc/PID/ns uses."""
        found: Namespace = getattr(self, "ipcs" if kind == "ipc" else kind)
        return found


def first(kernel: Kernel) -> NsProxy:
    """The namespaces that a world begins with."""
    kinds = {
        kind: cls(kernel, kind, None, first=True)
        for kind, cls in (("uts", UtsNamespace), ("mnt", MountNamespace), ("net", NetNamespace))
    }
    others = {kind: Namespace(kernel, kind, None, first=True) for kind in ("cgroup", "pid", "time")}
    return NsProxy(**kinds, **others, ipcs=IpcNs(kernel, None, first=True))  # type: ignore[arg-type]  # by kind


def new_user_namespace(task: Task, cred: Credentials) -> Credentials:
    """Credentials with all capabilities in a user namespace of their own; ENOSPC, EPERM (create_user_ns)."""
    parent = cred.user_ns
    if parent is not None and parent.level >= MAX_LEVEL:
        raise SysError(ENOSPC)
    table = task.ns.mnt.table
    if table is not None and task.fs.root != table.root_path:
        raise SysError(EPERM)  # current_chrooted
    if parent is not None and (parent.users.shown(cred.euid) is None or parent.groups.shown(cred.egid) is None):
        raise SysError(EPERM)
    ns = UserNamespace(parent, cred.euid, cred.egid)
    return with_user_namespace(cred, ns)


def with_user_namespace(cred: Credentials, ns: UserNamespace | None) -> Credentials:
    """Credentials that have just come into a user namespace (set_cred_user_ns)."""
    return replace(
        cred, user_ns=ns, securebits=0, inheritable=0, permitted=ALL_CAPABILITIES, effective=ALL_CAPABILITIES,
        ambient=0, bounding=ALL_CAPABILITIES,
    )  # fmt: skip


def copy(task: Task, flags: int, cred: Credentials, fs: FsContext) -> NsProxy:
    """New namespaces where `flags` say so, the task's own for the rest; `fs` moves to the copied mounts.

    EPERM without CAP_SYS_ADMIN in the user namespace of `cred` (copy_namespaces, unshare_nsproxy_namespaces).
    """
    if not flags & (MADE | SINGLE):
        return task.ns
    owner = cred.user_ns
    if not cred.ns_capable(owner, CAP_SYS_ADMIN):
        raise SysError(EPERM)
    if flags & SINGLE:
        raise SysError(EINVAL)
    kernel, old = task.kernel, task.ns
    new: dict[str, Namespace] = {}
    if flags & CLONE_NEWNS:
        new["mnt"] = copy_mounts(kernel, old.mnt, owner, fs)
    if flags & CLONE_NEWUTS:
        uts = new["uts"] = UtsNamespace(kernel, "uts", owner)
        uts.nodename, uts.domainname = old.uts.nodename, old.uts.domainname
    if flags & CLONE_NEWIPC:
        new["ipcs"] = IpcNs(kernel, owner)
    if flags & CLONE_NEWNET:
        new["net"] = NetNamespace(kernel, "net", owner)
    if flags & CLONE_NEWCGROUP:
        new["cgroup"] = Namespace(kernel, "cgroup", owner)
    return replace(old, **new)  # type: ignore[arg-type]  # each under the name of its kind


def copy_mounts(kernel: Kernel, old: MountNamespace, owner: UserNamespace | None, fs: FsContext) -> MountNamespace:
    """A copy of the tree; root and working directory are the same places in it (copy_mnt_ns)."""
    assert old.table is not None
    new = MountNamespace(kernel, "mnt", owner)
    new.table, twins = old.table.copy(slave=owner is not old.owner)

    def twin(mount: Mount) -> Mount:
        return twins.get(mount, mount)

    fs.root, fs.cwd = (place._replace(mount=twin(place.mount)) for place in (fs.root, fs.cwd))
    return new
