"""Long runs: whether memory grows, files or threads are left open, or an answer is lost.

From the repository root: python benchmarks/long_runs.py [frames] [pictures] [batch] [service]; without a name, all. The
service takes an hour. Writes benchmarks/results/reliability/ and prints rows of docs/reliability.md. Needs Linux, the
extras `video`, `server` and `batch`, and httpx.
"""

from __future__ import annotations

import argparse

from reliability import long, rows

RUNS = {"frames": long.frames, "pictures": long.pictures, "batch": long.batch, "service": long.service}


def main() -> None:
    """Run, write, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(RUNS)}")
    names = parser.parse_args().names or list(RUNS)
    if unknown := [name for name in names if name not in RUNS]:
        parser.error(f"there is no run {', '.join(unknown)}; there are {', '.join(RUNS)}")
    for name in names:
        row = RUNS[name](f"python benchmarks/long_runs.py {name}")
        rows.write(f"long_{name}", [row])
        print(rows.table([row]), *row.faults, sep="\n", flush=True)


if __name__ == "__main__":
    main()
