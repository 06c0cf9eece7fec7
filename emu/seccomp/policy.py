"""What becomes of a call under a profile, and which rule says so: the decisions of runc and libseccomp 2.5.

Conditional rules of one call are tried in the order of the file; where two that overlap have different actions,
libseccomp's own order is not documented.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from emu.seccomp.platform import AMD64, BY_SCMP, PLATFORMS, X32, X32_BIT, X86, Platform
from emu.seccomp.profile import Clause, Condition, Profile, ProfileError, Rule
from syscalls.abi.errno import ENOSYS
from syscalls.abi.ptrace import (
    SECCOMP_RET_ACTION_FULL,
    SECCOMP_RET_ALLOW,
    SECCOMP_RET_ERRNO,
    SECCOMP_RET_KILL_THREAD,
    SECCOMP_RET_LOG,
    SECCOMP_RET_TRACE,
)

NO_CALL = 0xFFFF_FFFF  # what a tracer makes of a call that it takes away
COMPARE: dict[str, Callable[[int, int], bool]] = {
    "!=": operator.ne, "<": operator.lt, "<=": operator.le, "==": operator.eq, ">=": operator.ge, ">": operator.gt,
}  # fmt: skip
#: What docker gives a container.
DOCKER_CAPABILITIES = frozenset(
    f"CAP_{name}"
    for name in [
        "CHOWN",
        "DAC_OVERRIDE",
        "FSETID",
        "FOWNER",
        "MKNOD",
        "NET_RAW",
        "SETGID",
        "SETUID",
        "SETFCAP",
        "SETPCAP",
        "NET_BIND_SERVICE",
        "SYS_CHROOT",
        "KILL",
        "AUDIT_WRITE",
    ]
)


@dataclass(frozen=True, slots=True)
class Host:
    """Where a container would be started: it decides which rules of docker's superset count."""

    platform: Platform = AMD64
    capabilities: frozenset[str] = DOCKER_CAPABILITIES
    kernel: tuple[int, int] = (6, 18)


@dataclass(frozen=True, slots=True)
class Alternative:
    """Conditions that all must hold for a rule to decide; none: it always does."""

    rule: Rule
    conditions: tuple[Condition, ...]
    lost_first: bool = False  #: its condition on the first argument gave way to that of socketcall or ipc

    @property
    def verdict(self) -> int:
        """SECCOMP_RET_* with data."""
        return self.rule.verdict


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, and why; `rule` is None when the profile's default, or a rule outside the profile, decided."""

    verdict: int
    reason: str
    rule: Rule | None = None
    alternative: Alternative | None = None


@dataclass(slots=True)
class Table:
    """The rules of one platform, by number."""

    platform: Platform
    chains: dict[int, list[Alternative]] = field(default_factory=dict)
    largest: int = -1  #: number that the profile names; beyond, runc says ENOSYS


