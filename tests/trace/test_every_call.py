"""Every declared call of every architecture can be shown, whatever is in its registers and in memory."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import syscalls.linux  # noqa: F401  # declares the calls
from emu.trace.decode import plan_of
from emu.trace.event import CallEvent
from emu.trace.jsonl import call_object
from emu.trace.options import Names, TraceOptions
from emu.trace.plan import Context, Limits
from emu.trace.stream import complete
from emu.trace.text import TextSink
from syscalls import spec as specs
from syscalls.abi.arch import ARCHES
from syscalls.abi.errno import EFAULT, SysError
from syscalls.abi.numbers import NUMBER

BASE, SIZE = 0x10000, 0x1000


class Noise:
    """A page of memory with given bytes, repeated; nothing else can be read."""

    def __init__(self, seed: bytes) -> None:
        self.data = (seed * (SIZE // len(seed) + 1))[:SIZE] if seed else bytes(SIZE)

    def read(self, address: int, length: int) -> bytes:
        if not BASE <= address <= address + length <= BASE + SIZE:
            raise SysError(EFAULT)
        return self.data[address - BASE : address - BASE + length]

    def read_some(self, address: int, length: int) -> bytes:
        if not BASE <= address < BASE + SIZE:
            raise SysError(EFAULT)
        return self.data[address - BASE :][:length]

    def cstr(self, address: int, limit: int) -> bytes:
        data = self.read_some(address, limit)
        if 0 not in data:
            raise SysError(EFAULT)
        return data[: data.index(0)]


CALLS = [(arch, name) for arch in ARCHES.values() for name in specs.specs(arch)]
word = st.one_of(
    st.integers(0, 40),
    st.integers(BASE, BASE + SIZE),
    st.sampled_from([0, (1 << 64) - 1, (1 << 32) - 1, (1 << 64) - 100, 1 << 31, 1 << 63]),
    st.integers(0, (1 << 64) - 1),
)
result = st.one_of(st.integers(0, 64), st.integers(-200, -1), st.integers(0, (1 << 63) - 1), st.none())
options = st.sampled_from(
    [TraceOptions(), TraceOptions(abbreviate=False), TraceOptions(names=Names.VERBOSE), TraceOptions(names=Names.RAW)]
)


def test_calls_are_declared_on_each_architecture():
    assert {arch.name for arch, _ in CALLS} == set(ARCHES)


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(CALLS), st.tuples(*[word] * 6), st.binary(max_size=64), st.binary(max_size=64), result, options)
def test_showing_a_call_never_raises(call, args, before, after, outcome, how):
    arch, name = call
    spec = specs.find(arch, name)
    number = NUMBER[arch.name][name]
    plan = plan_of(name, number, arch, spec)
    args = tuple(arg & arch.mask for arg in args)
    context = Context(plan, Noise(before), args, Limits(how.string_limit, how.abbreviate), lambda fd: b"/path")
    event = CallEvent(1, 1, 1, arch, name, number, args, plan.begin(context))
    context.memory = Noise(after)
    complete(event, context, outcome if outcome is None else min(outcome, arch.mask >> 1))
    out = io.StringIO()
    TextSink(out, how).call(event)
    line = out.getvalue()
    assert line.startswith(f"{name}(")
    assert line.count("\n") == 1
    assert json.loads(json.dumps(call_object(event)))["name"] == name


@pytest.mark.parametrize("arch", ARCHES.values(), ids=str)
def test_every_implemented_call_has_a_plan_with_all_its_parameters(arch):
    for name, spec in specs.specs(arch).items():
        plan = plan_of(name, NUMBER[arch.name][name], arch, spec)
        assert len(plan.steps) >= len(spec.params), name
