"""`trapeze seccomp`: look at container profiles."""

from __future__ import annotations

from typing import Any

import click

from emu.errors import UsageError
from emu.seccomp.compile import compile_policy, disassemble, verdict_text
from emu.seccomp.enforce import policy_for
from emu.seccomp.platform import PLATFORMS, X32, Platform
from emu.seccomp.policy import Alternative, Decision, Policy
from emu.seccomp.profile import load

ARCH = click.Choice([name for name in PLATFORMS if name != X32.name])


def policy_of(profile: str, arch: str, capabilities: tuple[str, ...]) -> Policy:
    """The policy of a file; capabilities are written as docker's --cap-add takes them."""
    more = frozenset(f"CAP_{cap.upper().removeprefix('CAP_')}" for cap in capabilities)
    return policy_for(load(profile), PLATFORMS[arch], more)


@click.group()
def seccomp() -> None:
    """Explain and compile container profiles: the OCI's JSON, and docker's superset of it.

    \b
    Examples:
      trapeze seccomp explain docker-default.json socket 38 3 0
      trapeze seccomp compile --arch arm64 docker-default.json
    """  # noqa: D301  # click's mark of a paragraph that stays as it is


def profile_options(command: Any) -> Any:
    """What all subcommands take."""
    cap = click.option("--cap-add", "caps", metavar="CAP", multiple=True, help="A capability beyond docker's own.")
    return cap(
        click.option("-v", "verbose", is_flag=True, help="List names and architectures that are ignored.")(command)
    )


@seccomp.command()
@profile_options
@click.option("--arch", type=ARCH, multiple=True, help="Only this architecture.")
@click.argument("profile")
@click.argument("name", metavar="SYSCALL")
@click.argument("args", nargs=-1)
def explain(profile: str, name: str, args: tuple[str, ...], arch: tuple[str, ...], caps: Any, verbose: bool) -> None:
    """Show what becomes of SYSCALL under PROFILE, and which rule says so, on each architecture.

    With ARGS (numbers; those that are missing are 0) the decision; without, all conditions of its rules.
    """
    if not any(name in each.numbers or name in each.multiplexed for each in PLATFORMS.values()):
        raise UsageError(f"no system call is named {name!r} on x86_64, i386 or arm64")
    if len(args) > 6:
        raise UsageError("a system call has at most 6 arguments")
    values = [_number(arg) for arg in args]
    for each in arch or ARCH.choices:
        platform = PLATFORMS[each]
        policy = policy_of(profile, each, caps)
        for line in _explained(policy, platform, name, values):
            click.echo(f"{each}: {line}")
        if verbose:
            _list_ignored(policy)


@seccomp.command("compile")
@profile_options
@click.option("--arch", type=ARCH, default="x86_64", show_default=True, help="Architecture of the host.")
@click.argument("profile")
def compile_command(profile: str, arch: str, caps: Any, verbose: bool) -> None:
    """Print PROFILE as the classic BPF that seccomp(2) takes, disassembled."""
    policy = policy_of(profile, arch, caps)
    if verbose:
        _list_ignored(policy)
    for line in disassemble(compile_policy(policy)):
        click.echo(line)


def _number(text: str) -> int:
    try:
        value = int(text, 0)
    except ValueError:
        raise UsageError(f"{text}: expected a number") from None
    if not -(1 << 63) <= value < 1 << 64:
        raise UsageError(f"{text}: does not fit 64 bits")
    return value & (1 << 64) - 1


def _list_ignored(policy: Policy) -> None:
    for what, names in (
        ("calls that none of our architectures has", policy.unknown),
        ("architectures", policy.ignored),
    ):
        if names:
            click.echo(f"ignored {what}: {', '.join(names)}", err=True)


def _explained(policy: Policy, platform: Platform, name: str, values: list[int]) -> list[str]:
    """The direct call first, then the one through socketcall or ipc, which has its own arguments."""
    lines = []
    if name in platform.numbers:
        number = platform.numbers[name]
        shown = f"{name}({', '.join(f'{value:#x}' if value > 9 else str(value) for value in values)})"
        if values:
            decision = policy.decide(platform.audit, number, [*values, *[0] * (6 - len(values))])
            lines.append(f"{shown}: {_reason(decision)}")
        else:
            lines += [f"{name}: {line}" for line in _all(policy, platform, number)]
    if name in platform.multiplexed:
        lines += _through(policy, platform, name)
    return lines or [f"{name}: there is no such call"]


def _all(policy: Policy, platform: Platform, number: int) -> list[str]:
    """Every rule of a call, with its conditions."""
    table = policy.table(platform.audit, number)
    chain = table.chains.get(number, []) if table is not None else []
    if not chain or not chain[0].conditions or policy.beyond(platform.audit, number):
        return [_reason(policy.decide(platform.audit, number, [0] * 6))]
    return [*map(_conditional, chain), f"otherwise {verdict_text(policy.default)}: the profile's default"]


def _through(policy: Policy, platform: Platform, name: str) -> list[str]:
    other, call = platform.multiplexed[name]
    number = platform.numbers[other]
    decision = policy.decide(platform.audit, number, [call, 0, 0, 0, 0, 0])
    lines = [f"{other}({call}) = {name}: {_reason(decision)}"]
    table = policy.table(platform.audit, number)
    chain = table.chains.get(number, []) if table is not None else []
    lost = any(each.lost_first and each.conditions[0].value == call for each in chain)
    if lost or (chain and not chain[0].conditions and name in _conditioned(policy)):
        lines.append(f"weakened: through {other}, the profile's condition on {name}'s arguments is not checked")
    return lines


def _conditioned(policy: Policy) -> set[str]:
    return {name for rule in policy.rules if rule.conditions for name in rule.names}


def _conditional(alternative: Alternative) -> str:
    conditions = " and ".join(map(str, alternative.conditions))
    return f"{verdict_text(alternative.verdict)} if {conditions}: {_place(alternative)}"


def _place(alternative: Alternative) -> str:
    rule = alternative.rule
    names = ", ".join(rule.names[:3]) + (", ..." if len(rule.names) > 3 else "")
    return f"syscalls[{rule.index}] ({names})" + (f": {rule.comment}" if rule.comment else "")


def _reason(decision: Decision) -> str:
    why = decision.reason if decision.alternative is None else _place(decision.alternative)
    return f"{verdict_text(decision.verdict)}: {why}"
