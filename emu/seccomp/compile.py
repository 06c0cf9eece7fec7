"""From a policy to a program for seccomp(2): a dispatch on the architecture, then a binary search for the number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emu.seccomp.platform import AMD64, PLATFORMS, X32, X32_BIT
from emu.seccomp.policy import NO_CALL, Alternative, Policy
from emu.seccomp.profile import ACTIONS, Condition, ProfileError
from syscalls.abi import bpf as abi
from syscalls.abi.ptrace import SECCOMP_RET_ACTION_FULL, SECCOMP_RET_DATA, SECCOMP_RET_KILL_THREAD
from syscalls.kernel.bpf import ARCH_AT, ARGUMENTS_AT, JUMP, LOAD_WORD, NUMBER_AT, RETURN, Instruction

EQUAL, GREATER, AT_LEAST = (abi.BPF_JMP | each | abi.BPF_K for each in (abi.BPF_JEQ, abi.BPF_JGT, abi.BPF_JGE))
AND = abi.BPF_ALU | abi.BPF_AND | abi.BPF_K
LOW = 0xFFFF_FFFF
#: Numbers from here on, and how a call with one of them is judged: a verdict, or rules and then the default.
Segment = tuple[int, int | tuple[Alternative, ...]]
NEXT, HOLDS, FAILS = "next", "holds", "fails"
Step = tuple[int, int, str, str]  # code, constant, and where a jump goes: on, or out of the comparison
MNEMONICS = {EQUAL: "jeq", GREATER: "jgt", AT_LEAST: "jge"}


def compile_policy(policy: Policy) -> list[Instruction]:
    """The program; ProfileError when it is longer than the kernel takes."""
    code = [Instruction(LOAD_WORD, k=ARCH_AT)]
    for audit in dict.fromkeys(table.platform.audit for table in policy.tables.values()):
        wide = any(t.platform.audit == audit and t.platform.wide for t in policy.tables.values())
        part = [Instruction(LOAD_WORD, k=NUMBER_AT), *_search(segments(policy, audit), wide=wide, policy=policy)]
        code += [Instruction(EQUAL, 1, 0, audit), Instruction(JUMP, k=len(part)), *part]
    code.append(Instruction(RETURN, k=SECCOMP_RET_KILL_THREAD))
    if len(code) > abi.BPF_MAXINSNS:
        raise ProfileError(f"the filter has {len(code)} instructions; the kernel takes {abi.BPF_MAXINSNS}")
    return code


def segments(policy: Policy, audit: int) -> list[Segment]:
    """Ranges of numbers that are judged alike, in ascending order, from 0 to the largest."""
    borders = {0, X32_BIT, NO_CALL}
    for table in policy.tables.values():
        if table.platform.audit == audit:
            borders |= {border for number in table.chains for border in (number, number + 1)}
            borders.add(table.largest + 1)
    found: list[Segment] = []
    for border in sorted(borders):
        table_here = policy.table(audit, border)
        chain = table_here.chains.get(border, []) if table_here is not None else []
        beyond = policy.beyond(audit, border)
        judged = tuple(chain) if chain and chain[0].conditions and not beyond else policy.decide(audit, border).verdict
        if not found or found[-1][1] != judged:
            found.append((border, judged))
    return found


def _search(parts: Sequence[Segment], *, wide: bool, policy: Policy) -> list[Instruction]:
    """The number is in A; every way through ends with a return."""
    if len(parts) == 1:
        low, judged = parts[0]
        if isinstance(judged, int):
            return [Instruction(RETURN, k=judged)]
        return _chain(judged, wide=wide and not (low & X32_BIT), default=policy.default)
    middle = len(parts) // 2
    left = _search(parts[:middle], wide=wide, policy=policy)
    right = _search(parts[middle:], wide=wide, policy=policy)
    if len(left) <= 0xFF:
        return [Instruction(AT_LEAST, len(left), 0, parts[middle][0]), *left, *right]
    return [Instruction(AT_LEAST, 0, 1, parts[middle][0]), Instruction(JUMP, k=len(left)), *left, *right]


def _chain(chain: Sequence[Alternative], *, wide: bool, default: int) -> list[Instruction]:
    code: list[Instruction] = []
    for alternative in chain:
        code += _alternative(alternative, wide=wide)
    return [*code, Instruction(RETURN, k=default)]


def _alternative(alternative: Alternative, *, wide: bool) -> list[Instruction]:
    """Return the verdict if all conditions hold, go on behind it otherwise."""
    parts = [_comparison(each, wide=wide) for each in alternative.conditions]
    end = sum(map(len, parts)) + 1  # the return comes last
    code: list[Instruction] = []
    for part in parts:
        holds = len(code) + len(part)
        for instruction, k, yes, no in part:
            here = len(code) + 1
            offset = {NEXT: 0, HOLDS: holds - here, FAILS: end - here}
            code.append(Instruction(instruction, offset[yes], offset[no], k))
    return [*code, Instruction(RETURN, k=alternative.verdict)]


def _comparison(condition: Condition, *, wide: bool) -> list[Step]:
    """Compare an argument: the high half first, where there is one."""
    kind, value = condition.operator, condition.value
    yes, no = (FAILS, HOLDS) if kind in ("!=", "<", "<=") else (HOLDS, FAILS)
    low_test = {"==": EQUAL, "!=": EQUAL, "&": EQUAL, ">": GREATER, "<=": GREATER, ">=": AT_LEAST, "<": AT_LEAST}[kind]
    wanted = condition.second if kind == "&" else value
    steps: list[Step] = []
    if wide:
        steps += _load(condition, high=True)
        if low_test != EQUAL:
            steps.append((GREATER, wanted >> 32, yes, NEXT))
        steps.append((EQUAL, wanted >> 32, NEXT, no))
    return [*steps, *_load(condition, high=False), (low_test, wanted & LOW, yes, no)]


def _load(condition: Condition, *, high: bool) -> Iterator[Step]:
    yield LOAD_WORD, ARGUMENTS_AT + 8 * condition.index + 4 * high, NEXT, NEXT
    if condition.operator == "&":
        yield AND, condition.value >> 32 if high else condition.value & LOW, NEXT, NEXT


# --- for people -------------------------------------------------------------------------------------------------------


def verdict_text(verdict: int) -> str:
    """ALLOW, ERRNO(1), KILL_PROCESS ..."""
    names = {value: name.removeprefix("SCMP_ACT_") for name, value in ACTIONS.items()}
    action, data = verdict & SECCOMP_RET_ACTION_FULL, verdict & SECCOMP_RET_DATA
    return f"{names[action]}({data})" if data else names[action]


def disassemble(program: Sequence[Instruction]) -> Iterator[str]:
    """A line per instruction; jumps say which lines they lead to."""
    for place, (code, jt, jf, k) in enumerate(program):
        if code == LOAD_WORD:
            text = f"ld   {_field(k)}"
        elif code == RETURN:
            text = f"ret  {verdict_text(k)}"
        elif code == JUMP:
            text = f"ja   {place + 1 + k:04}"
        elif code == AND:
            text = f"and  {k:#x}"
        else:
            text = f"{MNEMONICS[code]}  {_constant(k)}, {place + 1 + jt:04}, {place + 1 + jf:04}"
        yield f"{place:04}: {text}"


def _field(offset: int) -> str:
    if offset < ARGUMENTS_AT:
        return {NUMBER_AT: "nr", ARCH_AT: "arch"}[offset]
    index, high = divmod(offset - ARGUMENTS_AT, 8)
    return f"a{index}.{'high' if high else 'low'}"


def _constant(value: int) -> str:
    names = {each.audit: each.name for each in PLATFORMS.values() if each is not X32}
    return f"{value:#x} ({names[value]})" if value in names else f"{value:#x}"


__all__ = ["AMD64", "compile_policy", "disassemble", "segments", "verdict_text"]
