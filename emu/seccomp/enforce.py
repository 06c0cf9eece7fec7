"""A profile as the filter of a run."""

from __future__ import annotations

from collections.abc import Callable

from emu.seccomp.compile import compile_policy
from emu.seccomp.platform import PLATFORMS, Platform
from emu.seccomp.policy import DOCKER_CAPABILITIES, Host, Policy
from emu.seccomp.profile import Profile, load
from syscalls.abi.arch import Arch
from syscalls.kernel.bpf import Instruction

#: Where the programs of a platform run: i386's on an x86_64 host.
HOST_OF = {"x86_64": "x86_64", "i386": "x86_64", "x32": "x86_64", "arm64": "arm64"}


def policy_for(profile: Profile, platform: Platform, capabilities: frozenset[str] = frozenset()) -> Policy:
    """The policy that programs of a platform meet where docker starts them, with more capabilities than its own."""
    return Policy(profile, Host(PLATFORMS[HOST_OF[platform.name]], DOCKER_CAPABILITIES | capabilities))


def container_filter(path: str) -> Callable[[Arch], list[Instruction]]:
    """Read a profile, at once; what is returned makes its filter when the program's architecture is known."""
    profile = load(path)
    return lambda arch: compile_policy(policy_for(profile, PLATFORMS[arch.name]))
