"""Learners, which make a harmonized picture of a composite: each has a name, and all are compared in one table.

Besides those here there are those of other packages, by entry points of the group `harmonizer.learners`, and any
function that can be imported, as MODULE:NAME.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from harmonizer.errors import CheckpointError, EvaluationError
from harmonizer.evaluation import moments, transfer
from harmonizer.evaluation.samples import AnyComposite, Composite, Sample, resize
from harmonizer.evaluation.transfer import ColourMap, Colours
from harmonizer.pictures.picture import Pixels
from harmonizer.pipeline import Harmonizer
from whitebox_filters import Cascade, fit


@dataclass(frozen=True)
class Harmonized:
    """A harmonized picture (HWC uint8), and theta in [-1, 1] by filter name; {} where no filter was used."""

    image: Pixels
    theta: Mapping[str, float]


Learner = Callable[[Composite], Harmonized]
"""A composite and its mask to the harmonized picture."""
Opener = Callable[[Path | None], Learner]
"""From a checkpoint folder, None for the one that ships; a learner without a network ignores it."""
Contender = Callable[[Sample], Harmonized]
"""What `evaluate` scores: a learner that is given its part of a sample, or the oracle, which is given all of it."""

GROUP = "harmonizer.learners"
ORACLE = "oracle"
THUMBNAIL = 256
UPSAMPLED = "+pcm"

_openers: dict[str, Opener] = {}


def register(name: str, opener: Opener) -> None:
    """Add a learner. Raises EvaluationError if the name is taken."""
    if name in (*_openers, ORACLE):
        raise EvaluationError(f"a learner named {name!r} is registered already; choose another name")
    _openers[name] = opener


def names() -> tuple[str, ...]:
    """The learners that are registered here or offered by installed packages, and the oracle; sorted."""
    return tuple(sorted({*_openers, ORACLE, *entry_points(group=GROUP).names}))


def open_learner(name: str, weights: Path | None = None) -> Contender:
    """The learner of that name, or the one that MODULE:NAME opens; with +pcm after it, run through `upsampled`.

    All learners but the oracle get only the composite and its mask, not the real picture.
    Raises EvaluationError, which lists what there is, and CheckpointError.
    """
    bare = name.removesuffix(UPSAMPLED)
    contender = _filtered(_oracle) if bare == ORACLE else blind(_find(bare)(weights))
    return upsampled(contender) if name.endswith(UPSAMPLED) else contender


def blind(learner: Learner) -> Contender:
    """The learner, which is given a sample without its real picture."""
    return lambda sample: learner(sample.without_real)


def upsampled(contender: Contender) -> Contender:
    """Harmonize a 256 x 256 thumbnail, fit a polynomial colour map to that, apply it at full size (PCM, Table 2)."""

    def harmonize(sample: Sample) -> Harmonized:
        small = resize(sample, THUMBNAIL)
        result = contender(small)
        inside = small.mask > 0
        before, after = (picture[inside] / 255 for picture in (small.composite, result.image))
        colour_map = transfer.polynomial(before, after, small.mask[inside])
        return Harmonized(transfer.recolour(sample.composite, sample.mask, colour_map), result.theta)

    return harmonize


def _find(name: str) -> Opener:
    if name in _openers:
        return _openers[name]
    offers = list(entry_points(group=GROUP, name=name))
    if len(offers) > 1:
        packages = " and ".join(repr(offer.dist.name if offer.dist else "unknown") for offer in offers)
        raise EvaluationError(f"packages {packages} both offer a learner named {name!r}; uninstall one of them")
    if offers:
        return _load(f"learner {name!r} ({offers[0].value})", offers[0].load)
    module, colon, attribute = name.partition(":")
    if not (colon and module and attribute):
        raise EvaluationError(
            f"no learner is named {name!r}; there are {', '.join(names())}, each also with {UPSAMPLED}, and functions "
            "of your own, as MODULE:NAME"
        )
    return _load(f"learner {name!r}", lambda: _import(module, attribute))


def _import(module: str, attribute: str) -> Any:
    folder = str(Path.cwd())
    if folder not in sys.path:  # a script's own folder is there, that of an installed command is not
        sys.path.insert(0, folder)
    return getattr(import_module(module), attribute)


def _load(title: str, load: Callable[[], Any]) -> Opener:
    try:
        opener = load()
    except Exception as error:  # of a stranger's module: it may raise anything
        raise EvaluationError(
            f"{title} cannot be imported: {type(error).__name__}: {error}. It is searched for in the current folder "
            "and among the installed packages"
        ) from error
    if not callable(opener):
        raise EvaluationError(
            f"{title} is a {type(opener).__name__}; it is a function that takes the folder of --weights or None, and "
            "returns the learner"
        )
    checked: Opener = opener
    return checked


def of_harmonizer(harmonizer: Harmonizer) -> Learner:
    """The learner that harmonizes as `harmonizer` does."""

    def harmonize(sample: Composite) -> Harmonized:
        result = harmonizer.harmonize(sample.composite, sample.mask)
        return Harmonized(result.image, result.theta)

    return harmonize


def _composite(sample: Composite) -> Harmonized:
    """The composite as it is."""
    return Harmonized(sample.composite, {})


def _network(regressor: str) -> Opener:
    """The network of a checkpoint, whose config.json must name that regressor (Eqs. 6 and 7)."""

    def opener(weights: Path | None) -> Learner:
        harmonizer = Harmonizer.load(weights)
        actual = harmonizer.predictor.config.regressor
        if actual != regressor:
            advice = f"take the learner {actual!r}, or give" if actual in _openers else "give"
            raise CheckpointError(
                f"the checkpoint {weights or 'that ships'} has the regressor {actual!r}, not {regressor!r}; "
                f"{advice} the weights of another network"
            )
        return of_harmonizer(harmonizer)

    return opener


def _transferred(method: Callable[[Colours, Colours], ColourMap]) -> Learner:
    """The foreground's colours moved to the background's."""

    def harmonize(sample: Composite) -> Harmonized:
        foreground, background = (sample.composite[region] / 255 for region in (sample.foreground, ~sample.foreground))
        if min(len(foreground), len(background)) < 2:
            return _composite(sample)
        colour_map = method(foreground, background)
        return Harmonized(transfer.recolour(sample.composite, sample.mask, colour_map), {})

    return harmonize


def _filtered(choose: Callable[[Cascade, AnyComposite], Colours]) -> Callable[[AnyComposite], Harmonized]:
    """The six filters with the theta that `choose` finds on a thumbnail."""
    cascade = Cascade()

    def harmonize(sample: AnyComposite) -> Harmonized:
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
