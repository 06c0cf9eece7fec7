"""Make two strace texts comparable: what differs from run to run gets a name, by order of appearance.

Only these are renamed, everything else must be the same character for character:

- addresses: hexadecimal numbers from 0x10000 on (below is nothing but flags, and wild pointers of the samples) -> @1,
  @2 ...; the same address is always the same name, so that a mapping that moves or a pointer mixed up still shows;
- the process's own id, where a call returns or takes one -> PID, and its relations -> ID;
- inodes of pipes (-y) -> pipe:[#1] ..., and of files that never had a name -> /#1 ...;
- the program's path in execve.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_STRING = re.compile(r'("(?:[^"\\]|\\.)*")')
_ADDRESS = re.compile(r"\b0x[0-9a-f]{5,}\b")
_PIPE = re.compile(r"(pipe|socket):\[\d+\]")
_NAMELESS = re.compile(r"/#\d+(?=>\(deleted\))")
_OWN = re.compile(r"^((?:set_tid_address|getpid|gettid)\(.*\)\s+= )\d+$")
_RELATED = re.compile(r"^((?:getppid|getpgrp|getpgid|getsid)\(.*\)\s+= )\d+$")
_TARGET = re.compile(r"^(kill|tkill|tgkill)\(.*(?=, )")  # all arguments but the signal
_SENDER = re.compile(r"\bsi_pid=\d+")
_EXECVE = re.compile(r'^execve\("[^"]*", \["[^"]*"')


class _Names:
    """Names given in order of first appearance."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.known: dict[str, str] = {}

    def __call__(self, match: re.Match[str]) -> str:
        return self.known.setdefault(match.group(), self.pattern % (len(self.known) + 1))


def _target(match: re.Match[str]) -> str:
    return re.sub(r"(?<![-\d])[1-9]\d*", "PID", match.group())


def normalize(text: str) -> list[str]:
    """The lines of a trace, with names for what cannot be the same twice, and single spaces before the result."""
    return list(_lines(text))


def _lines(text: str) -> Iterator[str]:
    address, pipe, nameless = _Names("@%d"), _Names("pipe:[#%d]"), _Names("/#%d")
    for raw in text.splitlines():
        line = _EXECVE.sub('execve("PROGRAM", ["PROGRAM"', raw)
        line = _OWN.sub(r"\1PID", line)
        line = _RELATED.sub(r"\1ID", line)
        line = _TARGET.sub(_target, line)
        line = _SENDER.sub("si_pid=PID", line)
        pieces = _STRING.split(line)  # strings at odd places stay as they are
        pieces[::2] = [_NAMELESS.sub(nameless, _PIPE.sub(pipe, _ADDRESS.sub(address, piece))) for piece in pieces[::2]]
        yield re.sub(r"\)\s+= ", ") = ", "".join(pieces))
