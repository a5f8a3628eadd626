"""Reads a million hostile inputs by every way in, and writes what became of them, as JSON and as a page.

From the repository root: python benchmarks/fuzz.py --inputs 1000000. Needs the extra `test`. With --only NAMES a part,
with --more beside the results that are there, with --seed other inputs. Writes fuzz.json and fuzz.md in
benchmarks/results.

Each target of tests/fuzz runs in a process of its own, first over its corpus, then over mutations of valid files by
number. The process says the number of an input before it reads it, so one that crashes it, or that it hangs at, is
known: it is saved, and a new process goes on behind it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import select
import subprocess
import sys
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from report import grid

ROOT = Path(__file__).parents[1]
TARGETS = ROOT / "tests" / "fuzz"
SECONDS = 30  # for one input, in the process
PATIENCE = 600  # and from outside, where compiled code holds the process; a busy machine can stand still
BATCH = 2000  # inputs between two looks at the clock
FAULTS = 20  # kinds of faults of a target that are kept, each with its first input


@dataclass
class Outcome:
    """What became of the inputs of a target."""

    corpus: int = 0
    mutations: int = 0
    taken: int = 0
    refused: int = 0
    seconds: float = 0.0
    faults: dict[str, list[str]] = field(default_factory=dict)  # files by what went wrong

    @property
    def inputs(self) -> int:
        return self.corpus + self.mutations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many in all, the corpus included")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--more", action="store_true", help="keep the results of other targets that are there")
    parser.add_argument("--only", default="", help="names of targets, with commas")
    parser.add_argument("--minutes", type=float, default=1e9, help="after which it stops")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "fuzz.json")
    parser.add_argument("--saved", type=Path, default=Path("fuzz_faults"), help="where inputs at fault go")
    parser.add_argument("--serve", help=argparse.SUPPRESS)  # the target that this process reads for another
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.seed)
        return
    sys.path.insert(0, str(TARGETS))
    import fuzz_targets

    targets = [
        target for name, target in fuzz_targets.TARGETS.items() if not options.only or name in options.only.split(",")
    ]
    shares = sum(target.share for target in targets)
    deadline = time.monotonic() + 60 * options.minutes
    outcomes: dict[str, Outcome] = {}
    if options.more:
        known = json.loads(options.out.read_text())["targets"]
        outcomes = {name: Outcome(**values) for name, values in known.items()}
    for target in targets:
        count = max(1, math.ceil(options.inputs * target.share / shares))
        outcomes[target.name] = run(target.name, count, options.seed, deadline, options.saved)
        print(f"{target.name}: {describe(outcomes[target.name])}", flush=True)
        write(options.out, outcomes, options.seed)


def run(name: str, count: int, seed: int, deadline: float, saved: Path) -> Outcome:
    """Read the corpus and mutations of a target, `count` in all, in as many processes as that takes."""
    outcome = Outcome()
    start, at = time.monotonic(), 0
    while at < count and time.monotonic() < deadline:
        at = _run_process(name, at, count, seed, deadline, saved, outcome)
    outcome.seconds = time.monotonic() - start
    return outcome


def _run_process(name: str, at: int, count: int, seed: int, deadline: float, saved: Path, outcome: Outcome) -> int:
    """Read inputs from number `at` on until the process or the work ends: the number of the next one."""
    command = [sys.executable, __file__, "--serve", name, "--seed", str(seed)]
    # Arrow's own allocator takes a gigabyte of addresses at once, used or not.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "ARROW_DEFAULT_MEMORY_POOL": "system"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{at} {count} {deadline - time.monotonic()}\n".encode())
        process.stdin.close()
        current, buffer = at, b""
        began = False
        while True:
            ready, _, _ = select.select([process.stdout], [], [], PATIENCE if began else 10 * PATIENCE)
            chunk = os.read(process.stdout.fileno(), 1 << 16) if ready else b""
            *lines, buffer = (buffer + chunk).split(b"\n")
            for line in lines:
                message = json.loads(line)
                began = True
                if message["kind"] == "at":
                    current = message["number"]
                elif message["kind"] == "fault":
                    _keep(outcome, message["what"], name, seed, message["number"], message["data"], saved)
                else:
                    _add(outcome, message)
                    current = message["next"]
                    if message["ends"]:
                        return count if message["late"] else current
            if not chunk:
                what = f"the process ended with {process.poll()}" if ready else f"no answer in {PATIENCE} seconds"
                process.kill()
                process.wait()
                if not began:
                    raise SystemExit(f"the process of {name} did not begin: {what}")
                what = f"{what}, at input {current}" if ready else what
                _keep(outcome, what, name, seed, current, None, saved)
                outcome.mutations += 1
                return current + 1


def _add(outcome: Outcome, message: dict[str, Any]) -> None:
    for key in ("corpus", "mutations", "taken", "refused"):
        setattr(outcome, key, getattr(outcome, key) + message[key])


def _keep(outcome: Outcome, what: str, name: str, seed: int, number: int, data: str | None, saved: Path) -> None:
    files = outcome.faults.setdefault(what, [])
    if len(files) >= FAULTS:
        return
    saved.mkdir(parents=True, exist_ok=True)
    path = saved / f"{name}-{seed}-{number}"
    path.write_bytes(bytes.fromhex(data) if data is not None else b"")
    files.append(path.name)


def serve(name: str, seed: int) -> None:
    """Read inputs as standard input says, and tell of them on standard output, which nobody else may write to."""
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    sys.path.insert(0, str(TARGETS))
    import logging

    import fuzz_targets
    from fuzz_sandbox import HangError

    logging.disable()
    first, count, seconds = (float(word) for word in sys.stdin.readline().split())
    target = fuzz_targets.TARGETS[name]
    fuzz_targets.hurry()
    fuzz_targets.sandbox().seconds = SECONDS
    corpus = target.corpus()
    target.warm()
    fuzz_targets.limit_memory()
    end = time.monotonic() + seconds

    def tell(**message: Any) -> None:
        channel.write(json.dumps(message) + "\n")

    at, tally = int(first), _tally()
    while at < count:
        # A line an input would take longer than to read it: small steps only until a process has proved steady.
        tell(kind="at", number=at)
        data = corpus[at] if at < len(corpus) else target.mutation(seed, at)
        tally["corpus" if at < len(corpus) else "mutations"] += 1
        try:
            tally["taken" if target(data) else "refused"] += 1
        except (Exception, HangError) as error:
            tell(kind="fault", number=at, what=_name(error), data=data.hex() if len(data) < 1 << 22 else "")
        at += 1
        if at % BATCH == 0 and at < count:
            late = time.monotonic() > end
            tell(kind="tally", next=at, ends=late, late=late, **tally)
            tally = _tally()
            if late:
                return
    tell(kind="tally", next=at, ends=True, late=False, **tally)


def _tally() -> dict[str, int]:
    return dict.fromkeys(("corpus", "mutations", "taken", "refused"), 0)


def _name(error: BaseException) -> str:
    """The error and the last line of the product that it passed, the same for all inputs that fail alike."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if "/harmonizer/" in each.filename or "/whitebox_filters/" in each.filename]
    place = f" in {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    name = f"{type(error).__name__}{place}"
    return f"{name}: {error}"[:300] if type(error).__name__ == "FaultError" else name


