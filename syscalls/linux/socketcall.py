"""i386's one number for all calls on sockets: socketcall(2) (net/socket.c)."""

from __future__ import annotations

from functools import cache
from inspect import isawaitable
from typing import Any

from syscalls import spec as specs
from syscalls.abi.arch import I386
from syscalls.abi.errno import EINVAL, SysError
from syscalls.abi.kinds import Address, Int
from syscalls.abi.socket import SOCKETCALLS
from syscalls.kernel.task import Task
from syscalls.linux.socket import PARTIAL
from syscalls.spec import syscall

#: Calls without a number of their own are others with no address.
_OTHER_NAMES = {"send": "sendto", "recv": "recvfrom", "accept": "accept4"}


@syscall(only=I386, partial=PARTIAL)
async def socketcall(task: Task, call: Int, args: Address) -> int:
    """Make the call on a socket that a number stands for, with its arguments in memory (socketcall(2))."""
    if call not in SOCKETCALLS:
        raise SysError(EINVAL)
    name, count = SOCKETCALLS[call]
    data = task.mm.read(args, 4 * count)
    registers = [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]
    result: Any = _decoder(_OTHER_NAMES.get(name, name))(task, (*registers, *[0] * (6 - count)))
    if isawaitable(result):
        result = await result
    return int(result)


@cache
def _decoder(name: str) -> specs.Compiled:
    """The call's own decoder; what may sleep comes back as a coroutine."""
    spec = specs.find(I386, name)
    if spec is None:
        raise SysError(EINVAL)
    return spec.compile(I386, lambda *call: call[-1])
