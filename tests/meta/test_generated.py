"""Generated files are fresh."""

from pathlib import Path

from syscalls.linux import generate

ROOT = Path(__file__).parents[2]


def test_homes_of_the_handlers_are_fresh() -> None:
    path = ROOT / "syscalls" / "linux" / "homes.py"
    assert path.read_text(encoding="ascii") == generate.render(), "run: python -m syscalls.linux.generate"


def test_support_table_is_fresh() -> None:
    from emu import tables

    path = ROOT / "docs" / "syscalls.md"
    assert path.read_text(encoding="utf-8") == tables.support_markdown(), "run: make docs"
