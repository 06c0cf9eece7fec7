"""Calls that have power over the machine: syslog(2), reboot(2), modules, ports, the local descriptor table."""

from __future__ import annotations

import struct

import pytest
from fakes import NOWHERE, SCRATCH, Asleep, begin, call, finish, make_task

from syscalls.abi.arch import I386, X86_64
from syscalls.abi.errno import EFAULT, EINVAL, ENOENT, ENOEXEC, EPERM

MAGIC1, MAGIC2 = 0xFEE1DEAD, 0x28121969


def test_without_capabilities_nothing_goes():
    task = make_task(uid=1000)
    for name in ("reboot", "init_module", "finit_module", "syslog"):
        assert call(task, name, 0, 0, 0, 0) == -EPERM
    assert call(task, "delete_module", b"x", 0) == -EPERM


def test_reboot():
    task = make_task()
    assert call(task, "reboot", 1, 2, 3, 0) == -EINVAL
    assert call(task, "reboot", MAGIC1, MAGIC2, 77, 0) == -EINVAL
    assert call(task, "reboot", MAGIC1, MAGIC2, 0x89ABCDEF, 0) == 0
    assert call(task, "reboot", MAGIC1, MAGIC2, 0x1234567, 0) == -EPERM


def test_modules():
    task = make_task()
    assert call(task, "init_module", SCRATCH, 10, b"") == -ENOEXEC
    assert call(task, "init_module", NOWHERE, 100, b"") == -EFAULT
    assert call(task, "finit_module", 0, b"", 8) == -EINVAL
    assert call(task, "delete_module", b"x", 0) == -ENOENT


def test_the_log():
    task = make_task()
    size = call(task, "syslog", 9, 0, 0)
    assert call(task, "syslog", 3, SCRATCH, 4096) == size
    assert task.mm.read(SCRATCH, 4) == b"<5>["
    assert call(task, "syslog", 2, SCRATCH, 4096) == size
    begin(task, "syslog", 2, SCRATCH, 4096)
    with pytest.raises(Asleep):
        finish(task)
    task.sleeping = None
    assert call(task, "syslog", 5, 0, 0) == 0
    assert call(task, "syslog", 3, SCRATCH, 4096) == 0
    assert call(task, "syslog", 8, 0, 9) == -EINVAL
    assert call(task, "syslog", 3, 0, 9) == -EINVAL
    assert call(task, "syslog", 11, 0, 0) == -EINVAL


def test_ports():
    task = make_task()
    assert call(task, "iopl", 0) == 0
    assert call(task, "iopl", 3) == -EPERM
    assert call(task, "iopl", 4) == -EINVAL
    assert call(task, "ioperm", 0x378, 3, 1) == -EPERM
    assert call(task, "ioperm", 0x378, 3, 0) == 0
    assert call(task, "ioperm", 65535, 2, 0) == -EINVAL


def user_desc(task, entry, base, limit, flags):
    task.mm.write(SCRATCH, struct.pack("<4I", entry, base, limit, flags))
    return SCRATCH


@pytest.mark.parametrize("arch", [X86_64, I386], ids=str)
def test_the_local_descriptor_table(arch):
    task = make_task(arch)
    error = -EINVAL if arch is I386 else -EINVAL & 0xFFFFFFFF
    assert call(task, "modify_ldt", 0, SCRATCH, 64) == 0
    assert call(task, "modify_ldt", 0x11, user_desc(task, 1, 0x1000, 0xFFF, 0x51), 16) == 0
    assert call(task, "modify_ldt", 1, user_desc(task, 2, 0x1000, 0xFFF, 0x51), 16) == 0  # without the available bit
    assert call(task, "modify_ldt", 0x11, SCRATCH, 15) == error
    assert call(task, "modify_ldt", 0x11, user_desc(task, 8192, 0, 1, 0x51), 16) == error
    assert call(task, "modify_ldt", 0x11, user_desc(task, 1, 0, 1, 0x57), 16) == error  # conforming code
    assert call(task, "modify_ldt", 0, SCRATCH, 32) == 32
    assert task.mm.read(SCRATCH, 32).hex() == "0" * 16 + "ff0f001000f3d000" + "ff0f001000f3c000" + "0" * 16
    child = task.kernel.tasks[call(task, "fork")]
    assert call(task, "modify_ldt", 0x11, user_desc(task, 1, 0, 0, 0x28), 16) == 0
    assert (task.mm.ldt[1], child.mm.ldt[1]) == (0, 0xD0F300_1000_0FFF)
