"""clone(2) and clone3(2): arguments by name, what the flags ask for, and what the call stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.trace.calls import at_success, calls
from emu.trace.decode import address, decoder_of
from emu.trace.plan import Step
from emu.trace.value import Address, Change, Hex, Id, Int, Labelled, List, Named, Struct, Value
from syscalls.abi import sched
from syscalls.abi.errno import SysError
from syscalls.abi.kinds import PointerKind
from syscalls.abi.signal import SIGNAL
from syscalls.abi.structs.process import UserDesc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emu.trace.plan import Context, Decoder, Plan

#: struct clone_args as of its first version, all of 64 bits.
CLONE_ARGS = ("flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack", "stack_size", "tls", "set_tid",
              "set_tid_size", "cgroup")  # fmt: skip
CLONE_ARGS_SIZE_VER0 = 64
CLONE_ARGS_SIZE = 8 * len(CLONE_ARGS)


@calls("clone")
def _clone(plan: Plan) -> None:
    """Arguments by name, in an order of strace's own, and only those that a flag asks for."""
    descriptor = decoder_of(PointerKind(UserDesc, out=False), plan) if plan.arch.word == 4 else address
    flags_of = plan.steps[0].decode

    def labelled(label: str, name: str, flags: int, decode: Decoder) -> Step:
        def value(context: Context, _number: int) -> Value | None:
            if flags and not context.number("flags") & flags:
                return None
            shown = decode(context, context.number(name))
            return None if shown is None else Labelled(label, shown)

        return Step(label, value, exit=bool(flags))

    take = plan.take
    plan.take = lambda args: (*take(args), 0)  # pidfd and parent_tid are one parameter
    plan.steps = [
        labelled("child_stack", "stack", 0, address),
        labelled("flags", "flags", 0, flags_of),
        labelled("parent_tid", "parent_tid", sched.CLONE_PARENT_SETTID, at_success(_one_id)),
        labelled("pidfd", "parent_tid", sched.CLONE_PIDFD, at_success(_one_id)),
        labelled("tls", "tls", sched.CLONE_SETTLS, descriptor),
        labelled("child_tidptr", "child_tid", sched.CLONE_CHILD_SETTID | sched.CLONE_CHILD_CLEARTID, address),
    ]
    plan.late_comma = True


@calls("clone3")
def _clone3(plan: Plan) -> None:
    """The struct, with the members that a flag asks for; what the call stores follows behind an arrow."""
    length = plan.steps[1].decode
    stored = {"pidfd": sched.CLONE_PIDFD, "parent_tid": sched.CLONE_PARENT_SETTID}

    def begin(context: Context, at: int) -> Value:
        try:
            size = min(context.values[1], CLONE_ARGS_SIZE)
            data = context.memory.read(at, size).ljust(CLONE_ARGS_SIZE, b"\0") if size >= CLONE_ARGS_SIZE_VER0 else b""
        except SysError:
            data = b""
        if not data:
            return Address(at)
        words = [int.from_bytes(data[i : i + 8], "little") for i in range(0, CLONE_ARGS_SIZE, 8)]
        raw = dict(zip(CLONE_ARGS, words, strict=True))
        context.notes["after"] = {name: raw[name] for name, flag in stored.items() if raw["flags"] & flag}
        change = context.notes["change"] = Change(Struct(tuple(_clone3_fields(raw))))
        return change

    def end(context: Context, _at: int) -> Value | None:
        after = context.notes.get("after")
        if after and not context.failed:
            context.notes["change"].after = Struct(tuple((name, _one_id(context, at)) for name, at in after.items()))
        return None

    plan.take = lambda args: (args[0], args[1], args[0], args[1])
    plan.steps[0] = Step("cl_args", begin)
    plan.steps[1] = Step(
        "size", lambda context, number: None if context.notes.get("after") else length(context, number)
    )
    plan.steps.append(Step("", end, exit=True))
    plan.steps.append(
        Step("size", lambda context, number: length(context, number) if context.notes.get("after") else None, exit=True)
    )
    plan.late_comma = True


def _clone3_fields(raw: dict[str, int]) -> Iterator[tuple[str, Value]]:
    flags = raw["flags"]
    yield "flags", Named(flags, sched.CLONE3_FLAGS.format(flags))
    for name, asked in (
        ("pidfd", sched.CLONE_PIDFD),
        ("child_tid", sched.CLONE_CHILD_SETTID | sched.CLONE_CHILD_CLEARTID),
        ("parent_tid", sched.CLONE_PARENT_SETTID),
    ):
        if flags & asked:
            yield name, Address(raw[name])
    yield "exit_signal", Named(raw["exit_signal"], SIGNAL.format(raw["exit_signal"]), "d")
    yield "stack", Address(raw["stack"])
    yield "stack_size", Hex(raw["stack_size"])
    if flags & sched.CLONE_SETTLS:
        yield "tls", Address(raw["tls"])
    if raw["set_tid"] or raw["set_tid_size"]:
        yield "set_tid", Address(raw["set_tid"])
        yield "set_tid_size", Int(raw["set_tid_size"])


def _one_id(context: Context, at: int) -> Value:
    try:
        return List((Id(int.from_bytes(context.memory.read(at, 4), "little", signed=True), "pid"),))
    except SysError:
        return Address(at)
