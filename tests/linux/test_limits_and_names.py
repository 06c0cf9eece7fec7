"""Limits, usage, names, prctl and what else is about the process or the machine."""

from __future__ import annotations

import struct

import pytest
from fakes import NOWHERE, SCRATCH, call, make_task

from syscalls.abi import prctl as pr
from syscalls.abi.arch import ARCHES, ARM64, I386, X86_64
from syscalls.abi.errno import E2BIG, EBUSY, EFAULT, EINVAL, ENOSYS, EPERM, ESRCH
from syscalls.abi.numbers import NUMBER
from syscalls.abi.resource import RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_STACK

INFINITY = (1 << 64) - 1


def limits(task, size=8, at=SCRATCH):
    data = task.mm.read(at, 2 * size)
    return int.from_bytes(data[:size], "little"), int.from_bytes(data[size:], "little")


def test_getrlimit_in_three_widths():
    task = make_task()
    assert call(task, "getrlimit", RLIMIT_STACK, SCRATCH) == 0
    assert limits(task) == (8 << 20, INFINITY)
    assert call(task, "getrlimit", 16, SCRATCH) == -EINVAL
    assert call(task, "getrlimit", RLIMIT_STACK, NOWHERE) == -EFAULT
    task = make_task(I386)
    assert call(task, "ugetrlimit", RLIMIT_STACK, SCRATCH) == 0
    assert limits(task, 4) == (8 << 20, 0xFFFFFFFF)
    assert call(task, "getrlimit", RLIMIT_STACK, SCRATCH) == 0
    assert limits(task, 4) == (8 << 20, 0x7FFFFFFF)


def test_setrlimit():
    task = make_task(uid=1000)
    for soft, hard, result in ((5, 4, -EINVAL), (100, 200, 0), (100, 201, -EPERM), (200, 200, 0)):
        task.mm.write(SCRATCH, struct.pack("<QQ", soft, hard))
        assert call(task, "setrlimit", RLIMIT_NOFILE, SCRATCH) == result
    assert task.group.limits[RLIMIT_NOFILE] == (200, 200)
    assert call(task, "setrlimit", 99, NOWHERE) == -EFAULT
    task.mm.write(SCRATCH, struct.pack("<QQ", 1, (1 << 20) + 1))
    assert call(make_task(), "setrlimit", RLIMIT_NOFILE, SCRATCH) == 0  # 0, 0
    task = make_task()
    task.mm.write(SCRATCH, struct.pack("<QQ", 1, (1 << 20) + 1))
    assert call(task, "setrlimit", RLIMIT_NOFILE, SCRATCH) == -EPERM  # beyond fs.nr_open, even for root


def test_infinity_of_i386():
    task = make_task(I386)
    task.mm.write(SCRATCH, struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF))
    assert call(task, "setrlimit", RLIMIT_CORE, SCRATCH) == 0
    assert task.group.limits[RLIMIT_CORE] == (INFINITY, INFINITY)


@pytest.mark.parametrize("arch", ARCHES.values())
def test_prlimit64(arch):
    task = make_task(arch)
    task.mm.write(SCRATCH, struct.pack("<QQ", 10, 20))
    assert call(task, "prlimit64", 0, RLIMIT_NOFILE, SCRATCH, SCRATCH + 16) == 0
    assert limits(task, 8, SCRATCH + 16) == (1024, 1 << 20)
    assert task.group.limits[RLIMIT_NOFILE] == (10, 20)
    assert call(task, "prlimit64", 4711, RLIMIT_NOFILE, 0, 0) == -ESRCH
    assert call(task, "prlimit64", 4711, 99, NOWHERE, 0) == -EFAULT
    assert call(task, "prlimit64", 0, 99, 0, 0) == -EINVAL


@pytest.mark.parametrize(("arch", "machine"), [(X86_64, b"x86_64"), (I386, b"x86_64"), (ARM64, b"aarch64")])
def test_uname(arch, machine):
    task = make_task(arch)
    assert call(task, "uname", SCRATCH) == 0
    fields = [task.mm.read(SCRATCH + 65 * i, 65).rstrip(b"\0") for i in range(6)]
    assert (fields[0], fields[1], fields[4]) == (b"Linux", b"trapeze", machine)


def test_host_name():
    task = make_task()
    assert call(task, "sethostname", b"box", 3) == 0
    assert task.ns.uts.nodename == b"box"
    assert call(task, "sethostname", b"box", 65) == -EINVAL
    assert call(task, "sethostname", NOWHERE, 3) == -EFAULT
    assert call(make_task(uid=1), "sethostname", NOWHERE, 99) == -EPERM


