"""poll, select and futex."""

from __future__ import annotations

import struct

import pytest
from fakes import NOWHERE, SCRATCH, Asleep, begin, call, finish, make_task, new_thread

from syscalls.abi.arch import ARCHES, I386
from syscalls.abi.errno import EAGAIN, EBADF, EFAULT, EINTR, EINVAL, ENOSYS, ETIMEDOUT
from syscalls.abi.poll import POLLHUP, POLLIN, POLLNVAL, POLLOUT
from syscalls.abi.resource import RLIMIT_NOFILE
from syscalls.abi.signal import SIGUSR1, bit
from syscalls.abi.time import NSEC_PER_SEC
from syscalls.kernel import signals
from syscalls.kernel.signals import SigAction, SigInfo

DATA = SCRATCH + 0x100


@pytest.fixture(params=ARCHES.values(), ids=str)
def task(request):
    return make_task(request.param)


def pipe(task):
    assert call(task, "pipe2", DATA, 0) == 0
    return struct.unpack("<ii", task.mm.read(DATA, 8))


def pollfds(task, *pairs):
    task.mm.write(SCRATCH, b"".join(struct.pack("<ihh", fd, events, -1) for fd, events in pairs))
    return SCRATCH, len(pairs)


def revents(task, count):
    return [struct.unpack("<ihh", task.mm.read(SCRATCH + 8 * i, 8))[2] for i in range(count)]


def timespec(task, seconds, at=DATA):
    task.mm.write(at, struct.pack("<qq" if task.arch.word == 8 else "<ii", seconds, 0))
    return at


def ppoll(task, fds, count, timeout=0, mask=0):
    return begin(task, "ppoll", fds, count, timeout, mask, 8)


def test_poll_tells_what_is_ready(task):
    read, write = pipe(task)
    fds = pollfds(task, (read, POLLIN), (write, POLLOUT), (-1, POLLIN), (77, POLLIN))
    assert ppoll(task, *fds) == 2
    assert revents(task, 4) == [0, POLLOUT, 0, POLLNVAL]
    assert call(task, "close", write) == 0
    assert ppoll(task, *pollfds(task, (read, 0))) == 1
    assert revents(task, 1) == [POLLHUP]


def test_poll_sleeps_until_something_happens(task):
    read, write = pipe(task)
    assert ppoll(task, *pollfds(task, (read, POLLIN))) is None
    other = new_thread(task)
    assert call(other, "write", write, SCRATCH + 0x800, 1) == 1
    assert finish(task) == 1
    assert revents(task, 1) == [POLLIN]


def test_poll_times_out_and_stores_what_is_left(task):
    read, _ = pipe(task)
    assert ppoll(task, *pollfds(task, (read, POLLIN)), timespec(task, 2)) is None
    assert finish(task) == 0
    assert task.kernel.clock.now == 3 * NSEC_PER_SEC
    assert task.mm.read(DATA, 8) == bytes(8)
    assert revents(task, 1) == [0]


def test_poll_checks(task):
    limit = task.group.limit(RLIMIT_NOFILE)
    assert ppoll(task, SCRATCH, limit + 1) == -EINVAL
    assert ppoll(task, NOWHERE, 1) == -EFAULT
    assert call(task, "ppoll", NOWHERE, 1, 0, SCRATCH, 4) == -EINVAL
    assert call(task, "ppoll", SCRATCH, 0, timespec(task, -1), 0, 8) == -EINVAL


def test_poll_in_milliseconds():
    task = make_task()
    read, _ = pipe(task)
    assert call(task, "poll", *pollfds(task, (read, POLLIN)), 0) == 0
    assert call(task, "poll", *pollfds(task, (read, POLLIN)), 250) == 0
    assert task.kernel.clock.now == NSEC_PER_SEC + 250_000_000
    with pytest.raises(Asleep):
        call(task, "poll", *pollfds(task, (read, POLLIN)), -1)


def test_a_signal_that_the_mask_lets_in_interrupts_at_once(task):
    task.group.signals.actions[SIGUSR1] = SigAction(0x4000)
    task.signals.mask = bit(SIGUSR1)
    signals.send(task, SigInfo(SIGUSR1))
    read, _ = pipe(task)
    task.mm.write(DATA + 32, bytes(8))
    assert ppoll(task, *pollfds(task, (read, POLLIN)), 0, DATA + 32) is None
    assert finish(task) == -EINTR
    assert task.signals.saved_mask == bit(SIGUSR1)  # put back when the handler's frame is there
    task.signals.saved_mask = task.interrupted = None
    task.signals.mask = bit(SIGUSR1)
    assert ppoll(task, *pollfds(task, (read, POLLIN)), timespec(task, 0)) == 0


def select(task, nfds, read=(), write=(), timeout=0):
    word = task.arch.word
    for at, fds in ((SCRATCH, read), (SCRATCH + 128, write)):
        task.mm.write(at, sum(1 << fd for fd in fds).to_bytes(128, "little"))
    assert word
    return begin(task, "pselect6", nfds, SCRATCH, SCRATCH + 128, 0, timeout, 0)


