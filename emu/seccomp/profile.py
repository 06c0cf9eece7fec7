"""A seccomp profile as a file says it: the OCI runtime specification's JSON, and docker's superset of it.

Sources: runtime-spec/config-linux.md (seccomp), moby/profiles/seccomp, runc/libcontainer/seccomp/config.go.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emu.errors import TrapezeError
from syscalls.abi.ptrace import (
    SECCOMP_RET_ALLOW,
    SECCOMP_RET_ERRNO,
    SECCOMP_RET_KILL_PROCESS,
    SECCOMP_RET_KILL_THREAD,
    SECCOMP_RET_LOG,
    SECCOMP_RET_TRACE,
    SECCOMP_RET_TRAP,
    SECCOMP_RET_USER_NOTIF,
)

EPERM = 1
ACTIONS = {
    "SCMP_ACT_KILL": SECCOMP_RET_KILL_THREAD,
    "SCMP_ACT_KILL_THREAD": SECCOMP_RET_KILL_THREAD,
    "SCMP_ACT_KILL_PROCESS": SECCOMP_RET_KILL_PROCESS,
    "SCMP_ACT_TRAP": SECCOMP_RET_TRAP,
    "SCMP_ACT_ERRNO": SECCOMP_RET_ERRNO,
    "SCMP_ACT_NOTIFY": SECCOMP_RET_USER_NOTIF,
    "SCMP_ACT_TRACE": SECCOMP_RET_TRACE,
    "SCMP_ACT_LOG": SECCOMP_RET_LOG,
    "SCMP_ACT_ALLOW": SECCOMP_RET_ALLOW,
}
OPERATORS = {
    "SCMP_CMP_NE": "!=",
    "SCMP_CMP_LT": "<",
    "SCMP_CMP_LE": "<=",
    "SCMP_CMP_EQ": "==",
    "SCMP_CMP_GE": ">=",
    "SCMP_CMP_GT": ">",
    "SCMP_CMP_MASKED_EQ": "&",
}
FLAGS = frozenset(f"SECCOMP_FILTER_FLAG_{name}" for name in ("TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV"))
ARCHITECTURES = frozenset(
    f"SCMP_ARCH_{name}"
    for name in [
        "X86",
        "X86_64",
        "X32",
        "ARM",
        "AARCH64",
        "MIPS",
        "MIPS64",
        "MIPS64N32",
        "MIPSEL",
        "MIPSEL64",
        "MIPSEL64N32",
        "PPC",
        "PPC64",
        "PPC64LE",
        "S390",
        "S390X",
        "PARISC",
        "PARISC64",
        "RISCV64",
        "LOONGARCH64",
        "M68K",
        "SH",
        "SHEB",
    ]
)


class ProfileError(TrapezeError):
    """A profile makes no sense: where in the file, and why."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one argument with a value; for `&`: argument & value == second."""

    index: int
    operator: str
    value: int
    second: int = 0

    def __str__(self) -> str:
        if self.operator == "&":
            return f"a{self.index} & {self.value:#x} == {self.second:#x}"
        return f"a{self.index} {self.operator} {self.value:#x}"


@dataclass(frozen=True, slots=True)
class Clause:
    """What `includes` demands, or `excludes` forbids."""

    caps: tuple[str, ...] = ()
    arches: tuple[str, ...] = ()
    min_kernel: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of `syscalls`; `index` is its place there."""

    index: int
    names: tuple[str, ...]
    verdict: int  #: SECCOMP_RET_*, with the error number
    conditions: tuple[Condition, ...] = ()
    includes: Clause = Clause()
    excludes: Clause = Clause()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A whole file."""

    default: int  #: the verdict on calls that no rule names
    rules: tuple[Rule, ...] = ()
    architectures: tuple[str, ...] = ()
    arch_map: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    flags: tuple[str, ...] = ()