def test_getrandom():
    task = make_task()
    assert call(task, "getrandom", SCRATCH, 5, 0) == 5
    assert task.mm.read(SCRATCH, 6) == bytes([1, 8, 15, 22, 29, 0])
    assert call(task, "getrandom", SCRATCH, 5, 8) == -EINVAL
    assert call(task, "getrandom", SCRATCH, 5, 6) == -EINVAL
    assert call(task, "getrandom", NOWHERE, 5, 0) == -EFAULT


def test_thread_name():
    task = make_task()
    assert call(task, "prctl", pr.PR_SET_NAME, b"a name that is too long") == 0
    assert task.comm == b"a name that is "
    assert call(task, "prctl", pr.PR_GET_NAME, SCRATCH) == 0
    assert task.mm.read(SCRATCH, 16) == b"a name that is \0"


@pytest.mark.parametrize(
    ("option", "args", "result"),
    [
        (pr.PR_GET_DUMPABLE, (), 1),
        (pr.PR_SET_DUMPABLE, (2,), -EINVAL),
        (pr.PR_SET_PDEATHSIG, (65,), -EINVAL),
        (pr.PR_SET_NO_NEW_PRIVS, (1, 1), -EINVAL),
        (pr.PR_GET_NO_NEW_PRIVS, (), 0),
        (pr.PR_CAPBSET_READ, (0,), 1),
        (pr.PR_CAPBSET_READ, (41,), -EINVAL),
        (pr.PR_GET_TIMERSLACK, (), 50_000),
        (pr.PR_CAP_AMBIENT, (pr.PR_CAP_AMBIENT_RAISE, 0), -EPERM),
        (pr.PR_CAP_AMBIENT, (9, 0), -EINVAL),
        (pr.PR_GET_SECUREBITS, (), 0),
        (pr.PR_GET_SPECULATION_CTRL, (9,), -19),
        (12345, (), -EINVAL),
    ],
)
def test_prctl(option, args, result):
    assert call(make_task(), "prctl", option, *args) == result


def test_dropping_a_bounding_capability():
    task = make_task()
    assert call(task, "prctl", pr.PR_CAPBSET_DROP, 3) == 0
    assert call(task, "prctl", pr.PR_CAPBSET_READ, 3) == 0
    assert call(make_task(uid=1), "prctl", pr.PR_CAPBSET_DROP, 99) == -EPERM


def test_anonymous_names():
    task = make_task()
    assert call(task, "prctl", pr.PR_SET_VMA, 0, SCRATCH, 4096, b"heap") == 0
    assert task.mm.vmas.find(SCRATCH).name == b"[anon:heap]"
    assert task.mm.vmas.find(SCRATCH + 4096).name == b""
    assert call(task, "prctl", pr.PR_SET_VMA, 0, SCRATCH + 1, 4096, b"heap") == -EINVAL
    assert call(task, "prctl", pr.PR_SET_VMA, 0, SCRATCH, 4096, b"a[b") == -EINVAL


def test_arch_prctl():
    task = make_task()
    assert call(task, "arch_prctl", pr.ARCH_SET_FS, 0x7000) == 0
    assert call(task, "arch_prctl", pr.ARCH_GET_FS, SCRATCH) == 0
    assert task.mm.read(SCRATCH, 8) == (0x7000).to_bytes(8, "little")
    assert call(task, "arch_prctl", pr.ARCH_SET_FS, 1 << 63) == -EPERM
    assert call(task, "arch_prctl", 0x3001, 0) == -EINVAL
    assert call(make_task(I386), "arch_prctl", pr.ARCH_SET_FS, 0x7000) == -EINVAL


def test_thread_area():
    task = make_task(I386)
    flags = 1 | 16 | 64  # seg_32bit, limit_in_pages, useable
    task.mm.write(SCRATCH, struct.pack("<4I", 0xFFFFFFFF, 0x12345678, 0xFFFFF, flags))
    assert call(task, "set_thread_area", SCRATCH) == 0
    assert task.mm.read(SCRATCH, 4) == (12).to_bytes(4, "little")
    assert task.cpu.tls[12] == 0x12DFF3345678FFFF
    task.mm.write(SCRATCH + 16, struct.pack("<4I", 12, 0, 0, 0))
    assert call(task, "get_thread_area", SCRATCH + 16) == 0
    assert task.mm.read(SCRATCH + 16, 16) == struct.pack("<4I", 12, 0x12345678, 0xFFFFF, flags)
    for entry in (13, 14, None):
        task.mm.write(SCRATCH, struct.pack("<4I", 0xFFFFFFFF, 1, 0xFFFFF, flags))
        assert call(task, "set_thread_area", SCRATCH) == (0 if entry else -ESRCH)
    task.mm.write(SCRATCH, struct.pack("<4I", 11, 1, 0xFFFFF, flags))
    assert call(task, "set_thread_area", SCRATCH) == -EINVAL