def fd_set(task, at=SCRATCH):
    bits = int.from_bytes(task.mm.read(at, 128), "little")
    return {fd for fd in range(1024) if bits >> fd & 1}


def test_select(task):
    read, write = pipe(task)
    assert select(task, 64, {read}, {write}) == 1
    assert (fd_set(task), fd_set(task, SCRATCH + 128)) == (set(), {write})
    assert select(task, 64, {read, 40}) == -EBADF
    assert select(task, 1024, {1000}, timeout=timespec(task, 0)) == 0  # beyond the descriptor table
    assert select(task, -1) == -EINVAL
    assert select(task, read, {read}, timeout=timespec(task, 0)) == 0
    assert select(task, 64, {read}, timeout=timespec(task, 1)) is None
    assert finish(task) == 0
    assert fd_set(task) == set()


def test_old_select_of_i386():
    task = make_task(I386)
    read, write = pipe(task)
    task.mm.write(SCRATCH, (1 << write).to_bytes(8, "little"))
    task.mm.write(DATA, struct.pack("<5I", 32, 0, SCRATCH, 0, 0))
    assert call(task, "select", DATA) == 1
    assert call(task, "select", NOWHERE) == -EFAULT
    task.mm.write(DATA + 64, struct.pack("<ii", 1, 2_000_000))
    task.mm.write(SCRATCH, (1 << read).to_bytes(8, "little"))
    assert call(task, "_newselect", 32, SCRATCH, 0, 0, DATA + 64) == 0
    assert task.kernel.clock.now == 4 * NSEC_PER_SEC


# --- futex ------------------------------------------------------------------------------------------------------------

WAIT, WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET, WAKE_BITSET, PRIVATE = 0, 1, 3, 4, 5, 9, 10, 128


@pytest.mark.parametrize("private", [0, PRIVATE])
def test_futex_wait_and_wake(task, private):
    other = new_thread(task)
    assert call(task, "futex", SCRATCH, WAIT | private, 1, 0) == -EAGAIN
    assert begin(task, "futex", SCRATCH, WAIT | private, 0, 0) is None
    assert call(other, "futex", SCRATCH + 4, WAKE | private, 1) == 0
    assert call(other, "futex", SCRATCH, WAKE | private, 1) == 1
    assert finish(task) == 0
    assert call(other, "futex", SCRATCH, WAKE | private, 1) == 0


def test_futex_timeouts(task):
    assert call(task, "futex", SCRATCH, WAIT, 0, timespec(task, 2)) == -ETIMEDOUT
    assert task.kernel.clock.now == 3 * NSEC_PER_SEC
    assert call(task, "futex", SCRATCH, WAIT_BITSET, 0, timespec(task, 4), 0, 1) == -ETIMEDOUT
    assert task.kernel.clock.now == 4 * NSEC_PER_SEC
    assert call(task, "futex", SCRATCH, WAIT_BITSET | 256, 0, timespec(task, 1_700_000_005), 0, 1) == -ETIMEDOUT
    assert task.kernel.clock.now == 5 * NSEC_PER_SEC
    assert not task.kernel.futexes._waiters


def test_futex_checks(task):
    assert call(task, "futex", SCRATCH + 1, WAIT, 0, 0) == -EINVAL
    assert call(task, "futex", NOWHERE, WAIT, 0, 0) == -EFAULT
    assert call(task, "futex", SCRATCH, WAIT_BITSET, 0, 0, 0, 0) == -EINVAL
    assert call(task, "futex", SCRATCH, WAIT, 0, timespec(task, -1)) == -EINVAL
    assert call(task, "futex", SCRATCH, 99, 0, 0) == -ENOSYS
    assert call(task, "futex", SCRATCH, WAKE | 256, 1) == -ENOSYS


def test_futex_bitset_and_requeue(task):
    threads = [new_thread(task) for _ in range(3)]
    for place, thread in enumerate(threads):
        assert begin(thread, "futex", SCRATCH, WAIT_BITSET, 0, 0, 0, 1 << place) is None
    assert call(task, "futex", SCRATCH, WAKE_BITSET, 9, 0, 0, 0b100) == 1
    assert finish(threads[2]) == 0
    assert call(task, "futex", SCRATCH, CMP_REQUEUE, 0, 9, SCRATCH + 8, 1) == -EAGAIN
    assert call(task, "futex", SCRATCH, CMP_REQUEUE, 1, 9, SCRATCH + 8, 0) == 2
    assert finish(threads[0]) == 0
    assert call(task, "futex", SCRATCH + 8, WAKE, 9) == 1
    assert finish(threads[1]) == 0


def test_futex_wake_op(task):
    """Add 5 to the second, and wake its waiters if it was below 3."""
    thread = new_thread(task)
    assert begin(thread, "futex", SCRATCH + 8, WAIT, 0, 0) is None
    operation = 1 << 28 | 2 << 24 | 5 << 12 | 3
    assert call(task, "futex", SCRATCH, WAKE_OP, 1, 1, SCRATCH + 8, operation) == 1
    assert finish(thread) == 0
    assert task.mm.read(SCRATCH + 8, 4) == (5).to_bytes(4, "little")
