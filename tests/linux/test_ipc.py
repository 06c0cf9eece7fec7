"""System V IPC: queues, semaphores, segments."""

from __future__ import annotations

import struct

import pytest
from fakes import NOWHERE, SCRATCH, begin, call, finish, make_task, new_thread

from syscalls.abi.arch import ARCHES, I386, PAGE_SIZE
from syscalls.abi.errno import (
    E2BIG,
    EACCES,
    EAGAIN,
    EEXIST,
    EFAULT,
    EFBIG,
    EIDRM,
    EINTR,
    EINVAL,
    ENOENT,
    ENOMSG,
    ERANGE,
)
from syscalls.abi.ipc import (
    GETALL,
    GETNCNT,
    GETVAL,
    IPC_64,
    IPC_CREAT,
    IPC_EXCL,
    IPC_NOWAIT,
    IPC_PRIVATE,
    IPC_RMID,
    IPC_STAT,
    MSG_COPY,
    MSG_EXCEPT,
    MSG_NOERROR,
    SEM_UNDO,
    SETALL,
    SETVAL,
    SHM_RDONLY,
)
from syscalls.abi.signal import SIGUSR1
from syscalls.fs.cred import Credentials
from syscalls.kernel import signals
from syscalls.kernel.ipc_shm import SHM_DEST
from syscalls.kernel.signals import SigAction, SigInfo

DATA = SCRATCH + 0x100


@pytest.fixture(params=ARCHES.values(), ids=str)
def task(request):
    return make_task(request.param)


# --- messages ---------------------------------------------------------------------------------------------------------


def put_message(task, kind, text):
    task.mm.write(DATA, kind.to_bytes(task.arch.word, "little", signed=True) + text)
    return DATA, len(text)


def send(task, queue, kind, text, flags=IPC_NOWAIT):
    return call(task, "msgsnd", queue, *put_message(task, kind, text), flags)


def receive(task, queue, kind=0, flags=IPC_NOWAIT, size=64):
    """(type, text), or -errno."""
    length = call(task, "msgrcv", queue, DATA, size, kind, flags)
    if length < 0:
        return length
    data = task.mm.read(DATA, task.arch.word + length)
    return int.from_bytes(data[: task.arch.word], "little"), data[task.arch.word :]


def test_keys(task):
    assert call(task, "msgget", 7, 0) == -ENOENT
    queue = call(task, "msgget", 7, IPC_CREAT | 0o600)
    assert call(task, "msgget", 7, 0) == queue
    assert call(task, "msgget", 7, IPC_CREAT | IPC_EXCL) == -EEXIST
    assert call(task, "msgget", IPC_PRIVATE, 0o600) != queue


def test_an_id_is_not_used_again_at_once(task):
    first = call(task, "msgget", IPC_PRIVATE, 0o600)
    assert call(task, "msgctl", first, IPC_RMID, 0) == 0
    assert call(task, "msgget", IPC_PRIVATE, 0o600) == first + 1
    assert call(task, "msgctl", first, IPC_RMID, 0) == -EINVAL


def test_types_choose_messages(task):
    queue = call(task, "msgget", IPC_PRIVATE, 0o600)
    for kind in (3, 1, 2):
        assert send(task, queue, kind, b"m%d" % kind) == 0
    assert receive(task, queue, 1, MSG_COPY | IPC_NOWAIT) == (1, b"m1")
    assert receive(task, queue, -2) == (1, b"m1")
    assert receive(task, queue, 3, MSG_EXCEPT | IPC_NOWAIT) == (2, b"m2")
    assert receive(task, queue, 9) == -ENOMSG
    assert receive(task, queue, 0, size=1) == -E2BIG
    assert receive(task, queue, 0, MSG_NOERROR | IPC_NOWAIT, size=1) == (3, b"m")


def test_bad_messages(task):
    queue = call(task, "msgget", IPC_PRIVATE, 0o600)
    assert send(task, queue, 0, b"x") == -EINVAL
    assert send(task, queue, 1, bytes(8193)) == -EINVAL
    assert call(task, "msgsnd", queue, NOWHERE, 1, 0) == -EFAULT
    assert receive(task, queue, 0, MSG_COPY) == -EINVAL


def test_a_full_queue(task):
    queue = call(task, "msgget", IPC_PRIVATE, 0o600)
    for _ in range(2):
        assert send(task, queue, 1, bytes(8192)) == 0
    assert send(task, queue, 1, b"x") == -EAGAIN
    other = new_thread(task)
    assert begin(other, "msgsnd", queue, *put_message(task, 5, b"late"), 0) is None
    assert call(task, "msgrcv", queue, SCRATCH + 0x1000, 8192, 0, 0) == 8192
    assert finish(other) == 0
    assert receive(task, queue, 5) == (5, b"late")


