"""Ids, capabilities, groups and sessions."""

from __future__ import annotations

import struct

import pytest
from fakes import NOWHERE, SCRATCH, call, make_task, new_thread

from syscalls.abi.arch import ARM64, I386, X86_64
from syscalls.abi.errno import ECHILD, EFAULT, EINVAL, EPERM, ESRCH
from syscalls.abi.prctl import CAP_NET_RAW, CAP_SETUID, SECBIT_KEEP_CAPS
from syscalls.fs.cred import ALL_CAPABILITIES


def words(task, count, at=SCRATCH, size=4):
    return tuple(int.from_bytes(task.mm.read(at + size * i, size), "little") for i in range(count))


@pytest.mark.parametrize("arch", [X86_64, I386, ARM64])
def test_ids_of_a_user(arch):
    task = make_task(arch, uid=1000, gid=100)
    assert [call(task, name) for name in ("getuid", "geteuid", "getgid", "getegid")] == [1000, 1000, 100, 100]
    assert call(task, "getpid") == call(task, "gettid") == task.tid
    assert call(task, "set_tid_address", 0x1234) == task.tid
    assert task.clear_child_tid == 0x1234


def test_sixteen_bit_ids_of_i386():
    task = make_task(I386, uid=70000)
    assert call(task, "getuid") == 65534
    assert call(task, "getuid32") == 70000
    assert call(task, "setuid", 0x1_0005) == -EPERM  # only 16 bits count
    assert call(task, "setresuid", 0xFFFF, 0xFFFF, 0xFFFF) == 0
    assert call(task, "getresuid", SCRATCH, SCRATCH + 2, SCRATCH + 4) == 0
    assert words(task, 3, size=2) == (65534,) * 3


def test_setuid_of_root_is_for_good():
    task = make_task()
    assert call(task, "setuid", 1000) == 0
    assert (task.cred.uid, task.cred.euid, task.cred.suid, task.cred.fsuid) == (1000,) * 4
    assert task.cred.effective == task.cred.permitted == 0
    assert task.group.dumpable == 0
    assert call(task, "setuid", 0) == -EPERM
    assert call(task, "setuid", -1) == -EINVAL


def test_setuid_of_a_user_moves_between_real_and_saved():
    task = make_task()
    assert call(task, "setresuid", 1000, 1001, 1002) == 0
    assert call(task, "setuid", 1002) == 0
    assert (task.cred.uid, task.cred.euid, task.cred.suid) == (1000, 1002, 1002)
    assert call(task, "setuid", 1001) == -EPERM


@pytest.mark.parametrize(
    ("real", "effective", "result", "ids"),
    [
        (-1, -1, 0, (1, 2, 3)),
        (2, -1, 0, (2, 2, 2)),
        (-1, 3, 0, (1, 3, 3)),
        (-1, 1, 0, (1, 1, 3)),
        (3, -1, -EPERM, (1, 2, 3)),
        (-1, 9, -EPERM, (1, 2, 3)),
    ],
)
def test_setreuid(real, effective, result, ids):
    task = make_task()
    assert call(task, "setresuid", 1, 2, 3) == 0
    assert call(task, "setreuid", real, effective) == result
    assert (task.cred.uid, task.cred.euid, task.cred.suid) == ids


def test_keeping_capabilities():
    task = make_task()
    assert call(task, "prctl", 8, 1) == 0  # PR_SET_KEEPCAPS
    assert task.cred.securebits == SECBIT_KEEP_CAPS
    assert call(task, "setuid", 5) == 0
    assert task.cred.permitted == ALL_CAPABILITIES
    assert task.cred.effective == 0


def test_setfsuid_answers_the_previous_id_even_when_it_fails():
    task = make_task(uid=1000)
    assert call(task, "setfsuid", 5) == 1000
    assert call(task, "setfsuid", -1) == 1000
    root = make_task()
    assert call(root, "setfsuid", 5) == 0
    assert not root.cred.effective & 1  # CAP_CHOWN goes with fsuid
    assert call(root, "setfsuid", 0) == 5
    assert root.cred.effective == ALL_CAPABILITIES


def test_groups():
    task = make_task()
    task.mm.write(SCRATCH, struct.pack("<III", 30, 10, 20))
    assert call(task, "setgroups", 3, SCRATCH) == 0
    assert task.cred.groups == (10, 20, 30)
    assert call(task, "getgroups", 0, 0) == 3
    assert call(task, "getgroups", 2, SCRATCH) == -EINVAL
    assert call(task, "getgroups", 3, NOWHERE) == -EFAULT
    assert call(task, "setgroups", 65537, SCRATCH) == -EINVAL
    assert call(make_task(uid=1), "setgroups", -1, 0) == -EPERM


def test_capget_and_capset():
    task = make_task()
    header, data = SCRATCH, SCRATCH + 16
    task.mm.write(header, struct.pack("<Ii", 0x20080522, 0))
    assert call(task, "capget", header, data) == 0
    assert words(task, 6, data) == (0xFFFFFFFF, 0xFFFFFFFF, 0, 0x1FF, 0x1FF, 0)
    task.mm.write(data, struct.pack("<6I", 1 << CAP_SETUID, 1 << CAP_SETUID, 0, 0, 0, 0))
    assert call(task, "capset", header, data) == 0
    assert task.cred.permitted == 1 << CAP_SETUID
    task.mm.write(data, struct.pack("<6I", 0, 1 << CAP_NET_RAW, 0, 0, 0, 0))
    assert call(task, "capset", header, data) == -EPERM


def test_capget_tells_the_version_to_use():
    task = make_task()
    task.mm.write(SCRATCH, struct.pack("<Ii", 1, 0))
    assert call(task, "capget", SCRATCH, 0) == 0
    assert words(task, 1) == (0x20080522,)
    task.mm.write(SCRATCH, struct.pack("<Ii", 1, 0))
    assert call(task, "capget", SCRATCH, SCRATCH + 16) == -EINVAL
    task.mm.write(SCRATCH, struct.pack("<Ii", 0x20080522, 4711))
    assert call(task, "capget", SCRATCH, SCRATCH + 16) == -ESRCH


def test_sessions_and_process_groups():
    task = make_task()
    task.group.sid = task.group.pgid = task.tid
    assert call(task, "getpgrp") == call(task, "getsid", 0) == call(task, "getpgid", task.tid) == task.tid
    assert call(task, "setsid") == -EPERM
    assert call(task, "setpgid", 0, 0) == -EPERM  # the leader of a session
    assert call(task, "setpgid", 4711, 0) == -ESRCH
    assert call(task, "setpgid", 0, -5) == -EINVAL
    task.group.sid = task.group.pgid = 77
    assert call(task, "setpgid", 0, 78) == -EPERM
    assert call(task, "setpgid", 0, 0) == 0
    task.group.pgid = 77
    assert call(task, "setsid") == task.tid
    assert call(task, "setpgid", new_thread(task).tid, 0) == -EINVAL


def test_waiting_without_children():
    task = make_task()
    assert call(task, "wait4", -1, 0, 0, 0) == -ECHILD
    assert call(task, "wait4", -1, 0, 4, 0) == -EINVAL  # WEXITED is waitid's
    assert call(task, "wait4", -(1 << 31), 0, 0, 0) == -ESRCH
    assert call(task, "waitid", 0, 0, 0, 0) == -EINVAL
    assert call(task, "waitid", 1, 0, 0, 4) == -EINVAL
    assert call(task, "waitid", 7, 0, 0, 4) == -EINVAL
    assert call(task, "waitid", 0, 0, 0, 4) == -ECHILD
