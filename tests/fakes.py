"""Fakes that the tests of several layers share: a small guest RAM and page tables that are a dictionary."""

from __future__ import annotations

from functools import partial
from weakref import WeakKeyDictionary

import syscalls.linux  # noqa: F401  # declares the handlers
from syscalls.abi.arch import PAGE_SHIFT, PAGE_SIZE, X86_64
from syscalls.abi.errno import ENOEXEC, ENOMEM, EOPNOTSUPP, SysError
from syscalls.abi.numbers import NUMBER
from syscalls.abi.stat import S_IFCHR
from syscalls.fs import devices
from syscalls.fs.cred import Credentials
from syscalls.fs.fdtable import FdTable
from syscalls.fs.mount import MountTable
from syscalls.fs.path import FsContext
from syscalls.fs.special import SpecialFiles
from syscalls.fs.tmpfs import TmpFs
from syscalls.kernel import dispatch
from syscalls.kernel.kernel import Kernel
from syscalls.kernel.ports import READ, WRITE
from syscalls.kernel.task import Task, ThreadGroup
from syscalls.mm.space import AddressSpace

#: What a freed frame is filled with, so that whoever forgot to let go of it notices.
POISON = b"\xdb" * PAGE_SIZE


class FakeRam:
    """`ports.Ram` on a bytearray. Frame 0 is never given out; freed frames are poisoned, and reused last in first out.

    `code_writes` lists the frames whose translated code was to be forgotten.
    """

    def __init__(self, frames: int = 4096) -> None:
        self.view = memoryview(bytearray(frames << PAGE_SHIFT))
        self.code_writes: list[int] = []
        self.limit = frames - 1
        self._users = [0] * frames
        self._next = 1  # frames from here on were never used
        self._free: list[int] = []

    def allocate(self, count: int) -> int:
        if count == 1 and self._free:
            frame = self._free.pop()
        elif self._next + count <= len(self._users):
            frame = self._next
            self._next += count
        else:
            frame = self._run_of_free(count)
        for number in range(frame, frame + count):
            assert self._users[number] == 0
            self._users[number] = 1
        self.view[frame << PAGE_SHIFT : frame + count << PAGE_SHIFT] = bytes(count << PAGE_SHIFT)
        return frame

    def _run_of_free(self, count: int) -> int:
        free = set(self._free)
        for frame in sorted(free):
            wanted = range(frame, frame + count)
            if free.issuperset(wanted):
                self._free = [number for number in self._free if number not in wanted]
                return frame
        raise SysError(ENOMEM)

    def share(self, frame: int, count: int = 1) -> None:
        for number in range(frame, frame + count):
            assert self._users[number] > 0, "a free frame cannot be shared"
            self._users[number] += 1

    def release(self, frame: int, count: int = 1) -> None:
        for number in range(frame, frame + count):
            assert self._users[number] > 0, "released more often than used"
            self._users[number] -= 1
            if not self._users[number]:
                self._free.append(number)
                self.view[number << PAGE_SHIFT : number + 1 << PAGE_SHIFT] = POISON

    def users(self, frame: int) -> int:
        return self._users[frame]

    def invalidate_code(self, frame: int) -> None:
        self.code_writes.append(frame)

    @property
    def used(self) -> int:
        """How many frames have a user: what a test of leaks compares."""
        return sum(map(bool, self._users))


class FakeMmu:
    """`ports.Mmu` as a dictionary: page -> (frame, access)."""

    def __init__(self) -> None:
        self.pages: dict[int, tuple[int, int]] = {}
        self.map_calls = 0

    def map(self, page: int, frame: int, count: int, access: int) -> None:
        assert count > 0
        self.map_calls += 1
        self.pages.update((page + i, (frame + i, access)) for i in range(count))

    def unmap(self, page: int, count: int) -> None:
        for number in [number for number in self.pages if page <= number < page + count]:
            del self.pages[number]

    def destroy(self) -> None:
        self.pages.clear()


