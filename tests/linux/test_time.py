"""Clocks, sleeping and interval timers."""

from __future__ import annotations

import struct

import pytest
from fakes import NOWHERE, SCRATCH, Asleep, begin, call, finish, make_task

from syscalls.abi.arch import ARCHES, I386
from syscalls.abi.errno import EFAULT, EINTR, EINVAL, EOPNOTSUPP, EPERM
from syscalls.abi.signal import SIGALRM, SIGUSR1
from syscalls.abi.time import NSEC_PER_SEC
from syscalls.kernel import signals
from syscalls.kernel.signals import SigAction, SigInfo

REALTIME, MONOTONIC, PROCESS, THREAD, RAW, COARSE = range(6)
BOOTTIME, REALTIME_ALARM, TAI = 7, 8, 11


def put_time(task, seconds, nanoseconds, at=SCRATCH, size=None):
    letter = "q" if (size or task.arch.word) == 8 else "i"
    task.mm.write(at, struct.pack(f"<2{letter}", seconds, nanoseconds))


def get_time(task, at=SCRATCH, size=None):
    letter = "q" if (size or task.arch.word) == 8 else "i"
    return struct.unpack(f"<2{letter}", task.mm.read(at, struct.calcsize(f"<2{letter}")))


@pytest.mark.parametrize("arch", ARCHES.values(), ids=str)
def test_reading_clocks(arch):
    task = make_task(arch)
    task.kernel.clock.now = 12 * NSEC_PER_SEC + 345_678_901
    assert call(task, "clock_gettime", MONOTONIC, SCRATCH) == 0
    assert get_time(task) == (12, 345_678_901)
    assert call(task, "clock_gettime", 6, SCRATCH) == 0
    assert get_time(task) == (12, 344_000_000)
    assert call(task, "gettimeofday", SCRATCH, 0) == 0
    assert get_time(task) == (1_700_000_012, 345_678)
    for clock in (TAI + 1, 10, -1 << 3 | 3, ~4711 << 3 | 2):
        assert call(task, "clock_gettime", clock, SCRATCH) == -EINVAL
    for clock in (PROCESS, THREAD, ~task.tid << 3 | 2, ~0 << 3 | 6):
        assert call(task, "clock_gettime", clock, SCRATCH) == 0
    assert call(task, "clock_gettime", REALTIME, NOWHERE) == -EFAULT


def test_time64_of_i386():
    task = make_task(I386)
    assert call(task, "clock_gettime64", REALTIME, SCRATCH) == 0
    assert get_time(task, size=8) == (1_700_000_001, 0)
    assert call(task, "time", SCRATCH) == 1_700_000_001


def test_resolution():
    task = make_task()
    for clock, expected in ((REALTIME, 1), (COARSE, 4_000_000), (PROCESS, 1), (-8 | 1, 4_000_000)):
        assert call(task, "clock_getres", clock, SCRATCH) == 0
        assert get_time(task) == (0, expected)
    assert call(task, "clock_getres", REALTIME, 0) == 0
    assert call(task, "clock_getres", 10, 0) == -EINVAL


def test_setting_the_clock():
    task = make_task()
    put_time(task, 2_000_000_000, 5)
    assert call(task, "clock_settime", REALTIME, SCRATCH) == 0
    assert call(task, "clock_gettime", REALTIME, SCRATCH) == 0
    assert get_time(task) == (2_000_000_000, 5)
    assert call(task, "clock_settime", MONOTONIC, NOWHERE) == -EINVAL
    assert call(task, "clock_settime", REALTIME, NOWHERE) == -EFAULT
    put_time(task, 1, NSEC_PER_SEC)
    assert call(task, "clock_settime", REALTIME, SCRATCH) == -EINVAL
    user = make_task(uid=1)
    put_time(user, 1, 0)
    assert call(user, "clock_settime", REALTIME, SCRATCH) == -EPERM
    assert call(user, "settimeofday", SCRATCH, 0) == -EPERM
    put_time(user, -1, 0)
    assert call(user, "clock_settime", REALTIME, SCRATCH) == -EINVAL


def test_nanosleep():
    task = make_task()
    put_time(task, 2, 500)
    before = task.kernel.clock.now
    assert call(task, "nanosleep", SCRATCH, 0) == 0
    assert task.kernel.clock.now == before + 2 * NSEC_PER_SEC + 500
    put_time(task, -1, 0)
    assert call(task, "nanosleep", SCRATCH, 0) == -EINVAL
    assert call(task, "nanosleep", NOWHERE, 0) == -EFAULT


def interrupt(task, signo=SIGUSR1):
    task.group.signals.actions[signo] = SigAction(0x4000)
    signals.send(task, SigInfo(signo))


