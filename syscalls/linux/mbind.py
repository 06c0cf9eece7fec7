"""Memory policies: set_mempolicy(2), mbind(2), get_mempolicy(2), migrate_pages(2), move_pages(2) (mm/mempolicy.c).

There is one node, so that every policy is kept and none changes anything, and every page is where it should be.
"""

from __future__ import annotations

from typing import Annotated

from syscalls.abi import mempolicy as abi
from syscalls.abi.arch import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE
from syscalls.abi.cstruct import I32, CULong
from syscalls.abi.errno import EFAULT, EINVAL, ENODEV, ENOENT, EOPNOTSUPP, EPERM, SysError
from syscalls.abi.kinds import Address, ArrayKind, FlagsKind, Out, Pid, Pointer, ULong
from syscalls.abi.mempolicy import (
    MPOL_BIND,
    MPOL_DEFAULT,
    MPOL_F_ADDR,
    MPOL_F_MEMS_ALLOWED,
    MPOL_F_NODE,
    MPOL_INTERLEAVE,
    MPOL_MF_MOVE,
    MPOL_MF_MOVE_ALL,
    MPOL_MF_STRICT,
    MPOL_PREFERRED_MANY,
)
from syscalls.fs.cred import CAP_SYS_NICE
from syscalls.kernel.ptrace_access import check_access
from syscalls.kernel.task import Task
from syscalls.mm.mempolicy import NODES, Policy, new, split_mode
from syscalls.mm.space import AddressSpace
from syscalls.spec import syscall

Mode = Annotated[int, FlagsKind(abi.POLICY_MODE)]
WideMode = Annotated[int, FlagsKind(abi.POLICY_MODE, wide=True)]
GetFlags = Annotated[int, FlagsKind(abi.GET_MEMPOLICY_FLAGS, wide=True)]
BindFlags = Annotated[int, FlagsKind(abi.MPOL_MF_FLAGS)]
PageAddresses = Annotated[Pointer[int], ArrayKind(CULong, count="count")]
Nodes = Annotated[Pointer[int], ArrayKind(I32, count="count")]
Statuses = Annotated[Pointer[int], ArrayKind(I32, count="count", out=True)]

MAX_NODES = 1024  # MAX_NUMNODES
_U64 = (1 << 64) - 1
_MOVE = MPOL_MF_MOVE | MPOL_MF_MOVE_ALL


