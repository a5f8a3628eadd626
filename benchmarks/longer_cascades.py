"""Whether a network that predicts more filters harmonizes better: the paper's future work.

From the repository root:

    python benchmarks/longer_cascades.py recipes OUT
    harmonizer train DATA OUT/runs/six --recipe OUT/six.json --from START       # stop it after step 2,000
    harmonizer export OUT/runs/six OUT/six
    (the same for eight and for sixteen)
    python benchmarks/development.py --data DIR --weights OUT/eight OUT/sixteen --against OUT/six --json OUT/scores.json
    python benchmarks/longer_cascades.py page OUT

START is a network of the paper's six filters. The others begin with the same weights: the theta of their further
filters starts at 0. `page` writes results/longer_cascades.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from oracle import filter_sets
from report import describe_machine, grid
from worth_of_kinds import COLUMNS, shares

import whitebox_filters as wf
from harmonizer.learning.recipes import CONTINUE, MIXED, Recipe, to_json

RESULTS = Path(__file__).parent / "results" / "longer_cascades.md"
CASCADES = {"six": wf.DEFAULT_FILTERS, "eight": wf.EIGHT_FILTERS, "sixteen": filter_sets()["sixteen"]}
BASE = "six"
STEPS, BATCH = 2000, 60
SHARES = {"renditions": 0.27, "reinhard": 0.13, "monge_kantorovich": 0.13, "scenes": 0.17, "untouched": 0.12}


def recipe(name: str) -> Recipe:
    """A run whose first STEPS steps are compared; the second half of its encoder learns too."""
    return replace(
        CONTINUE,
        network=replace(CONTINUE.network, filters=CASCADES[name], dropout=0.2, input_size=208),
        steps=17100,
        batch_size=BATCH,
        sizes=((0.65, 160), (1.0, 208)),
        patch_share=((0.9, 0.3), (1.0, 1.0)),
        frozen="half",
        encoder_learning_rate=5e-5,
        head_learning_rate=2e-4,
        weight_decay=0.1,
        warmup=400,
        eq8_share=0.3,
        kinds=MIXED | SHARES,
        augmentation=replace(CONTINUE.augmentation, relight=0.8),
        seed=12,
    )


def decide(report: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Which cascade to train on: a longer one only if it is better than six filters by more than the interval."""
    found: dict[str, list[str]] = {"better": [], "worse": [], "no clear difference": []}
    for name in CASCADES:
        if name != BASE:
            low, high = report["differences"][names[name]]
            found["better" if high < 0 else "worse" if low > 0 else "no clear difference"].append(name)
    chosen = f"{' and '.join(found['better'])} filters" if found["better"] else "six filters"
    rest = "; ".join(f"{verdict}: {', '.join(members)}" for verdict, members in found.items() if members)
    return f"Train {chosen} on. Against six filters at the same training, {rest}."


def page(out: Path) -> str:
    """The results page, of the scores that development.py wrote. Raises SystemExit where a network is missing."""
    report = json.loads((out / "scores.json").read_text())
    names = {scored.rpartition("/")[2]: scored for scored in report["scores"]}
    if missing := set(CASCADES) - set(names):
        raise SystemExit(f"{out / 'scores.json'} has no score of {', '.join(sorted(missing))}")
    rows = []
    for name, filters in CASCADES.items():
        scored = names[name]
        score = report["scores"][scored]["score"]
        less = score - report["scores"][names[BASE]]["score"]
        low, high = report["differences"].get(scored, (0.0, 0.0))
        left = shares(report, scored)
        rows.append(
            [
                f"{len(filters)}",
                f"{(out / name / 'model.onnx').stat().st_size / 1e6:.2f}",
                f"**{score:.3f}**",
                "" if name == BASE else f"{less:+.3f} ({low:+.3f} to {high:+.3f})",
                f"{report['introduced'][scored]:.0f}",
                *(f"{left[key][0]:.3f}" for key in COLUMNS),
            ]
        )
    return PAGE.format(
        decision=decide(report, names),
        table=grid(["filters", "MB", "score", "less that of six", "untouched", *COLUMNS.values()], rows),
        cascades="\n".join(f"- {len(filters)}: {', '.join(filters)}" for filters in CASCADES.values()),
        composites=STEPS * BATCH,
        machine=describe_machine(),
    )


PAGE = """\
# Longer cascades

**Decision.** {decision}

One network of six filters, and the same with more filters after these, learn from {composites:,} composites of the same
photographs, kinds, masks and places, at the same rates; only what Eq. 8 does to three composites in ten is of all the
filters of each. They are compared on the way, after steps at 160 px and high rates: what ships leaves less. One seed
each.

The [development score](development.md) is the mean share of fMSE that is left, lower is better, with the 95 % interval
of the difference; `untouched` is the mean fMSE by which real photographs are changed. The columns after it hold the
shares left of each group or subset, in sums. `MB` is the size of `model.onnx`, whose limit is 10. The
[oracle](oracle.md) tells what the best theta of these filters would leave: more filters can do more, if a network finds
their theta.

{table}

{cascades}

{machine} `python benchmarks/longer_cascades.py page OUT`; its head says how OUT is made.
"""


def main() -> None:
    """Write the recipes or the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["recipes", "page"])
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    if options.what == "recipes":
        options.out.mkdir(parents=True, exist_ok=True)
        for name in CASCADES:
            (options.out / f"{name}.json").write_text(to_json(recipe(name)), encoding="utf-8")
    else:
        text = page(options.out)
        RESULTS.write_text(text, encoding="utf-8")
        print(text)


if __name__ == "__main__":
    main()
