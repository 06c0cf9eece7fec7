"""Make `layout_offsets.tsv`, what a C compiler thinks of the structs: `python -m syscalls.abi.layouts`.

It compiles layouts.c for each architecture with the PyPI package `ziglang` (a cross compiler with Linux's headers) and
reads the table out of the object file; no foreign code runs. Tests hold the declarations in `structs` against it.
"""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from elftools.elf.elffile import ELFFile

from syscalls.abi.generate import VERSION_HEADER, package_dir, provenance

SOURCE = Path(__file__).with_name("layouts.c")
TABLE = Path(__file__).with_name("layout_offsets.tsv")

#: Architecture -> the compiler's target, and its directory of kernel headers.
TARGETS = {
    "x86_64": ("x86_64-linux-musl", "x86-linux-any"),
    "i386": ("x86-linux-musl", "x86-linux-any"),
    "arm64": ("aarch64-linux-musl", "aarch64-linux-any"),
}
_ROW = struct.Struct("<32s40sIII")
COLUMNS = ("arch", "struct", "size", "field", "offset", "field_size")


def compile_rows(package: Path, arch: str) -> list[tuple[str, int, str, int, int]]:
    """(struct, size, field, offset, size of the field) as the compiler lays them out on `arch`."""
    target, headers = TARGETS[arch]
    include = package / "lib/libc/include"
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "layouts.o"
        command = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-c", "-nostdinc", "-std=gnu2x", "-w"]
        command += ["-isystem", str(include / headers), "-isystem", str(include / "any-linux-any")]
        subprocess.run([*command, str(SOURCE), "-o", str(output)], check=True)  # noqa: S603  # our own command line
        with output.open("rb") as file:
            section = ELFFile(file).get_section_by_name("abi")
            assert section is not None  # layouts.c defines it
            data = section.data()
    return [
        (structure.rstrip(b"\0").decode(), size, field.rstrip(b"\0").decode(), offset, field_size)
        for structure, field, size, offset, field_size in _ROW.iter_unpack(data)
    ]


def generate(package: Path) -> str:
    """The text of layout_offsets.tsv."""
    lines = provenance(package, "python -m syscalls.abi.layouts", [VERSION_HEADER])
    lines.append(f"# and layouts.c {hashlib.sha256(SOURCE.read_bytes()).hexdigest()}")
    lines.append("\t".join(COLUMNS))
    for arch in TARGETS:
        lines += ["\t".join([arch, *map(str, row)]) for row in compile_rows(package, arch)]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the table next to this module."""
    package = package_dir()
    if package is None:
        sys.stderr.write("layouts: the compiler comes from the package ziglang: pip install ziglang\n")
        return 1
    TABLE.write_text(generate(package), encoding="ascii")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
