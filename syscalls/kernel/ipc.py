"""What the three kinds of System V IPC have in common: keys, ids, permissions (ipc/util.c, sysvipc(7))."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Generic, TypeVar

from syscalls.abi.errno import EACCES, EEXIST, EINVAL, ENOENT, ENOSPC, EPERM, SysError
from syscalls.abi.ipc import IPC_CREAT, IPC_EXCL, IPC_PRIVATE
from syscalls.abi.structs.ipc import IpcPerm
from syscalls.abi.time import NSEC_PER_SEC
from syscalls.fs.cred import CAP_IPC_OWNER, CAP_SYS_ADMIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from syscalls.fs.cred import Credentials
    from syscalls.kernel.kernel import Kernel
    from syscalls.kernel.task import Task

MAX_IDS = 1 << 15  # IPCMNI
SEQUENCE_SHIFT = 15
MIN_CYCLE = 64  # indexes are used again only after so many (ipc_min_cycle)
S_IRUGO, S_IWUGO, S_IXUGO = 0o444, 0o222, 0o111
PERMISSIONS = 0o777
NOBODY = 0xFFFFFFFF


class IpcObject:
    """One queue, set or segment, with its owner and mode (struct kern_ipc_perm)."""

    def __init__(self, task: Task, key: int, mode: int) -> None:
        cred = task.cred
        self.key = key
        self.uid = self.cuid = cred.euid
        self.gid = self.cgid = cred.egid
        self.mode = mode & PERMISSIONS
        self.seq = 0
        self.id = -1
        self.removed = False
        self.ctime = now(task.kernel)

    def check(self, cred: Credentials, wanted: int) -> None:
        """EACCES unless the mode lets the caller do what `wanted` (S_IRUGO, S_IWUGO ...) says (ipcperms)."""
        wanted = (wanted >> 6 | wanted >> 3 | wanted) & 7
        granted = self.mode
        if cred.euid in (self.cuid, self.uid):
            granted >>= 6
        elif cred.in_group(self.cgid) or cred.in_group(self.gid):
            granted >>= 3
        if wanted & ~granted and not cred.capable(CAP_IPC_OWNER):
            raise SysError(EACCES)

    def check_owner(self, cred: Credentials) -> None:
        """EPERM unless the caller owns or has made it: for IPC_SET and IPC_RMID (ipcctl_obtain_check)."""
        if cred.euid not in (self.cuid, self.uid) and not cred.capable(CAP_SYS_ADMIN):
            raise SysError(EPERM)

    def set_owner(self, perm: IpcPerm) -> None:
        """IPC_SET's part that all kinds have (ipc_update_perm); EINVAL."""
        if NOBODY in (perm.uid, perm.gid):
            raise SysError(EINVAL)
        self.uid, self.gid = perm.uid, perm.gid
        self.mode = self.mode & ~PERMISSIONS | perm.mode & PERMISSIONS

    def perm(self) -> IpcPerm:
        """struct ipc64_perm."""
        return IpcPerm(
            key=self.key & 0xFFFFFFFF, uid=self.uid, gid=self.gid, cuid=self.cuid, cgid=self.cgid, mode=self.mode,
            seq=self.seq,
        )  # fmt: skip


T = TypeVar("T", bound=IpcObject)


class IpcIds(Generic[T]):
    """All objects of one kind (struct ipc_ids). An id is an index below, and a sequence number above."""

    def __init__(self) -> None:
        self._objects: dict[int, T] = {}  # by index
        self._seq = 0
        self._last = -1

    def __iter__(self) -> Iterator[T]:
        return iter([self._objects[index] for index in sorted(self._objects)])

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def highest(self) -> int:
        """The highest index in use, 0 also when there is none: what IPC_INFO answers (ipc_get_maxidx)."""
        return max(self._objects, default=0)

    def add(self, new: T, limit: int) -> int:
        """Give a new object its id; ENOSPC (ipc_addid)."""
        if len(self._objects) >= min(limit, MAX_IDS):
            raise SysError(ENOSPC)
        top = min(max(len(self._objects) * 3 // 2, MIN_CYCLE), MAX_IDS)
        index = self._free(self._last + 1, top)
        if index <= self._last:
            self._seq = (self._seq + 1) % (1 << 31 - SEQUENCE_SHIFT)
        self._last, new.seq = index, self._seq
        id = self._seq << SEQUENCE_SHIFT | index
        new.id = id
        self._objects[index] = new
        return id

    def _free(self, start: int, top: int) -> int:
        for index in chain(range(start, top), range(min(start, top))):
            if index not in self._objects:
                return index
        return len(self._objects)

    def at(self, index: int) -> T:
        """The object at an index, whatever the sequence number (MSG_STAT and its like); EINVAL."""
        found = self._objects.get(index & MAX_IDS - 1)
        if found is None:
            raise SysError(EINVAL)
        return found

    def get(self, id: int) -> T:
        """The object with an id; EINVAL (ipc_obtain_object_check)."""
        found = self.at(id)
        if found.id != id:
            raise SysError(EINVAL)
        return found

    def owned(self, id: int, cred: Credentials) -> T:
        """The same, for its owner only; EINVAL, EPERM."""
        found = self.get(id)
        found.check_owner(cred)
        return found

    def remove(self, gone: T) -> None:
        """Forget an object; those who still hold it see that it is `removed`."""
        del self._objects[gone.id & MAX_IDS - 1]
        gone.removed = True

    def find_or_make(
        self, task: Task, key: int, flags: int, make: Callable[[], int], suits: Callable[[T], bool] = lambda _: True
    ) -> int:
        """The id for a key (ipcget): ENOENT, EEXIST, EINVAL when it does not suit, EACCES, and what `make` raises."""
        known = None
        if key != IPC_PRIVATE:
            known = next((item for item in self._objects.values() if item.key == key), None)
            if known is None and not flags & IPC_CREAT:
                raise SysError(ENOENT)
        if known is None:
            return make()
        if flags & IPC_CREAT and flags & IPC_EXCL:
            raise SysError(EEXIST)
        if not suits(known):
            raise SysError(EINVAL)
        known.check(task.cred, flags)
        return known.id


def now(kernel: Kernel) -> int:
    """Seconds since 1970, as IPC keeps its times."""
    return kernel.realtime() // NSEC_PER_SEC
