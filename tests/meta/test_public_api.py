"""The public names are there, and nothing private is offered."""

import emu


def test_every_public_name_can_be_had() -> None:
    for name in emu.__all__:
        assert getattr(emu, name) is not None
        assert getattr(emu, name).__doc__
