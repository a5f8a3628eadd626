"""The results as Markdown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import version

import torch
from report import describe_machine, digits, grid

from harmonizer.learning.network.compiled import fast_dtype
from harmonizer.learning.recipes import Recipe
from training_speed import stages
from training_speed.roofline import BATCH, GOAL, LAUNCH, RECIPE, Work
from training_speed.stages import ADAM, ALL, ATTENTION, AVERAGE, FILTERS_COMPILED, SOME, STEP

VERSIONS = ("torch", "timm")

PAGE = """# Speed of training

**Decision.** On a CPU the encoder stays frozen, and attention reads {share} of the patches until the last steps: one
core learns from {some} pictures a second so, from {whole} with all patches. What takes most of it: {largest}. The
compiled trunk runs in {fast}, since this processor {multiplies} bfloat16, which takes {ratio} times as long as float32;
so it is {faster} times as fast as eager, which glibc's default malloc slows. On one H100 the goal of {goal}
composites a second, EfficientNet-B0 trained whole at {side} px, is {verdict} what an estimate allows: {possible} by
memory and arithmetic, of which the goal asks {part}, and {hosted} by the host that starts the operations, for batches
of {large}. No GPU was measured.

{machine}

## Measured: a step of the recipe `continue` on one core

Batches of {batch} at {size} px; processor time of the one thread, median of {repeats}. Attention, filters and losses
are forward and backward; the trunk is frozen; histograms and moments have no weights. The whole step is as the recipe
has it, with all compiled that can be, the trunk in {fast}; beside the stages it holds regressors and the clipping of
gradients.

{stages}

The making of each kind of composite, in batches of {each}, crops and masks included:

{kinds}

## Estimated: one NVIDIA H100 SXM

EfficientNet-B0 trained whole at {side} px by the paper's losses, with a target after every filter for half of the
composites, which are made as the recipe `default` makes them. Counted, on the CPU: the operations that torch starts;
the FLOPs of convolutions and products, of the backward pass twice those of the forward pass; and bytes, as if each
operation read and wrote its tensors in memory once. torch.compile fuses operations and needs fewer bytes; no kernel
reaches all of a peak. The peaks are the data sheet's: 989 TFLOP/s for the network in bfloat16, 67 TFLOP/s for the rest
in float32, 3.35 TB/s. A stage is no faster than the slower of its two; the stages follow each other.

{roofline}

That eager torch takes {launch} us on the host for an operation is an assumption. {operations} of them take {host} ms a
step whatever the batch, so the goal needs batches of at least {least} pictures, or fewer operations.

`{memory}python benchmarks/training_step.py PHOTOS --page`
"""


def kinds_table(kinds: Mapping[str, tuple[float, float]]) -> str:
    """Measured: the making of each kind."""
    rows = ([name, *(f"{value:.1f}" for value in pair)] for name, pair in kinds.items())
    return grid(["ms a picture", "not augmented", "augmented"], rows)


def stages_table(milliseconds: Mapping[str, float], batch_size: int) -> str:
    """Measured: the stages of a batch."""
    rows = (
        [name, digits(value), f"{value / batch_size:.2f}", digits(1000 * batch_size / value)]
        for name, value in milliseconds.items()
    )
    return grid(["", "ms a batch", "ms a picture", "pictures a second"], rows)


def roofline_table(works: Mapping[str, Work]) -> str:
    """Estimated: the bounds of one GPU."""
    rows = [
        [
            name,
            f"{work.flops / 1e9:.3g}",
            f"{work.bytes / 1e6:.3g}",
            "memory" if work.seconds > work.flops / work.peak else "arithmetic",
            digits(1 / work.seconds),
            str(work.operations),
        ]
        for name, work in works.items()
    ]
    flops, moved = (sum(getattr(work, key) for work in works.values()) for key in ("flops", "bytes"))
    rows.append(["all", f"{flops / 1e9:.3g}", f"{moved / 1e6:.3g}", "", digits(bound(works)), str(operations(works))])
    return grid(["", "GFLOP a picture", "MB a picture", "bound by", "composites a second", "operations a step"], rows)


def bound(works: Mapping[str, Work]) -> float:
    """Composites a second that the GPU allows."""
    return 1 / sum(work.seconds for work in works.values())


def operations(works: Mapping[str, Work]) -> int:
    """Of a whole step."""
    return sum(work.operations for work in works.values())


def page(
    recipe: Recipe,
    kinds: Mapping[str, tuple[float, float]],
    milliseconds: Mapping[str, float],
    works: Mapping[str, Work],
) -> str:
    """The results page, which opens with what follows from it."""
    some, whole = (recipe.batch_size * 1000 / milliseconds[STEP[share]] for share in (SOME, ALL))
    bfloat16 = fast_dtype("cpu") == torch.bfloat16
    trunk = stages.TRUNK_BFLOAT16 if bfloat16 else stages.TRUNK_COMPILED
    parts = (
        stages.BATCH,
        trunk,
        stages.MEASURE_COMPILED,
        ATTENTION[SOME],
        FILTERS_COMPILED,
        ADAM,
        AVERAGE,
    )
    largest = max(parts, key=lambda name: milliseconds[name])
    possible, hosted = bound(works), BATCH / (operations(works) * LAUNCH)
    goal = "within" if min(possible, hosted) > GOAL else "beyond"
    return PAGE.format(
        machine=f"{describe_machine()} {', '.join(f'{name} {version(name)}' for name in VERSIONS)}.",
        share=f"{recipe.patch_share[0][1]:.0%}",
        some=f"{some:.1f}",
        whole=f"{whole:.1f}",
        largest=largest,
        fast="bfloat16" if bfloat16 else "float32",
        multiplies="has instructions for" if bfloat16 else "only emulates",
        ratio=digits(milliseconds[stages.TRUNK_BFLOAT16] / milliseconds[stages.TRUNK_COMPILED]),
        faster=f"{milliseconds[stages.TRUNK] / milliseconds[trunk]:.1f}",
        goal=f"{GOAL:,.0f}",
        side=RECIPE.size_at(0),
        verdict=goal,
        part=f"{GOAL / possible:.0%}",
        possible=f"{possible:,.0f}",
        hosted=f"{hosted:,.0f}",
        large=BATCH,
        memory="".join(f"{name}={value} " for name, value in sorted(os.environ.items()) if name.startswith("MALLOC_")),
        batch=recipe.batch_size,
        size=recipe.size_at(0),
        repeats=stages.REPEATS,
        stages=stages_table(milliseconds, recipe.batch_size),
        each=stages.EACH,
        kinds=kinds_table(kinds),
        roofline=roofline_table(works),
        launch=f"{1e6 * LAUNCH:.0f}",
        operations=f"{operations(works):,}",
        host=f"{1000 * operations(works) * LAUNCH:.0f}",
        least=f"{operations(works) * LAUNCH * GOAL:.0f}",
    )
