"""The native side of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.errors import UsageError

if TYPE_CHECKING:
    from emu.config import Config
    from emu.trace.options import TraceOptions
    from emu.trace.recording import Recording


def record_native(config: Config, stdin: bytes, options: TraceOptions) -> Recording:
    """Run the program on Linux, watched through ptrace, with the same arguments, environment and input."""
    del stdin, options
    raise UsageError(f"{config.program}: comparing with a native run needs the native tracer, which is not there yet")
