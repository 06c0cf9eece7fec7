"""ptrace(2) of the host: a typed binding (`Tracee`), and a tracer that tells the events of emu.trace.

from emu.ptrace import Tracee

child = Tracee.start("/bin/true")
"""

from __future__ import annotations

from emu.ptrace.info import Kind, Op, Stop, SyscallInfo
from emu.ptrace.tracee import Tracee

__all__ = ["Kind", "Op", "Stop", "SyscallInfo", "Tracee"]
