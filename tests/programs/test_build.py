"""The committed binaries of the samples belong to the committed sources, and every program has a case."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from elftools.elf.elffile import ELFFile
from sample_cases import CASES, SAMPLES


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("samples_build", SAMPLES / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = _load()
MACHINES = {"x86_64": "EM_X86_64", "i386": "EM_386", "arm64": "EM_AARCH64"}


def test_the_binaries_are_those_of_the_sources() -> None:
    assert sorted(build.binaries().values()) == sorted(path for path in (SAMPLES / "bin").rglob("*") if path.is_file())


@pytest.mark.parametrize(("name", "arch"), build.binaries(), ids="-".join)
def test_a_binary_is_static_and_small(name: str, arch: str) -> None:
    path = build.binaries()[name, arch]
    assert path.stat().st_size < 100_000
    with path.open("rb") as file:
        elf = ELFFile(file)
        assert elf["e_machine"] == MACHINES[arch]
        assert elf["e_type"] == ("ET_DYN" if name.endswith("-pie") else "ET_EXEC")
        assert not any(segment["p_type"] == "PT_INTERP" for segment in elf.iter_segments())


def test_every_program_has_a_case_and_every_case_a_program() -> None:
    assert {(case.program, arch) for case in CASES for arch in case.arches} == set(build.binaries())


def test_case_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def _compiler() -> str | None:
    try:
        return importlib.metadata.version("ziglang")
    except importlib.metadata.PackageNotFoundError:
        return None


@pytest.mark.skipif(_compiler() != build.ZIG, reason=f"needs ziglang {build.ZIG}")
@pytest.mark.parametrize("arch", build.TARGETS)
def test_building_again_gives_the_same_bytes(arch: str, tmp_path: Path) -> None:
    """A program without a C library, which builds in a fraction of a second."""
    build.build(*build.sources()["copy"], arch, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == build.binaries()["copy", arch].read_bytes()
