"""syscalls/linux/unimplemented.txt names what has no handler, and nothing else."""

from __future__ import annotations

import pytest

from syscalls import spec as specs
from syscalls.abi.arch import ARCHES
from syscalls.abi.numbers import NUMBER
from syscalls.linux.unimplemented import declare, lines


@pytest.mark.parametrize("line", lines(), ids=lambda line: line.partition("(")[0])
def test_a_line_goes_when_its_handler_comes(line):
    declared = declare(line)
    name = declared.name
    arches = [arch for arch in declared.only or ARCHES.values() if name in NUMBER[arch.name]]
    assert arches, f"{name} has no number there"
    found = [specs.specs(arch)[name] for arch in arches]
    assert any(spec.weak for spec in found), f"{name} has a handler on {', '.join(map(str, arches))}"
