"""Profiles: what becomes of a call, as runc and libseccomp have it, and the compiled filter's agreement."""

import json
import random
from pathlib import Path

import pytest

from emu.seccomp.compile import compile_policy, disassemble
from emu.seccomp.platform import AARCH64, AMD64, PLATFORMS, X32_BIT, X86
from emu.seccomp.policy import DOCKER_CAPABILITIES, Host, Policy
from emu.seccomp.profile import ACTIONS, OPERATORS, ProfileError, load, parse
from syscalls.abi.ptrace import SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_THREAD
from syscalls.kernel import bpf

DATA = Path(__file__).with_name("data")
EPERM, ENOSYS = SECCOMP_RET_ERRNO | 1, SECCOMP_RET_ERRNO | 38
ALLOW = "SCMP_ACT_ALLOW"


def profile(*rules, **top):
    return parse(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": list(rules), **top}))


def rule(*names, action=ALLOW, args=(), **more):
    keys = ("index", "op", "value", "valueTwo")
    parsed = [dict(zip(keys, (arg[0], f"SCMP_CMP_{arg[1]}", *arg[2:]), strict=False)) for arg in args]
    return {"names": list(names), "action": action, "args": parsed, **more}


def decide(loaded, name, *args, platform=AMD64, host=None):
    policy = Policy(loaded, host or Host(platform))
    return policy.decide(platform.audit, platform.numbers[name], [*args, *[0] * (6 - len(args))])


@pytest.fixture(scope="module")
def docker():
    return load(str(DATA / "docker-default.json"))


@pytest.mark.parametrize(
    ("call", "args", "verdict", "index"),
    [
        ("read", (), SECCOMP_RET_ALLOW, 0),
        ("socket", (37,), SECCOMP_RET_ALLOW, None),
        ("socket", (38,), EPERM, None),
        ("socket", (40,), EPERM, None),
        ("socket", (41,), SECCOMP_RET_ALLOW, None),
        ("personality", (0x20008,), SECCOMP_RET_ALLOW, None),
        ("personality", (7,), EPERM, None),
        ("clone", (0x11,), SECCOMP_RET_ALLOW, None),
        ("clone", (0x10000011,), EPERM, None),
        ("clone3", (), ENOSYS, None),
        ("ptrace", (), SECCOMP_RET_ALLOW, None),
        ("io_uring_setup", (), EPERM, None),
        ("mount", (), EPERM, None),
    ],
)
def test_docker_decides(docker, call, args, verdict, index):
    decision = decide(docker, call, *args)
    assert decision.verdict == verdict
    assert index is None or decision.rule.index == index


def test_docker_with_capabilities(docker):
    host = Host(capabilities=DOCKER_CAPABILITIES | {"CAP_SYS_ADMIN"})
    assert decide(docker, "mount", host=host).verdict == SECCOMP_RET_ALLOW
    assert decide(docker, "clone3", host=host).verdict == SECCOMP_RET_ALLOW


def test_docker_arches_and_kernels(docker):
    assert "arch_prctl" not in {n for r in Policy(docker, Host(AARCH64)).rules for n in r.names}
    assert decide(docker, "arch_prctl").verdict == SECCOMP_RET_ALLOW
    assert decide(docker, "ptrace", host=Host(kernel=(4, 7))).verdict == EPERM


def test_old_form_has_only_its_own_architecture():
    policy = Policy(load(str(DATA / "chrome.json")))
    assert policy.decide(AMD64.audit, AMD64.numbers["read"]).verdict == SECCOMP_RET_ALLOW
    assert policy.decide(X86.audit, X86.numbers["read"]).verdict == SECCOMP_RET_KILL_THREAD


def test_an_index_that_comes_twice_means_or():
    loaded = profile(rule("socket", args=[(0, "EQ", 1), (0, "EQ", 2)]))
    assert [decide(loaded, "socket", family).verdict for family in (1, 2, 3)] == [SECCOMP_RET_ALLOW] * 2 + [EPERM]


def test_several_indexes_mean_and():
    loaded = profile(rule("socket", args=[(0, "EQ", 1), (1, "EQ", 2)]))
    assert decide(loaded, "socket", 1, 2).verdict == SECCOMP_RET_ALLOW
    assert decide(loaded, "socket", 1, 1).verdict == EPERM


@pytest.mark.parametrize("order", [1, -1])
def test_unconditional_beats_conditional_in_any_order(order):
    rules = [rule("socket", args=[(0, "LT", 10)]), rule("socket", action="SCMP_ACT_ERRNO", errnoRet=38)]
    assert decide(profile(*rules[::order]), "socket", 1).verdict == ENOSYS


def test_of_two_unconditional_rules_the_first_stays():
    loaded = profile(rule("socket"), rule("socket", action="SCMP_ACT_TRAP"))
    assert decide(loaded, "socket").rule.index == 0


def test_a_rule_that_says_the_default_is_no_rule():
    loaded = profile(rule("socket", action="SCMP_ACT_ERRNO", errnoRet=1), rule("socket"))
    assert decide(loaded, "socket").verdict == SECCOMP_RET_ALLOW


def test_i386_loses_the_first_argument():
    loaded = profile(rule("socket", args=[(0, "LT", 38)]), architectures=["SCMP_ARCH_X86"])
    assert decide(loaded, "socket", 40, platform=X86, host=Host()).verdict == EPERM
    decision = decide(loaded, "socketcall", 1, platform=X86, host=Host())
    assert decision.verdict == SECCOMP_RET_ALLOW
    assert decision.alternative.lost_first
    assert decide(loaded, "socketcall", 2, platform=X86, host=Host()).verdict == EPERM


def test_i386_ipc():
    loaded = profile(rule("semop"), architectures=["SCMP_ARCH_X86"])
    assert decide(loaded, "ipc", 1, platform=X86, host=Host()).verdict == SECCOMP_RET_ALLOW
    assert decide(loaded, "ipc", 2, platform=X86, host=Host()).verdict == EPERM


def test_32_bit_programs_compare_low_halves():
    loaded = profile(rule("read", args=[(0, "EQ", 1)]), architectures=["SCMP_ARCH_X86"])
    assert decide(loaded, "read", 1 << 32 | 1, platform=X86, host=Host()).verdict == SECCOMP_RET_ALLOW
    assert decide(loaded, "read", 1 << 32 | 1).verdict == EPERM


def test_newer_than_the_profile_is_enosys():
    policy = Policy(profile(rule("read", "write")))
    assert policy.decide(AMD64.audit, 2).verdict == ENOSYS
    assert policy.decide(AMD64.audit, X32_BIT).verdict == ENOSYS
    assert (
        Policy(profile(rule("read", action="SCMP_ACT_TRAP"), defaultAction=ALLOW)).decide(AMD64.audit, 2).verdict
        == SECCOMP_RET_ALLOW
    )


def test_unknown_names_are_kept_and_listed():
    policy = Policy(profile(rule("read", "accept6")))
    assert policy.unknown == ["accept6"]
    assert policy.profile.rules[0].names == ("read", "accept6")


def same_as_compiled(policy, count, chance):
    """Compare the policy with its own filter in our interpreter; how many calls were compared."""
    program = compile_policy(policy)
    bpf.check(program)
    assert len(list(disassemble(program))) == len(program)
    interesting = [0, 1, 2, 8, 37, 38, 39, 40, 41, 0x20008, 0x7E020000, 0xFFFFFFFF, 1 << 32, (1 << 64) - 1]
    interesting += [c.value + d for r in policy.rules for c in r.conditions for d in (-1, 0, 1, 1 << 32)]
    numbers = sorted({number for table in policy.tables.values() for number in table.chains})
    for _ in range(count):
        audit = chance.choice([AMD64.audit, X86.audit, AARCH64.audit, 0x40000028])
        number = chance.choice(numbers or [0]) if chance.random() < 0.8 else chance.choice(
            [chance.randrange(600), X32_BIT | chance.randrange(600), 0xFFFFFFFF, 0xFFFFFFFE, X32_BIT - 1]
        )  # fmt: skip
        args = [chance.choice(interesting) & (1 << 64) - 1 for _ in range(6)]
        signed = number - (number >> 31 << 32)
        expected = policy.decide(audit, number, args)
        assert bpf.run(program, bpf.DATA.pack(signed, audit, 0, *args)) == expected.verdict, (audit, number, args)
    return count


@pytest.mark.parametrize("host", [AMD64, AARCH64], ids=lambda each: each.name)
def test_dockers_filter_agrees_with_the_policy(docker, host):
    assert same_as_compiled(Policy(docker, Host(host)), 4000, random.Random(1)) == 4000


@pytest.mark.parametrize("seed", range(40))
def test_random_filters_agree_with_the_policy(seed):
    chance = random.Random(seed)
    names = sorted({*chance.sample(sorted(AMD64.numbers), 6), "socket", "semop", "clone", *AARCH64.numbers})[::17]
    rules, used = [], set()
    for _ in range(chance.randrange(1, 12)):
        args = [
            (chance.randrange(6), op, chance.choice([0, 1, 38, 0x7E020000, 1 << 32 | 5, (1 << 64) - 1]), 0)
            for op in chance.choices([name.removeprefix("SCMP_CMP_") for name in OPERATORS], k=chance.randrange(4))
        ]
        action = chance.choice([name for name in ACTIONS if name != "SCMP_ACT_NOTIFY"])
        rules.append(rule(*chance.sample([*names, "socket", "semop"], 3), args=args, action=action))
        used.add(action)
    architectures = chance.sample([each.scmp for each in PLATFORMS.values()], chance.randrange(4))
    default = chance.choice(["SCMP_ACT_ERRNO", ALLOW, "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_LOG"])
    loaded = profile(*rules, defaultAction=default, architectures=architectures)
    try:
        policy = Policy(loaded)
    except ProfileError as error:
        assert "the same condition as" in str(error)  # noqa: PT017  # chance made a contradiction
        return
    assert same_as_compiled(policy, 200, chance) == 200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON: line 1, column 2: "),
        ("[]", "profile: expected an object"),
        ('{"defaultAction": "ALLOW"}', "defaultAction: unknown action 'ALLOW'"),
        ('{"syscalls": [{"names": ["read"]}]}', "defaultAction: action is missing"),
        ('{"defaultAction": 3}', "defaultAction: expected a string"),
        ('{"defaultAction": "SCMP_ACT_NOTIFY"}', "defaultAction: SCMP_ACT_NOTIFY cannot be the default"),
        ('{"architectures": ["X86"]}', "architectures[0]: unknown architecture 'X86'"),
        ('{"flags": ["TSYNC"]}', "flags[0]: unknown flag 'TSYNC'"),
        (
            '{"architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86"}]}',
            "archMap: cannot be used together with architectures",
        ),
    ],
)
def test_bad_profiles(text, message):
    with pytest.raises(ProfileError) as caught:
        parse(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": []}, "syscalls[0].names: a rule needs at least one name"),
        ({"names": "read"}, "syscalls[0].names: expected a list"),
        ({"names": [1]}, "syscalls[0].names[0]: expected a string"),
        ({"name": "read"}, "syscalls[0].name: cannot be used together with names"),
        ({"action": "SCMP_ACT_NO"}, "syscalls[0].action: unknown action 'SCMP_ACT_NO'"),
        ({"errnoRet": -1}, "syscalls[0].errnoRet: expected a number from 0 to 65535"),
        ({"args": [{"index": 6, "op": "SCMP_CMP_EQ"}]}, "syscalls[0].args[0].index: expected a number from 0 to 5"),
        ({"args": [{"index": 0, "op": "EQ"}]}, "syscalls[0].args[0].op: unknown operator 'EQ'"),
        ({"args": [{"op": "SCMP_CMP_EQ", "value": True}]}, "syscalls[0].args[0].value: expected a number"),
        ({"includes": {"minKernel": "4"}}, "syscalls[0].includes.minKernel: expected a version K.M, not '4'"),
        ({"excludes": []}, "syscalls[0].excludes: expected an object"),
    ],
)
def test_bad_rules(change, message):
    with pytest.raises(ProfileError) as caught:
        profile({**rule("read"), "errnoRet": 1, **change})
    assert str(caught.value).startswith(message)


def test_the_same_condition_with_another_action():
    args = [(0, "EQ", 1)]
    with pytest.raises(ProfileError, match=r"syscalls\[1\]: the same condition as syscalls\[0\]"):
        Policy(profile(rule("read", args=args), rule("read", args=args, action="SCMP_ACT_TRAP")))
