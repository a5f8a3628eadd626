"""What a network knows by heart: its error on held-out photographs with copies among the others, and on new ones.

Collections of photographs overlap: some that are held out by name lie under another name among those trained on.
`harmonizer train` leaves these out; a network trained on them all the same leaves less of the error there.

From the repository root: python benchmarks/copies.py --data DIR [--weights FOLDER], where DIR holds the folder photos.
Writes benchmarks/results/copies.md. Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from report import describe_machine

from harmonizer.evaluation.evaluate import evaluate, summarize
from harmonizer.evaluation.held_out import is_held_out
from harmonizer.evaluation.learners import open_learner
from harmonizer.evaluation.samples import DRAWS, read_samples
from harmonizer.learning.composites.sources.photos import are_copies, read_picture

RESULTS = Path(__file__).parent / "results" / "copies.md"
PAGE = """# What is known by heart

**Decision.** {decision}

fMSE (0-255) of held-out composites by Eq. 8, as `harmonizer evaluate --layout photos` makes them, before and after:
{draws} of each of {masks} masks. The photographs of {copied} of these masks show the same as one that is not held out.

| photographs | composites | before | after | left | improved |
|---|---:|---:|---:|---:|---:|
{rows}

{machine} `python benchmarks/copies.py --data DIR`
"""
LOSS = (
    "Leave copies of held-out photographs out of training, and read figures of networks trained with them on new "
    "photographs alone: these leave {new:.1f} % of the error, not the {known:.1f} % of copies."
)
NONE = (
    "Nothing is known by heart that would show: new photographs leave {new:.1f} % of the error, copies {known:.1f} %."
)


def find_copied(folder: Path) -> set[str]:
    """The stems of the masks of held-out photographs that have a copy among the others."""
    rows = list(csv.DictReader((folder / "index.csv").read_text(encoding="utf-8").splitlines()))
    tests = [row for row in rows if is_held_out(row) and row["mask"]]
    others = sorted({row["image"] for row in rows} - {row["image"] for row in tests})
    copied = are_copies(
        np.stack([read_picture(folder / row["image"], "RGB") for row in tests]),
        np.array([read_picture(folder / name, "RGB") for name in others], np.uint8),
    )
    return {Path(row["mask"]).stem for row, known in zip(tests, copied, strict=True) if known}


def _mask(composite: str) -> str:
    """The mask's stem, without the number of the draw."""
    return composite.rpartition("_")[0]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True, help="holds the folder photos")
    arguments.add_argument("--weights", type=Path, help="a checkpoint folder; else what ships")
    given = arguments.parse_args()
    folder = given.data / "photos"
    copied = find_copied(folder)
    scored = list(evaluate({"cascade": open_learner("cascade", given.weights)}, read_samples(folder, "photos")))
    parts = {
        "with a copy among the others": [each for each in scored if _mask(each.name) in copied],
        "new": [each for each in scored if _mask(each.name) not in copied],
        "all": scored,
    }
    rows, left = [], {}
    for title, part in parts.items():
        summary = summarize(part)
        before, after = summary["composite"]["fmse"], summary["cascade"]["fmse"]
        left[title] = 100 * after / before
        improved = 100 * summary["cascade"]["improved"]
        rows.append(f"| {title} | {len(part)} | {before:.1f} | {after:.1f} | {left[title]:.1f} % | {improved:.0f} % |")
    known, new = left["with a copy among the others"], left["new"]
    page = PAGE.format(
        decision=(LOSS if known < 0.9 * new else NONE).format(new=new, known=known),
        copied=len(copied),
        masks=len({_mask(each.name) for each in scored}),
        draws=DRAWS,
        rows="\n".join(rows),
        machine=describe_machine(),
    )
    RESULTS.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
