"""Everything that decides what a run learns, and the recipes that have names."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from harmonizer.errors import RecipeError
from harmonizer.learning.composites.augment import Augmentation
from harmonizer.learning.composites.batches import Mixture
from harmonizer.learning.composites.kinds import KINDS
from harmonizer.learning.losses import STEPWISE
from harmonizer.learning.model import FROZEN, ModelConfig

T = TypeVar("T")

LIKENESS = {
    "colours": "the mean hue of their foregrounds",
    "things": "what ImageNet's EfficientNet-Lite0 sees in their foregrounds",
}

Schedule = tuple[tuple[float, T], ...]
"""Pairs (until this share of the steps, value) with growing shares, the last 1."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run learns. Raises RecipeError on values that make no run."""

    model: ModelConfig = field(default_factory=ModelConfig)
    pretrained: bool = True  # begin with the encoder's ImageNet weights
    steps: int = 6000
    batch_size: int = 32  # over all processes
    sizes: Schedule[int] = ((0.8, 128), (1.0, 256))  # pixels a side
    encoder_rate: float = 2e-4
    head_rate: float = 1e-3
    warmup: int = 200
    decays: tuple[float, ...] = ()  # at these shares of the steps the rates fall to a tenth; if none, along a cosine
    frozen: str = "none"  # what of the encoder stays as it is: a key of model.FROZEN
    frozen_norm: bool = False  # batch norm keeps its pretrained statistics in all steps
    bfloat16: bool = False  # the network computes in it (autocast); filters and losses stay in float32
    compile: bool = False  # what is frozen, or the whole network where nothing is, runs through torch.compile
    patches: Schedule[float] = ((1.0, 1.0),)  # the share of its patches that attention sees of each picture
    average: float = 0.998  # of the weights, over steps
    stepwise: float = 0.5  # share of each batch made by Eq. 8, with a target for every filter
    loss: str = "dynamic"  # of the Eq. 8 composites: a key of losses.STEPWISE
    stride: int = 1  # filters and losses look at every such pixel each way
    statistics: float = (
        0.0  # weight of the loss of the true foreground's statistics, which a head predicts beside theta
    )
    kinds: Mapping[str, float] | None = None  # shares of how the rest is made, by names of KINDS; if None all alike
    likeness: str = "colours"  # by which photographs lend each other their colours: a key of LIKENESS
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0

    def __post_init__(self) -> None:
        problem = None
        if min(self.batch_size, self.steps, self.stride) < 1:
            problem = f"batch_size, steps and stride are at least 1; got {self.batch_size}, {self.steps}, {self.stride}"
        elif bad := [each for each in (self.sizes, self.patches) if not _is_schedule(each)]:
            problem = (
                f"a schedule holds pairs (share of the steps, value) with growing shares, the last 1; got {bad[0]}"
            )
        elif unknown := set(self.kinds or {}) - set(KINDS):
            problem = f"no kind of composites is named {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}"
        elif self.kinds is not None and (min(self.kinds.values(), default=0) < 0 or sum(self.kinds.values()) <= 0):
            problem = f"the shares of kinds are 0 or more, and not all 0; got {dict(self.kinds)}"
        elif self.loss not in STEPWISE:
            problem = f"no loss is named {self.loss!r}; there are {', '.join(STEPWISE)}"
        elif self.likeness not in LIKENESS:
            problem = f"no likeness is named {self.likeness!r}; there are {', '.join(LIKENESS)}"
        elif self.frozen not in FROZEN:
            problem = f"nothing to freeze is named {self.frozen!r}; there are {', '.join(FROZEN)}"
        elif not 0 < round(self.stepwise * self.batch_size) < self.batch_size:
            problem = f"a batch holds composites by Eq. 8 and others; got stepwise {self.stepwise} of {self.batch_size}"
        if problem:
            raise RecipeError(f"this recipe makes no run: {problem}")

    def size(self, step: int) -> int:
        """The side of the pictures at a step, in pixels."""
        return self._scheduled(self.sizes, step)

    def share_of_patches(self, step: int) -> float:
        """The share of its patches that attention sees of each picture at a step."""
        return self._scheduled(self.patches, step)

    @property
    def mixture(self) -> Mixture:
        """How the composites of a batch are made."""
        return Mixture(self.kinds, self.augmentation)

    def _scheduled(self, schedule: Schedule[T], step: int) -> T:
        return next(value for until, value in schedule if step < until * self.steps or until >= 1)

    def rate(self, step: int) -> float:
        """What both learning rates are multiplied by at a step, in (0, 1]."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        if self.decays:
            return float(0.1 ** sum(step >= share * self.steps for share in self.decays))
        share = (step - self.warmup) / max(1, self.steps - self.warmup)
        return 0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2


def to_json(recipe: Recipe) -> str:
    """The recipe as a JSON object that `from_json` reads."""
    return json.dumps(asdict(recipe), indent=2) + "\n"


def from_json(text: str) -> Recipe:
    """Read a recipe; what it leaves out is as in `Recipe()`. Raises RecipeError."""
    try:
        values: dict[str, Any] = json.loads(text)
        for name, kind in (("model", ModelConfig), ("augmentation", Augmentation)):
            values[name] = _construct(kind, values.get(name, {}))
        for name in ("sizes", "patches"):
            if name in values:
                values[name] = tuple((share, value) for share, value in values[name])
        return _construct(Recipe, values)
    except (TypeError, ValueError, AttributeError) as error:
        raise RecipeError(f"this is no recipe ({error}); expected JSON as a run writes it to recipe.json") from error


def _construct(kind: type[T], values: dict[str, Any]) -> T:
    names = [entry.name for entry in fields(kind)]  # type: ignore[arg-type]
    if unknown := set(values) - set(names):
        raise RecipeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}; it has {', '.join(names)}")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def _is_schedule(schedule: Schedule[Any]) -> bool:
    shares = [share for share, _ in schedule]
    return bool(shares) and shares[-1] == 1 and shares == sorted(shares)


MIXED = {
    # Two edits of one photograph, as HAdobe5k was made.
    "renditions": 0.45,
    # Colours of a like photograph, as HFlickr and HCOCO were made.
    "reinhard": 0.1,
    "monge_kantorovich": 0.1,
    "histograms": 0.06,
    "distribution": 0.05,
    # One place at two hours, as Hday2night was made.
    "scenes": 0.12,
    "frames": 0.02,
    "retouch": 0.02,
    "relight": 0.02,
    # Nothing needs to be done: a network that never saw this changes whatever it is given.
    "untouched": 0.06,
}
"""Shares of the composites that are not made by Eq. 8."""

DEFAULT = Recipe(
    # The encoder stays as ImageNet left it: it costs most of a step, and what it knows of things is what a few thousand
    # photographs would make it forget. All at one size: a network loses much on pictures of another.
    model=ModelConfig(
        encoder="tf_efficientnet_lite0", pooling="attention", second=0.25, input_size=224, context=True, dropout=0.1
    ),
    steps=12_000,
    batch_size=60,
    sizes=((1.0, 224),),
    warmup=200,
    frozen="encoder",
    compile=True,
    # A third of the patches costs a quarter of the time and is a regularizer; the last steps see all, as in use.
    patches=((5 / 6, 0.3), (1.0, 1.0)),
    stepwise=0.2,
    # Eq. 12 weighs pictures by shares; a mean squared error is made by few large ones.
    loss="last",
    stride=2,
    kinds=MIXED,
    likeness="things",
    augmentation=Augmentation(whole=0.85, light=0.4, refocus=0.5, cut=0.25, misseen=0.1, jpeg=0.2),
)
"""The shape of what ships, from ImageNet's weights."""

PAPER = Recipe(
    model=ModelConfig(encoder="efficientnet_b0", tones=False),
    # 60 epochs over the 65,742 training pictures of iHarmony4, eight of them in each batch.
    steps=60 * 65_742 // 8,
    batch_size=16,
    sizes=((1.0, 256),),
    encoder_rate=3e-4,
    head_rate=3e-4,
    warmup=0,
    decays=(25 / 60, 50 / 60),
    average=0.0,
)
"""The paper's training as far as it is known, on whatever photographs are given.

From the paper: EfficientNet-B0 at 256 px, Adam, mu = 10, the dynamic loss, half of each batch by Eq. 8. From the
released training script: batches of 16, of them 8 real composites; rate 3e-4, a tenth of it from epoch 25 on and a
hundredth from 50 on, of 60. Assumed: an epoch is one pass of the Eq. 8 half over iHarmony4's training set. Not to be
had: its real composites, for which our synthesis stands in.
"""

CONTINUE = replace(
    DEFAULT,
    pretrained=False,
    # Growing rates undo what small ones found.
    head_rate=4e-4,
)
"""Goes on from a trained network, `--from`: what ships is mostly what it made."""

RECIPES = {"default": DEFAULT, "continue": CONTINUE, "paper": PAPER}