def test_removal_wakes_receivers(task):
    queue = call(task, "msgget", IPC_PRIVATE, 0o600)
    other = new_thread(task)
    assert begin(other, "msgrcv", queue, DATA, 9, 0, 0) is None
    assert call(task, "msgctl", queue, IPC_RMID, 0) == 0
    assert finish(other) == -EIDRM


def test_permissions():
    task = make_task(uid=1000)
    queue = call(task, "msgget", 7, IPC_CREAT | 0o600)
    task.cred = Credentials.of(1001, 1001)
    assert call(task, "msgget", 7, 0o400) == -EACCES
    assert call(task, "msgget", 7, 0) == queue
    assert send(task, queue, 1, b"x") == -EACCES
    assert call(task, "msgctl", queue, IPC_STAT, DATA) == -EACCES


# --- semaphores -------------------------------------------------------------------------------------------------------


def steps(task, *triples, at=DATA):
    task.mm.write(at, b"".join(struct.pack("<Hhh", *triple) for triple in triples))
    return at, len(triples)


def semaphores(task, *values):
    id = call(task, "semget", IPC_PRIVATE, len(values), 0o600)
    task.mm.write(DATA, struct.pack(f"<{len(values)}H", *values))
    assert call(task, "semctl", id, 0, SETALL, DATA) == 0
    return id


def values(task, id, count):
    assert call(task, "semctl", id, 0, GETALL, DATA) == 0
    return list(struct.unpack(f"<{count}H", task.mm.read(DATA, 2 * count)))


def semop(make, task, id, sops, count):
    """semop(2), which i386 has only as a case of semtimedop(2)."""
    if task.arch is I386:
        return make(task, "semtimedop_time64", id, sops, count, 0)
    return make(task, "semop", id, sops, count)


def test_all_steps_or_none(task):
    id = semaphores(task, 1, 2)
    assert semop(call, task, id, *steps(task, (0, -1, 0), (1, -3, IPC_NOWAIT))) == -EAGAIN
    assert values(task, id, 2) == [1, 2]
    assert semop(call, task, id, *steps(task, (0, -1, 0), (1, -2, IPC_NOWAIT), (1, 0, IPC_NOWAIT))) == 0
    assert values(task, id, 2) == [0, 0]


def test_bad_steps(task):
    id = semaphores(task, 1, 2)
    assert semop(call, task, id, *steps(task, (2, 1, 0))) == -EFBIG
    assert semop(call, task, id, *steps(task, (0, 32767, 0))) == -ERANGE
    assert semop(call, task, id, DATA, 501) == -E2BIG
    assert semop(call, task, id, DATA, 0) == -EINVAL
    assert call(task, "semctl", id, 0, SETVAL, -1) == -ERANGE
    assert call(task, "semctl", id, 2, GETVAL, 0) == -EINVAL


def test_waiting_for_a_semaphore(task):
    id = semaphores(task, 0)
    other = new_thread(task)
    assert semop(begin, other, id, *steps(task, (0, -2, 0))) is None
    assert call(task, "semctl", id, 0, GETNCNT, 0) == 1
    assert call(task, "semctl", id, 0, SETVAL, 1) == 0
    assert semop(call, task, id, *steps(task, (0, 2, 0))) == 0
    assert finish(other) == 0
    assert call(task, "semctl", id, 0, GETVAL, 0) == 1


def test_the_first_who_can_goes_on(task):
    id = semaphores(task, 0)
    big, small = new_thread(task), new_thread(task)
    assert semop(begin, big, id, *steps(task, (0, -5, 0))) is None
    assert semop(begin, small, id, *steps(task, (0, -1, 0))) is None
    assert semop(call, task, id, *steps(task, (0, 1, 0))) == 0
    assert finish(small) == 0
    assert call(task, "semctl", id, 0, IPC_RMID, 0) == 0
    assert finish(big) == -EIDRM


def test_a_timeout(task):
    id = semaphores(task, 0)
    task.mm.write(DATA + 64, struct.pack("<qq" if task.arch.word == 8 else "<ii", 1, 0))
    name = "semtimedop" if task.arch is not I386 else "semtimedop_time64"
    if task.arch is I386:
        task.mm.write(DATA + 64, struct.pack("<qq", 1, 0))
    assert call(task, name, id, *steps(task, (0, -1, 0)), DATA + 64) == -EAGAIN
    assert call(task, "semctl", id, 0, GETNCNT, 0) == 0