# --- a task without a CPU ---------------------------------------------------------------------------------------------

#: Where make_task maps memory for a test to use; nothing is mapped below or behind it.
SCRATCH, SCRATCH_SIZE = 0x10_0000, 0x10_0000
#: An address that is never mapped.
NOWHERE = 0x900_0000


class FakeClock:
    """`ports.Clock` that stands still, but for sleeping."""

    def __init__(self) -> None:
        self.now = 1_000_000_000

    def realtime(self) -> int:
        return 1_700_000_000_000_000_000 + self.now

    def monotonic(self) -> int:
        return self.now

    def cputime(self) -> int:
        return self.now

    def sleep_until(self, deadline, streams) -> None:
        assert deadline is not None, "sleeps for ever"
        self.now = max(self.now, deadline)


class FakeRandom:
    """`ports.Random`: the same bytes each time."""

    def random_bytes(self, count: int) -> bytes:
        return bytes(i * 7 + 1 & 0xFF for i in range(count))


class FakeCpu:
    """`ports.CpuState` as a dictionary."""

    def __init__(self, arch) -> None:
        self.arch = arch
        self.registers: dict[str, int] = {}
        self.thread_pointer = 0
        self.tls: dict[int, int] = {}
        self.fp = bytes(512)

    def get(self, register: str) -> int:
        return self.registers.get(register, 0)

    def set(self, register: str, value: int) -> None:
        self.registers[register] = value

    def get_all(self, registers):
        return tuple(self.get(name) for name in registers)

    def set_all(self, registers, values) -> None:
        for name, value in zip(registers, values, strict=True):
            self.set(name, value)

    def after_trap(self) -> int:
        return self.get(self.arch.pc)

    def set_thread_pointer(self, value: int) -> None:
        self.thread_pointer = value

    def get_tls_descriptor(self, entry: int) -> int:
        return self.tls.get(entry, 0)

    def set_tls_descriptor(self, entry: int, descriptor: int) -> None:
        self.tls[entry] = descriptor

    def get_fp(self) -> bytes:
        return self.fp

    def set_fp(self, image: bytes) -> None:
        self.fp = image


class FakeProcessors:
    """`ports.Processors` without a machine: registers are copied, and nothing can be executed."""

    def new_mmu(self, arch) -> FakeMmu:
        return FakeMmu()

    def copy_cpu(self, cpu: FakeCpu, mm) -> FakeCpu:
        twin = FakeCpu(cpu.arch)
        twin.registers, twin.tls, twin.thread_pointer = dict(cpu.registers), dict(cpu.tls), cpu.thread_pointer
        return twin

    def load(self, caller, invocation, cred, limits):
        raise SysError(ENOEXEC)

    def connect(self, task: Task) -> None:
        """There are no traps."""


def make_task(arch=X86_64, uid=0, gid=None, *, frames=4096) -> Task:
    """A process as a kernel just started has it: an empty tmpfs for root with a /tmp, and SCRATCH to write to."""
    ram = FakeRam(frames)
    kernel = Kernel(ram, FakeClock(), FakeRandom())
    kernel.processors = FakeProcessors()
    special = SpecialFiles()
    root = TmpFs(kernel.new_dev(), kernel.realtime, ram, special, mode=0o755)
    kernel.mounts = MountTable(root.root)
    for rdev, factory in devices.factories(kernel.random).items():
        special.register(S_IFCHR, rdev, factory)
    place = kernel.mounts.root_path
    root.root.mkdir(b"tmp", 0o1777, 0, 0)
    group = ThreadGroup(kernel, kernel.new_pid())
    space = AddressSpace(arch, ram, FakeMmu())
    space.limits = group.limits
    space.map(SCRATCH, SCRATCH_SIZE, READ | WRITE)
    task = Task(
        group, group.tgid, arch, mm=space, files=FdTable(), fs=FsContext(place, place),
        cred=Credentials.of(uid, uid if gid is None else gid), cpu=FakeCpu(arch),
    )  # fmt: skip
    kernel.add(task)
    kernel.scheduler.queue.clear()  # it is running
    return task


