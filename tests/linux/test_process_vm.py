"""Who may look into another process: process_vm_readv(2), kcmp(2), /proc/PID/mem. The sample remote shows the rest."""

from __future__ import annotations

import struct

import pytest
from fakes import SCRATCH, call, make_task

from syscalls.abi.errno import EINVAL, EPERM, ESRCH
from syscalls.abi.process import KCMP_FILES, KCMP_VM
from syscalls.fs.cred import CAP_SYS_PTRACE, CAP_SYS_TTY_CONFIG, Credentials

CHANGES = {
    "another user": lambda task: setattr(task, "cred", Credentials.of(1000, 1000)),
    "a saved id": lambda task: setattr(task.cred, "suid", 1000),
    "another group": lambda task: setattr(task.cred, "sgid", 1000),
    "a secret": lambda task: setattr(task.group, "dumpable", 0),
    "more capabilities": lambda task: setattr(task.cred, "permitted", 1),
}


def parent_and_child(uid=500):
    task = make_task(uid=uid)
    child = task.kernel.tasks[call(task, "fork")]
    task.mm.write(SCRATCH, struct.pack("<QQQQ", SCRATCH + 64, 4, SCRATCH + 128, 4))
    child.mm.write(SCRATCH + 128, b"abcd")
    return task, child


def read(task, pid):
    return call(task, "process_vm_readv", pid, SCRATCH, 1, SCRATCH + 16, 1, 0)


def test_reading_a_child():
    task, child = parent_and_child()
    assert read(task, child.tid) == 4
    assert task.mm.read(SCRATCH + 64, 4) == b"abcd"
    assert read(task, 4711) == -ESRCH


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_not_ours_needs_a_capability(change):
    task, child = parent_and_child()
    CHANGES[change](child)
    assert read(task, child.tid) == -EPERM
    assert call(task, "kcmp", task.tid, child.tid, KCMP_VM, 0, 0) == -EPERM
    task.cred.effective = 1 << CAP_SYS_PTRACE
    assert read(task, child.tid) == 4
    assert call(task, "kcmp", task.tid, child.tid, KCMP_VM, 0, 0) in (1, 2)


def test_kcmp_orders():
    task, child = parent_and_child()
    one = call(task, "kcmp", task.tid, child.tid, KCMP_FILES, 0, 0)
    other = call(task, "kcmp", child.tid, task.tid, KCMP_FILES, 0, 0)
    assert {one, other} == {1, 2}
    assert call(task, "kcmp", task.tid, task.tid, KCMP_FILES, 0, 0) == 0
    assert call(task, "kcmp", task.tid, task.tid, 8, 0, 0) == -EINVAL


def test_vhangup_needs_a_capability():
    task = make_task(uid=500)
    assert call(task, "vhangup") == -EPERM
    task.cred.effective = 1 << CAP_SYS_TTY_CONFIG
    assert call(task, "vhangup") == 0
