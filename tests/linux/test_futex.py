"""futex(2) and its newer relatives: what Linux 6.18 answered to the same calls, and who is woken by whom."""

import struct

import pytest
from fakes import NOWHERE, SCRATCH, begin, call, finish, make_task, new_thread

from syscalls.abi.arch import I386, X86_64
from syscalls.abi.errno import EAGAIN, EDEADLK, EFAULT, EINVAL, ENOSYS, EPERM, ESRCH, ETIMEDOUT
from syscalls.abi.futex import (
    FUTEX_CLOCK_REALTIME,
    FUTEX_CMP_REQUEUE,
    FUTEX_CMP_REQUEUE_PI,
    FUTEX_LOCK_PI,
    FUTEX_LOCK_PI2,
    FUTEX_OWNER_DIED,
    FUTEX_PRIVATE_FLAG,
    FUTEX_REQUEUE,
    FUTEX_TRYLOCK_PI,
    FUTEX_UNLOCK_PI,
    FUTEX_WAIT,
    FUTEX_WAIT_BITSET,
    FUTEX_WAIT_REQUEUE_PI,
    FUTEX_WAITERS,
    FUTEX_WAKE,
    FUTEX_WAKE_BITSET,
    FUTEX_WAKE_OP,
)
from syscalls.abi.mman import MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE

PRIVATE = FUTEX_PRIVATE_FLAG
F, G, LOCK, LOCK2, TIME = (SCRATCH + 0x100 * i for i in range(5))
NOBODY = 0x3FFFFFF0


@pytest.fixture
def task():
    return make_task()


def word(task, address):
    return int.from_bytes(task.mm.read(address, 4), "little")


def put(task, address, value):
    task.mm.write(address, struct.pack("<I", value))


def timeout(task, seconds, nanoseconds=0):
    task.mm.write(TIME, struct.pack("<qq", seconds, nanoseconds))
    return TIME


def futex(task, *args):
    return call(task, "futex", *args)


def sleeper(task, *args, name="futex"):
    thread = new_thread(task)
    assert begin(thread, name, *args) is None
    return thread


@pytest.mark.parametrize("private", [0, PRIVATE])
def test_errors_in_the_order_of_the_kernel(task, private):
    read_only = call(task, "mmap", 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)

    def check(expected, address, op, *rest):
        assert futex(task, address, op | private, *rest) == expected

    at = timeout(task, 1)
    check(-EAGAIN, F, FUTEX_WAIT, 1)
    check(-EINVAL, F + 1, FUTEX_WAIT, 1)
    check(-EFAULT, NOWHERE, FUTEX_WAIT, 1)
    check(-EFAULT, -4096, FUTEX_WAIT, 1)
    check(-EAGAIN if private else -EFAULT, read_only, FUTEX_WAIT, 1)
    check(-EFAULT, F, FUTEX_WAIT, 1, NOWHERE)
    check(-EFAULT, F, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, NOWHERE)
    check(-ENOSYS, F, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, at)
    check(-EINVAL, NOWHERE, FUTEX_WAIT_BITSET, 0, at, 0, 0)
    check(-ETIMEDOUT, F, FUTEX_WAIT_BITSET, 0, at, 0, 1)
    check(-ETIMEDOUT, F, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, at, 0, 1)
    check(0 if private else -EFAULT, NOWHERE, FUTEX_WAKE, 1)
    check(-EINVAL, F + 1, FUTEX_WAKE_BITSET, 1, 0, 0, 0)
    check(-EINVAL, F, FUTEX_REQUEUE, -1, 1, G)
    check(-EINVAL, F, FUTEX_REQUEUE, 1, -1, G)
    check(-EAGAIN, F, FUTEX_CMP_REQUEUE, 1, 1, G, 5)
    check(-EFAULT, NOWHERE, FUTEX_CMP_REQUEUE, 1, 1, G, 5)
    check(-EAGAIN if private else -EFAULT, F, FUTEX_CMP_REQUEUE, 1, 1, NOWHERE, 5)
    check(-EFAULT, F, FUTEX_WAKE_OP, 1, 1, read_only, 0)
    check(-ENOSYS if private else -EFAULT, F, FUTEX_WAKE_OP, 1, 1, NOWHERE, 6 << 28)
    check(-EPERM, F + 1, FUTEX_UNLOCK_PI)
    check(-EFAULT, NOWHERE, FUTEX_UNLOCK_PI)
    check(-EFAULT, read_only, FUTEX_LOCK_PI)
    check(-EINVAL, F + 1, FUTEX_LOCK_PI)
    check(-EFAULT, F, FUTEX_LOCK_PI2, 0, NOWHERE)
    check(-ENOSYS, F, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME)
    check(-EINVAL, F, FUTEX_WAIT_REQUEUE_PI, 0, at, F)
    check(-EAGAIN, F, FUTEX_WAIT_REQUEUE_PI, 1, at, G)
    check(-ETIMEDOUT, F, FUTEX_WAIT_REQUEUE_PI, 0, at, G)
    check(-EINVAL, F, FUTEX_CMP_REQUEUE_PI, 1, 0, F, 0)
    check(-EINVAL, F, FUTEX_CMP_REQUEUE_PI, 2, 0, G, 0)
    check(-EAGAIN, F, FUTEX_CMP_REQUEUE_PI, 1, 0, G, 9)
    check(0 if private else -EFAULT, F, FUTEX_CMP_REQUEUE_PI, 1, 0, read_only, 0)
    check(-ENOSYS, F, 14)
    check(-ENOSYS, F, 2)
    check(-ENOSYS, F, 512)


