"""Names of the system: uname(2) in three sizes, sethostname(2), setdomainname(2) (kernel/sys.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.errno import EINVAL, EPERM, SysError
from syscalls.abi.kinds import Buffer, BufferKind, Int, Out
from syscalls.abi.limits import UTSNAME_LENGTH
from syscalls.abi.prctl import CAP_SYS_ADMIN
from syscalls.abi.structs.system import OldOldUtsname, OldUtsname, Utsname
from syscalls.kernel.kernel import RELEASE, VERSION
from syscalls.kernel.task import Task
from syscalls.spec import syscall

PER_MASK, PER_LINUX32 = 0xFF, 0x08
Name = Annotated[Buffer, BufferKind("len", out=False)]


def _names(task: Task) -> dict[str, bytes]:
    linux32 = task.personality & PER_MASK == PER_LINUX32
    return {
        "sysname": b"Linux",
        "nodename": task.ns.uts.nodename,
        "release": RELEASE.encode(),
        "version": VERSION.encode(),
        "machine": (task.arch.machine32 if linux32 else task.arch.machine).encode(),
    }


@syscall()
def uname(task: Task, buf: Out[Utsname]) -> int:
    """Store the names of the system (uname(2))."""
    buf.put(Utsname(**_names(task), domainname=task.ns.uts.domainname))
    return 0


@syscall()
def olduname(task: Task, buf: Out[OldUtsname]) -> int:
    """The same without the domain."""
    buf.put(OldUtsname(**_names(task)))
    return 0


@syscall()
def oldolduname(task: Task, buf: Out[OldOldUtsname]) -> int:
    """The same in the eight bytes that names had in the beginning."""
    buf.put(OldOldUtsname(**{name: value[:8] for name, value in _names(task).items()}))
    return 0


@syscall()
def sethostname(task: Task, name: Name, len: Int) -> int:
    """Change the host name (sethostname(2))."""
    task.ns.uts.nodename = _new_name(task, name, len)
    return 0


@syscall()
def setdomainname(task: Task, name: Name, len: Int) -> int:
    """Change the NIS domain name (setdomainname(2))."""
    task.ns.uts.domainname = _new_name(task, name, len)
    return 0


def _new_name(task: Task, name: Buffer, length: int) -> bytes:
    if not task.cred.ns_capable(task.ns.uts.owner, CAP_SYS_ADMIN):
        raise SysError(EPERM)
    if not 0 <= length <= UTSNAME_LENGTH:
        raise SysError(EINVAL)
    return name.get(length).split(b"\0", 1)[0] if length else b""
