# ruff: noqa: T201  # a command line
"""Hunt: `python -m tests.differential --seed 1 --count 1000 --area files --arch i386`, or run and record cases.

Without --area all areas are searched. Each difference is shrunk and printed, each kind once; the exit status says
whether there were any. `--record FILE...` writes what Linux says into case files.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from syscalls.abi.arch import ARCHES
from tests.differential.areas import AREAS
from tests.differential.cases import record
from tests.differential.generate import generate
from tests.differential.hunt import compare, shrink, unknown
from tests.differential.run import why_not_native

BATCH = 400


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000, help="sequences in each area")
    parser.add_argument("--arch", choices=["x86_64", "i386"], default="x86_64")
    parser.add_argument("--area", choices=sorted(AREAS), action="append")
    parser.add_argument("--most", type=int, default=8, help="differences to shrink in a batch")
    parser.add_argument("--record", nargs="+", type=Path, metavar="FILE")
    options = parser.parse_args()
    arch = ARCHES[options.arch]
    if reason := why_not_native(arch):
        print(f"cannot compare: {reason}", file=sys.stderr)
        return 2
    if options.record:
        for path in options.record:
            record(path, arch)
        return 0
    found = ran = 0
    begin = time.monotonic()
    for area in options.area or AREAS:
        known: set[tuple[str, str, str]] = set()
        for start in range(0, options.count, BATCH):
            scripts = generate(area, options.seed * 1000 + start // BATCH, min(BATCH, options.count - start))
            ran += len(scripts)
            shrunk = 0
            for difference in unknown(compare(scripts, arch)):
                if difference.kind() in known or shrunk >= options.most:
                    continue
                if not (sure := unknown(compare([difference.script], arch, patient=True))):
                    continue
                shrunk += 1
                known.add(difference.kind())
                small = shrink(sure[0], arch)
                if small.kind() in known and small.kind() != difference.kind():
                    continue
                known.add(small.kind())
                found += 1
                print(f"--- {area} {arch.name}\n{small}\n", flush=True)
    print(f"{ran} sequences in {time.monotonic() - begin:.0f} s, {found} kinds of difference", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
