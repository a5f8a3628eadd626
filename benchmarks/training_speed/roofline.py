"""What one NVIDIA H100 SXM allows at the most: FLOPs and bytes that the stages ask for, counted, over its peaks.

Counted on the CPU, which dispatches the same operations: nothing here was measured on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from harmonizer.learning import train
from harmonizer.learning.composites.batches import Slots, make_batch
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import draw
from harmonizer.learning.composites.sources.sources import Sources
from harmonizer.learning.losses import LAST
from harmonizer.learning.network.network import Network
from harmonizer.learning.recipes import DEFAULT, PAPER, Recipe
from training_speed.stages import learn

# NVIDIA H100 SXM, data sheet: dense, without sparsity.
BFLOAT16, SINGLE, MEMORY = 989e12, 67e12, 3.35e12  # FLOP/s, FLOP/s, bytes/s
LAUNCH = 10e-6  # seconds that eager torch takes on the host for one operation: assumed
GOAL = 1500.0  # composites a second
BATCH = 256  # pictures a step: assumed where something is shared by a batch

RECIPE = replace(
    PAPER, pretrained=False, kinds=DEFAULT.kinds, augmentation=DEFAULT.augmentation, batch_size=64, bfloat16=True
)
"""EfficientNet-B0 at 256 px, all of it learning, by the paper's losses; composites as the default recipe makes them."""
PART = 8  # pictures on which the network and the filters are counted

# What moves no bytes though the schema does not call it a view.
_FREE = (
    "empty",
    "new_empty",
    "empty_like",
    "empty_strided",
    "new_empty_strided",
    "_unsafe_view",
    "detach",
    "lift_fresh",
)
_WRITE_ONLY = ("copy_", "fill_", "zero_")
_LOOK_UP = ("index", "gather", "index_select")
_PUT = ("index_put_", "_index_put_impl_", "index_put")


@dataclass(frozen=True)
class Work:
    """What a stage asks for, and at which peak it computes."""

    flops: float  # a picture
    bytes: float  # a picture, if no two operations are fused
    operations: int  # a step
    peak: float

    @property
    def seconds(self) -> float:
        """Of the GPU for one picture, at the least."""
        return max(self.flops / self.peak, self.bytes / MEMORY)


class Traffic(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts operations that do something, and the bytes of their tensors, each read or written once."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations, self.bytes = 0, 0

    def __torch_dispatch__(
        self, func: Any, types: object, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func._schema.name.partition("::")[2]
        if func.is_view or name in _FREE:
            return out
        self.operations += 1
        self.bytes += _moved(func, name, args, kwargs or {}, out)
        return out


def works(sources: Sources, recipe: Recipe = RECIPE) -> dict[str, Work]:
    """The stages of a step of a recipe that trains the whole network."""
    slots = Slots.of(recipe.batch_size, recipe.eq8_share)
    state = train.start(recipe, pretrained=False)
    network = state.network.train()
    distortion = Distortion.of(network.cascade, all_targets=recipe.loss != LAST)

    def make() -> Any:
        draws = draw(recipe.seed, 0, slots.numbers)
        return make_batch(sources, distortion, recipe.size_at(0), recipe.mixture, draws, slots.eq8_count)

    composites = _count(make, recipe.batch_size, SINGLE)
    part = Slots.of(PART, recipe.eq8_share)
    draws = draw(recipe.seed, 0, part.numbers)
    batch = make_batch(sources, distortion, recipe.size_at(0), recipe.mixture, draws, part.eq8_count)

    def look() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            theta = network(*batch.inputs)
        theta.float().square().sum().backward()

    looked = replace(_count(look, PART, BFLOAT16), flops=3 * _forward_flops(network, *batch.inputs))
    theta = torch.zeros(PART, len(network.cascade), requires_grad=True)
    criterion = train.Criterion(network.cascade, None)
    filters = _count(lambda: learn(recipe, criterion, batch.thin(recipe.loss_stride), [theta]), PART, SINGLE)

    def update() -> None:
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        state.optimizer.step()
        train._update_average(state, 0.99)

    update()  # Adam makes its moments at the first step
    return {
        "make the batch": composites,
        "network, forward and backward": looked,
        "filters and losses, forward and backward": filters,
        "Adam, average the weights": _count(update, BATCH, SINGLE),
    }


def _forward_flops(network: Network, composite: Tensor, mask: Tensor) -> float:
    """Of one picture. Backward takes twice as many; the counter is wrong there for depthwise convolutions."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(composite, mask)
    return float(counter.get_total_flops()) / len(mask)


def _count(run: Callable[[], object], pictures: int, peak: float) -> Work:
    with FlopCounterMode(display=False) as counter:
        run()
    with Traffic() as traffic:
        run()
    return Work(counter.get_total_flops() / pictures, traffic.bytes / pictures, traffic.operations, peak)


def _moved(func: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any], out: Any) -> int:
    """The bytes that an operation reads and writes."""
    if name in _PUT:
        return 2 * _size(args[2])
    named = dict(zip((each.name for each in func._schema.arguments), args, strict=False)) | kwargs
    written = [each.name for each in func._schema.arguments if each.alias_info is not None and each.alias_info.is_write]
    writes = [named[each] for each in written if each in named] if written else out
    reads = {key: value for key, value in named.items() if not (name in _WRITE_ONLY and key in written)}
    if name in _LOOK_UP:
        first, *others = reads.values()
        return min(_size(first), _size(out)) + _size(others) + _size(out)
    return _size(list(reads.values())) + _size(writes)


def _size(tensors: Any) -> int:
    """Of what is expanded, as it lies in memory."""
    leaves = [leaf for leaf in tree_leaves(tensors) if isinstance(leaf, Tensor)]
    return sum(min(each.numel() * each.element_size(), each.untyped_storage().nbytes()) for each in leaves)
