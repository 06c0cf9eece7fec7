"""Changing credentials: what setuid(2) and its relatives do beyond storing an id (kernel/sys.c, commoncap.c)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL, EPERM, SysError
from syscalls.abi.resource import RLIMIT_NPROC
from syscalls.fs import userns
from syscalls.fs.cred import (
    CAP_CHOWN,
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_FOWNER,
    CAP_FSETID,
    CAP_LINUX_IMMUTABLE,
    CAP_MKNOD,
    CAP_SETGID,
    CAP_SETUID,
    Credentials,
)

if TYPE_CHECKING:
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import Task

#: What -1 means in a call that sets ids: leave this one as it is.
KEEP = -1
OVERFLOW_ID = 65534
SUID_DUMPABLE = 0  # /proc/sys/fs/suid_dumpable

CAP_MAC_OVERRIDE = 32
#: The capabilities that follow fsuid (CAP_FS_MASK of linux/capability.h).
FS_CAPABILITIES = (
    1 << CAP_CHOWN | 1 << CAP_MKNOD | 1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH | 1 << CAP_FOWNER
    | 1 << CAP_FSETID | 1 << CAP_MAC_OVERRIDE | 1 << CAP_LINUX_IMMUTABLE
)  # fmt: skip

# prctl(2) PR_SET_SECUREBITS
SECURE_NOROOT, SECURE_NO_SETUID_FIXUP, SECURE_KEEP_CAPS, SECURE_NO_CAP_AMBIENT_RAISE = 1, 4, 16, 64


def to_16_bits(id: int) -> int:
    """An id as the old 16-bit calls show it (high2lowuid)."""
    return OVERFLOW_ID if id > 0xFFFF else id


def from_16_bits(id: int) -> int:
    """A 16-bit id of the old calls, of which 0xffff is -1 (low2highuid)."""
    return KEEP if id == 0xFFFF else id


def count_processes(kernel: Kernel, uid: int) -> int:
    """Threads of a user, and processes of it that have ended and not been waited for (UCOUNT_RLIMIT_NPROC)."""
    living = sum(1 for task in kernel.tasks.values() if task.cred.uid == uid)
    return living + sum(1 for group in kernel.groups.values() if not group.tasks and group.uid == uid)


def prepare(task: Task) -> Credentials:
    """A copy of the task's credentials to change and `commit` (prepare_creds)."""
    return replace(task.cred)


def commit(task: Task, new: Credentials) -> None:
    """Give the task its new credentials; a program that changed who it is may not be dumped (commit_creds)."""
    old = task.cred
    changed = (old.euid, old.egid, old.fsuid, old.fsgid) != (new.euid, new.egid, new.fsuid, new.fsgid)
    if changed or not _within(new, old):
        task.group.dumpable = SUID_DUMPABLE
        task.death_signal = 0
    task.cred = new


def _within(new: Credentials, old: Credentials) -> bool:
    """Do the new capabilities reach no further than the old ones? (cred_cap_issubset)."""
    if new.user_ns is old.user_ns:
        return not new.permitted & ~old.permitted
    ns = new.user_ns
    while ns is not None:
        if ns.parent is old.user_ns and ns.owner == old.euid:
            return True
        ns = ns.parent
    return False


def fix_capabilities(old: Credentials, new: Credentials) -> None:
    """Capabilities follow the change from and to user 0 (cap_emulate_setxuid)."""
    if new.securebits & SECURE_NO_SETUID_FIXUP:
        return
    root = old.root_uid
    if root in (old.uid, old.euid, old.suid) and root not in (new.uid, new.euid, new.suid):
        if not new.securebits & SECURE_KEEP_CAPS:
            new.permitted = new.effective = 0
        new.ambient = 0
    if old.euid == root != new.euid:
        new.effective = 0
    if old.euid != root == new.euid:
        new.effective = new.permitted


def fix_fs_capabilities(old: Credentials, new: Credentials) -> None:
    """The same for fsuid alone (cap_task_fix_setuid, LSM_SETID_FS)."""
    if new.securebits & SECURE_NO_SETUID_FIXUP:
        return
    root = old.root_uid
    if old.fsuid == root != new.fsuid:
        new.effective &= ~FS_CAPABILITIES
    if old.fsuid != root == new.fsuid:
        new.effective |= FS_CAPABILITIES & new.permitted


