"""What holds for every call: garbage gives an answer, never an error of ours; wild pointers are EFAULT."""

from __future__ import annotations

import pytest
from fakes import NOWHERE, SCRATCH, SCRATCH_SIZE, call, make_task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syscalls import spec as specs
from syscalls.abi.arch import ARCHES, ARM64, I386, X86_64
from syscalls.abi.errno import EFAULT, EINVAL
from syscalls.abi.fcntl import AT_FDCWD, O_CREAT, O_DIRECTORY, O_RDWR
from syscalls.abi.kinds import BufferKind, PathKind, PointerKind, StringKind
from syscalls.abi.numbers import NUMBER
from syscalls.kernel import dispatch
from syscalls.spec import Support

#: Calls that do not come back.
_NEVER_RETURN = {"exit", "exit_group", "rt_sigreturn", "sigreturn", "execve", "execveat"}
#: Calls whose result may be any number: an address, a time, a mask.
_MANY_FDS = 6


def implemented(arch):
    return sorted(
        name
        for name, spec in specs.specs(arch).items()
        if spec.support in (Support.FULL, Support.PARTIAL) and name not in _NEVER_RETURN
    )


def busy_task(arch, uid=0):
    """A task with something behind its first descriptors, strings and structs in its memory."""
    task = make_task(arch, uid, frames=1024)
    names = [b"/tmp/f", b"/tmp/d", b"/tmp", b"f", b"", b".", b"/tmp/l", b"user.x", b"/dev/null"]
    call(task, "mkdirat", AT_FDCWD, b"/tmp/d", 0o755)
    call(task, "symlinkat", b"f", AT_FDCWD, b"/tmp/l")
    call(task, "openat", AT_FDCWD, b"/tmp/f", O_CREAT | O_RDWR, 0o644)
    call(task, "openat", AT_FDCWD, b"/tmp", 0o40000 if arch is ARM64 else O_DIRECTORY)
    call(task, "pipe2", SCRATCH, 0o4000)
    call(task, "memfd_create", b"m", 2)
    for index, name in enumerate(names):
        task.mm.write(SCRATCH + 0x100 * index, name + b"\0")
    task.mm.write(SCRATCH + 0x2000, b"".join(n.to_bytes(arch.word, "little") for n in (SCRATCH, 64) * 8))
    task.mm.write(SCRATCH + 0x3000, bytes(range(256)))
    return task


REGISTER = st.one_of(
    st.integers(0, 8),
    st.sampled_from([SCRATCH + 0x100 * index for index in range(9)]),
    st.sampled_from([SCRATCH + 0x2000, SCRATCH + 0x3000, SCRATCH + SCRATCH_SIZE - 5, SCRATCH + SCRATCH_SIZE // 2]),
    st.sampled_from([NOWHERE, -1, -100, 1 << 31, 1 << 63, 0x7FFFFFFF, 0x1000, 0x100, 0x400, 0xFFFFF000, 1 << 40]),
    st.integers(0, 1 << 13),
    st.integers(0, (1 << 64) - 1),
)


def answer(task, arch, name, registers):
    """One raw call; a sleeping one is left behind."""
    args = tuple(register & arch.mask for register in registers)
    result = dispatch.answer(task, arch, NUMBER[arch.name][name], args)
    if task.sleeping is not None:
        task.sleeping.coroutine.close()
        task.sleeping = None
        return None
    return result


@pytest.mark.parametrize("arch", ARCHES.values(), ids=str)
@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_garbage_never_shows_an_error_of_ours(arch, data):
    task = busy_task(arch, data.draw(st.sampled_from([0, 1000])))
    names = data.draw(st.lists(st.sampled_from(implemented(arch)), min_size=10, max_size=30))
    for name in names:
        registers = data.draw(st.tuples(*[REGISTER] * 6))
        result = answer(task, arch, name, registers)
        assert result is None or isinstance(result, int), (name, registers)
        if not task.alive:
            return


@pytest.mark.parametrize("arch", [X86_64, I386, ARM64], ids=str)
def test_each_call_bears_each_kind_of_garbage(arch):
    """All registers alike: cheap, and reaches every call."""
    for name in implemented(arch):
        for value in (0, 1, 3, SCRATCH, NOWHERE, -1, 1 << arch.bits - 1, SCRATCH + SCRATCH_SIZE - 3):
            result = answer(busy_task(arch), arch, name, (value,) * 6)
            assert result is None or isinstance(result, int), (name, value)


#: Calls that refuse a 0 elsewhere before they look at their pathname: a size, a mask.
ZERO_IS_WRONG = {"openat2", "inotify_add_watch"}


def _pointers(arch):
    for name in implemented(arch):
        for index, param in enumerate(specs.specs(arch)[name].params):
            if isinstance(param.kind, StringKind | PathKind):
                yield pytest.param(arch, name, index, id=f"{arch.name}-{name}-{param.name}")


@pytest.mark.parametrize(("arch", "name", "index"), [row for arch in ARCHES.values() for row in _pointers(arch)])
def test_a_string_that_is_nowhere_is_efault(arch, name, index):
    spec = specs.specs(arch)[name]
    task = busy_task(arch)
    registers = [0] * 6
    for position, (param, slots) in enumerate(spec.registers(arch)):
        kind = param.kind
        if position == index:
            registers[slots[0]] = NOWHERE
        elif isinstance(kind, StringKind | PathKind | PointerKind | BufferKind):
            registers[slots[0]] = SCRATCH
    if name in ZERO_IS_WRONG:  # and that counts before the pathname does
        assert answer(task, arch, name, registers) == -EINVAL
    else:
        assert answer(task, arch, name, registers) == -EFAULT
