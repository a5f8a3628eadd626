"""The development score: one number by which trained networks are chosen.

All of this was fixed before any candidate was scored. Only afterwards, when the shipped network alone had been, were
the scenes left out that it had learned from under another name.

From the repository root: python benchmarks/development.py --data DIR [--weights FOLDER ...] [--against FOLDER]
[--json OUT] [--page PAGE]. Without --weights it scores what ships and writes benchmarks/results/development.md.

Five groups of composites, none of them trained on, squashed to 256 x 256:

- iharmony4: all of iharmony4_sample and iharmony4_more.
- webcams: all of webcam and webcam_chamonix.
- scenes: the held-out places of the folder scenes, layout `scenes`, without those that earlier networks know.
- eq8: held-out masks distorted by Eq. 8, the first draw of each; all of photos, and MORE of photos_more, evenly from
  all of its sources.
- transfers: layout `transfers` of photos and of photos_more.

The score is the mean of the five groups' shares left, all alike: the sum of fMSE after over the sum before. Lower is
better, 1 is doing nothing. Its interval holds 95 % of 10,000 draws of the bootstrap, seed SEED. Drawn with replacement,
group by group, are photographs with all their composites; of scenes, exposures are drawn by place and hours by scene.
With --against both checkpoints are drawn alike: one is better by more than its interval where that of the difference
lies below 0. The triples of triples_256 are reported but do not count.

The same photographs as in eq8, as they are, tell what a network does where nothing is to be done: its mean fMSE should
stay under NO_OP_BAR. GOALS are the shares that a network is to reach without a GPU in training.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from bootstrap import Numbers, middle, resample, sum_by_unit
from development_cases import GROUPS, MORE, NO_OP, SIDE, TRIPLES, Picture, cases, measure
from report import describe_machine, grid

from harmonizer import atomic
from harmonizer.evaluation.learners import open_learner
from harmonizer.predictor import WEIGHTS

RESULTS = Path(__file__).parent / "results" / "development.md"
SEED = 0
NO_OP_BAR = 30.0
GOALS = {"iharmony4": 0.40, "webcams": 0.75, "scenes": 0.60, "eq8": 0.20}
SHIPPED = "shipped"
COMPOSITE = "composite"


def share_left(pictures: Sequence[Picture], checkpoint: str) -> float:
    """The sum of fMSE after over the sum before."""
    before, after = (sum(picture.fmse[name] for picture in pictures) for name in (COMPOSITE, checkpoint))
    return after / before


def score(pictures: Sequence[Picture], checkpoint: str) -> float:
    """The mean of the shares left of those of GROUPS that there are; each counts the same, however large."""
    return float(np.mean([share_left(members, checkpoint) for members in _grouped(pictures)]))


def draw_scores(pictures: Sequence[Picture], checkpoints: Sequence[str]) -> Numbers:
    """The scores (DRAWS, C) that other pictures of the kind would give C checkpoints, drawn alike for all."""
    random = np.random.default_rng(SEED)
    shares = []
    for members in _grouped(pictures):
        fmse = [[picture.fmse[name] for name in (COMPOSITE, *checkpoints)] for picture in members]
        drawn = resample(sum_by_unit((picture.unit for picture in members), fmse), random)
        shares.append(drawn[:, 1:] / drawn[:, :1])
    return np.asarray(np.mean(shares, axis=0))


def difference(pictures: Sequence[Picture], checkpoint: str, against: str) -> tuple[float, float]:
    """The 95 % interval of the score of `checkpoint` less that of `against`; below 0 it is better beyond doubt."""
    drawn = draw_scores(pictures, (checkpoint, against))
    return middle(drawn[:, 0] - drawn[:, 1])


def introduced(pictures: Sequence[Picture], checkpoint: str) -> float:
    """The mean fMSE that real photographs, given as composites, end up with."""
    return float(np.mean([picture.fmse[checkpoint] for picture in pictures if picture.group == NO_OP]))


def _grouped(pictures: Sequence[Picture]) -> list[list[Picture]]:
    members = [[picture for picture in pictures if picture.group == group] for group in GROUPS]
    return [each for each in members if each]


def row(title: str, pictures: Sequence[Picture], checkpoint: str) -> list[str]:
    """The cells of one group or subset.

    In the geometric mean an fMSE below 1, which nobody sees, counts as 1.
    """
    before, after = (np.array([picture.fmse[name] for picture in pictures]) for name in (COMPOSITE, checkpoint))
    units = [picture.unit for picture in pictures]
    sums = resample(sum_by_unit(units, list(zip(before, after, strict=True))), np.random.default_rng(SEED))
    low, high = middle(sums[:, 1] / sums[:, 0])
    typical = np.exp(np.mean(np.log(np.maximum(after, 1) / np.maximum(before, 1))))
    return [
        title,
        f"{len(pictures)} ({len(set(units))})",
        f"{before.mean():.1f}",
        f"{after.mean():.1f}",
        f"{share_left(pictures, checkpoint):.3f}",
        f"{low:.3f} to {high:.3f}",
        f"{typical:.3f}",
        f"{(after < before).mean():.0%}",
    ]


def group_table(pictures: Sequence[Picture], checkpoint: str) -> str:
    """A row for each group and, where it has several, for each of its subsets."""
    rows = []
    for group in (*GROUPS, TRIPLES):
        members = [picture for picture in pictures if picture.group == group]
        subsets = sorted({picture.subset for picture in members})
        rows += [row(f"**{group}**", members, checkpoint)] if members else []
        if len(subsets) > 1:
            for subset in subsets:
                rows.append(row(subset, [each for each in members if each.subset == subset], checkpoint))
    header = ["", "composites (units)", "fMSE before", "after", "share left", "95 %", "geometric mean", "improved"]
    return grid(header, rows)


def score_table(pictures: Sequence[Picture], checkpoints: Sequence[str], against: str | None) -> str:
    """A row for each checkpoint: score, interval, the difference to `against`, and what it does to photographs."""
    drawn = draw_scores(pictures, checkpoints)
    rows = []
    for name, scores in zip(checkpoints, drawn.T, strict=True):
        low, high = middle(scores)
        cells = [name, f"**{score(pictures, name):.3f}**", f"{low:.3f} to {high:.3f}"]
        if against:
            low, high = difference(pictures, name, against)
            less = score(pictures, name) - score(pictures, against)
            cells.append("" if name == against else f"{less:+.3f} ({low:+.3f} to {high:+.3f})")
        rows.append([*cells, f"{introduced(pictures, name):.1f}"])
    header = ["checkpoint", "score", "95 %", *([f"less {against}"] if against else []), "fMSE of a real photograph"]
    return grid(header, rows)


def goal_table(pictures: Sequence[Picture], checkpoints: Sequence[str]) -> str:
    """A row for each goal: what each checkpoint leaves, in bold where it reaches it."""
    rows = []
    for group, goal in GOALS.items():
        members = [picture for picture in pictures if picture.group == group]
        if members:
            shares = [share_left(members, name) for name in checkpoints]
            cells = [f"**{share:.3f}**" if share <= goal else f"{share:.3f}" for share in shares]
            rows.append([group, f"{goal:.2f}", *cells])
    return grid(["share left of", "goal", *checkpoints], rows)


def decide(pictures: Sequence[Picture], checkpoints: Sequence[str], against: str | None) -> str:
    """What follows: which checkpoint ships, or with what another has to be better."""
    best = min((name for name in checkpoints if name != against), key=lambda name: score(pictures, name))
    changed = introduced(pictures, best)
    bar = "is under" if changed < NO_OP_BAR else "misses"
    rest = f"It changes real photographs by a mean fMSE of {changed:.1f}, which {bar} the bar of {NO_OP_BAR:g}."
    if against:
        if difference(pictures, best, against)[1] >= 0:
            return f"Keep {against}: no other is better by more than its interval."
        return f"Ship {best} in place of {against}: it is better by more than its interval. {rest}"
    name = "the one that ships" if best == SHIPPED else best
    return (
        f"A checkpoint replaces {name} only if its score is lower than {score(pictures, best):.3f} by more than the "
        f"paired interval (`--against`). {rest}"
    )


def page(pictures: Sequence[Picture], checkpoints: Sequence[str], against: str | None, seconds: float) -> str:
    """The whole of the results page."""
    return PAGE.format(
        decision=decide(pictures, checkpoints, against),
        scores=score_table(pictures, checkpoints, against),
        goals=goal_table(pictures, checkpoints),
        tables="\n\n".join(f"## {name}\n\n{group_table(pictures, name)}" for name in checkpoints),
        machine=describe_machine(),
        seconds=seconds,
        side=SIDE,
        more=MORE,
        photographs=sum(picture.group == NO_OP for picture in pictures),
    )


PAGE = """\
# Development score