def load(path: str) -> Profile:
    """The profile in a file; ProfileError begins with the file's name."""
    try:
        return parse(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ProfileError(f"{path}: not JSON: not UTF-8") from None
    except ProfileError as error:
        raise ProfileError(f"{path}: {error}") from None


def parse(text: str) -> Profile:
    """The profile that a text is; ProfileError says the JSON path and the reason."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ProfileError(f"not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise ProfileError("not JSON: nested too deeply") from None
    return _profile(_Node(data, "profile"))


class _Node:
    """A value of the file, and the path to it."""

    def __init__(self, value: Any, path: str) -> None:
        self.value, self.path = value, path

    def fail(self, reason: str) -> ProfileError:
        return ProfileError(f"{self.path}: {reason}")

    def get(self, key: str) -> _Node:
        """A member of an object; what is not there is null, as Go reads it."""
        if not isinstance(self.value, dict):
            raise self.fail("expected an object")
        return _Node(self.value.get(key), f"{self.path}.{key}" if self.path != "profile" else key)

    def items(self) -> list[_Node]:
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.fail("expected a list")
        return [_Node(value, f"{self.path}[{place}]") for place, value in enumerate(self.value)]

    def text(self) -> str:
        if self.value is None:
            return ""
        if not isinstance(self.value, str):
            raise self.fail("expected a string")
        return self.value

    def number(self, most: int) -> int:
        if self.value is None:
            return 0
        if type(self.value) is not int or not 0 <= self.value <= most:
            raise self.fail(f"expected a number from 0 to {most}")
        return self.value

    def one_of(self, known: Any, what: str) -> str:
        """A name of a table."""
        name = self.text()
        if name not in known:
            raise self.fail(f"unknown {what} {name!r}" if name else f"{what} is missing")
        return name


def _profile(top: _Node) -> Profile:
    rules = top.get("syscalls")
    for key in ("listenerPath", "listenerMetadata"):
        top.get(key).text()
    architectures = tuple(node.one_of(ARCHITECTURES, "architecture") for node in top.get("architectures").items())
    arch_map = top.get("archMap")
    if architectures and arch_map.items():
        raise arch_map.fail("cannot be used together with architectures")
    flags = tuple(node.one_of(FLAGS, "flag") for node in top.get("flags").items())
    if not top.get("defaultAction").text() and not rules.items():
        return Profile(SECCOMP_RET_ALLOW)  # docker: a profile that says nothing restricts nothing
    default = _verdict(top.get("defaultAction"), top.get("defaultErrnoRet"))
    if default == SECCOMP_RET_USER_NOTIF:
        raise top.get("defaultAction").fail("SCMP_ACT_NOTIFY cannot be the default")
    parsed = tuple(_rule(index, node) for index, node in enumerate(rules.items()))
    return Profile(default, parsed, architectures, _arch_map(arch_map), flags)


def _arch_map(node: _Node) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    entries = tuple(
        (
            entry.get("architecture").one_of(ARCHITECTURES, "architecture"),
            tuple(sub.one_of(ARCHITECTURES, "architecture") for sub in entry.get("subArchitectures").items()),
        )
        for entry in node.items()
    )
    return entries or None


def _verdict(action: _Node, errno: _Node) -> int:
    """An action with its error number, which only ERRNO and TRACE have: runc ignores others."""
    verdict = ACTIONS[action.one_of(ACTIONS, "action")]
    number = EPERM if errno.value is None else errno.number(0xFFFF)
    return verdict | number if verdict in (SECCOMP_RET_ERRNO, SECCOMP_RET_TRACE) else verdict


def _rule(index: int, node: _Node) -> Rule:
    name, names = node.get("name").text(), tuple(each.text() for each in node.get("names").items())
    if name and names:
        raise node.get("name").fail("cannot be used together with names")
    if not name and not names:
        raise node.get("names").fail("a rule needs at least one name")
    verdict = _verdict(node.get("action"), node.get("errnoRet"))
    if verdict == SECCOMP_RET_USER_NOTIF and "write" in (name, *names):
        raise node.get("action").fail("SCMP_ACT_NOTIFY cannot be used for write")
    return Rule(
        index,
        names or (name,),
        verdict,
        tuple(_condition(each) for each in node.get("args").items()),
        _clause(node.get("includes")),
        _clause(node.get("excludes")),
        node.get("comment").text(),
    )


def _condition(node: _Node) -> Condition:
    largest = (1 << 64) - 1
    return Condition(
        node.get("index").number(5),
        OPERATORS[node.get("op").one_of(OPERATORS, "operator")],
        node.get("value").number(largest),
        node.get("valueTwo").number(largest),
    )


def _clause(node: _Node) -> Clause:
    if node.value is None:
        return Clause()
    caps = tuple(each.text() for each in node.get("caps").items())
    arches = tuple(each.text() for each in node.get("arches").items())
    return Clause(caps, arches, _kernel(node.get("minKernel")))


def _kernel(node: _Node) -> tuple[int, int] | None:
    """K.M: two numbers, not both 0."""
    text = node.text()
    if not text:
        return None
    major, _, minor = text.partition(".")
    if not (major.isascii() and minor.isascii() and major.isdigit() and minor.isdigit()) or not int(major + minor):
        raise node.fail(f"expected a version K.M, not {text!r}")
    return int(major), int(minor)
