"""`trapeze seccomp`: what is printed."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from emu.cli import cli
from emu.errors import UsageError
from emu.seccomp.profile import ProfileError

DOCKER = str(Path(__file__).with_name("data") / "docker-default.json")


def lines(*args):
    result = CliRunner().invoke(cli, ["seccomp", *args], catch_exceptions=False, standalone_mode=False)
    return result.output.splitlines()


def test_explain_a_decision():
    assert lines("explain", "--arch", "x86_64", DOCKER, "socket", "38", "3", "0") == [
        "x86_64: socket(0x26, 3, 0): ERRNO(1): the profile's default"
    ]
    assert lines("explain", "--arch", "arm64", DOCKER, "read", "1") == [
        "arm64: read(1): ALLOW: syscalls[0] (accept, accept4, access, ...)"
    ]


def test_explain_all_conditions_and_what_i386_loses():
    x86_64, i386 = (lines("explain", "--arch", arch, DOCKER, "socket") for arch in ("x86_64", "i386"))
    assert x86_64[0].startswith("x86_64: socket: ALLOW if a0 < 0x26: syscalls[")
    assert x86_64[-1] == "x86_64: socket: otherwise ERRNO(1): the profile's default"
    assert any(line.startswith("i386: socketcall(1) = socket: ALLOW: syscalls[0]") for line in i386)
    assert i386[-1].startswith("i386: weakened: ")


def test_compile_is_disassembled():
    code = lines("compile", DOCKER)
    assert code[0] == "0000: ld   arch"
    assert code[1] == "0001: jeq  0xc000003e (x86_64), 0003, 0002"
    assert code[-1].endswith(": ret  KILL_THREAD")


def test_ignored_names_are_listed(tmp_path):
    path = tmp_path / "profile.json"
    path.write_text('{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"name":"accept6","action":"SCMP_ACT_ALLOW"}]}')
    assert "ignored calls that none of our architectures has: accept6" in lines("compile", "-v", str(path))


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (("explain", "no.json", "read"), ProfileError, "no.json: No such file or directory"),
        (("explain", DOCKER, "accept6"), UsageError, "no system call is named 'accept6'"),
        (("explain", DOCKER, "read", "x"), UsageError, "x: expected a number"),
        (("explain", DOCKER, "read", *"1234567"), UsageError, "at most 6 arguments"),
    ],
)
def test_bad_input(args, error, message):
    with pytest.raises(error, match=message):
        lines(*args)
