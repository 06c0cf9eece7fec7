"""personality(2): which system's habits a program expects (linux/personality.h)."""

from __future__ import annotations

from typing import Annotated

from syscalls.abi.kinds import FlagsKind, HexResult
from syscalls.abi.process import PERSONALITY
from syscalls.kernel.task import Task
from syscalls.spec import syscall

Persona = Annotated[int, FlagsKind(PERSONALITY)]
QUERY = 0xFFFFFFFF


@syscall(partial="The value is kept; of its effects only uname(2)'s machine under PER_LINUX32 is there.")
def personality(task: Task, persona: Persona) -> HexResult:
    """Set the execution domain; the previous one (personality(2))."""
    old = task.personality
    if persona != QUERY:
        task.personality = persona
    return old