def describe(outcome: Outcome) -> str:
    """One line."""
    counts = f"{outcome.inputs:,} inputs, {outcome.taken:,} taken, {outcome.refused:,} refused"
    return f"{counts}, {len(outcome.faults)} kinds of faults, {outcome.seconds:.0f} s"


def write(path: Path, outcomes: dict[str, Outcome], seed: int) -> None:
    """The results as JSON, and as a page beside it."""
    values = {name: asdict(outcome) | {"seconds": round(outcome.seconds, 1)} for name, outcome in outcomes.items()}
    path.write_text(json.dumps({"seed": seed, "targets": values}, indent=1) + "\n")
    rows = [
        [name, f"{each.corpus:,}", f"{each.mutations:,}", f"{each.taken:,}", f"{each.refused:,}", str(len(each.faults))]
        for name, each in outcomes.items()
    ]
    total = sum(each.inputs for each in outcomes.values())
    faults = sum(len(each.faults) for each in outcomes.values())
    text = (
        f"# Hostile input\n\nWhether files of strangers may be read: `python benchmarks/fuzz.py --seed {seed}` read "
        f"{total:,} inputs and found {faults} kinds of faults. An input is "
        "taken, or refused with the documented error. The corpus is valid files, each cut off at every sixteenth too, "
        "and crafted ones; mutations are valid files changed at random.\n\n"
    )
    header = ["target", "corpus", "mutations", "taken", "refused", "kinds of faults"]
    path.with_suffix(".md").write_text(text + grid(header, rows) + "\n")


if __name__ == "__main__":
    main()