class Policy:
    """A profile on a host."""

    def __init__(self, profile: Profile, host: Host = Host()) -> None:
        self.profile, self.host = profile, host
        self.default = profile.default
        rules = [rule for rule in profile.rules if _counts(rule, host)]
        self.rules = tuple(rule for rule in rules if rule.verdict != self.default)  # runc skips what is redundant
        self.unknown = sorted({n for rule in rules for n in rule.names if not _is_known(n)})
        names, self.ignored = self._architectures()
        self.tables = {name: self._table(PLATFORMS[name], rules) for name in names}
        permissive = (SECCOMP_RET_ALLOW, SECCOMP_RET_LOG, SECCOMP_RET_TRACE)
        self.says_enosys = self.default & SECCOMP_RET_ACTION_FULL not in permissive

    def _architectures(self) -> tuple[list[str], list[str]]:
        """Platforms that the filter knows, the host's first; and the profile's others, which we have no numbers of."""
        native = self.host.platform.scmp
        chosen = list(self.profile.architectures)
        for architecture, others in self.profile.arch_map or ():
            if architecture == native:
                chosen = [architecture, *others]
        chosen = list(dict.fromkeys([native, *chosen]))
        return [BY_SCMP[a].name for a in chosen if a in BY_SCMP], [a for a in chosen if a not in BY_SCMP]

    def _table(self, platform: Platform, rules: Sequence[Rule]) -> Table:
        table = Table(platform)
        numbers = [platform.numbers[n] for rule in rules for n in rule.names if n in platform.numbers]
        table.largest = max(numbers, default=-1)
        for rule in self.rules:
            for name in rule.names:
                for number, alternative in _alternatives(platform, rule, name):
                    _add(table.chains.setdefault(number, []), alternative)
        return table

    def table(self, audit: int, number: int) -> Table | None:
        """The rules for calls of an architecture; x32 is told from x86_64 by a bit of the number."""
        if audit == AMD64.audit and number & X32_BIT and number != NO_CALL:
            return self.tables.get(X32.name)
        return next((t for name, t in self.tables.items() if t.platform.audit == audit and name != X32.name), None)

    def decide(self, audit: int, number: int, args: Sequence[int] = ()) -> Decision:
        """What a filter returns for a call (AUDIT_ARCH_*, unsigned number, raw arguments)."""
        if self.beyond(audit, number):
            return Decision(SECCOMP_RET_ERRNO | ENOSYS, "newer than every call that the profile names")
        table = self.table(audit, number)
        if table is None:
            return Decision(SECCOMP_RET_KILL_THREAD, "an architecture that the profile does not list")
        for alternative in table.chains.get(number, ()):
            if holds(alternative.conditions, args, wide=table.platform.wide):
                return Decision(alternative.verdict, "", alternative.rule, alternative)
        return Decision(self.default, "the profile's default")

    def beyond(self, audit: int, number: int) -> bool:
        """runc's rule: ENOSYS for what is newer than the profile, so that C libraries fall back (patchbpf)."""
        if not self.says_enosys:
            return False
        tables = [t for t in self.tables.values() if t.platform.audit == audit and t.largest >= 0]
        if len(tables) > 1:  # x86_64 and x32
            tables = [t for t in tables if (t.platform is X32) is (number >= X32_BIT)]
        return bool(tables) and number > tables[0].largest


def _is_known(name: str) -> bool:
    return any(name in each.numbers or name in each.multiplexed for each in PLATFORMS.values())


def _counts(rule: Rule, host: Host) -> bool:
    """Do docker's includes and excludes leave the rule in?"""
    wanted, unwanted = rule.includes, rule.excludes
    if host.platform.docker in unwanted.arches or host.capabilities & set(unwanted.caps):
        return False
    if unwanted.min_kernel is not None and host.kernel >= unwanted.min_kernel:
        return False
    return _included(wanted, host)


def _included(wanted: Clause, host: Host) -> bool:
    if wanted.arches and host.platform.docker not in wanted.arches:
        return False
    return set(wanted.caps) <= host.capabilities and (wanted.min_kernel is None or host.kernel >= wanted.min_kernel)


def _alternatives(platform: Platform, rule: Rule, name: str) -> list[tuple[int, Alternative]]:
    """What a rule says of one of its names: an index that comes twice makes each condition a rule of its own."""
    indexes = [condition.index for condition in rule.conditions]
    together = len(set(indexes)) == len(indexes)
    groups = [rule.conditions] if together else [(condition,) for condition in rule.conditions]
    found = []
    for group in groups:
        if name in platform.numbers:
            found.append((platform.numbers[name], Alternative(rule, _sorted(group))))
        if name in platform.multiplexed:
            other, call = platform.multiplexed[name]
            kept = [condition for condition in group if condition.index]
            through = Alternative(rule, _sorted([Condition(0, "==", call), *kept]), len(kept) < len(group))
            found.append((platform.numbers[other], through))
    return found


def _sorted(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    return tuple(sorted(conditions, key=lambda each: each.index))


def _add(chain: list[Alternative], new: Alternative) -> None:
    """Of two unconditional rules the first stays, and it takes the place of all conditional ones."""
    if chain and not chain[0].conditions:
        return
    if not new.conditions:
        chain[:] = [new]
        return
    for old in chain:
        if old.conditions == new.conditions:
            if old.verdict == new.verdict:
                return
            raise ProfileError(
                f"syscalls[{new.rule.index}]: the same condition as syscalls[{old.rule.index}], with another action"
            )
    chain.append(new)


def holds(conditions: Sequence[Condition], args: Sequence[int], *, wide: bool) -> bool:
    """Do all of them hold? 32-bit platforms compare the low halves."""
    mask = (1 << 64) - 1 if wide else 0xFFFF_FFFF
    for each in conditions:
        arg, value = args[each.index] & mask, each.value & mask
        if each.operator == "&":
            if arg & value != each.second & mask:
                return False
        elif not COMPARE[each.operator](arg, value):
            return False
    return True


__all__ = ["X86", "Alternative", "Decision", "Host", "Policy", "Table"]
