"""Faults, one at a time, and whether anything is lost by them.

From the repository root: python benchmarks/faults.py [NAME ...]; without a name, all. Writes
benchmarks/results/reliability/ and prints rows of docs/reliability.md; --table prints the rows of all that has run.
Needs Linux, root for some (they say so and are skipped otherwise), all extras but `ray`, and httpx.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from reliability import disks, elsewhere, kills, memory, rows, service_kills
from reliability.mounts import SkippedError
from reliability.rows import Row

Script = Callable[[str, Path], list[Row]]
"""The command that is told of, and an empty folder, to rows."""


def killed(name: str, command: str, folder: Path) -> list[Row]:
    """SIGKILL of the commands that end by themselves."""
    victims = kills.victims(folder)[name]
    share = kills.TIMES // (len(victims) + 1)  # the first is the quickest, so it gets two
    shares = [kills.TIMES - share * (len(victims) - 1), *[share] * (len(victims) - 1)]
    return [
        kills.kill(victim, f"SIGKILL of {fault}", command, times)
        for (victim, fault), times in zip(victims, shares, strict=True)
    ]


SCRIPTS: dict[str, Script] = {
    **{f"kill-{name}": partial(killed, name) for name in ("run", "video", "batch", "train")},
    "kill-serve": lambda command, folder: [service_kills.serve(command, folder)],
    "kill-study": lambda command, folder: [service_kills.study(command, folder)],
    "full-disk": disks.full,
    "read-only": disks.read_only,
    "memory": memory.limits,
    "same-output": elsewhere.same_output,
    "clock": elsewhere.clock,
    "cache": elsewhere.cache,
    "home": elsewhere.home,
    "vanished": elsewhere.vanished,
}


def main() -> None:
    """Make the faults, write, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(SCRIPTS)}")
    parser.add_argument("--table", action="store_true", help="only print what has run")
    parser.add_argument("--times", type=int, default=kills.TIMES, help="how often each command is killed")
    options = parser.parse_args()
    kills.TIMES = options.times
    if options.table:
        print(rows.table(rows.read()))
        return
    if unknown := [name for name in options.names if name not in SCRIPTS]:
        parser.error(f"there is no fault {', '.join(unknown)}; there are {', '.join(SCRIPTS)}")
    shorter = "" if options.times == parser.get_default("times") else f" --times {options.times}"
    os.environ["OMP_NUM_THREADS"] = "1"  # of torch: work so small gains nothing from more
    for name in options.names or SCRIPTS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = SCRIPTS[name](f"python benchmarks/faults.py {name}{shorter}", Path(folder))
            except SkippedError as reason:
                print(f"{name} is skipped: {reason}", flush=True)
                continue
        rows.write(name, found)
        print(rows.table(found), *(fault for row in found for fault in row.faults), sep="\n", flush=True)


if __name__ == "__main__":
    main()
