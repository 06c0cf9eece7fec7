"""Colours of the text, for terminals only (NO_COLOR: https://no-color.org)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Palette:
    """Escape sequences before a call's name, an error, a signal; and behind them. Empty: no colours."""

    name: str = ""
    error: str = ""
    signal: str = ""
    end: str = ""

    @classmethod
    def of(cls, *, colour: bool) -> Palette:
        """The colours, or none."""
        return cls("\033[36m", "\033[31m", "\033[33m", "\033[0m") if colour else cls()


def wanted(out: TextIO, environment: Mapping[str, str]) -> bool:
    """Is `out` a terminal whose user has not declined colours?"""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb" and out.isatty()