def new_thread(task: Task) -> Task:
    """Another task of the same process, for tests of who waits for whom."""
    thread = Task(
        task.group, task.kernel.new_pid(), task.arch, mm=task.mm.share(), files=task.files.share(), fs=task.fs,
        cred=task.cred, cpu=FakeCpu(task.arch),
    )  # fmt: skip
    task.kernel.add(thread)
    task.kernel.scheduler.remove(thread)
    return thread


class Asleep(Exception):
    """The call sleeps, and nothing that is known will wake it. `begin` and `finish` show such calls at work."""


def begin(task: Task, name: str, *args, arch=None) -> int | None:
    """Make a call as the engine does: its result or -errno, None while it sleeps.

    Arguments are register values. bytes become a NUL-terminated string in the upper half of SCRATCH; a 64-bit value
    for i386 is the caller's to split. Negative numbers are cut to the width of a register.
    """
    arch = arch or task.arch
    place = SCRATCH + SCRATCH_SIZE // 2
    registers = []
    for arg in args:
        if isinstance(arg, bytes):
            task.mm.write(place, arg + b"\0")
            registers.append(place)
            place += len(arg) + 16 & ~15
        else:
            registers.append(arg & arch.mask)
    task.kernel.current = task
    registers += [0] * (6 - len(registers))
    result = dispatch.answer(task, arch, NUMBER[arch.name][name], tuple(registers))
    if task.sleeping is not None:
        task.kernel.scheduler.sleep(task)
    return result


#: Results of calls that have slept, until `finish` asks for them.
_RESULTS: WeakKeyDictionary[Task, int] = WeakKeyDictionary()


def finish(task: Task) -> int:
    """The result of a call that sleeps, once what it waits for has happened. Asleep when it has not.

    Other tasks that are woken meanwhile go on with their calls.
    """
    while task.sleeping is not None:
        woken = task.kernel.scheduler.pick()
        if woken is None:
            raise Asleep
        assert woken.sleeping is not None
        woken.kernel.current = woken
        if not woken.sleeping.resume(woken, partial(_RESULTS.__setitem__, woken)):
            task.kernel.scheduler.sleep(woken)
    return _RESULTS.pop(task)


def call(task: Task, name: str, *args, arch=None) -> int | None:
    """`begin`, and `finish` when it sleeps."""
    result = begin(task, name, *args, arch=arch)
    return finish(task) if task.sleeping is not None else result


class FileOfFrames:
    """`mm.vma.Backing` that must be told of writes. `dirty` has the pages that it was told of."""

    path = b"/file"
    device = 0x801
    inode = 7
    tracks_writes = True

    def __init__(self, ram, pages):
        self.ram = ram
        self.frames = [ram.allocate(1) for _ in range(pages)]
        self.unmap = []
        self.dirty = set()
        self.synced = []

    @property
    def key(self):
        return self

    @property
    def size(self):
        return len(self.frames) * PAGE_SIZE

    def frame(self, index):
        return self.frames[index]

    def resident(self, index):
        return index < len(self.frames)

    def read_ahead(self, first, count):
        pass

    def dirtied(self, index):
        self.dirty.add(index)

    def sync(self, first, count):
        self.synced.append((first, count))

    def closed(self):
        pass

    def punch(self, first, count):
        raise SysError(EOPNOTSUPP)

    def store(self, index, byte):
        """What write(2) would do."""
        self.ram.view[self.frames[index] << PAGE_SHIFT] = byte

    def truncate(self, pages):
        for unmap in list(self.unmap):
            unmap(pages, None)
        while len(self.frames) > pages:
            self.ram.release(self.frames.pop())
        while len(self.frames) < pages:
            self.frames.append(self.ram.allocate(1))
