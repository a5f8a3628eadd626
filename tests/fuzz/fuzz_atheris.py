"""Fuzzes a way in by what its inputs reach in the code: a mutation that reaches a new branch is mutated further.

From the repository root: python tests/fuzz/fuzz_atheris.py TARGET, where TARGET is a name of fuzz_targets.TARGETS, and
options of libFuzzer behind it: -runs=100000, -max_total_time=600. Needs the extra `test` and Atheris (pip install
atheris, on Linux). An input at fault goes to crash-ID in the current folder; the same command with that file in place
of the options reads it alone.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import atheris  # noqa: E402
from fuzz_mutations import mutate  # noqa: E402

# Numba can compile no bytecode with counters in it.
COMPILED = {"harmonizer.kernels", "harmonizer.loops", "harmonizer.thumbnail", "harmonizer.video.coding.planar"}
FILTERS = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.glob("whitebox_filters/**/*.py")}
EXCLUDED = [*COMPILED, *(FILTERS - {"whitebox_filters.lut"})]


def main() -> None:
    with atheris.instrument_imports(include=["harmonizer", "whitebox_filters"], exclude=EXCLUDED):
        import fuzz_targets

        if len(sys.argv) < 2 or sys.argv[1] not in fuzz_targets.TARGETS:
            raise SystemExit(f"name a target: {', '.join(fuzz_targets.TARGETS)}")
        target = fuzz_targets.TARGETS[sys.argv[1]]
        fuzz_targets.hurry()
        target.warm()
        fuzz_targets.limit_memory()

    def read(data: bytes) -> None:
        target(data)

    def change(data: bytes, most: int, seed: int) -> bytes:
        source = random.Random(seed)
        if source.random() < 0.5:
            return bytes(atheris.Mutate(data, most))
        return mutate([data], target.form, target.repair, source)[:most]

    options = sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        if all(option.startswith("-") for option in options):
            for number, data in enumerate(target.corpus()):
                Path(folder, str(number)).write_bytes(data)
            options = ["-max_len=65536", *options, folder]
        atheris.Setup([sys.argv[0], *options], read, custom_mutator=change)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
