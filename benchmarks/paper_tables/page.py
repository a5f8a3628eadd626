"""The results page: what follows from the tables, and its text."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
from bootstrap import middle, resample, sum_by_unit
from report import describe_machine

from paper_tables.rows import bucket_table, paper_table, published_table, whole_table, worst_table
from paper_tables.runs import BASELINES, Reports


def interval(pictures: list[dict[str, Any]], learner: str) -> tuple[float, float]:
    """Between what the share of the composites' fMSE that is left lies for 95 % of such sets of pictures.

    By bootstrap. Composites of one photograph and mask, whose names differ after the last underscore, are drawn as one.
    """
    photographs = [picture["name"].rpartition("_")[0] or picture["name"] for picture in pictures]
    scores = [[picture["scores"][name]["fmse"] for name in ("composite", learner)] for picture in pictures]
    before, after = resample(sum_by_unit(photographs, scores), np.random.default_rng(0)).T
    return middle(after / before)


def decision(reports: Reports, network: str) -> str:
    """What follows from the tables, in a sentence a set of pictures."""
    lines = []
    for run, report in reports:
        means = report["summary"]["all"]
        left = {learner: means[learner]["fmse"] / means["composite"]["fmse"] for learner in (*BASELINES, network)}
        first = min(left, key=lambda learner: left[learner])
        low, high = interval(report["pictures"], network)
        lines.append(
            f"- {run.title}: {network} leaves {left[network]:.0%} of the composites' fMSE (other pictures of the kind: "
            f"{low:.0%} to {high:.0%}) and improves {means[network]['improved']:.0%}; least is left by {first} "
            f"({left[first]:.0%})."
        )
    return "\n".join(lines)


def page(reports: Reports, network: str, data: Path, weights: Path | None) -> str:
    """The whole of docs/results.md."""
    small, full = ([pair for pair in reports if pair[0].size == size] for size in ("256", "full"))

    def commands(chosen: Reports) -> str:
        lines = [shlex.join(["harmonizer", *run.command(Path("DIR"), Path("OUT"), weights)]) for run, _ in chosen]
        return "```\n" + "\n".join(lines) + "\n```"

    first = [
        f"### {run.title}\n\n{paper_table(report, published=run.folder.startswith('iharm'))}" for run, report in small
    ]
    second = [f"### {run.title}\n\n{paper_table(report, published=False)}" for run, report in full]
    published = "\n\n".join(
        published_table(report, data / run.folder / "published.csv", network)
        for run, report in full
        if (data / run.folder / "published.csv").is_file()
    )
    losses = [
        run.title
        for run, report in small
        if report["summary"]["all"][network]["fmse"]
        > min(report["summary"]["all"][name]["fmse"] for name in (*BASELINES, "composite"))
    ]
    verdict = (
        f"**Decision.** `{network}` does not yet beat every baseline: another leaves less on {'; '.join(losses)}."
        if losses
        else f"**Decision.** Ship `{network}`: it comes closer to the truth than every baseline on every set."
    )
    return TEXT.format(
        verdict=verdict,
        decision=decision(small, network),
        machine=describe_machine(),
        first="\n\n".join(first),
        first_commands=commands(small),
        second="\n\n".join(second),
        second_commands=commands(full),
        published=published,
        buckets=bucket_table(small, network),
        whole=whole_table(reports),
        worst=worst_table(small, network),
    )


TEXT = """\
# Results

{verdict} By fMSE at 256 x 256:

{decision}

What other pictures of the kind would give is a 95 % interval by bootstrap over the photographs and masks of the set.

None of these pictures was trained on, but copies of some of the held-out photographs were, under other names;
[copies.md](../benchmarks/results/copies.md) tells how much that is worth. All scores are on the scale 0-255 after
rounding to 8 bits; the foreground is mask > 127, and outside it the real picture is pasted in. `oracle` knows the
truth: no setting of the six filters does better than it by much. `reinhard` and `mkl` move the foreground's colours to
the background's; `statistics` predicts theta from the regions' means and deviations without a network. The best of what
does not know the truth is bold.

{machine} One command makes this page: `python benchmarks/tables.py --data DIR`.

## Table 1: 256 x 256

{first}

{first_commands}

The paper's figures are means over the whole test set of iHarmony4 (its Table 4), which holds other pictures than
these: they tell the order of magnitude, not who is better.

## Table 2: full size

`+pcm` harmonizes at 256 x 256 and brings the result to full size by a polynomial colour map.

{second}

{second_commands}

Picture by picture beside published figures at full size, for the pictures that have any:

{published}

## By size of the foreground

fMSE at 256 x 256; `improved` is the network's share of pictures that came closer to the truth.

{buckets}

## Worst cases

Of all sets at 256 x 256, by what `fMSE` became; `python benchmarks/worst_cases.py --data DIR` draws them.

{worst}

Typical failures, on composites made of freely licensed photographs (`python benchmarks/worst_cases.py`): a cast along
green and magenta, light from one side and wrong hues are beyond six global filters, and a foreground that needs
nothing is changed all the same.

![composite, harmonized, real picture and mask, a row each](failures.jpg)

## All measures

`PSNR` has the data range 255; the paper's released script takes the span of the output, which is the column beside
it. SSIM: Gaussian window of deviation 1.5. `fMSE left` is the fMSE as a share of the composites'.

{whole}
"""
