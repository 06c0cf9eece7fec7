"""What a run may see, use and spend."""

from __future__ import annotations

from dataclasses import dataclass, field

DEFAULT_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}


@dataclass(frozen=True, slots=True)
class Bind:
    """A host directory or file shown in the guest, as with docker's -v."""

    host: str
    guest: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one run; everything that is not named here stays out of the guest's reach."""

    program: str
    args: tuple[str | bytes, ...] = ()
    env: dict[str, str] = field(default_factory=dict)  # the guest's whole environment
    cwd: str = "/"
    root: str | None = None  # host directory under the copy-on-write root; None: the small built-in root
    binds: tuple[Bind, ...] = ()
    uid: int = 0
    gid: int = 0
    memory: int = 4 << 30  # bytes of guest RAM, page cache included
    argv0: str | None = None
    seed: int | None = None  # a deterministic run with this seed; None: with the host's clock and chance
    max_tasks: int = 4096  # threads and processes at one time
    seccomp: str | None = None  # a container profile (JSON) that is enforced from the first instruction on
    make_cwd: bool = False  # make the working directory if it is not there
