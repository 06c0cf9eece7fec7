"""`--seccomp FILE`: a profile is enforced on a run, as the kernel does."""

import json
from pathlib import Path

import pytest

from emu import Sandbox
from emu.seccomp.profile import ProfileError

SAMPLES = Path(__file__).parents[2] / "samples" / "bin"
DOCKER = Path(__file__).with_name("data") / "docker-default.json"
ARCHES = ("x86_64", "i386", "arm64")


def run(arch, program, profile, tmp_path):
    if isinstance(profile, dict):
        path = tmp_path / "profile.json"
        path.write_text(json.dumps(profile))
        profile = path
    return Sandbox(SAMPLES / arch / program, seccomp=profile).run(events=True)


def denying(name, action, **top):
    rule = {"names": [name], "action": action, **top}
    arches = ["SCMP_ARCH_X86", "SCMP_ARCH_X86_64"]
    return {"defaultAction": "SCMP_ACT_ALLOW", "architectures": arches, "syscalls": [rule]}


@pytest.mark.parametrize("arch", ARCHES)
def test_dockers_profile_lets_programs_run(arch):
    free = Sandbox(SAMPLES / arch / "hello").run()
    held = Sandbox(SAMPLES / arch / "hello", seccomp=DOCKER).run()
    assert (held.status, held.stdout) == (free.status, free.stdout)
    assert held.stdout


@pytest.mark.parametrize("arch", ARCHES)
def test_a_forbidden_call_fails_and_kills(arch, tmp_path):
    name = "write"
    used = [e for e in run(arch, "getppid", DOCKER, tmp_path).events if getattr(e, "name", "") == name]
    assert used, "the sample writes"
    silent = run(arch, "getppid", denying(name, "SCMP_ACT_ERRNO", errnoRet=13), tmp_path)
    assert silent.stdout == b""
    assert silent.signal is None
    for action in ("SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"):
        assert run(arch, "getppid", denying(name, action), tmp_path).status == 128 + 31


def test_an_architecture_that_is_not_listed(tmp_path):
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}
    assert run("i386", "hello", profile, tmp_path).status == 128 + 31
    assert run("x86_64", "hello", profile, tmp_path).status == 0


def test_a_bad_profile(tmp_path):
    with pytest.raises(ProfileError, match=r"profile.json: syscalls\[0\].action: unknown action 'NO'"):
        run("x86_64", "hello", denying("read", "NO"), tmp_path)
