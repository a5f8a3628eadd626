"""Everything that decides what a run learns, and the recipes that have names."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from harmonizer.errors import RecipeError
from harmonizer.learning.composites.augment import Augmentation
from harmonizer.learning.composites.batches import Mixture
from harmonizer.learning.composites.kinds import KINDS
from harmonizer.learning.composites.sources.similarity import SIMILARITIES
from harmonizer.learning.losses import COMBINATIONS
from harmonizer.learning.network.config import FROZEN, NetworkConfig
from harmonizer.learning.old_names import (
    AUGMENTATION_FIELDS,
    NETWORK_FIELDS,
    RECIPE_FIELDS,
    rename_fields,
    warn_of_old_names,
)
from whitebox_filters.spec import Prior

T = TypeVar("T")
MOST = 2**53
"""Numbers of a recipe are below it: whole ones are exact in float64 too."""

Schedule = tuple[tuple[float, T], ...]
"""Pairs (until this share of the steps, value), with increasing shares, the last 1."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run learns. Raises RecipeError for values that no run can use."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    pretrained: bool = True  # start with the encoder's ImageNet weights
    steps: int = 6000
    batch_size: int = 32  # over all processes
    sizes: Schedule[int] = ((0.8, 128), (1.0, 256))  # pixels a side
    encoder_learning_rate: float = 2e-4
    head_learning_rate: float = 1e-3  # of everything but the encoder
    weight_decay: float = 0.0  # of AdamW: the share of the learning rate by which each step shrinks all weights
    warmup: int = 200  # steps over which the learning rates rise from 0
    learning_rate_drops: tuple[float, ...] = ()  # shares of the steps at which they fall to a tenth; none: a cosine
    frozen: str = "none"  # the part of the encoder that keeps its weights: a key of FROZEN
    frozen_norm: bool = False  # the encoder's batch norms keep their statistics
    bfloat16: bool = False  # the network computes in it (autocast); filters and losses stay in float32
    compile: bool = False  # run the frozen part, or the whole network if nothing is frozen, through torch.compile
    patch_share: Schedule[float] = ((1.0, 1.0),)  # the share of each picture's patches that attention reads
    weight_average: float = 0.998  # decay of the exponential moving average of the weights; 0: no average
    eq8_share: float = 0.5  # of each batch, made by Eq. 8
    loss: str = "dynamic"  # of the Eq. 8 composites: a key of COMBINATIONS
    loss_stride: int = 1  # filters and losses run on every such row and column
    auxiliary_weight: float = 0.0  # of a second loss: statistics of the true foreground, predicted beside theta
    priors: Mapping[str, Prior] | None = None  # of Eq. 9, by filter; a filter without an entry keeps its own
    kinds: Mapping[str, float] | None = None  # shares of the other composites, by names of KINDS; None: all alike
    similarity: str = "colours"  # which photographs lend each other their colours: a key of SIMILARITIES
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0  # 0 or more

    def __post_init__(self) -> None:
        problem = None
        if min(self.batch_size, self.steps, self.loss_stride) < 1:
            problem = (
                "batch_size, steps and loss_stride are at least 1; "
                f"got {self.batch_size}, {self.steps}, {self.loss_stride}"
            )
        elif not 0 <= self.weight_decay < math.inf:
            problem = f"weight_decay is 0 or more; got {self.weight_decay}"
        elif not isinstance(self.seed, int) or self.seed < 0:
            problem = f"seed is a whole number from 0 on; got {self.seed!r}"
        elif bad := [each for each in (self.sizes, self.patch_share) if not _is_schedule(each)]:
            problem = (
                "a schedule holds pairs (share of the steps, value above 0) with increasing shares, the last 1; "
                f"got {bad[0]}"
            )
        elif not all(0 < share < math.inf for share in self.learning_rate_drops):
            problem = f"learning_rate_drops are shares of the steps, above 0; got {list(self.learning_rate_drops)}"
        elif unknown := set(self.kinds or {}) - set(KINDS):
            problem = f"no kind of composites is named {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}"
        elif self.kinds is not None and not (
            min(self.kinds.values(), default=0) >= 0 and 0 < sum(self.kinds.values()) < math.inf
        ):
            problem = f"the shares of kinds are 0 or more, and not all 0; got {dict(self.kinds)}"
        elif unknown := set(self.priors or {}) - set(self.network.filters):
            problem = (
                f"a prior is of a filter of the network; {', '.join(sorted(unknown))} is not among "
                f"{', '.join(self.network.filters)}"
            )
        elif bad_priors := [name for name, prior in (self.priors or {}).items() if not _is_prior(prior)]:
            problem = f"a prior has a mean in [-1, 1] and a std from 0 on; got another for {', '.join(bad_priors)}"
        elif self.loss not in COMBINATIONS:
            problem = f"no loss is named {self.loss!r}; there are {', '.join(COMBINATIONS)}"
        elif self.similarity not in SIMILARITIES:
            problem = f"no similarity is named {self.similarity!r}; there are {', '.join(SIMILARITIES)}"
        elif self.frozen not in FROZEN:
            problem = f"no part to freeze is named {self.frozen!r}; there are {', '.join(FROZEN)}"
        elif not 0 < round(self.eq8_share * self.batch_size) < self.batch_size:
            problem = (
                f"a batch holds composites by Eq. 8 and others; got eq8_share {self.eq8_share} of {self.batch_size}"
            )
        if problem:
            raise RecipeError(f"no run can use this recipe: {problem}")

    def size_at(self, step: int) -> int:
        """The side of the pictures at a step, in pixels."""
        return self._scheduled(self.sizes, step)

    def patch_share_at(self, step: int) -> float:
        """The share of each picture's patches that attention reads at a step."""
        return self._scheduled(self.patch_share, step)

    @property
    def mixture(self) -> Mixture:
        """How the composites of a batch are made, apart from those of Eq. 8."""
        return Mixture(self.kinds, self.augmentation)

    def _scheduled(self, schedule: Schedule[T], step: int) -> T:
        return next(value for until, value in schedule if step < until * self.steps or until >= 1)

    def learning_rate_factor(self, step: int) -> float:
        """The factor of both learning rates at a step, in (0, 1]."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        if self.learning_rate_drops:
            return float(0.1 ** sum(step >= share * self.steps for share in self.learning_rate_drops))
        share = (step - self.warmup) / max(1, self.steps - self.warmup)
        return 0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2


def to_json(recipe: Recipe) -> str:
    """The recipe as a JSON object that `from_json` reads."""
    return json.dumps(asdict(recipe), indent=2) + "\n"


def from_json(text: str) -> Recipe:
    """Read a recipe of this version or an earlier one; missing fields are those of `Recipe()`.

    Raises RecipeError. Gives one OldNameWarning if it has fields under names of an earlier version.
    """
    try:
        written = json.loads(text)
        old = {name: new for name, new in RECIPE_FIELDS.items() if name in written}
        values: dict[str, Any] = rename_fields(written, RECIPE_FIELDS)
        for name, kind, table in (
            ("network", NetworkConfig, NETWORK_FIELDS),
            ("augmentation", Augmentation, AUGMENTATION_FIELDS),
        ):
            part = values.get(name, {})
            old |= {f"{name}.{field}": f"{name}.{new}" for field, new in table.items() if field in part}
            values[name] = _construct(kind, rename_fields(part, table))
        for name in ("sizes", "patch_share"):
            if name in values:
                values[name] = tuple((share, value) for share, value in values[name])
        if values.get("priors") is not None:
            values["priors"] = _construct_priors(values["priors"])
        recipe = _construct(Recipe, values)
    except (TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise RecipeError(f"this is no recipe ({error}); expected JSON like the recipe.json of a run") from error
    warn_of_old_names(old)
    return recipe


def read_priors(path: Path) -> dict[str, Prior]:
    """The Gaussians of Eq. 9 by filter name, as `harmonizer study priors -o` writes them. Raises RecipeError."""
    try:
        return _construct_priors(json.loads(path.read_text(encoding="utf-8-sig")))
    except (OSError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise RecipeError(
            f"{path} holds no priors ({error}); expected JSON as `harmonizer study priors -o` writes it"
        ) from error


def _construct_priors(values: dict[str, dict[str, float]]) -> dict[str, Prior]:
    return {name: _construct(Prior, value) for name, value in values.items()}


def _is_prior(prior: Prior) -> bool:
    numbers = (prior.mean, prior.std)
    return (
        all(isinstance(number, int | float) for number in numbers)
        and abs(prior.mean) <= 1
        and 0 <= prior.std < math.inf
    )


def _construct(kind: type[T], values: dict[str, Any]) -> T:
    names = [entry.name for entry in fields(kind)]  # type: ignore[arg-type]
    if unknown := set(values) - set(names):
        raise RecipeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}; it has {', '.join(names)}")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    for entry in fields(kind):  # type: ignore[arg-type]
        if entry.name in values and (accepted := _find_mismatch(values[entry.name], entry.default)):
            raise RecipeError(f"{entry.name} is {accepted}; got {reprlib.repr(values[entry.name])}")
    return kind(**values)


def _find_mismatch(value: Any, default: Any) -> str | None:
    """What a value of JSON should be by the type of its field's default; None if it is that, or the type does not tell.

    Numbers are finite.
    """
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "true or false"
    if isinstance(default, str):
        return None if isinstance(value, str) else "a text"
    if isinstance(default, int | float):
        number = int if isinstance(default, int) else int | float
        fits = isinstance(value, number) and not isinstance(value, bool) and abs(value) < MOST
        return None if fits else "a whole number" if isinstance(default, int) else "a number"
    if isinstance(default, tuple):
        parts = [part for each in _list(value) for part in _list(each)]
        fits = isinstance(value, tuple) and all(
            isinstance(part, str) or not _find_mismatch(part, 0.0) for part in parts
        )
        return None if fits else f"a list such as {json.dumps(default)}"
    return None


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple) else (value,)


def _is_schedule(schedule: Schedule[Any]) -> bool:
    shares = [share for share, _ in schedule]
    return bool(shares) and shares[-1] == 1 and shares == sorted(shares) and all(value > 0 for _, value in schedule)


MIXED = {
    # Two renditions of one photograph, as HAdobe5k was made.
    "renditions": 0.45,
    # Colours of a similar photograph, as HFlickr and HCOCO were made.
    "reinhard": 0.1,
    "monge_kantorovich": 0.1,
    "histograms": 0.06,
    "distribution": 0.05,
    # One scene at two hours, as Hday2night was made.
    "scenes": 0.12,
    "frames": 0.02,
    "retouch": 0.02,
    "relight": 0.02,
    # No change is needed: a network that was never trained on this changes every picture.
    "untouched": 0.06,
}
"""Shares of the composites that are not made by Eq. 8."""

DEFAULT = Recipe(
    # The encoder keeps ImageNet's weights: to train it takes most of a step, and on a few thousand photographs it would
    # forget what it knows of objects. All steps use one size: a network is much worse on pictures of another size.
    network=NetworkConfig(
        encoder="tf_efficientnet_lite0",
        pooling="attention",
        second_share=0.25,
        input_size=224,
        last_stage=True,
        dropout=0.1,
    ),
    steps=12_000,
    batch_size=60,
    sizes=((1.0, 224),),
    warmup=200,
    frozen="encoder",
    compile=True,
    # A third of the patches takes a quarter of the time and regularizes; the last steps read all of them, as in use.
    patch_share=((5 / 6, 0.3), (1.0, 1.0)),
    eq8_share=0.2,
    # Eq. 12 gives each picture the same weight, but few large errors make up most of a mean squared error.
    loss="last",
    loss_stride=2,
    kinds=MIXED,
    similarity="things",
    augmentation=Augmentation(uncropped=0.85, relight=0.4, refocus=0.5, bad_cutout=0.25, bad_input_mask=0.1, jpeg=0.2),
)
"""The network that ships, from ImageNet's weights."""

