"""The network as a whole."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn

from harmonizer.errors import CheckpointError
from harmonizer.learning.network.compiled import Run, compile_encoder, compile_function, fast_dtype
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.network.histograms import HistogramFeatures, HistogramRegressor, soft_histograms
from harmonizer.learning.network.poolings import POOLINGS
from harmonizer.learning.network.regressor import REGRESSORS
from whitebox_filters import Cascade


class Network(nn.Module):
    """Composite and mask to theta; `trace` then runs the differentiable cascade.

    While it trains, attention reads a random share `patch_share` of each picture's patches: set it before a step.
    Raises CheckpointError for a config that names something that does not exist.
    """

    patch_share: float = 1.0

    def __init__(self, config: NetworkConfig, *, pretrained: bool = False) -> None:
        super().__init__()
        _check(config)
        self.config = config
        self.cascade = Cascade(config.filters, statistics=config.statistics)
        self.histograms = HistogramFeatures() if config.histograms else None
        context = 0 if self.histograms is None else self.histograms.features
        self.pooling = POOLINGS[config.pooling](config, context, pretrained=pretrained)
        self.dropout = nn.Dropout(config.dropout)
        self.regressor = REGRESSORS[config.regressor](self.pooling.features, len(self.cascade))
        self.second = HistogramRegressor(len(self.cascade), config.dropout) if config.second_share else None
        self.frozen = "none"
        self._measure: Run = partial(measure, histograms=config.histograms, describe=type(self.pooling).describe)
        self._compiled_encoder: Run | None = None
        self._compiled_measure: Run | None = None

    def freeze(self, part: str) -> None:
        """Freeze the weights of `part`, a key of FROZEN, and the statistics of its norms; the rest learns.

        Raises CheckpointError if this pooling cannot freeze that part.
        """
        if part not in self.pooling.freezable:
            raise CheckpointError(
                f"no part to freeze is named {part!r} with the pooling {self.config.pooling}; "
                f"there are {', '.join(self.pooling.freezable)}"
            )
        if part != self.frozen:
            self.frozen, self._compiled_encoder = part, None
        self.pooling.encoder.requires_grad_(True)
        for module in self._frozen_modules:
            module.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As in any module, but frozen modules stay in evaluation mode."""
        super().train(mode)
        for module in self._frozen_modules:
            module.eval()
        return self

    def compile_frozen(self, dtype: torch.dtype | None = None) -> None:
        """While the network trains, run everything that does not learn as compiled code.

        The frozen part computes in `dtype`, by default in bfloat16 if the device has instructions for it and else in
        float32; the measurements without weights always compute in float32. Compilation happens at the first call, and
        again for another batch size or picture size. The code holds the weights of this moment: `freeze` with another
        part and `load_state_dict` discard it, and a copy of the network has none.
        Raises CheckpointError if nothing is frozen, EngineError if there is no compiler.
        """
        if self.frozen == "none":
            raise CheckpointError("there is nothing to compile before a part is frozen")
        device = next(self.parameters()).device.type
        self._compiled_encoder = compile_encoder(self.pooling, self.frozen, dtype or fast_dtype(device))
        self._compiled_measure = compile_function(self._measure, device)

    def load_state_dict(self, *arguments: Any, **options: Any) -> Any:
        """As in any module."""
        self._compiled_encoder = None
        return super().load_state_dict(*arguments, **options)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_compiled_encoder": None, "_compiled_measure": None}

    @property
    def _frozen_modules(self) -> list[nn.Module]:
        return self.pooling.frozen_modules(self.frozen)

    def forward(self, composite: Tensor, mask: Tensor) -> Tensor:
        """Composite (N, channels, S, S) in [0, 1] and mask (N, 1, S, S) in [0, 1] to theta (N, k) in (-1, 1).

        Theta is the weighted mean of `predictions`.
        """
        theta, *others = self.predictions(composite, mask)
        share = self.config.second_share
        return (1 - share) * theta + share * others[0] if others else theta

    def predictions(self, composite: Tensor, mask: Tensor) -> list[Tensor]:
        """The theta of each regressor, (N, k). Each has a loss of its own, so that their mean errs less than either."""
        return self.regress(*self.features(composite, mask))

    def features(self, composite: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The input of the regressor, (N, F), and that of the second one: the histograms, (N, T) or (N, 0)."""
        compiled = self._compiled_measure if self.training else None
        histograms, moments = (compiled or self._measure)(composite, mask)
        context = histograms if self.histograms is None else self.histograms(histograms)
        maps = self._encode(composite, mask)
        return self.pooling(maps, moments, context, self.patch_share if self.training else 1.0), histograms

    def regress(self, features: Tensor, histograms: Tensor) -> list[Tensor]:
        """The result of `features` to the theta of each regressor, (N, k)."""
        theta = self.regressor(self.dropout(features))
        return [theta] if self.second is None else [theta, self.second(histograms)]

    def _encode(self, composite: Tensor, mask: Tensor) -> list[Tensor]:
        if self.frozen == "none":
            return self.pooling.encode(composite, mask)
        if self.training and self._compiled_encoder is not None:
            maps = self._compiled_encoder(composite, mask)
        else:
            with torch.no_grad():
                maps = self.pooling.encode(composite, mask, self.frozen)
        return self.pooling.finish(maps, self.frozen)

    def trace(self, composite: Tensor, mask: Tensor) -> list[Tensor]:
        """Every predicted I'_i, i = 1 .. k (Eqs. 4 and 5)."""
        return self.cascade.trace(composite[:, :3], self(composite, mask), mask)


def measure(
    composite: Tensor, mask: Tensor, *, histograms: bool, describe: Callable[[Tensor, Tensor], Tensor]
) -> list[Tensor]:
    """Everything that is measured without weights: the soft histograms, or (N, 0), and what `describe` returns."""
    device = composite.device.type
    # These are differences of sums, which lose most of their digits in half precision.
    exact = torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext()
    with exact:
        return [
            soft_histograms(composite[:, :3], mask) if histograms else composite.new_zeros(composite.shape[0], 0),
            describe(composite, mask),
        ]


def _check(config: NetworkConfig) -> None:
    for kind, name, names in (
        ("regressor", config.regressor, list(REGRESSORS)),
        ("pooling", config.pooling, list(POOLINGS)),
    ):
        if name not in names:
            raise CheckpointError(f"no {kind} is named {name!r}; there are {', '.join(names)}")
    if config.channels < 3:
        raise CheckpointError(f"channels are red, green, blue and any others; got {config.channels}")
    if not 0 <= config.second_share < 1 or (config.second_share and not config.histograms):
        raise CheckpointError(
            f"second_share is a share from 0 to below 1, and needs histograms; got {config.second_share}"
        )
    if config.last_stage and not (config.histograms and POOLINGS[config.pooling].has_last_stage):
        raise CheckpointError(f"last_stage needs histograms, and the pooling attention; got {config.pooling}")
