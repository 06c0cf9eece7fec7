"""System V shared memory (ipc/shm.c): segments that processes attach as mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi.arch import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.errno import EINVAL, ENOMEM, ENOSPC, EPERM, SysError
from syscalls.abi.ipc import (
    IPC_PRIVATE,
    SHM_EXEC,
    SHM_HUGETLB,
    SHM_RDONLY,
    SHM_REMAP,
    SHM_RND,
)
from syscalls.abi.mman import MAP_FIXED, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE
from syscalls.abi.resource import RLIMIT_MEMLOCK
from syscalls.abi.structs.ipc import Shmid, ShmInfo, Shminfo
from syscalls.fs.cred import CAP_IPC_LOCK
from syscalls.kernel.ipc import S_IRUGO, S_IWUGO, S_IXUGO, IpcIds, IpcObject, now
from syscalls.mm.mmap import do_mmap
from syscalls.mm.vma import Backing, SharedMemory

if TYPE_CHECKING:
    from syscalls.kernel.ipc_namespace import IpcNamespace
    from syscalls.kernel.ports import Ram
    from syscalls.kernel.task import Task
    from syscalls.mm.space import AddressSpace

SHM_DEST, SHM_LOCKED = 0o1000, 0o2000  # in the mode: gone with the last attachment; not swapped out
LONG_MAX = (1 << 63) - 1


class SegmentMemory(SharedMemory):
    """The pages of a segment."""

    def __init__(self, segment: Segment, ram: Ram, size: int) -> None:
        super().__init__(ram, size)
        self.segment = segment
        self.path = b"/SYSV%08x (deleted)" % (segment.key & 0xFFFFFFFF)

    def closed(self) -> None:
        self.segment.detached()


class Segment(IpcObject):
    """One segment (struct shmid_kernel). How often it is attached is counted when somebody asks."""

    def __init__(self, task: Task, segments: SharedSegments, key: int, mode: int, size: int) -> None:
        super().__init__(task, key, mode)
        self.segments = segments
        self.size = size
        self.memory = SegmentMemory(self, task.kernel.ram, (size + PAGE_SIZE - 1) & PAGE_MASK)
        self.cpid = task.group.tgid
        self.lpid = self.atime = self.dtime = 0

    @property
    def pages(self) -> int:
        """Its size."""
        return self.memory.size >> PAGE_SHIFT

    @property
    def attachments(self) -> int:
        """Areas of all address spaces that show it (shm_nattch)."""
        spaces = {id(task.mm): task.mm for task in self.segments.ns.kernel.tasks.values()}
        return sum(1 for space in spaces.values() for vma in space.vmas if vma.backing is self.memory)

    def detached(self) -> None:
        """An area has gone: note when and by whom, and end what waits for the last one (shm_close)."""
        kernel = self.segments.ns.kernel
        self.dtime = now(kernel)
        if kernel.current is not None:
            self.lpid = kernel.current.group.tgid
        if self.mode & SHM_DEST and not self.removed and not self.attachments:
            self.segments.remove(self)

    def ds(self) -> Shmid:
        """struct shmid64_ds."""
        return Shmid(
            shm_perm=self.perm(), shm_segsz=self.size, shm_atime=self.atime, shm_dtime=self.dtime,
            shm_ctime=self.ctime, shm_cpid=self.cpid, shm_lpid=self.lpid, shm_nattch=self.attachments,
        )  # fmt: skip


class Attachment:
    """A segment as `mm.mmap.Mappable`."""

    readable = True
    sealed = append_only = noexec = False
    max_bytes = LONG_MAX

    def __init__(self, segment: Segment, *, writable: bool) -> None:
        self.segment = segment
        self.writable = writable

    def backing(self, ram: Ram, length: int, *, shared: bool) -> Backing | None:
        del ram, length, shared
        return self.segment.memory


class SharedSegments(IpcIds[Segment]):
    """All segments."""

    def __init__(self, ns: IpcNamespace) -> None:
        super().__init__()
        self.ns = ns

    @property
    def total(self) -> int:
        """Pages of all segments."""
        return sum(segment.pages for segment in self)

    def open(self, task: Task, key: int, size: int, flags: int) -> int:
        """shmget(2)."""

        def make() -> int:
            ns = self.ns
            if not 1 <= size <= ns.shmmax:
                raise SysError(EINVAL)
            if self.total + (size + PAGE_SIZE - 1 >> PAGE_SHIFT) > ns.shmall:
                raise SysError(ENOSPC)
            if flags & SHM_HUGETLB:  # no huge pages are reserved here
                raise SysError(ENOMEM if task.cred.capable(CAP_IPC_LOCK) else EPERM)
            if size >> PAGE_SHIFT > task.kernel.ram.limit:
                raise SysError(ENOMEM)
            segment = Segment(task, self, key, flags, size)
            segment.memory.inode = self.add(segment, ns.shmmni)
            return segment.id

        return self.find_or_make(task, key, flags, make, lambda known: size <= known.size)

    def attach(self, task: Task, id: int, address: int, flags: int) -> int:
        """shmat(2): the address (do_shmat)."""
        if id < 0:
            raise SysError(EINVAL)
        map_flags = MAP_SHARED
        if address:
            if address & ~PAGE_MASK:
                if not flags & SHM_RND:
                    raise SysError(EINVAL)
                address &= PAGE_MASK
                if not address and flags & SHM_REMAP:
                    raise SysError(EINVAL)
            map_flags |= MAP_FIXED
        elif flags & SHM_REMAP:
            raise SysError(EINVAL)
        prot, wanted = PROT_READ, S_IRUGO
        if not flags & SHM_RDONLY:
            prot, wanted = prot | PROT_WRITE, wanted | S_IWUGO
        if flags & SHM_EXEC:
            prot, wanted = prot | PROT_EXEC, wanted | S_IXUGO
        segment = self.get(id)
        segment.check(task.cred, wanted)
        if address and not flags & SHM_REMAP and task.mm.vmas.overlap(address, address + segment.memory.size):
            raise SysError(EINVAL)
        file = Attachment(segment, writable=not flags & SHM_RDONLY)
        may_lock = task.cred.capable(CAP_IPC_LOCK)
        address = do_mmap(task.mm, address, segment.size, prot, map_flags, file, may_lock=may_lock)
        segment.atime, segment.lpid = now(task.kernel), task.group.tgid
        return address

    def detach(self, space: AddressSpace, address: int) -> None:
        """shmdt(2): every piece of what was attached at an address; EINVAL (ksys_shmdt)."""
        pieces = [
            vma for vma in space.vmas
            if isinstance(vma.backing, SegmentMemory) and vma.start - vma.offset == address
        ]  # fmt: skip
        if address & ~PAGE_MASK or not pieces:
            raise SysError(EINVAL)
        for vma in pieces:
            if vma.backing is pieces[0].backing:
                space.unmap(vma.start, vma.size)

    def change(self, task: Task, id: int, ds: Shmid) -> None:
        """IPC_SET."""
        segment = self.owned(id, task.cred)
        segment.set_owner(ds.shm_perm)
        segment.ctime = now(task.kernel)

    def destroy(self, task: Task, id: int) -> None:
        """IPC_RMID: at once, or with the last attachment; its key is free in any case (do_shm_rmid)."""
        segment = self.owned(id, task.cred)
        if segment.attachments:
            segment.mode |= SHM_DEST
            segment.key = IPC_PRIVATE
        else:
            self.remove(segment)

    def lock(self, task: Task, id: int, *, on: bool) -> None:
        """SHM_LOCK and SHM_UNLOCK: nothing is ever swapped out here, only the mode shows it (shmctl_do_lock)."""
        segment, cred = self.get(id), task.cred
        if not cred.capable(CAP_IPC_LOCK):
            stranger = cred.euid not in (segment.uid, segment.cuid)
            if stranger or (on and not task.group.limit(RLIMIT_MEMLOCK)):
                raise SysError(EPERM)
        segment.mode = segment.mode | SHM_LOCKED if on else segment.mode & ~SHM_LOCKED

    def limits(self) -> Shminfo:
        """IPC_INFO."""
        ns = self.ns
        return Shminfo(shmmax=ns.shmmax, shmmin=1, shmmni=ns.shmmni, shmseg=ns.shmmni, shmall=ns.shmall)

    def usage(self) -> ShmInfo:
        """SHM_INFO."""
        resident = sum(len(segment.memory.frames) for segment in self)
        return ShmInfo(used_ids=len(self), shm_tot=self.total, shm_rss=resident)


HEADER = (
    "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime"
    "      dtime      ctime                   rss                  swap\n"
)


def table(segments: SharedSegments) -> str:
    """/proc/sysvipc/shm."""
    rows = [
        f"{(s.key & 0xFFFFFFFF ^ 1 << 31) - (1 << 31):10} {s.id:10}  {s.mode:4o} {s.size:21} {s.cpid:5} {s.lpid:5} "
        f" {s.attachments:5} {s.uid:5} {s.gid:5} {s.cuid:5} {s.cgid:5} {s.atime:10} {s.dtime:10} {s.ctime:10} "
        f"{len(s.memory.frames) << PAGE_SHIFT:21} {0:21}\n"
        for s in segments
    ]
    return HEADER + "".join(rows)
