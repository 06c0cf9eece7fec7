"""Trapeze: run and trace static Linux programs on a kernel written in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emu.config import Bind
    from emu.errors import TrapezeError
    from emu.sandbox import Result, Sandbox

__all__ = ["Bind", "Result", "Sandbox", "TrapezeError"]

_HOMES = {"Bind": "emu.config", "Result": "emu.sandbox", "Sandbox": "emu.sandbox", "TrapezeError": "emu.errors"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the command line needs few of them."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'emu' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
