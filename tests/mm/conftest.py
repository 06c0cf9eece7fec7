from __future__ import annotations

import pytest
from fakes import FakeMmu, FakeRam

from syscalls.abi.arch import X86_64
from syscalls.mm.space import AddressSpace


@pytest.fixture
def ram():
    return FakeRam()


@pytest.fixture
def mmu():
    return FakeMmu()


@pytest.fixture
def space(ram, mmu):
    return AddressSpace(X86_64, ram, mmu)
