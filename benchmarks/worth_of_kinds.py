"""What each kind of composite is worth: short runs from one checkpoint, each with one thing changed.

From the repository root, in three steps:

    python benchmarks/worth_of_kinds.py train DATA OUT --start FOLDER [--seed N ...]
    python benchmarks/development.py --data DIR --weights FOLDER OUT/*-[0-9] --json OUT/scores.json --page OUT/scores.md
    python benchmarks/worth_of_kinds.py page OUT

`train` leaves a checkpoint folder `<variant>-<seed>` in OUT for each run and passes over those that are there, so
it goes on after a kill. Seeds may be trained by processes side by side. `page` writes results/worth_of_kinds.md.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from report import describe_machine, grid

from harmonizer.learning import export
from harmonizer.learning.composites.sources.sources import read_sources
from harmonizer.learning.composites.transfers import TRANSFERS
from harmonizer.learning.network import checkpoint
from harmonizer.learning.network.network import Network
from harmonizer.learning.recipes import CONTINUE, MIXED, Recipe
from harmonizer.learning.train import start, train

RESULTS = Path(__file__).parent / "results" / "worth_of_kinds.md"
BASE = "mixture"
STEPS, BATCH, SIDE = 250, 40, 208


def without(*names: str) -> dict[str, Any]:
    """The mixture without some kinds; the others grow alike."""
    return {"kinds": {name: 0.0 if name in names else share for name, share in MIXED.items()}}


@dataclass(frozen=True)
class Variant:
    """What one run changes in the recipe, and how the page calls it."""

    label: str
    changes: Mapping[str, Any]


VARIANTS = {
    BASE: Variant("the mixture", {}),
    "no-renditions": Variant("without renditions", without("renditions")),
    "no-transfers": Variant("without transfers", without(*TRANSFERS)),
    "no-scenes": Variant("without scenes", without("scenes")),
    "no-eq8": Variant("with one composite in forty by Eq. 8 instead of eight", {"eq8_share": 1 / BATCH}),
    "no-light": Variant("without imagined light", without("frames", "retouch", "relight")),
    "no-untouched": Variant("without untouched photographs", without("untouched")),
    "untouched": Variant("with one untouched photograph in five", {"kinds": MIXED | {"untouched": 0.3}}),
    "half": Variant("the second half of the encoder learns too", {"frozen": "half", "encoder_learning_rate": 1e-4}),
    "statistics": Variant("statistics of the true foreground predicted beside theta", {"auxiliary_weight": 0.1}),
}


def recipe(name: str, trained: Network, seed: int) -> Recipe:
    """The run of a variant."""
    config = replace(trained.config, last_stage=True, dropout=CONTINUE.network.dropout, input_size=SIDE)
    base = replace(CONTINUE, network=config, steps=STEPS, batch_size=BATCH, sizes=((1.0, SIDE),), warmup=STEPS // 10)
    return replace(base, weight_average=0.98, patch_share=((1.0, 0.3),), seed=seed, **VARIANTS[name].changes)


def run(data: Path, out: Path, begin: Path, seeds: Sequence[int]) -> None:
    """Train every variant with every seed."""
    trained = checkpoint.load(begin)
    sources = read_sources(data, torch.device("cpu"), held_out=False, similarity=CONTINUE.similarity)
    for seed in seeds:
        for name in VARIANTS:
            folder = out / f"{name}-{seed}"
            if (folder / "config.json").exists():
                continue
            torch.compiler.reset()  # a limit on how often one function is compiled would leave later runs to eager code
            plan = recipe(name, trained, seed)
            state = start(plan, pretrained=False)
            state.load_weights(checkpoint.grow(trained, plan.network))
            train(plan, sources, state, None, lambda *_: None)
            export.write(state.averaged, folder)
            print(folder, flush=True)


def shares(report: Mapping[str, Any], trained: str) -> dict[str, tuple[float, float]]:
    """By group and subset: the share of fMSE left in sums, and in geometric means."""
    members = defaultdict(list)
    for picture in report["pictures"]:
        pair = (picture["fmse"]["composite"], picture["fmse"][trained])
        for key in dict.fromkeys((picture["group"], picture["subset"])):
            members[key].append(pair)
    found = {}
    for key, pairs in members.items():
        before, after = np.array(pairs).T
        typical = np.exp(np.mean(np.log(np.maximum(after, 1) / np.maximum(before, 1))))
        found[key] = (after.sum() / max(before.sum(), 1e-9), float(typical))
    return found


COLUMNS = {
    "HAdobe5k": "HAdobe5k",
    "HFlickr": "HFlickr",
    "webcams": "webcams",
    "exposures": "exposures",
    "hours": "hours",
    "eq8": "Eq. 8",
    "transfers": "transfers",
}


def page(out: Path) -> str:
    """The results page, of the scores that development.py wrote."""
    report = json.loads((out / "scores.json").read_text())
    runs: dict[str, list[str]] = defaultdict(list)
    begin = ""
    for trained in report["scores"]:
        name, _, seed = trained.rpartition("/")[2].rpartition("-")
        if name in VARIANTS and seed.isdecimal():
            runs[name].append(trained)
        else:
            begin = trained
    rows: dict[bool, list[list[str]]] = {True: [], False: []}
    scores = {name: np.array([report["scores"][each]["score"] for each in runs[name]]) for name in VARIANTS}
    for name, checkpoints in (("", [begin]), *((name, runs[name]) for name in VARIANTS)):
        if not checkpoints:
            continue
        label = VARIANTS[name].label if name else "the start"
        every = [shares(report, each) for each in checkpoints]
        for in_sums in rows:
            values = [np.mean([each[key][0 if in_sums else 1] for each in every]) for key in COLUMNS]
            rows[in_sums].append([label, *(f"{value:.3f}" for value in values)])
        reached = scores[name] if name else np.array([report["scores"][begin]["score"]])
        less = reached.mean() - scores[BASE].mean()
        spread = f" ({reached.min():.3f} to {reached.max():.3f})" if len(reached) > 1 else ""
        untouched = np.mean([report["introduced"][each] for each in checkpoints])
        rows[True][-1][1:1] = [f"**{reached.mean():.3f}**{spread}", f"{less:+.3f}", f"{untouched:.0f}"]
    noise = float(np.ptp(scores[BASE]))
    return PAGE.format(
        decision=decide(scores, noise),
        sums=grid(["", "score", "less the mixture's", "untouched", *COLUMNS.values()], rows[True]),
        typical=grid(["", *COLUMNS.values()], rows[False]),
        seeds=len(runs[BASE]),
        steps=STEPS,
        batch=BATCH,
        side=SIDE,
        machine=describe_machine(),
    )


def decide(scores: Mapping[str, np.ndarray[Any, Any]], noise: float) -> str:
    """Which changes beat, and which lose to, the mixture by more than twice what its seeds differ by."""
    less = {name: each.mean() - scores[BASE].mean() for name, each in scores.items() if name != BASE and len(each)}
    worse = [VARIANTS[name].label for name, value in less.items() if value > 2 * noise]
    better = [VARIANTS[name].label for name, value in less.items() if value < -2 * noise]
    rest = [VARIANTS[name].label for name, value in less.items() if abs(value) <= 2 * noise]
    parts = [("Worse than the mixture", worse), ("better", better), ("no clear difference", rest)]
    return "; ".join(f"{title}: {', '.join(names) if names else 'none'}" for title, names in parts) + "."


PAGE = """\
# What each kind of composite is worth

**Decision.** {decision}
A difference counts as clear where it is more than twice that of the mixture's own seeds.

All runs begin with one checkpoint and learn from {steps} batches of {batch} composites at {side} px, as the recipe
`continue` says, with one thing changed; {seeds} seeds each. The [development score](development.md) is the mean share
of fMSE that is left, lower is better; `untouched` is the mean fMSE by which real photographs are changed. The columns
after it hold the shares left of each group or subset, in sums.

{sums}

The same in geometric means, to which every picture counts alike:

{typical}

{machine} `python benchmarks/worth_of_kinds.py page OUT`; its head says how OUT is made.
"""


def main() -> None:
    """Train the runs or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("data", type=Path)
    training.add_argument("out", type=Path)
    training.add_argument("--start", type=Path, required=True, help="the checkpoint folder that all runs begin with")
    training.add_argument("--seed", type=int, nargs="+", default=[0, 1])
    writing = commands.add_parser("page")
    writing.add_argument("out", type=Path)
    options = parser.parse_args()
    if options.command == "train":
        run(options.data, options.out, options.start, options.seed)
    else:
        text = page(options.out)
        RESULTS.write_text(text, encoding="utf-8")
        print(text)


if __name__ == "__main__":
    main()
