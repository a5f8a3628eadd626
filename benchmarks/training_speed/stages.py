"""What the stages of a training step take, in milliseconds of processor time of the one thread that does the work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median

import torch
from torch import Tensor

from harmonizer.learning import train
from harmonizer.learning.composites.augment import Augmentation
from harmonizer.learning.composites.batches import Batch, Mixture, Slots, make_batch
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import draw
from harmonizer.learning.composites.kinds import EQ8, KINDS, SCENES
from harmonizer.learning.composites.sources.sources import Sources
from harmonizer.learning.losses import LAST, total_loss
from harmonizer.learning.network.compiled import compile_encoder, compile_function
from harmonizer.learning.network.network import measure
from harmonizer.learning.network.poolings import AttentionPooling
from harmonizer.learning.recipes import Recipe
from whitebox_filters import Cascade

REPEATS = 5  # measured, after one that warms up
EACH = 32  # composites of each kind

BATCH = "make the batch"
TRUNK, TRUNK_COMPILED, TRUNK_BFLOAT16 = (f"trunk, {way}" for way in ("eager", "compiled", "compiled, bfloat16"))
MEASURE, MEASURE_COMPILED = "histograms and moments", "histograms and moments, compiled"
SOME, ALL = "30 % of the patches", "all patches"
ATTENTION = {share: f"attention on {share}" for share in (SOME, ALL)}
FILTERS, FILTERS_COMPILED = "filters and losses", "filters and losses, compiled"
ADAM, AVERAGE = "Adam", "average the weights"
STEP = {share: f"whole step, {share}" for share in (SOME, ALL)}


def kinds(recipe: Recipe, sources: Sources) -> dict[str, tuple[float, float]]:
    """Of Eq. 8 and each of KINDS, for one picture: without augmentation, and with the recipe's."""
    distortion = _distortion(recipe)
    names = [name for name in (EQ8, *KINDS) if name != SCENES or sources.scenes is not None]
    return {
        name: (
            _of_kind(name, recipe, sources, distortion, Augmentation()) / EACH,
            _of_kind(name, recipe, sources, distortion, recipe.augmentation) / EACH,
        )
        for name in names
    }


def stages(recipe: Recipe, sources: Sources) -> dict[str, float]:
    """Of one batch; forward and backward, but for the trunk, which is frozen."""
    state = train.start(recipe, pretrained=True)
    network, cascade, pooling = state.network.train(), state.network.cascade, state.network.pooling
    if not isinstance(pooling, AttentionPooling) or network.histograms is None:
        raise ValueError("the stages are those of a network with attention and histograms")
    distortion, slots = _distortion(recipe), Slots.of(recipe.batch_size, recipe.eq8_share)
    numbers = iter(range(10_000))

    def make() -> Batch:
        draws = draw(recipe.seed, next(numbers), slots.numbers)
        return make_batch(sources, distortion, recipe.size_at(0), recipe.mixture, draws, slots.eq8_count)

    seconds = {BATCH: _clock(make)}
    batch = make()
    composite, mask = batch.inputs
    with torch.no_grad():
        maps, (histograms, moments) = pooling.encode(composite, mask)[0], _measure(composite, mask)
        context = network.histograms(histograms)
        seconds[TRUNK] = _clock(lambda: pooling.encode(composite, mask))
        for title, dtype in ((TRUNK_COMPILED, torch.float32), (TRUNK_BFLOAT16, torch.bfloat16)):
            compiled = compile_encoder(pooling, recipe.frozen, dtype)
            seconds[title] = _clock(partial(compiled, composite, mask))
        for title, run in ((MEASURE, _measure), (MEASURE_COMPILED, compile_function(_measure, composite.device.type))):
            seconds[title] = _clock(partial(run, composite, mask))

    def attend(share: float) -> None:
        torch.autograd.backward(pooling.attention(maps, moments, context, share).square().mean())

    some = recipe.patch_share[0][1]
    for title, share in ((SOME, some), (ALL, 1.0)):
        seconds[ATTENTION[title]] = _clock(partial(attend, share))
    small, predictions = batch.thin(recipe.loss_stride), 1 + (network.second is not None)
    thetas = [torch.zeros(len(mask), len(cascade), requires_grad=True) for _ in range(predictions)]
    fused = train.Criterion(cascade, cascade.compile("torch") if recipe.loss == LAST else None)
    for title, criterion in ((FILTERS, train.Criterion(cascade, None)), (FILTERS_COMPILED, fused)):
        seconds[title] = _clock(partial(learn, recipe, criterion, small, thetas))
    network.compile_frozen()

    def step_once(criterion: train.Criterion) -> None:
        train._step(recipe, state, criterion, make())

    for title, step in ((SOME, 0), (ALL, recipe.steps - 1)):
        state.step = step
        criterion = fused if recipe.compile else train.Criterion(cascade, None)
        seconds[STEP[title]] = _clock(partial(step_once, criterion))
    seconds[ADAM] = _clock(state.optimizer.step)
    seconds[AVERAGE] = _clock(lambda: train._update_average(state, recipe.weight_average))
    return seconds


def learn(recipe: Recipe, criterion: train.Criterion, batch: Batch, thetas: Sequence[Tensor]) -> None:
    """The filters with some thetas and their losses, forward and backward."""
    losses = [total_loss(*criterion(batch, theta), recipe.loss) for theta in thetas]
    torch.autograd.backward(torch.stack(losses).sum())


def _of_kind(name: str, recipe: Recipe, sources: Sources, distortion: Distortion, augmentation: Augmentation) -> float:
    numbers: Iterator[int] = iter(range(10_000))
    mixture = Mixture({name: 1.0} if name != EQ8 else None, augmentation)
    return _clock(
        lambda: make_batch(
            sources,
            distortion,
            recipe.size_at(0),
            mixture,
            draw(recipe.seed, next(numbers), range(EACH)),
            EACH if name == EQ8 else 0,
        )
    )


def _measure(composite: Tensor, mask: Tensor) -> list[Tensor]:
    return measure(composite, mask, histograms=True, describe=AttentionPooling.describe)


def _distortion(recipe: Recipe) -> Distortion:
    cascade = Cascade(recipe.network.filters, statistics=recipe.network.statistics)
    every = recipe.loss != LAST
    return Distortion.of(cascade, all_targets=every, compiled=recipe.compile and not every)


def _clock(run: Callable[[], object]) -> float:
    run()
    spent = []
    for _ in range(REPEATS):
        start = time.thread_time()
        run()
        spent.append(time.thread_time() - start)
    return 1000 * median(spent)
