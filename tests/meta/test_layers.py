"""The law of the house: emu drives syscalls, never the other way round, and each floor knows only those below it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Highest first. A module may import its own floor and those below.
FLOORS = [
    {"emu.cli", "emu.__main__"},
    {"emu.sandbox", "emu.tables"},
    {"emu.programs", "emu.stdio"},
    {"emu.loop", "emu.world"},
    {"emu"},
    {"syscalls.linux"},
    {"syscalls.kernel", "syscalls.mm", "syscalls.fs", "syscalls.net"},
    {"syscalls.spec"},
    {"syscalls.abi"},
]
#: Ports and wait queues are the words that all of a kernel's rooms share.
COMMON = ("syscalls.kernel.ports", "syscalls.kernel.wait")
HOST_MODULES = {"os", "time", "socket", "random", "select", "signal", "subprocess", "threading", "ctypes", "mmap"}
ONLY_IN = {"ctypes": ("emu.engine", "emu.libc", "emu.memory", "emu.ptrace.libc"), "unicorn": ("emu.engine",)}
GENERATORS = {"syscalls.abi.generate", "syscalls.abi.layouts"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for top in ("emu", "syscalls") for path in sorted((ROOT / top).rglob("*.py"))}


def imports(path: Path) -> set[str]:
    """Modules that are imported when the code runs, inside functions too, but not for type checking only."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            known = submodules & SOURCES.keys()
            found.update(known or {node.module})
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def floor(module: str) -> int:
    best = max((name for names in FLOORS for name in names if module == name or module.startswith(name + ".")), key=len)
    return next(index for index, names in enumerate(FLOORS) if best in names)


@pytest.mark.parametrize("module", [name for name in SOURCES if name != "syscalls"])
def test_module_imports_only_its_own_floor_and_below(module: str) -> None:
    for imported in imports(SOURCES[module]):
        if imported.split(".")[0] in {"emu", "syscalls"} and imported not in {"emu", "syscalls", *COMMON}:
            assert floor(imported) >= floor(module), f"{module} imports {imported}"


@pytest.mark.parametrize(("room", "stranger"), [("syscalls.mm", "syscalls.fs"), ("syscalls.fs", "syscalls.mm")])
def test_memory_and_files_do_not_know_each_other(room: str, stranger: str) -> None:
    for module, path in SOURCES.items():
        if module.startswith(room):
            assert not [name for name in imports(path) if name.startswith(stranger)], module


def test_the_kernel_asks_the_host_for_nothing_but_through_ports() -> None:
    for module, path in SOURCES.items():
        if module.startswith("syscalls") and module not in GENERATORS:
            assert not imports(path) & HOST_MODULES, module


@pytest.mark.parametrize(("library", "homes"), ONLY_IN.items())
def test_library_stays_in_its_place(library: str, homes: tuple[str, ...]) -> None:
    for module, path in SOURCES.items():
        if any(name.split(".")[0] == library for name in imports(path)):
            assert module.startswith(homes), module
