"""Everything that decides what a run learns, and the recipes that have names."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from harmonizer.errors import RecipeError
from harmonizer.learning.augment import Augmentation
from harmonizer.learning.losses import STEPWISE
from harmonizer.learning.model import ModelConfig
from harmonizer.learning.synthesis import RECIPES as SYNTHESIS

T = TypeVar("T")

SHARD = 8
"""Pictures that are made together, each shard from a seed of its own: processes share a batch out by shards."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run learns. Raises RecipeError on values that make no run."""

    model: ModelConfig = field(default_factory=ModelConfig)
    pretrained: bool = True  # begin with the encoder's ImageNet weights
    steps: int = 6000
    batch_size: int = 32  # over all processes
    sizes: tuple[tuple[float, int], ...] = ((0.8, 128), (1.0, 256))  # (until this share of the steps, pixels)
    encoder_rate: float = 2e-4
    head_rate: float = 1e-3
    warmup: int = 200
    decays: tuple[float, ...] = ()  # at these shares of the steps the rates fall to a tenth; if none, along a cosine
    frozen: float = 0.0  # share of the steps, from the first on, in which what describes stays as it was pretrained
    passes: int = 1  # how often a batch is learned from while that is frozen
    memory: int = 64  # how many batches are seen before one of them comes again
    frozen_norm: bool = False  # batch norm keeps its pretrained statistics in all steps
    bfloat16: bool = False  # the network computes in it (autocast); filters and losses stay in float32
    average: float = 0.998  # of the weights, over steps
    stepwise: float = 0.5  # share of each batch made by Eq. 8, with a target for every filter
    loss: str = "dynamic"  # of the Eq. 8 composites: a key of losses.STEPWISE
    synthesis: tuple[str, ...] = SYNTHESIS  # how the rest is made, in equal shares
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0

    def __post_init__(self) -> None:
        problem = None
        if self.batch_size < SHARD or self.batch_size % SHARD:
            problem = f"batch_size is a multiple of {SHARD}; got {self.batch_size}"
        elif min(self.steps, self.passes, self.memory) < 1:
            problem = f"steps, passes and memory are at least 1; got {self.steps}, {self.passes} and {self.memory}"
        elif not self.sizes or self.sizes[-1][0] != 1 or list(self.sizes) != sorted(self.sizes, key=lambda s: s[0]):
            problem = f"sizes are pairs (share of the steps, pixels) with growing shares, the last 1; got {self.sizes}"
        elif unknown := set(self.synthesis) - set(SYNTHESIS):
            problem = f"no synthesis is named {', '.join(sorted(unknown))}; there are {', '.join(SYNTHESIS)}"
        elif self.loss not in STEPWISE:
            problem = f"no loss is named {self.loss!r}; there are {', '.join(STEPWISE)}"
        elif not self.synthesis or not 0 < round(self.stepwise * SHARD) < SHARD:
            problem = f"each {SHARD} pictures hold both kinds; got stepwise {self.stepwise}, synthesis {self.synthesis}"
        if problem:
            raise RecipeError(f"this recipe makes no run: {problem}")

    def size(self, step: int) -> int:
        """The side of the pictures at a step, in pixels."""
        return next(size for until, size in self.sizes if step < until * self.steps or until >= 1)

    def rate(self, step: int) -> float:
        """What both learning rates are multiplied by at a step, in (0, 1]."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        if self.decays:
            return float(0.1 ** sum(step >= share * self.steps for share in self.decays))
        share = (step - self.warmup) / max(1, self.steps - self.warmup)
        return 0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2

    def is_frozen(self, step: int) -> bool:
        """Whether the modules that describe pictures keep their pretrained weights at a step."""
        return step < self.frozen * self.steps


def to_json(recipe: Recipe) -> str:
    """The recipe as a JSON object that `from_json` reads."""
    return json.dumps(asdict(recipe), indent=2) + "\n"


def from_json(text: str) -> Recipe:
    """Read a recipe; what it leaves out is as in `Recipe()`. Raises RecipeError."""
    try:
        values: dict[str, Any] = json.loads(text)
        for name, kind in (("model", ModelConfig), ("augmentation", Augmentation)):
            values[name] = _construct(kind, values.get(name, {}))
        if "sizes" in values:
            values["sizes"] = tuple((share, size) for share, size in values["sizes"])
        return _construct(Recipe, values)
    except (TypeError, ValueError, AttributeError) as error:
        raise RecipeError(f"this is no recipe ({error}); expected JSON as a run writes it to recipe.json") from error


def _construct(kind: type[T], values: dict[str, Any]) -> T:
    names = [entry.name for entry in fields(kind)]  # type: ignore[arg-type]
    if unknown := set(values) - set(names):
        raise RecipeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}; it has {', '.join(names)}")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


DEFAULT = Recipe(
    # The first half of the encoder costs three quarters of a step and stays as ImageNet left it: so it looks at each
    # composite once, and the rest learns from it three times. All at one size: a network loses much on pictures of
    # another. The second regressor knows nothing of content, and errs on other pictures than the first.
    model=ModelConfig(encoder="tf_efficientnet_lite0", pooling="attention", second=0.25, input_size=160),
    steps=4000,
    batch_size=64,
    sizes=((1.0, 160),),
    encoder_rate=3e-4,
    frozen=1.0,
    passes=3,
    memory=32,
    frozen_norm=True,
    augmentation=Augmentation(whole=0.3, segment=0.3, part=0.05, light=0.5, cut=0.25, misseen=0.1, jpeg=0.2),
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
    # The same network leaves a tenth less of the error at 224 px than at 160, for a third more time.
    model=replace(DEFAULT.model, input_size=224, dropout=0.1),
    sizes=((1.0, 224),),
    pretrained=False,
    # Each batch is learned from once, at small rates: from three times at large ones it is known by heart, then
    # forgotten. Of batches seen before 24 % of the error were left, of new ones 38 % and more.
    steps=4500,
    batch_size=32,
    encoder_rate=1e-4,
    head_rate=2e-4,
    warmup=100,
    passes=1,
    # Credit for each filter helps at the beginning; what counts in the end is the error, and most of it is of few
    # pictures, to which the dynamic loss gives no more weight than to others.
    loss="last",
    # Near to what comes to be harmonized: whole pictures, and foregrounds that are objects. Segments are mostly
    # pieces of larger surfaces; learned from, they make the network draw a foreground towards what it lies on. Each
    # collection of photographs has a sharpness of its own, by which a network may come to know it.
    augmentation=replace(
        DEFAULT.augmentation, whole=0.9, light=0.5, backlight=0.05, segment=0.05, textured=True, part=0.0, refocus=0.6
    ),
)
"""Goes on from a trained network, `--from`: what ships is mostly what it made."""

RECIPES = {"default": DEFAULT, "continue": CONTINUE, "paper": PAPER}
