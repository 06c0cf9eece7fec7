"""What to trace and how to show it: strace's options as one immutable object."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from emu.trace.select import ALL, Selection


class Clock(Enum):
    """Prefix of every line."""

    NONE = ""
    SECONDS = "-t"  # 12:34:56
    MICROSECONDS = "-tt"  # 12:34:56.123456
    EPOCH = "-ttt"  # 1700000000.123456
    RELATIVE = "-r"  # time since the previous line


class Names(Enum):
    """How numbers that have names are shown (-X)."""

    ABBREV = "abbrev"
    RAW = "raw"
    VERBOSE = "verbose"


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """Defaults are strace's."""

    trace: Selection = ALL  # -e trace=
    signals: Selection = ALL  # -e signal=
    status: frozenset[str] | None = None  # -e status=: successful, failed, unfinished, unavailable, detached; None: all
    quiet: frozenset[str] = (
        frozenset()
    )  # -e quiet=: exit, personality, attach, superseded, thread-exit, path-resolution
    raw: Selection | None = None  # -e raw=
    verbose: Selection = ALL  # -e verbose=: whose structures are shown at all
    abbreviate: bool = True  # -v turns it off
    abbrev: Selection = ALL  # -e abbrev=: whose structures are shown short
    dump_read: frozenset[int] | None = frozenset()  # -e read=: descriptors whose data are dumped; None: all
    dump_write: frozenset[int] | None = frozenset()  # -e write=
    only_paths: frozenset[bytes] = frozenset()  # -P: only calls that have to do with these
    string_limit: int = 32  # -s
    hex_strings: int = 0  # -x: strings with unprintable bytes, -xx: all
    names: Names = Names.ABBREV  # -X
    paths: bool = False  # -y
    clock: Clock = Clock.NONE
    relative: bool = False  # -r with -t: the time since the previous line too
    number: bool = False  # -n: the number of the call
    pointer: bool = False  # -i: where in the program it was made
    duration: bool = False  # -T
    column: int = 40  # -a
    always_pid: bool = False  # --always-show-pid, and -f -o FILE
    pid_column: bool = False  # a bare number instead of [pid N]: -o FILE
    separately: bool = False  # -ff: every task has a file of its own
    colour: bool = False
