"""Calls about processes, their identity and scheduling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.trace.calls import at_success, calls, named, result, result_named, show
from emu.trace.decode import address, decoder_of
from emu.trace.plan import Step
from emu.trace.value import Address, Bits, Hex, Id, Int, List, Named, Remark, Struct, Value, Words
from syscalls.abi import futex, prctl, process, sched, wait
from syscalls.abi.cstruct import layout
from syscalls.abi.errno import SysError
from syscalls.abi.kinds import Kind, PointerKind
from syscalls.abi.structs.process import CapData, CapHeader, UserDesc
from syscalls.abi.structs.time import Timespec, Timespec64

if TYPE_CHECKING:
    from emu.trace.plan import Context, Plan


# --- capabilities -----------------------------------------------------------------------------------------------------


@calls("capget", "capset")
def _capabilities(plan: Plan) -> None:
    """One set of names, put together from the two halves of version 3."""
    header = decoder_of(PointerKind(CapHeader, out=False), plan)
    form = layout(CapData, plan.arch)

    def data(context: Context, at: int) -> Value:
        if not at or (context.failed and plan.name == "capget"):
            return Address(at)
        try:
            version = int.from_bytes(context.memory.read(context.values[0], 4), "little")
            halves = 1 if version == prctl.__dict__["_LINUX_CAPABILITY_VERSION_1"] else 2
            sets = [form.unpack(context.memory.read(at + i * form.size, form.size)) for i in range(halves)]
        except SysError:
            return Address(at)
        fields = []
        for name in ("effective", "permitted", "inheritable"):
            mask = sum(getattr(half, name) << 32 * i for i, half in enumerate(sets))
            fields.append((name, Named(mask, _capability_names(mask))))
        return Struct(tuple(fields))

    show(plan, 0, header, at_exit=False)
    show(plan, 1, data, at_exit=plan.name == "capget")


def _capability_names(mask: int) -> str:
    known = prctl.CAPABILITIES.names
    names = [f"1<<{name}" for bit, name in sorted(known.items()) if mask >> bit & 1]
    rest = mask & ~sum(1 << bit for bit in known)
    if rest:
        names.append(f"{rest:#x}" if names else f"{rest:#x} /* CAP_??? */")
    return "|".join(names) or "0"


# --- scheduling -------------------------------------------------------------------------------------------------------


def _cpus(context: Context, at: int, count: int) -> Value:
    """The processors of a mask; bytes that make no whole words are not looked at."""
    word = context.arch.word
    if not at:
        return Address(0)
    if count < 0 or count > 1 << 16:
        return Address(at)
    try:
        mask = int.from_bytes(context.memory.read(at, (count + word - 1) // word * word), "little")
    except SysError:
        return Address(at)
    return Bits(tuple(str(bit) for bit in range(mask.bit_length()) if mask >> bit & 1), mask)


@calls("sched_setaffinity")
def _set_affinity(plan: Plan) -> None:
    show(plan, 2, lambda context, at: _cpus(context, at, context.values[1]))


@calls("sched_getaffinity")
def _get_affinity(plan: Plan) -> None:
    show(plan, 2, at_success(lambda context, at: _cpus(context, at, context.result or 0)), at_exit=True)


@calls("sched_getscheduler")
def _scheduler(plan: Plan) -> None:
    result_named(plan, sched.SCHED_POLICIES)


@calls("ioprio_get")
def _ioprio_get(plan: Plan) -> None:
    result(plan, lambda _context, number: (Hex(number), sched.IOPRIO.format(number)))


@calls("personality")
def _personality(plan: Plan) -> None:
    show(plan, 0, lambda _context, number: named(number, process.PERSONALITY))
    result(plan, lambda _context, number: (Hex(number), (named(number, process.PERSONALITY),)))


@calls("membarrier")
def _membarrier(plan: Plan) -> None:
    """The processor only with the flag for it; what a query answers by name."""
    show(plan, 2, lambda context, number: Int(number) if context.values[1] & 1 else None)

    def answer(context: Context, number: int) -> tuple[Value, Remark]:
        if context.values[0] == process.MEMBARRIER_CMD_QUERY and number:
            return Hex(number), (named(number, process.MEMBARRIER_QUERY),)
        return Int(number), ""

    result(plan, answer)


# --- threads ----------------------------------------------------------------------------------------------------------


@calls("rseq")
def _rseq(plan: Plan) -> None:
    for place in (1, 3):
        show(plan, place, lambda _context, number: Hex(number))
    show(plan, 2, lambda _context, number: named(number, _RseqFlags))


class _RseqFlags:
    @staticmethod
    def format(value: int) -> str:
        """strace 6.1 has no names for them."""
        return f"{value:#x}" if value else "0"


@calls("get_robust_list")
def _get_robust_list(plan: Plan) -> None:
    def head(context: Context, at: int) -> Value:
        try:
            return List((Address(int.from_bytes(context.memory.read(at, context.arch.word), "little")),))
        except SysError:
            return Address(at)

    show(plan, 1, at_success(head), at_exit=True)


@calls("set_thread_area")
def _set_thread_area(plan: Plan) -> None:
    """The entry that was found free is part of the result."""
    show(plan, 0, decoder_of(_descriptor(), plan), at_exit=False)

    def entry(context: Context, number: int) -> tuple[Value, Remark]:
        try:
            chosen = int.from_bytes(context.memory.read(context.values[0], 4), "little")
        except SysError:
            return Int(number), ""
        return Int(number), f"entry_number={chosen}"

    result(plan, entry)


@calls("get_thread_area")
def _get_thread_area(plan: Plan) -> None:
    """A failure says only which entry was asked for."""
    whole = decoder_of(_descriptor(), plan)

    def area(context: Context, at: int) -> Value | None:
        if not context.failed:
            return whole(context, at)
        try:
            number = int.from_bytes(context.memory.read(at, 4), "little", signed=True)
        except SysError:
            return Address(at)
        return Words(f"{{entry_number={number}, ...}}", number)

    show(plan, 0, area, at_exit=True)


def _descriptor() -> Kind:
    return PointerKind(UserDesc, out=False)


@calls("futex", "futex_time64")
def _futex(plan: Plan) -> None:
    """Which arguments there are depends on the command."""
    f = futex
    flags = f.FUTEX_PRIVATE_FLAG | f.FUTEX_CLOCK_REALTIME
    timeout = decoder_of(_timeout(plan), plan)
    timed = {f.FUTEX_WAIT, f.FUTEX_LOCK_PI, f.FUTEX_LOCK_PI2, f.FUTEX_WAIT_BITSET, f.FUTEX_WAIT_REQUEUE_PI}
    two = {f.FUTEX_REQUEUE, f.FUTEX_CMP_REQUEUE, f.FUTEX_WAKE_OP, f.FUTEX_CMP_REQUEUE_PI}
    without_value = {f.FUTEX_LOCK_PI, f.FUTEX_LOCK_PI2, f.FUTEX_UNLOCK_PI, f.FUTEX_TRYLOCK_PI}

    def command(context: Context) -> int:
        number = context.values[1] & 0xFFFFFFFF
        known = number & ~flags & 0xFFFFFFFF
        return known if futex.FUTEX_OPERATION.format(number)[0] == "F" else -1

    def value(context: Context, number: int) -> Value | None:
        if command(context) in without_value:
            return None
        return Int(number & 0xFFFFFFFF)

    def fourth(context: Context, number: int) -> Value | None:
        now = command(context)
        if now in timed:
            return timeout(context, number)
        if now in two:
            return Int(number & 0xFFFFFFFF)
        return Hex(number) if now == -1 else None

    def fifth(context: Context, number: int) -> Value | None:
        now = command(context)
        if now in two or now == f.FUTEX_WAIT_REQUEUE_PI:
            return Address(number)
        return Hex(number) if now == -1 else None

    def sixth(context: Context, number: int) -> Value | None:
        now = command(context)
        number &= 0xFFFFFFFF
        if now in {f.FUTEX_WAIT_BITSET, f.FUTEX_WAKE_BITSET}:
            return Named(number, "FUTEX_BITSET_MATCH_ANY") if number == 0xFFFFFFFF else Hex(number)
        if now == f.FUTEX_WAKE_OP:
            return Named(number, _wake_operation(number))
        if now in {f.FUTEX_CMP_REQUEUE, f.FUTEX_CMP_REQUEUE_PI}:
            return Int(number)
        return Hex(number) if now == -1 else None

    for place, decode in enumerate((value, fourth, fifth, sixth), start=2):
        show(plan, place, decode)


def _timeout(plan: Plan) -> Kind:
    return PointerKind(Timespec64 if plan.name.endswith("64") else Timespec, out=False)


def _wake_operation(number: int) -> str:
    """`FUTEX_OP_SET<<28|0<<12|FUTEX_OP_CMP_EQ<<24|0x1`."""
    operation, shift = number >> 28 & 7, number >> 31
    parts = ["FUTEX_OP_OPARG_SHIFT<<28"] if shift else []
    parts.append(f"{futex.FUTEX_WAKE_OPS.format(operation)}<<28")
    parts.append(f"{_c_hex(number >> 12 & 0xFFF)}<<12")
    parts.append(f"{futex.FUTEX_WAKE_CMPS.format(number >> 24 & 15)}<<24")
    parts.append(_c_hex(number & 0xFFF))
    return "|".join(parts)


def _c_hex(number: int) -> str:
    return f"{number:#x}" if number else "0"


# --- waiting ----------------------------------------------------------------------------------------------------------


@calls("wait4", "waitpid")
def _wait(plan: Plan) -> None:
    """A status is there only when there was a child to tell of; what it says follows as words."""

    def status(context: Context, at: int) -> Value:
        if not at or not context.result or context.failed:
            return Address(at)
        try:
            number = int.from_bytes(context.memory.read(at, 4), "little")
        except SysError:
            return Address(at)
        return List((Words(wait.WAIT_STATUS.format(number), number),))

    show(plan, 1, status, at_exit=True)
    if len(plan.steps) > 3:
        usage = plan.steps[3].decode
        show(plan, 3, lambda context, at: usage(context, at) if context.result else Address(at), at_exit=True)


@calls("restart_syscall")
def _restart_syscall(plan: Plan) -> None:
    plan.take = lambda _args: (0,)
    plan.steps = [
        Step(
            "call", lambda context, _n: Words(f"<... resuming interrupted {context.previous or 'system call'} ...>", 0)
        )
    ]


@calls("olduname", "oldolduname")
def _olduname(plan: Plan) -> None:
    show(plan, 0, address)


@calls("getpriority")
def _getpriority(plan: Plan) -> None:
    result(plan, lambda _context, number: (Int(number), ""))


@calls("syslog")
def _syslog(plan: Plan) -> None:
    """Buffer and size only for the actions that use them."""
    action = process.SYSLOG_ACTIONS
    show(plan, 0, lambda _context, number: Words(f"{number} /* {action.names.get(number, action.unknown)} */", number))
    uses = {2: 2, 3: 2, 4: 2, 8: 1}
    if len(plan.steps) > 2:
        buffer, size = plan.steps[1].decode, plan.steps[2].decode
        show(plan, 1, lambda context, at: buffer(context, at) if context.values[0] in uses else None)
        show(plan, 2, lambda context, n: size(context, n) if context.values[0] in uses else None)


@calls("setgroups", "setgroups32", "getgroups", "getgroups32")
def _groups(plan: Plan) -> None:
    """Group ids, of which -1 is none."""
    declared = plan.steps[1].decode
    bits = 32 if plan.arch.bits == 64 or plan.name.endswith("32") else 16

    def groups(context: Context, at: int) -> Value | None:
        value = declared(context, at)
        if not isinstance(value, List):
            return value
        ids = [item.value for item in value.items if isinstance(item, Int | Id)]
        shown = tuple(Id(-1 if number == (1 << bits) - 1 else number, "gid") for number in ids)
        return List(shown, value.cut, value.bad)

    show(plan, 1, groups)
