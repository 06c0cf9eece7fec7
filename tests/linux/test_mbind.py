"""Memory policies on one node; every answer is that of a Linux machine with one node (numa(7))."""

from __future__ import annotations

import pytest
from fakes import NOWHERE, SCRATCH, call, make_task

from syscalls.abi.arch import ARCHES
from syscalls.abi.errno import EFAULT, EINVAL, ENODEV, ENOENT, EOPNOTSUPP, EPERM, ESRCH
from syscalls.fs.cred import Credentials

DEFAULT, PREFERRED, BIND, INTERLEAVE, LOCAL, MANY, WEIGHTED = range(7)
BALANCING, RELATIVE, STATIC = 1 << 13, 1 << 14, 1 << 15
NODE, ADDR, ALLOWED = 1, 2, 4
MASK, MODE, STATUS, PAGES = SCRATCH, SCRATCH + 0x100, SCRATCH + 0x200, SCRATCH + 0x300
AREA = SCRATCH + 0x4000


@pytest.fixture(params=ARCHES.values(), ids=str)
def task(request):
    return make_task(request.param)


def mask(task, nodes):
    task.mm.write(MASK, nodes.to_bytes(8, "little"))
    return MASK


def policy(task, addr=0, flags=0):
    """(mode, nodes), or -errno."""
    result = call(task, "get_mempolicy", MODE, MASK, 65, addr, flags)
    if result:
        return result
    return int.from_bytes(task.mm.read(MODE, 4), "little"), int.from_bytes(task.mm.read(MASK, 8), "little")


@pytest.mark.parametrize(
    ("mode", "nodes", "then"),
    [
        (BIND, 1, (BIND, 1)),
        (BIND, 2, -EINVAL),
        (BIND, 3, (BIND, 1)),
        (BIND | STATIC, 3, (BIND | STATIC, 3)),
        (BIND | RELATIVE, 2, (BIND | RELATIVE, 2)),
        (BIND | STATIC | RELATIVE, 1, -EINVAL),
        (BIND | BALANCING, 1, (BIND | BALANCING, 1)),
        (INTERLEAVE | BALANCING, 1, -EINVAL),
        (DEFAULT, 1, -EINVAL),
        (DEFAULT, 0, (DEFAULT, 0)),
        (PREFERRED, 0, (LOCAL, 0)),
        (PREFERRED, 1, (PREFERRED, 1)),
        (INTERLEAVE, 0, -EINVAL),
        (LOCAL, 1, -EINVAL),
        (LOCAL, 0, (LOCAL, 0)),
        (MANY, 1, (MANY, 1)),
        (WEIGHTED, 1, (WEIGHTED, 1)),
        (7, 1, -EINVAL),
        (-1, 1, -EINVAL),
    ],
)
def test_the_policy_of_a_thread(task, mode, nodes, then):
    result = call(task, "set_mempolicy", mode, mask(task, nodes), 64)
    assert (policy(task) if result == 0 else result) == then


def test_asking(task):
    assert policy(task, flags=8) == -EINVAL
    assert policy(task, addr=16) == -EINVAL
    assert policy(task, NOWHERE, ADDR) == -EFAULT
    assert policy(task, flags=NODE) == -EINVAL
    assert policy(task, flags=ALLOWED) == (0, 1)
    assert policy(task, flags=ALLOWED | NODE) == -EINVAL
    assert call(task, "get_mempolicy", 0, MASK, 0, 0, 0) == -EINVAL
    assert call(task, "set_mempolicy", INTERLEAVE, mask(task, 1), 64) == 0
    assert policy(task, flags=NODE) == (0, 1)
    child = task.kernel.tasks[call(task, "clone", 17, 0)]
    assert policy(child) == (INTERLEAVE, 1)


def test_the_policy_of_memory(task):
    assert call(task, "mbind", AREA, 4096, BIND, mask(task, 1), 64, 0) == 0
    assert policy(task, AREA, ADDR) == (BIND, 1)
    assert policy(task, AREA + 4096, ADDR) == (DEFAULT, 0)
    assert policy(task, AREA, ADDR | NODE) == (0, 1)
    assert call(task, "mbind", AREA + 1, 4096, BIND, mask(task, 1), 64, 0) == -EINVAL
    assert call(task, "mbind", AREA, 1 << 24, BIND, mask(task, 1), 64, 0) == -EFAULT
    assert call(task, "mbind", AREA, 4096, BIND, mask(task, 1), 64, 8) == -EINVAL
    assert call(task, "mbind", AREA, 0, BIND, mask(task, 1), 64, 0) == 0
    assert call(task, "set_mempolicy_home_node", AREA, 4096, 0, 0) == 0
    assert call(task, "set_mempolicy_home_node", AREA + 4096, 4096, 0, 0) == -ENOENT
    assert call(task, "set_mempolicy_home_node", AREA, 4096, 1, 0) == -EINVAL
    assert call(task, "mbind", AREA, 4096, INTERLEAVE, mask(task, 1), 64, 0) == 0
    assert call(task, "set_mempolicy_home_node", AREA, 4096, 0, 0) == -EOPNOTSUPP
    areas = len(task.mm.vmas)
    assert call(task, "mbind", AREA, 4096, DEFAULT, 0, 0, 0) == 0
    assert len(task.mm.vmas) == areas - 2  # they are one again


def test_moving_pages(task):
    word = task.arch.word
    task.mm.write(AREA, b"x")
    places = (AREA, SCRATCH + 0x80000, NOWHERE)
    task.mm.write(PAGES, b"".join(place.to_bytes(word, "little") for place in places))
    assert call(task, "move_pages", 0, 3, PAGES, 0, STATUS, 0) == 0
    where = [int.from_bytes(task.mm.read(STATUS + 4 * i, 4), "little", signed=True) for i in range(3)]
    assert where == [0, -ENOENT, -EFAULT]
    task.mm.write(MASK, bytes(4) + (5).to_bytes(4, "little"))
    assert call(task, "move_pages", 0, 3, PAGES, MASK, STATUS, 2) == -ENODEV
    assert call(task, "move_pages", 0, 1, PAGES, 0, STATUS, 1) == -EINVAL
    assert call(task, "move_pages", 4711, 1, PAGES, 0, STATUS, 0) == -ESRCH
    assert call(task, "migrate_pages", 0, 64, mask(task, 1), MASK) == 0
    assert call(task, "migrate_pages", 0, 64, 0, mask(task, 2)) == -EINVAL
    task.cred = Credentials.of(1000, 1000)
    assert call(task, "migrate_pages", 0, 64, 0, mask(task, 2)) == -EPERM
    assert call(task, "move_pages", 0, 1, PAGES, 0, STATUS, 4) == -EPERM