def test_an_interrupted_sleep_tells_what_is_left_and_can_go_on():
    task = make_task()
    put_time(task, 10, 0)
    assert begin(task, "nanosleep", SCRATCH, SCRATCH + 16) is None
    task.kernel.clock.now += 3 * NSEC_PER_SEC
    interrupt(task)
    assert finish(task) == -EINTR
    assert get_time(task, SCRATCH + 16) == (7, 0)
    task.signals.pending.clear()
    task.interrupted = None
    before = task.kernel.clock.now
    assert call(task, "restart_syscall") == 0
    assert task.kernel.clock.now == before + 7 * NSEC_PER_SEC
    assert call(task, "restart_syscall") == -EINTR


def test_sleeping_until_a_time():
    task = make_task()
    put_time(task, 5, 0)
    assert call(task, "clock_nanosleep", MONOTONIC, 1, SCRATCH, 0) == 0
    assert task.kernel.clock.now == 5 * NSEC_PER_SEC
    put_time(task, 1_700_000_009, 0)
    assert call(task, "clock_nanosleep", REALTIME, 1, SCRATCH, NOWHERE) == 0
    assert task.kernel.clock.now == 9 * NSEC_PER_SEC
    for clock in (RAW, COARSE, THREAD, -1 << 3 | 3):
        assert call(task, "clock_nanosleep", clock, 0, SCRATCH, 0) == -EOPNOTSUPP
    assert call(task, "clock_nanosleep", 10, 0, SCRATCH, 0) == -EINVAL
    user = make_task(uid=1)
    put_time(user, 0, 0)
    assert call(user, "clock_nanosleep", REALTIME_ALARM, 0, SCRATCH, 0) == -EPERM


def test_who_sleeps_by_the_clock_notices_that_it_is_set():
    task = make_task()
    put_time(task, 1_800_000_000, 0)
    assert begin(task, "clock_nanosleep", REALTIME, 1, SCRATCH, 0) is None
    task.kernel.set_realtime(1_800_000_001 * NSEC_PER_SEC)
    assert finish(task) == 0
    assert task.kernel.clock.now == NSEC_PER_SEC


def test_own_processor_time_does_not_pass_while_sleeping():
    task = make_task()
    task.kernel.clock.cputime = lambda: 5
    put_time(task, 1, 0)
    with pytest.raises(Asleep):
        call(task, "clock_nanosleep", PROCESS, 0, SCRATCH, 0)


def set_timer(task, which, value_us, interval_us=0, old=0):
    task.mm.write(SCRATCH, struct.pack("<4q", *divmod(interval_us, 10**6), *divmod(value_us, 10**6)))
    return call(task, "setitimer", which, SCRATCH, old)


def test_alarm_interrupts_a_sleep():
    task = make_task()
    task.group.signals.actions[SIGALRM] = SigAction(0x4000)
    assert call(task, "alarm", 3) == 0
    assert call(task, "alarm", 2) == 3
    assert call(task, "pause") == -EINTR
    assert task.kernel.clock.now == 3 * NSEC_PER_SEC
    assert task.signals.pending == {}
    assert task.group.signals.pending[SIGALRM][0].code == 0x80  # SI_KERNEL
    assert call(task, "alarm", 0) == 0


def test_interval_timer():
    task = make_task()
    task.signals.mask = 1 << SIGALRM - 1
    assert set_timer(task, 0, 1_500_000, 200_000) == 0
    assert call(task, "getitimer", 0, SCRATCH) == 0
    assert struct.unpack("<4q", task.mm.read(SCRATCH, 32)) == (0, 200_000, 1, 500_000)
    task.kernel.clock.now += 1_750_000_000
    task.kernel.expire_timers()
    assert signals.blocked_and_pending(task) == 1 << SIGALRM - 1
    assert call(task, "getitimer", 0, SCRATCH) == 0
    assert struct.unpack("<4q", task.mm.read(SCRATCH, 32)) == (0, 200_000, 0, 150_000)
    assert set_timer(task, 0, 0, old=SCRATCH + 64) == 0
    assert struct.unpack("<4q", task.mm.read(SCRATCH + 64, 32)) == (0, 200_000, 0, 150_000)
    assert task.kernel.next_timer_deadline() is None
    assert set_timer(task, 3, 1) == -EINVAL
    task.mm.write(SCRATCH, struct.pack("<4q", 0, 0, 0, 10**6))
    assert call(task, "setitimer", 0, SCRATCH, 0) == -EINVAL


def test_adjtimex_shows_an_undisciplined_clock():
    task = make_task()
    task.mm.write(SCRATCH, bytes(208))
    assert call(task, "adjtimex", SCRATCH) == 5  # TIME_ERROR
    task.mm.write(SCRATCH, struct.pack("<I", 2))
    assert call(task, "adjtimex", SCRATCH) == -EPERM
