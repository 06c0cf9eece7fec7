"""Power over the machine, of which a guest has none: reboot(2), modules, x86's ports (kernel/reboot.c)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi import process
from syscalls.abi.arch import I386, X86_64
from syscalls.abi.errno import EINVAL, ENOENT, ENOEXEC, EPERM, SysError
from syscalls.abi.kinds import Address, Fd, FlagsKind, Int, OpenFlags, String, UInt, ULong
from syscalls.abi.process import (
    LINUX_REBOOT_CMD_CAD_OFF,
    LINUX_REBOOT_CMD_CAD_ON,
    LINUX_REBOOT_MAGIC1,
    LINUX_REBOOT_MAGIC2,
    LINUX_REBOOT_MAGIC2A,
    LINUX_REBOOT_MAGIC2B,
    LINUX_REBOOT_MAGIC2C,
)
from syscalls.fs.cred import CAP_SYS_BOOT, CAP_SYS_MODULE
from syscalls.kernel.fileio import readable
from syscalls.kernel.task import Task
from syscalls.spec import syscall

Magic = Annotated[int, FlagsKind(process.REBOOT_MAGICS)]
Command = Annotated[int, FlagsKind(process.REBOOT_COMMANDS)]

_MAGICS = {LINUX_REBOOT_MAGIC2, LINUX_REBOOT_MAGIC2A, LINUX_REBOOT_MAGIC2B, LINUX_REBOOT_MAGIC2C}
_MODULE_FLAGS = 7  # MODULE_INIT_IGNORE_MODVERSIONS, MODULE_INIT_IGNORE_VERMAGIC, MODULE_INIT_COMPRESSED_FILE
_ELF_HEADER = 64
_PORTS = 65536


@syscall(partial="the machine cannot be stopped or started again: EPERM")
def reboot(task: Task, magic: Magic, magic2: Magic, op: Command, arg: Address) -> int:
    """Say what Ctrl-Alt-Del does (reboot(2))."""
    del arg
    if not task.cred.capable(CAP_SYS_BOOT):
        raise SysError(EPERM)
    if magic != LINUX_REBOOT_MAGIC1 or magic2 not in _MAGICS or op not in process.REBOOT_COMMANDS.names:
        raise SysError(EINVAL)
    if op not in (LINUX_REBOOT_CMD_CAD_ON, LINUX_REBOOT_CMD_CAD_OFF):
        raise SysError(EPERM)
    return 0


def _check_module_loading(task: Task) -> None:
    if not task.cred.capable(CAP_SYS_MODULE):
        raise SysError(EPERM)


@syscall(partial="no module is for this kernel: ENOEXEC")
def init_module(task: Task, module_image: Address, len: ULong, param_values: Address) -> int:
    """Load a kernel module (init_module(2))."""
    del param_values
    _check_module_loading(task)
    if len >= _ELF_HEADER:
        task.mm.read(module_image, _ELF_HEADER)
    raise SysError(ENOEXEC)


@syscall(partial="no module is for this kernel: ENOEXEC")
def finit_module(task: Task, fd: Fd, param_values: Address, flags: Int) -> int:
    """Load a kernel module from a file (finit_module(2))."""
    del param_values
    _check_module_loading(task)
    if flags & ~_MODULE_FLAGS:
        raise SysError(EINVAL)
    readable(task, fd)
    raise SysError(ENOEXEC)


@syscall()
def delete_module(task: Task, name: String, flags: OpenFlags) -> int:
    """Unload a kernel module; there are none (delete_module(2))."""
    del name, flags
    _check_module_loading(task)
    raise SysError(ENOENT)


@syscall(only=(X86_64, I386), partial="no port can be given: EPERM")
def ioperm(task: Task, from_: ULong, num: ULong, turn_on: Int) -> int:
    """Allow or forbid the use of I/O ports, as on a machine that is locked down (ioperm(2))."""
    if from_ + num > min(_PORTS, task.arch.mask) or not num:
        raise SysError(EINVAL)
    if turn_on:
        raise SysError(EPERM)
    return 0


@syscall(only=(X86_64, I386), partial="the level is 0 for ever: EPERM")
def iopl(task: Task, level: UInt) -> int:
    """Change the I/O privilege level, as on a machine that is locked down (iopl(2))."""
    del task
    if level > 3:
        raise SysError(EINVAL)
    if level:
        raise SysError(EPERM)
    return 0