**Decision.** {decision}

{scores}

The score is the mean of five groups' shares left: the sum of fMSE (0-255, {side} x {side}) after over the sum before.
Lower is better; 1 is doing nothing. What other pictures of the kind would give is a 95 % interval by bootstrap over
units: photographs, of exposures places, of hours scenes. The webcams are two places and the hours nearly all one,
Fuji: their intervals tell of other pictures of these places, not of other places. `fMSE of a real photograph` is the
mean over {photographs} held-out masks whose photograph was given as it is, as if it were a composite.

Eq. 8 is drawn once for each mask: all of photos, {more} of photos_more, evenly from all of its sources. The triples do
not count. In the geometric mean of fMSE after over before, an fMSE below 1 counts as 1. Everything that could be chosen
is in `benchmarks/development.py`, and was fixed before any candidate was scored.

What was to be reached; in bold where it is:

{goals}

{tables}

{machine} {seconds:.0f} s. `python benchmarks/development.py --data DIR`
"""


def label(folder: Path | None) -> str:
    """What a checkpoint is called on the page: its folder and the one that holds that."""
    path = (folder or WEIGHTS).resolve()
    return SHIPPED if path == WEIGHTS.resolve() else f"{path.parent.name}/{path.name}"


def name_checkpoints(folders: Sequence[Path | None]) -> dict[str, Path]:
    """The folders by label, each once. Raises SystemExit where two have the same."""
    named: dict[str, Path] = {}
    for path in ((folder or WEIGHTS).resolve() for folder in folders):
        if named.setdefault(label(path), path) != path:
            raise SystemExit(f"{named[label(path)]} and {path} have the same name; rename one of the folders")
    return named


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="holds the folders of pictures")
    parser.add_argument("--weights", type=Path, nargs="+", action="extend", help="checkpoint folders; else what ships")
    parser.add_argument("--against", type=Path, help="the checkpoint folder with which the others are compared")
    parser.add_argument("--json", type=Path, help="also write the scores and every picture's fMSE there")
    parser.add_argument("--page", type=Path, help="where the page goes; else it is written only without --weights")
    options = parser.parse_args()
    against = label(options.against) if options.against else None
    named = name_checkpoints([*(options.weights or [None]), *([options.against] if options.against else [])])
    if set(named) == {against}:
        raise SystemExit("--weights and --against are the same checkpoint; give another one")
    for path in filter(None, (options.json, options.page)):
        atomic.check_place(path)  # before the work, not after
    start = time.perf_counter()
    learners = {name: open_learner("cascade", folder) for name, folder in named.items()}
    pictures = measure(learners, cases(options.data))
    text = page(pictures, tuple(named), against, time.perf_counter() - start)
    target = options.page or (None if options.weights else RESULTS)
    if target:
        target.write_text(text, encoding="utf-8")
    if options.json:
        drawn = dict(zip(named, draw_scores(pictures, tuple(named)).T, strict=True))
        report = {
            "scores": {name: {"score": score(pictures, name), "interval": middle(drawn[name])} for name in named},
            "differences": {name: difference(pictures, name, against) for name in named if against and name != against},
            "introduced": {name: introduced(pictures, name) for name in named},
            "pictures": [asdict(picture) for picture in pictures],
        }
        atomic.write_file(options.json, json.dumps(report, indent=1).encode())
    print(text)


if __name__ == "__main__":
    main()