@dataclass(frozen=True, slots=True)
class Ids:
    """Which four fields of the credentials a call is about, and the capability that lets it set anything."""

    real: str
    effective: str
    saved: str
    fs: str
    capability: int

    def of(self, cred: Credentials) -> tuple[int, int, int]:
        """Real, effective and saved id."""
        return getattr(cred, self.real), getattr(cred, self.effective), getattr(cred, self.saved)

    def shown(self, cred: Credentials) -> list[int]:
        """The same as the owner of the credentials sees them."""
        return [userns.shown(cred.user_ns, id, group=self is GROUP) for id in self.of(cred)]

    def kernel(self, cred: Credentials, id: int) -> int:
        """The kernel's id for one that the caller names; EINVAL for nobody's (make_kuid)."""
        found = id if id == KEEP else userns.to_kernel(cred.user_ns, id, group=self is GROUP)
        if found is None:
            raise SysError(EINVAL)
        return found


USER = Ids("uid", "euid", "suid", "fsuid", CAP_SETUID)
GROUP = Ids("gid", "egid", "sgid", "fsgid", CAP_SETGID)


def set_id(task: Task, ids: Ids, id: int) -> None:
    """setuid(2), setgid(2): the effective id; all of them when privileged."""
    if id == KEEP:
        raise SysError(EINVAL)
    old, new = task.cred, prepare(task)
    id = ids.kernel(old, id)
    real, _, saved = ids.of(old)
    if old.capable_here(ids.capability):
        real = saved = id
    elif id not in (real, saved):
        raise SysError(EPERM)
    _store(task, ids, new, (real, id, saved))


def set_real_and_effective(task: Task, ids: Ids, real: int, effective: int) -> None:
    """setreuid(2), setregid(2)."""
    old, new = task.cred, prepare(task)
    real, effective = ids.kernel(old, real), ids.kernel(old, effective)
    old_real, old_effective, old_saved = ids.of(old)
    privileged = old.capable_here(ids.capability)
    if real not in (KEEP, old_real, old_effective) and not privileged:
        raise SysError(EPERM)
    if effective not in (KEEP, old_real, old_effective, old_saved) and not privileged:
        raise SysError(EPERM)
    new_effective = old_effective if effective == KEEP else effective
    moves_saved = real != KEEP or (effective not in (KEEP, old_real))
    saved = new_effective if moves_saved else old_saved
    _store(task, ids, new, (old_real if real == KEEP else real, new_effective, saved))


def set_all(task: Task, ids: Ids, real: int, effective: int, saved: int) -> None:
    """setresuid(2), setresgid(2)."""
    old, new = task.cred, prepare(task)
    known = ids.of(old)
    wanted = tuple(ids.kernel(old, id) for id in (real, effective, saved))
    if any(id != KEEP and id not in known for id in wanted) and not old.capable_here(ids.capability):
        raise SysError(EPERM)
    real, effective, saved = (had if id == KEEP else id for id, had in zip(wanted, known, strict=True))
    _store(task, ids, new, (real, effective, saved))


def set_fs_id(task: Task, ids: Ids, id: int) -> int:
    """setfsuid(2), setfsgid(2): the id that was, whether or not it could be changed."""
    old, new = task.cred, prepare(task)
    before: int = getattr(old, ids.fs)
    answer = userns.shown(old.user_ns, before, group=ids is GROUP)
    try:
        id = ids.kernel(old, id)
    except SysError:
        return answer
    if id not in (KEEP, before) and (id in ids.of(old) or old.capable_here(ids.capability)):
        setattr(new, ids.fs, id)
        if ids is USER:
            fix_fs_capabilities(old, new)
        commit(task, new)
    return answer


def _store(task: Task, ids: Ids, new: Credentials, values: tuple[int, int, int]) -> None:
    for name, value in zip((ids.real, ids.effective, ids.saved), values, strict=True):
        setattr(new, name, value)
    setattr(new, ids.fs, values[1])
    if ids is USER:
        fix_capabilities(task.cred, new)
        if new.uid != task.cred.uid:  # it goes on, but executes no program (flag_nproc_exceeded)
            task.too_many = new.uid != 0 and count_processes(task.kernel, new.uid) > task.group.limit(RLIMIT_NPROC)
    commit(task, new)