def _nodes(task: Task, address: int, maxnode: int) -> int:
    """The user's bit mask; EINVAL for nodes that no machine has (get_nodes)."""
    count = maxnode - 1
    if not address or count in (0, -1):
        return 0
    if count > PAGE_SIZE * 8:
        raise SysError(EINVAL)
    word = task.arch.word
    data = task.mm.read(address, -(-count // (8 * word)) * word)
    mask = int.from_bytes(data, "little") & (1 << count) - 1
    if mask >> MAX_NODES:
        raise SysError(EINVAL)
    return mask


def _put_nodes(task: Task, address: int, maxnode: int, nodes: int) -> None:
    """Store a bit mask in as many longs as the caller has (copy_nodes_to_user)."""
    size = -(-(maxnode - 1) // 64) * 8
    if size > PAGE_SIZE:
        raise SysError(EINVAL)
    task.mm.write(address, nodes.to_bytes(max(size, 8), "little")[:size])


@syscall()
def set_mempolicy(task: Task, mode: Mode, nodemask: Address, maxnode: ULong) -> int:
    """Set the policy by which a thread's memory is allocated (set_mempolicy(2))."""
    kind, flags = split_mode(mode)
    task.memory_policy = new(kind, flags, _nodes(task, nodemask, maxnode))
    return 0


@syscall()
def get_mempolicy(task: Task, mode: Out[I32], nodemask: Address, maxnode: ULong, addr: Address, flags: GetFlags) -> int:
    """Store the policy of the thread, or of the memory at an address (get_mempolicy(2))."""
    if nodemask and maxnode < NODES.bit_length():
        raise SysError(EINVAL)
    answer, nodes = _look_up(task, addr, flags)
    if mode:
        mode.put(answer)
    if nodemask:
        _put_nodes(task, nodemask, maxnode, nodes)
    return 0


def _look_up(task: Task, addr: int, flags: int) -> tuple[int, int]:
    """(mode or node, nodes); EINVAL, EFAULT (do_get_mempolicy)."""
    if flags & ~(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED):
        raise SysError(EINVAL)
    if flags & MPOL_F_MEMS_ALLOWED:
        if flags & (MPOL_F_NODE | MPOL_F_ADDR):
            raise SysError(EINVAL)
        return 0, NODES
    policy = task.memory_policy
    if flags & MPOL_F_ADDR:
        vma = task.mm.vmas.find(addr)
        if vma is None:
            raise SysError(EFAULT)
        policy = vma.policy
    elif addr:
        raise SysError(EINVAL)
    nodes = policy.nodes if policy else 0
    if not flags & MPOL_F_NODE:
        return (policy.mode | policy.flags, nodes) if policy else (MPOL_DEFAULT, 0)
    if flags & MPOL_F_ADDR:
        task.mm.read(addr, 1)
        return 0, nodes
    if policy is None or policy.mode != MPOL_INTERLEAVE:
        raise SysError(EINVAL)
    return 0, nodes


@syscall()
def mbind(
    task: Task, addr: Address, len: ULong, mode: WideMode, nodemask: Address, maxnode: ULong, flags: BindFlags
) -> int:
    """Set the policy of a range of memory (mbind(2))."""
    kind, mode_flags = split_mode(mode)
    nodes = _nodes(task, nodemask, maxnode)
    if flags & ~(MPOL_MF_STRICT | _MOVE):
        raise SysError(EINVAL)
    if flags & MPOL_MF_MOVE_ALL and not task.cred.capable(CAP_SYS_NICE):
        raise SysError(EPERM)
    start, end = _range(addr, len)
    if start == end:
        return 0
    policy = new(kind, mode_flags, nodes)
    if not task.mm.vmas.covers(start, end):
        raise SysError(EFAULT)
    _set(task.mm, start, end, policy)
    return 0


def _range(addr: int, length: int) -> tuple[int, int]:
    """Whole pages, counted in the kernel's 64 bits; EINVAL."""
    end = addr + (length + PAGE_SIZE - 1 & PAGE_MASK & _U64) & _U64
    if addr & ~PAGE_MASK or end < addr:
        raise SysError(EINVAL)
    return addr, end


def _set(space: AddressSpace, start: int, end: int, policy: Policy | None) -> None:
    for vma in space.vmas.cut(start, end):
        vma.policy = policy
    space.vmas.merge(start, end)


@syscall()
def set_mempolicy_home_node(task: Task, start: Address, len: ULong, home_node: ULong, flags: ULong) -> int:
    """Say which node a range's policy should begin with (set_mempolicy_home_node(2)); EOPNOTSUPP, ENOENT."""
    if start & ~PAGE_MASK or flags or home_node >= MAX_NODES or not NODES >> home_node & 1:
        raise SysError(EINVAL)
    first, end = _range(start, len)
    if first == end:
        return 0
    policies = [vma.policy for vma in task.mm.vmas.overlap(first, end) if vma.policy is not None]
    if any(policy.mode not in (MPOL_BIND, MPOL_PREFERRED_MANY) for policy in policies):
        raise SysError(EOPNOTSUPP)
    if not policies:
        raise SysError(ENOENT)
    return 0


def _process(task: Task, pid: int) -> Task:
    """ESRCH, EPERM."""
    other = task.kernel.tasks.get(pid) if pid else task
    if other is None:
        raise task.kernel.missing(pid)
    check_access(task, other)
    return other


@syscall()
def migrate_pages(task: Task, pid: Pid, maxnode: ULong, old_nodes: Address, new_nodes: Address) -> int:
    """Move a process's pages from some nodes to others: how many could not be moved (migrate_pages(2))."""
    _nodes(task, old_nodes, maxnode)
    to = _nodes(task, new_nodes, maxnode)
    _process(task, pid)
    if to & ~NODES and not task.cred.capable(CAP_SYS_NICE):
        raise SysError(EPERM)
    if not to & NODES:
        raise SysError(EINVAL)
    return 0


@syscall()
def move_pages(
    task: Task, pid: Pid, count: ULong, pages: PageAddresses, nodes: Nodes, status: Statuses, flags: BindFlags
) -> int:
    """Move single pages, or with no `nodes` say where they are (move_pages(2))."""
    if flags & ~_MOVE:
        raise SysError(EINVAL)
    if flags & MPOL_MF_MOVE_ALL and not task.cred.capable(CAP_SYS_NICE):
        raise SysError(EPERM)
    space = _process(task, pid).mm
    for index in range(count):
        [address] = pages.at(index).array(1)
        if nodes:
            [node] = nodes.at(index).array(1)
            if node < 0 or node >= MAX_NODES or not NODES >> node & 1:
                raise SysError(ENODEV)
        status.at(index).put(_where(space, address))
    return 0


def _where(space: AddressSpace, address: int) -> int:
    """The page's node, -ENOENT when there is none yet, -EFAULT where none can be."""
    if space.vmas.find(address) is None:
        return -EFAULT
    return 0 if address >> PAGE_SHIFT in space.frames else -ENOENT
