"""Learners: what makes a harmonized picture of a composite, under one name each, to be compared on one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harmonizer.errors import CheckpointError, EvaluationError
from harmonizer.evaluation import moments, transfer
from harmonizer.evaluation.samples import Sample, resize
from harmonizer.evaluation.transfer import ColourMap, Colours
from harmonizer.pictures.picture import Pixels
from harmonizer.pipeline import Harmonizer
from whitebox_filters import Cascade, fit


@dataclass(frozen=True)
class Harmonized:
    """A harmonized picture (HWC uint8), and theta in [-1, 1] by filter name; {} where no filter was used."""

    image: Pixels
    theta: Mapping[str, float]


Learner = Callable[[Sample], Harmonized]
"""Composite and mask of a sample to the harmonized picture."""
Opener = Callable[[Path | None], Learner]
"""From a checkpoint folder, None for the one that ships; a learner without a network takes no notice."""

THUMBNAIL = 256
UPSAMPLED = "+pcm"

_openers: dict[str, Opener] = {}


def register(name: str, opener: Opener) -> None:
    """Add a learner. Raises EvaluationError if the name is taken."""
    if name in _openers:
        raise EvaluationError(f"a learner named {name!r} is registered already; choose another name")
    _openers[name] = opener


def names() -> tuple[str, ...]:
    """The registered learners, sorted."""
    return tuple(sorted(_openers))


def open_learner(name: str, weights: Path | None = None) -> Learner:
    """The learner of that name; NAME+pcm is the same at 256 pixels, brought to full size by `upsampled`.

    Raises EvaluationError, which lists what there is, and CheckpointError.
    """
    opener = _openers.get(name.removesuffix(UPSAMPLED))
    if opener is None:
        raise EvaluationError(
            f"no learner is named {name!r}; there are {', '.join(names())}, each also with {UPSAMPLED}"
        )
    learner = opener(weights)
    return upsampled(learner) if name.endswith(UPSAMPLED) else learner


def upsampled(learner: Learner) -> Learner:
    """Harmonize a 256 x 256 thumbnail, fit a polynomial colour map to that, apply it at full size (PCM, Table 2)."""

    def harmonize(sample: Sample) -> Harmonized:
        small = resize(sample, THUMBNAIL)
        result = learner(small)
        inside = small.mask > 0
        before, after = (picture[inside] / 255 for picture in (small.composite, result.image))
        colour_map = transfer.polynomial(before, after, small.mask[inside])
        return Harmonized(transfer.recolour(sample.composite, sample.mask, colour_map), result.theta)

    return harmonize


def _composite(sample: Sample) -> Harmonized:
    """The composite as it is."""
    return Harmonized(sample.composite, {})


def _network(regressor: str) -> Opener:
    """The network of a checkpoint, whose config.json must name that regressor (Eqs. 6 and 7)."""

    def opener(weights: Path | None) -> Learner:
        harmonizer = Harmonizer.load(weights)
        found = harmonizer.predictor.config.regressor
        if found != regressor:
            advice = f"take the learner {found!r}, or give" if found in _openers else "give"
            raise CheckpointError(
                f"the checkpoint {weights or 'that ships'} has the regressor {found!r}, not {regressor!r}; "
                f"{advice} the weights of another network"
            )

        def harmonize(sample: Sample) -> Harmonized:
            result = harmonizer.harmonize(sample.composite, sample.mask)
            return Harmonized(result.image, result.theta)

        return harmonize

    return opener


def _transferred(method: Callable[[Colours, Colours], ColourMap]) -> Learner:
    """The foreground's colours moved to the background's."""

    def harmonize(sample: Sample) -> Harmonized:
        foreground, background = (sample.composite[region] / 255 for region in (sample.foreground, ~sample.foreground))
        if min(len(foreground), len(background)) < 2:
            return _composite(sample)
        colour_map = method(foreground, background)
        return Harmonized(transfer.recolour(sample.composite, sample.mask, colour_map), {})

    return harmonize


def _filtered(choose: Callable[[Cascade, Sample], Colours]) -> Learner:
    """The six filters with the theta that `choose` finds on a thumbnail."""
    cascade = Cascade()

    def harmonize(sample: Sample) -> Harmonized:
        theta = choose(cascade, resize(sample, THUMBNAIL))
        image = cascade(sample.composite, theta, sample.mask)
        return Harmonized(image, dict(zip(cascade.names, theta.tolist(), strict=True)))

    return harmonize


def _oracle(cascade: Cascade, sample: Sample) -> Colours:
    """The theta that brings the composite closest to the real picture: no prediction can do better."""
    return fit(cascade, sample.composite, sample.real, sample.mask)


register("composite", lambda _: _composite)
for _regressor in ("affine", "cascade", "multihead", "released"):
    register(_regressor, _network(_regressor))
register("reinhard", lambda _: _transferred(transfer.reinhard))
register("mkl", lambda _: _transferred(transfer.monge_kantorovich))
register("statistics", lambda _: _filtered(moments.choose_theta))
register("oracle", lambda _: _filtered(_oracle))