def test_rseq():
    task = make_task()
    task.mm.write(SCRATCH, b"\xff" * 32)
    assert call(task, "rseq", SCRATCH + 8, 32, 0, 5) == -EINVAL
    assert call(task, "rseq", SCRATCH, 32, 0, 5) == 0
    assert task.mm.read(SCRATCH, 8) == bytes(8)
    assert call(task, "rseq", SCRATCH, 32, 0, 5) == -EBUSY
    assert call(task, "rseq", SCRATCH, 32, 0, 6) == -EPERM
    assert call(task, "rseq", SCRATCH, 32, 1, 5) == 0
    assert task.mm.read(SCRATCH + 4, 4) == b"\xff" * 4
    assert call(task, "rseq", SCRATCH, 32, 1, 5) == -EINVAL


def test_scheduling():
    task = make_task(uid=1000)
    task.mm.write(SCRATCH, struct.pack("<i", 5))
    assert call(task, "sched_setscheduler", 0, 1, SCRATCH) == -EPERM
    assert call(task, "sched_setscheduler", 0, 0, SCRATCH) == -EINVAL
    assert call(task, "sched_getscheduler", 0) == 0
    assert call(task, "sched_get_priority_max", 1) == 99
    assert call(task, "sched_get_priority_max", 4) == -EINVAL
    root = make_task()
    root.mm.write(SCRATCH, struct.pack("<i", 5))
    assert call(root, "sched_setscheduler", 0, 2 | 0x40000000, SCRATCH) == 0
    assert call(root, "sched_getscheduler", 0) == 0x40000002
    assert call(root, "sched_getparam", 0, SCRATCH) == 0
    assert call(root, "sched_rr_get_interval", 4711, SCRATCH) == -ESRCH


def test_sched_attr():
    task = make_task()
    task.mm.write(SCRATCH, struct.pack("<IIQiIQQQ", 48, 0, 0, 7, 0, 0, 0, 0))
    assert call(task, "sched_setattr", 0, SCRATCH, 0) == 0
    assert task.nice == 7
    assert call(task, "sched_getattr", 0, SCRATCH, 48, 0) == 0
    assert struct.unpack("<IIQi", task.mm.read(SCRATCH, 20)) == (48, 0, 0, 7)
    task.mm.write(SCRATCH, struct.pack("<I", 40))
    assert call(task, "sched_setattr", 0, SCRATCH, 0) == -E2BIG


def test_one_processor():
    task = make_task()
    assert call(task, "sched_getaffinity", 0, 128, SCRATCH) == 8
    assert task.mm.read(SCRATCH, 8) == b"\1" + bytes(7)
    assert call(task, "sched_getaffinity", 0, 4, SCRATCH) == -EINVAL
    task.mm.write(SCRATCH, b"\2")
    assert call(task, "sched_setaffinity", 0, 8, SCRATCH) == -EINVAL
    assert call(task, "getcpu", SCRATCH, SCRATCH + 4, 0) == 0


def test_priorities():
    task = make_task(uid=1000)
    assert call(task, "getpriority", 0, 0) == 20
    assert call(task, "setpriority", 0, 0, 5) == 0
    assert call(task, "getpriority", 0, 0) == 15
    assert call(task, "setpriority", 0, 0, 4) == -13
    assert call(task, "getpriority", 3, 0) == -EINVAL
    assert call(task, "ioprio_set", 1, 0, 2 << 13 | 4) == 0
    assert call(task, "ioprio_get", 1, 0) == 2 << 13 | 4
    assert call(task, "ioprio_set", 1, 0, 1 << 13) == -EPERM


def test_membarrier():
    task = make_task()
    assert call(task, "membarrier", 8, 0, 0) == -EPERM
    assert call(task, "membarrier", 16, 0, 0) == 0
    assert call(task, "membarrier", 8, 0, 0) == 0
    assert call(task, "membarrier", 3, 0, 0) == -EINVAL


def test_sysinfo():
    task = make_task()
    assert call(task, "sysinfo", SCRATCH) == 0
    values = struct.unpack("<q3Q6Q", task.mm.read(SCRATCH, 80))
    assert values[4] == task.kernel.ram.limit << 12


@pytest.mark.parametrize("arch", ARCHES.values())
def test_every_call_has_a_declaration(arch):
    from syscalls import linux, spec

    assert linux
    declared = spec.specs(arch)
    assert sorted(set(NUMBER[arch.name]) - set(declared)) == []
    for declaration in declared.values():
        assert sum(len(places) for _, places in declaration.registers(arch)) <= 6, declaration


def test_what_is_missing_answers_enosys_whatever_the_arguments():
    assert call(make_task(), "landlock_restrict_self", NOWHERE, NOWHERE) == -ENOSYS
    assert call(make_task(), "_sysctl", 0) == -ENOSYS