def test_private_and_shared_keys_differ(task):
    thread = sleeper(task, F, FUTEX_WAIT | PRIVATE, 0)
    assert futex(task, F, FUTEX_WAKE, 1) == 0
    assert futex(task, F, FUTEX_WAKE | PRIVATE, 1) == 1
    assert finish(thread) == 0


def test_a_shared_futex_is_found_through_any_mapping(task):
    fd = call(task, "memfd_create", b"m", 0)
    assert call(task, "ftruncate", fd, 8192) == 0
    whole = call(task, "mmap", 0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
    second = call(task, "mmap", 0, 4096, PROT_READ, MAP_PRIVATE, fd, 4096)
    thread = sleeper(task, whole + 4096, FUTEX_WAIT, 0)
    assert futex(task, second + 4, FUTEX_WAKE, 1) == 0
    assert futex(task, second, FUTEX_WAKE, 1) == 1
    assert finish(thread) == 0


def test_bitsets(task):
    first = sleeper(task, F, FUTEX_WAIT_BITSET, 0, 0, 0, 1)
    second = sleeper(task, F, FUTEX_WAIT_BITSET, 0, 0, 0, 2)
    assert futex(task, F, FUTEX_WAKE_BITSET, 9, 0, 0, 4) == 0
    assert futex(task, F, FUTEX_WAKE_BITSET, 9, 0, 0, 2) == 1
    assert finish(second) == 0
    assert futex(task, F, FUTEX_WAKE, 0) == 1  # asked for none, Linux wakes one
    assert finish(first) == 0


def test_requeue_wakes_the_first_and_moves_the_next(task):
    threads = [sleeper(task, F, FUTEX_WAIT, 0) for _ in range(3)]
    assert futex(task, F, FUTEX_CMP_REQUEUE, 1, 1, G, 0) == 2
    assert finish(threads[0]) == 0
    assert futex(task, G, FUTEX_WAKE, 9) == 1
    assert finish(threads[1]) == 0
    assert futex(task, F, FUTEX_WAKE, 9) == 1
    assert finish(threads[2]) == 0


def test_requeue_to_itself_keeps_the_order(task):
    threads = [sleeper(task, F, FUTEX_WAIT, 0) for _ in range(3)]
    assert futex(task, F, FUTEX_REQUEUE, 0, 1, F) == 1
    assert futex(task, F, FUTEX_WAKE, 1) == 1
    assert finish(threads[0]) == 0


@pytest.mark.parametrize(
    ("operation", "result"), [(0, 5), (1, 12), (2, 7), (3, 2), (4, 2), (8, 32), (5, None), (7, None)]
)
@pytest.mark.parametrize(("comparison", "holds"), [(0, True), (1, False), (2, False), (3, True), (4, False), (5, True)])
def test_wake_op(task, operation, result, comparison, holds):
    put(task, G, 7)
    waiting = [sleeper(task, F, FUTEX_WAIT, 0), sleeper(task, G, FUTEX_WAIT, 7)]
    answer = futex(task, F, FUTEX_WAKE_OP, 1, 1, G, operation << 28 | comparison << 24 | 5 << 12 | 7)
    assert answer == (-ENOSYS if result is None else 1 + holds)
    assert word(task, G) == (7 if result is None else result)
    del waiting


def test_lock_and_unlock(task):
    assert futex(task, LOCK, FUTEX_LOCK_PI) == 0
    assert word(task, LOCK) == task.tid
    assert futex(task, LOCK, FUTEX_LOCK_PI) == futex(task, LOCK, FUTEX_TRYLOCK_PI) == -EDEADLK
    assert futex(task, LOCK, FUTEX_UNLOCK_PI) == 0
    assert word(task, LOCK) == 0
    assert futex(task, LOCK, FUTEX_UNLOCK_PI) == -EPERM


def test_a_lock_goes_to_whoever_waits_longest(task):
    futex(task, LOCK, FUTEX_LOCK_PI)
    first, second = sleeper(task, LOCK, FUTEX_LOCK_PI), sleeper(task, LOCK, FUTEX_LOCK_PI2)
    assert word(task, LOCK) == FUTEX_WAITERS | task.tid
    assert futex(new_thread(task), LOCK, FUTEX_TRYLOCK_PI) == -EAGAIN
    assert futex(task, LOCK, FUTEX_WAKE, 1) == -EINVAL
    assert futex(task, LOCK, FUTEX_REQUEUE, 1, 1, F) == -EINVAL
    assert futex(task, LOCK, FUTEX_UNLOCK_PI) == 0
    assert finish(first) == 0
    assert word(task, LOCK) == FUTEX_WAITERS | first.tid
    assert futex(first, LOCK, FUTEX_UNLOCK_PI) == 0
    assert finish(second) == 0


def test_a_lock_of_the_dead(task):
    put(task, LOCK, NOBODY)
    assert futex(task, LOCK, FUTEX_LOCK_PI) == -ESRCH
    assert word(task, LOCK) == FUTEX_WAITERS | NOBODY
    put(task, LOCK, FUTEX_WAITERS | FUTEX_OWNER_DIED)
    assert futex(task, LOCK, FUTEX_LOCK_PI) == 0
    assert word(task, LOCK) == FUTEX_OWNER_DIED | task.tid


def test_an_owner_that_dies_leaves_its_lock_to_the_next(task):
    owner = new_thread(task)
    futex(owner, LOCK, FUTEX_LOCK_PI)
    waiting = sleeper(task, LOCK, FUTEX_LOCK_PI)
    owner.exit(0)
    assert finish(waiting) == 0
    assert word(task, LOCK) == FUTEX_OWNER_DIED | FUTEX_WAITERS | waiting.tid


def test_locks_in_a_circle(task):
    futex(task, LOCK, FUTEX_LOCK_PI)
    other = new_thread(task)
    futex(other, LOCK2, FUTEX_LOCK_PI)
    assert begin(other, "futex", LOCK, FUTEX_LOCK_PI) is None
    assert futex(task, LOCK2, FUTEX_LOCK_PI) == -EDEADLK
    assert word(task, LOCK2) == FUTEX_WAITERS | other.tid


def test_a_lock_times_out_by_the_realtime_clock(task):
    futex(task, LOCK, FUTEX_LOCK_PI)
    thread = new_thread(task)
    assert call(thread, "futex", LOCK, FUTEX_LOCK_PI, 0, timeout(task, 1_700_000_005)) == -ETIMEDOUT
    assert 3_900_000_000 < task.kernel.clock.now < 6_100_000_000
    assert futex(task, LOCK, FUTEX_UNLOCK_PI) == 0
    assert word(task, LOCK) == 0


def test_setting_the_clock_ends_a_wait_by_the_realtime_clock(task):
    waiting = sleeper(task, F, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, timeout(task, 1_800_000_000), 0, 1)
    task.kernel.set_realtime(1_800_000_001_000_000_000)
    before = task.kernel.clock.now
    assert finish(waiting) == -ETIMEDOUT
    assert task.kernel.clock.now == before


def test_requeue_to_a_lock(task):
    threads = [sleeper(task, F, FUTEX_WAIT_REQUEUE_PI, 0, 0, LOCK) for _ in range(3)]
    assert futex(task, F, FUTEX_WAKE, 1) == futex(task, F, FUTEX_REQUEUE, 1, 1, G) == -EINVAL
    assert futex(task, F, FUTEX_CMP_REQUEUE_PI, 1, 9, LOCK2, 0) == -EINVAL
    assert futex(task, F, FUTEX_CMP_REQUEUE_PI, 1, 1, LOCK, 0) == 2
    assert finish(threads[0]) == 0
    assert word(task, LOCK) == FUTEX_WAITERS | threads[0].tid
    assert futex(threads[0], LOCK, FUTEX_UNLOCK_PI) == 0
    assert finish(threads[1]) == 0
    put(task, LOCK, 0)
    assert futex(task, F, FUTEX_CMP_REQUEUE_PI, 1, 0, LOCK, 0) == 1
    assert finish(threads[2]) == 0
    assert word(task, LOCK) == threads[2].tid


@pytest.mark.parametrize("arch", [X86_64, I386])
def test_robust_locks_of_a_thread_that_dies(arch):
    task = make_task(arch)
    dying = new_thread(task)
    size, letter = arch.word, {8: "Q", 4: "I"}[arch.word]
    head, first, second, third, pending = (SCRATCH + 0x1000 + 0x40 * i for i in range(5))

    def node(address, *words):
        task.mm.write(address, struct.pack(f"<{len(words)}{letter}", *words))

    node(head, first, size, pending)
    node(first, second)
    node(second, third | 1)  # the third is a PI lock
    node(third, head)
    locks = [each + size for each in (first, second, third, pending)]
    for lock, value in zip(locks, (dying.tid | FUTEX_WAITERS, 5, dying.tid, 0), strict=True):
        put(task, lock, value)
    assert call(dying, "set_robust_list", head, 3 * size + 1) == -EINVAL
    assert call(dying, "set_robust_list", head, 3 * size) == 0
    assert call(task, "get_robust_list", dying.tid, G, G + 16) == 0
    assert int.from_bytes(task.mm.read(G, size), "little") == head
    assert call(task, "get_robust_list", NOBODY, G, G + 16) == -ESRCH
    waiting = [
        sleeper(task, locks[0], FUTEX_WAIT, dying.tid | FUTEX_WAITERS),
        sleeper(task, locks[2], FUTEX_LOCK_PI),
        sleeper(task, locks[3], FUTEX_WAIT, 0),
    ]
    dying.exit(0)
    assert [finish(thread) for thread in waiting] == [0, 0, 0]
    assert word(task, locks[0]) == FUTEX_OWNER_DIED | FUTEX_WAITERS
    assert word(task, locks[1]) == 5
    assert word(task, locks[2]) == FUTEX_OWNER_DIED | FUTEX_WAITERS | waiting[1].tid


def test_a_robust_list_without_end_is_left(task):
    dying = new_thread(task)
    entry = SCRATCH + 0x1000
    task.mm.write(entry, struct.pack("<QQQ", entry + 0x40, 8, 0))
    task.mm.write(entry + 0x40, struct.pack("<Q", entry + 0x40))
    call(dying, "set_robust_list", entry, 24)
    dying.exit(0)
    assert not dying.alive


def test_the_end_of_a_thread_wakes_its_joiner(task):
    dying = new_thread(task)
    put(task, F, dying.tid)
    call(dying, "set_tid_address", F)
    joiner = sleeper(task, F, FUTEX_WAIT, dying.tid)
    dying.exit(0)
    assert finish(joiner) == 0
    assert word(task, F) == 0


def waitv(*items):
    return b"".join(struct.pack("<QQII", value, address, flags, reserved) for value, address, flags, reserved in items)


def test_futex2(task):
    at = timeout(task, 0)
    assert call(task, "futex_wake", F, 1, 1, 2) == 0
    for flags in (0, 1, 3, 2 | 64):
        assert call(task, "futex_wake", F, 1, 1, flags) == -EINVAL
    assert call(task, "futex_wake", F, 1 << 32, 1, 2) == -EINVAL
    assert call(task, "futex_wake", F + 1, 1, 0, 2) == -EINVAL
    assert call(task, "futex_wait", F, 1, 1, 2, 0, 4) == -EAGAIN
    assert call(task, "futex_wait", F, 0, 1, 2, at, 4) == -EINVAL
    assert call(task, "futex_wait", F, 0, 0, 2, at, 1) == -EINVAL
    assert call(task, "futex_wait", F, 0, 1, 2 | PRIVATE, at, 1) == -ETIMEDOUT
    waiting = [sleeper(task, F, 0, 3, 2, 0, 0, name="futex_wait") for _ in range(2)]
    assert call(task, "futex_wake", F, 1, 0, 2) == 0  # none is none here
    assert call(task, "futex_wake", F, 2, 1, 2) == 1
    assert finish(waiting[0]) == 0
    task.mm.write(LOCK, waitv((0, F, 2, 0), (0, G, 2, 0)))
    assert call(task, "futex_requeue", LOCK, 1, 0, 1) == call(task, "futex_requeue", 0, 0, 0, 1) == -EINVAL
    assert call(task, "futex_requeue", LOCK, 0, 0, 1) == 1
    assert call(task, "futex_wake", G, 1, 1, 2) == 1
    assert finish(waiting[1]) == 0
    put(task, F + 4, 0xFFFFFFFF)
    assert call(task, "futex_wait", F, 1, 1, 2 | 4, 0, 0) == -EAGAIN
    assert word(task, F + 4) == 0
    put(task, F + 4, 7)
    assert call(task, "futex_wake", F, 1, 1, 2 | 4) == -EINVAL


def test_waitv(task):
    at = timeout(task, 0)
    task.mm.write(LOCK, waitv((0, F, 2, 0), (0, G, 2, 0), (1, LOCK2, 2, 0), (0, F, 2, 1)))
    assert call(task, "futex_waitv", LOCK, 3, 0, 0, 0) == -EAGAIN
    assert call(task, "futex_waitv", LOCK, 4, 0, 0, 0) == -EINVAL
    assert call(task, "futex_waitv", LOCK, 2, 1, 0, 0) == call(task, "futex_waitv", LOCK, 0, 0, 0, 0) == -EINVAL
    assert call(task, "futex_waitv", LOCK, 129, 0, 0, 0) == call(task, "futex_waitv", 0, 1, 0, 0, 0) == -EINVAL
    assert call(task, "futex_waitv", NOWHERE, 1, 0, 0, 0) == -EFAULT
    assert call(task, "futex_waitv", LOCK, 2, 0, at, 7) == -EINVAL
    assert call(task, "futex_waitv", LOCK, 2, 0, at, 1) == -ETIMEDOUT
    waiting = sleeper(task, LOCK, 2, 0, 0, 0, name="futex_waitv")
    assert futex(task, G, FUTEX_WAKE, 1) == 1
    assert finish(waiting) == 1
    assert not task.kernel.futexes._waiters
