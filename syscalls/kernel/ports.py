"""What the kernel asks of the machine under it. `emu` supplies these; tests supply fakes.

The kernel never imports a CPU, a host file or a clock: it holds objects with these methods.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from syscalls.abi.arch import Arch

#: Kinds of access, for `Mmu`, `AddressSpace.fault` and the engines. The bits are those of PROT_* (mmap(2)).
READ, WRITE, EXECUTE = 1, 2, 4


class Ram(Protocol):
    """Guest physical memory: page frames of 4096 bytes, counted by their users."""

    limit: int  #: how many frames there are to have
    used: int  #: how many are in use now
    view: memoryview  #: all of it, as writable bytes: frame f is view[f << 12:(f + 1) << 12]

    def allocate(self, count: int) -> int:
        """First of `count` contiguous zeroed frames, each with one user. Raises SysError(ENOMEM) at the limit."""

    def share(self, frame: int, count: int = 1) -> None:
        """One more user for each of `count` frames."""

    def release(self, frame: int, count: int = 1) -> None:
        """One user less for each of `count` frames; a frame without users is free."""

    def users(self, frame: int) -> int:
        """How many users the frame has."""

    def invalidate_code(self, frame: int) -> None:
        """The kernel itself has written the frame: forget instructions translated from it, if any were."""


class Mmu(Protocol):
    """The page tables of one address space, in the form that an engine understands.

    Pages and frames are numbers (address >> 12). Frames given here are only referred to, never counted.
    """

    def map(self, page: int, frame: int, count: int, access: int) -> None:
        """Let `count` pages from `page` show the contiguous frames from `frame`, with READ, WRITE, EXECUTE bits."""

    def unmap(self, page: int, count: int) -> None:
        """Let the pages show nothing: the next access faults. Cheap where nothing was mapped, however large `count`."""

    def destroy(self) -> None:
        """Free the tables."""


class Memory(Protocol):
    """User memory as a system call sees it (copy_from_user and copy_to_user): every method raises SysError(EFAULT)."""

    def read(self, address: int, length: int) -> bytes:
        """All `length` bytes."""

    def read_some(self, address: int, length: int) -> bytes:
        """The bytes up to the first that cannot be read; EFAULT only when that is the very first."""

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Store all of `data`, or what fits before the first unwritable page and then EFAULT."""

    def cstr(self, address: int, limit: int) -> bytes:
        """The bytes before the NUL; ENAMETOOLONG if there is none within `limit` bytes."""

    def views(self, address: int, length: int, access: int) -> list[memoryview]:
        """Windows onto guest RAM that together are the range, for zero-copy I/O; shorter than asked at a bad page."""


class CpuState(Protocol):
    """Registers of one guest thread that the kernel itself must see or set, by their names in `Arch`."""

    arch: Arch

    def get(self, register: str) -> int:
        """Unsigned value of a register."""

    def set(self, register: str, value: int) -> None:
        """Change a register; takes effect when the thread next runs."""

    def get_all(self, registers: tuple[str, ...]) -> tuple[int, ...]:
        """Several at once. Quickest when those without a place in the register file (flags, segments) come last."""

    def set_all(self, registers: tuple[str, ...], values: Sequence[int]) -> None:
        """Change several at once, to values that fit them."""

    def after_trap(self) -> int:
        """Where the thread goes on after the system call that it is making (instruction_pointer)."""

    def set_thread_pointer(self, value: int) -> None:
        """FS base, i386's TLS descriptor base, or TPIDR_EL0."""

    def get_tls_descriptor(self, entry: int) -> int:
        """x86: the raw segment descriptor in entry 12, 13 or 14 of the global descriptor table; 0 when empty."""

    def set_tls_descriptor(self, entry: int, descriptor: int) -> None:
        """x86: set it; a segment register that holds the entry sees the change at once."""

    def get_fp(self) -> bytes:
        """Floating point and vectors: x86's FXSAVE image (512 bytes), or arm64's 32 vectors, FPSR and FPCR (520)."""

    def set_fp(self, image: bytes) -> None:
        """Restore what `get_fp` gave."""


class Processors(Protocol):
    """The machine's side of clone(2) and execve(2): page tables, processors, and programs in memory."""

    def new_mmu(self, arch: Arch) -> Mmu:
        """Empty page tables for a process of `arch`."""

    def copy_cpu(self, cpu: CpuState, mm: Any) -> CpuState:
        """A processor with the same registers, in the address space `mm` (mm.space.AddressSpace)."""

    def load(self, caller: Any, invocation: Any, cred: Any, limits: dict[int, tuple[int, int]]) -> Any:
        """A kernel.exec.Program from a kernel.exec.Invocation; SysError (ENOEXEC ...) leaves nothing behind."""

    def connect(self, task: Any) -> None:
        """Let the task's processor bring its system calls and faults to the kernel."""


class Clock(Protocol):
    """Time as the guest sees it; every value is in nanoseconds."""

    def realtime(self) -> int:
        """Since 1970-01-01 UTC."""

    def monotonic(self) -> int:
        """Since some start, never set."""

    def cputime(self) -> int:
        """Processor time that the guest has used."""

    def sleep_until(self, deadline: int | None, streams: list[tuple[HostStream, bool]]) -> None:
        """Wait until monotonic() reaches `deadline` (None: for ever) or a stream is readable (True: writable)."""