def test_a_signal_ends_semop_even_with_sa_restart(task):
    id = semaphores(task, 0)
    task.group.signals.actions[SIGUSR1] = SigAction(handler=0x1000, flags=0x10000000)
    assert semop(begin, task, id, *steps(task, (0, -1, 0))) is None
    signals.send(task, SigInfo(SIGUSR1))
    assert finish(task) == -EINTR


def test_adjustments_at_the_end_of_a_process(task):
    id = semaphores(task, 3)
    assert semop(call, task, id, *steps(task, (0, -2, SEM_UNDO))) == 0
    assert call(task, "semctl", id, 0, GETVAL, 0) == 1
    task.ns.ipc.semaphores.undo(task.group)
    assert call(task, "semctl", id, 0, GETVAL, 0) == 3


# --- shared memory ----------------------------------------------------------------------------------------------------


def test_two_attachments_show_the_same(task):
    id = call(task, "shmget", IPC_PRIVATE, 5000, 0o600)
    first, second = call(task, "shmat", id, 0, 0), call(task, "shmat", id, 0, SHM_RDONLY)
    task.mm.write(first + 4999, b"x")
    assert task.mm.read(second + 4999, 1) == b"x"
    assert call(task, "mprotect", second, PAGE_SIZE, 3) == -EACCES
    assert call(task, "shmdt", first + 1) == -EINVAL
    assert call(task, "shmdt", first) == 0
    assert call(task, "shmdt", first) == -EINVAL


def test_a_removed_segment_lives_as_long_as_it_is_attached(task):
    id = call(task, "shmget", 7, 1, IPC_CREAT | 0o600)
    address = call(task, "shmat", id, 0, 0)
    segment = task.ns.ipc.segments.get(id)
    assert call(task, "shmctl", id, IPC_RMID, 0) == 0
    assert segment.mode & SHM_DEST
    assert call(task, "shmget", 7, 1, 0) == -ENOENT
    child = task.mm.fork(type(task.mm.mmu)())
    assert call(task, "shmdt", address) == 0
    child.release()
    assert call(task, "shmctl", id, IPC_STAT, DATA) == -EINVAL


def test_places_of_attachments(task):
    id = call(task, "shmget", IPC_PRIVATE, 1, 0o600)
    address = call(task, "shmat", id, 0, 0)
    assert call(task, "shmat", id, address + 1, 0) == -EINVAL
    assert call(task, "shmat", id, address, 0) == -EINVAL
    assert call(task, "shmat", id, address + 1, 0o20000 | 0o40000) == address  # SHM_RND | SHM_REMAP
    assert call(task, "shmat", id, 0, 0o40000) == -EINVAL


def test_sizes(task):
    assert call(task, "shmget", IPC_PRIVATE, 0, 0o600) == -EINVAL
    call(task, "shmget", 7, 100, IPC_CREAT | 0o600)
    assert call(task, "shmget", 7, 101, 0) == -EINVAL


# --- i386's ipc -------------------------------------------------------------------------------------------------------


def test_ipc_multiplexes():
    task = make_task(I386)
    id = call(task, "ipc", 2, IPC_PRIVATE, 2, 0o600)
    task.mm.write(DATA, struct.pack("<I", 9))
    assert call(task, "ipc", 3, id, 1, SETVAL | IPC_64, DATA) == 0
    assert call(task, "ipc", 3, id, 1, GETVAL | IPC_64, DATA) == 9
    segment = call(task, "ipc", 23, IPC_PRIVATE, 100, 0o600)
    assert call(task, "ipc", 21, segment, 0, DATA, 0) == 0
    address = struct.unpack("<I", task.mm.read(DATA, 4))[0]
    assert call(task, "shmdt", address) == 0


def test_old_structs():
    task = make_task(I386)
    id = call(task, "ipc", 2, 0x1234, 2, IPC_CREAT | 0o640)
    task.mm.write(DATA, struct.pack("<I", DATA + 16))
    assert call(task, "ipc", 3, id, 0, IPC_STAT, DATA) == 0
    key, *_, mode, _ = struct.unpack("<IHHHHHH", task.mm.read(DATA + 16, 16))
    assert (key, mode) == (0x1234, 0o640)
    assert struct.unpack("<H", task.mm.read(DATA + 16 + 40, 2)) == (2,)