PAPER = Recipe(
    network=NetworkConfig(encoder="efficientnet_b0", histograms=False),
    # 60 epochs over the 65,742 training pictures of iHarmony4, eight of them in each batch.
    steps=60 * 65_742 // 8,
    batch_size=16,
    sizes=((1.0, 256),),
    encoder_learning_rate=3e-4,
    head_learning_rate=3e-4,
    warmup=0,
    learning_rate_drops=(25 / 60, 50 / 60),
    weight_average=0.0,
)
"""The paper's training as far as it is known, on any photographs.

From the paper: EfficientNet-B0 at 256 px, Adam, mu = 10, the dynamic loss, half of each batch by Eq. 8. From the
released training script: batches of 16, of them 8 real composites; rate 3e-4, a tenth of it from epoch 25 on and a
hundredth from 50 on, of 60. Assumed: an epoch is one pass of the Eq. 8 half over iHarmony4's training set. Its real
composites are not available; our synthesis stands in for them.
"""

CONTINUE = replace(
    DEFAULT,
    pretrained=False,
    # A larger rate undoes what the small rates at the end of the last run achieved.
    head_learning_rate=4e-4,
)
"""Continues from a trained network, `--from`; most of the training of the shipped network."""

RECIPES = {"default": DEFAULT, "continue": CONTINUE, "paper": PAPER}