class HostStream(Protocol):
    """A stream of the host that was given to the guest: standard input, output or error."""

    def read(self, count: int) -> bytes | None:
        """Up to `count` bytes, b"" at the end, None when none are there yet (it never waits)."""

    def write(self, data: bytes | memoryview) -> int | None:
        """How many bytes were taken; None when none fit yet. Raises SysError(EPIPE) when nobody reads."""

    @property
    def live(self) -> bool:
        """May `ready` become true by itself? If not, to wait for it is to wait for ever."""

    def ready(self, *, writing: bool) -> bool:
        """Would write() (else read()) have an answer at once?"""

    def poll(self) -> int:
        """POLLIN, POLLOUT, POLLHUP and POLLERR that hold now."""

    def available(self) -> int:
        """How many bytes could be read now (FIONREAD)."""

    def tell(self) -> int:
        """Position of a regular file."""

    def move(self, offset: int) -> None:
        """Set the position of a regular file."""

    def close(self) -> None:
        """The guest has no descriptor of it any more."""

    @property
    def terminal(self) -> HostTerminal | None:
        """Its terminal side, when the stream is a terminal (isatty(3))."""

    @property
    def content(self) -> HostDirectory | None:
        """The file as a tree of its own, when the stream is a regular file."""

    @property
    def mode(self) -> int:
        """st_mode of the stream: its file type (S_IFCHR, S_IFIFO, S_IFREG ...) and permission bits."""

    @property
    def rdev(self) -> int:
        """Device number, major << 8 | minor, of a character device."""

    @property
    def flags(self) -> int:
        """O_RDONLY, O_WRONLY or O_RDWR, with O_APPEND and O_LARGEFILE, as the host opened it."""


class HostDevice(Protocol):
    """Something of the host that may concern the guest at any time: the terminal that the guest's session is on."""

    def streams(self) -> list[tuple[HostStream, bool]]:
        """What to wait for (True: until it is writable) when nobody can run; none when there is nobody left."""

    def poll(self) -> None:
        """Look whether anything has happened. It is called often."""


class HostTerminal(Protocol):
    """ioctl_tty(2) on a stream of the host that is a terminal. The kernel lets only harmless requests through."""

    def get(self, request: int, size: int) -> bytes:
        """What the request stores."""

    def put(self, request: int, data: bytes) -> None:
        """A request that takes a struct."""

    def control(self, request: int, argument: int) -> None:
        """A request that takes a number."""


class HostDirectory(Protocol):
    """A directory (or single file) of the host that was given to the guest. Nothing outside of it can be reached."""

    writable: bool

    @property
    def top(self) -> HostObject:
        """What was given."""

    def find(self, path: bytes) -> HostObject:
        """The object at plain names separated by slashes, b"" for the top; no symbolic link is followed."""


class HostObject(Protocol):
    """A file, directory or other object of the host. It is held on to, whatever happens to its names.

    Names are plain components, modes and flags Linux's numbers. Methods that change something raise SysError(EROFS)
    where the directory is not `writable`; every host error becomes a SysError.
    """

    def stat(self) -> HostStat: ...
    def child(self, name: bytes) -> HostObject | None: ...
    def entries(self) -> Iterator[tuple[bytes, int, int]]: ...
    def readlink(self) -> bytes: ...
    def open(self, *, reading: bool, writing: bool) -> None: ...
    def pread(self, offset: int, count: int) -> bytes: ...
    def pwrite(self, offset: int, data: bytes | memoryview) -> int: ...
    def append(self, data: bytes | memoryview) -> int: ...
    def truncate(self, length: int) -> None: ...
    def allocate(self, mode: int, offset: int, length: int) -> None: ...
    def seek(self, offset: int, whence: int) -> int: ...
    def sync(self) -> None: ...
    def create(self, name: bytes, mode: int, uid: int, gid: int) -> HostObject: ...
    def tmpfile(self, mode: int, uid: int, gid: int) -> HostObject: ...
    def mknod(self, name: bytes, mode: int, uid: int, gid: int) -> HostObject: ...
    def mkdir(self, name: bytes, mode: int, uid: int, gid: int) -> HostObject: ...
    def symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> HostObject: ...
    def link(self, name: bytes, node: HostObject) -> None: ...
    def unlink(self, name: bytes) -> None: ...
    def rmdir(self, name: bytes) -> None: ...
    def rename(self, name: bytes, directory: HostObject, new_name: bytes, flags: int) -> None: ...
    def chmod(self, mode: int) -> None: ...
    def chown(self, uid: int, gid: int) -> None: ...
    def utimens(self, atime_ns: int, mtime_ns: int) -> None: ...
    def xattrs(self) -> dict[bytes, bytes]: ...
    def set_xattr(self, name: bytes, value: bytes | None) -> None: ...
    def space(self) -> tuple[int, int, int, int, int]: ...


class HostStat(Protocol):
    """os.stat_result, of which these fields are used."""

    @property
    def st_mode(self) -> int: ...
    @property
    def st_ino(self) -> int: ...
    @property
    def st_dev(self) -> int: ...
    @property
    def st_nlink(self) -> int: ...
    @property
    def st_uid(self) -> int: ...
    @property
    def st_gid(self) -> int: ...
    @property
    def st_rdev(self) -> int: ...
    @property
    def st_size(self) -> int: ...
    @property
    def st_blocks(self) -> int: ...
    @property
    def st_atime_ns(self) -> int: ...
    @property
    def st_mtime_ns(self) -> int: ...
    @property
    def st_ctime_ns(self) -> int: ...


class Random(Protocol):
    """Where random bytes come from."""

    def random_bytes(self, count: int) -> bytes:
        """`count` random bytes."""
