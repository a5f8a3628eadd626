"""The network as a whole, and its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import safetensors.torch
import torch
from torch import Tensor, nn

from harmonizer.errors import CheckpointError
from harmonizer.learning.cells import CellAttention, GridEncoder, LastStage, moments_of
from harmonizer.learning.encoder import Encoder
from harmonizer.learning.frozen import See, compile_code, compile_part, measure, see
from harmonizer.learning.regressor import REGRESSORS
from harmonizer.learning.tones import ToneRegressor, Tones
from whitebox_filters import DEFAULT_FILTERS, REGISTRY_VERSION, Cascade
from whitebox_filters.cascade import Region


@dataclass(frozen=True)
class ModelConfig:
    """What a checkpoint's config.json says of its network."""

    encoder: str = "efficientnet_b0"  # any timm name
    regressor: str = "cascade"  # a key of REGRESSORS
    filters: Sequence[str] = DEFAULT_FILTERS
    statistics: Region = "frame"  # or "mask": where the filters measure
    pooling: str = "average"  # a word of POOLINGS
    width: int = 160  # of the attention between cells
    layers: int = 3  # of the same
    tones: bool = True  # join the Tones to the pooled features
    second: float = 0.0  # share of theta that a second regressor has, which learns for itself from the tones alone
    channels: int = 3  # of what is seen beside the mask: red, green, blue, then guides, which no filter changes
    context: bool = False  # what the encoder's last stage sees, over foreground and background, joins the tones
    dropout: float = 0.0  # while training, in the attention and of what the regressor is given
    input_size: int = 256
    normalized: bool = True  # by the mean and deviation of ImageNet, as the encoder's own weights expect


POOLINGS = {
    "average": "over the whole feature map, as the encoder itself does it (the paper)",
    "regions": "over foreground and background apart",
    "attention": "compared between the cells of an earlier feature map, then over foreground and background apart",
}


FROZEN = {
    "none": "everything learns",
    "half": "the encoder keeps its weights down to an eighth of the sides: edges and textures",
    "encoder": "the whole encoder keeps its weights",
}


class Network(nn.Module):
    """Composite and mask to theta; `trace` then runs the differentiable cascade.

    While it trains, attention sees a part `patches` of the cells of each picture, drawn anew each time: set it before
    a step. Raises CheckpointError for a configuration that names what is not there.
    """

    patches: float = 1.0

    def __init__(self, config: ModelConfig, *, pretrained: bool = False) -> None:
        super().__init__()
        for kind, name, known in (("regressor", config.regressor, REGRESSORS), ("pooling", config.pooling, POOLINGS)):
            if name not in known:
                raise CheckpointError(f"no {kind} is named {name!r}; there are {', '.join(known)}")
        if config.channels < 3:
            raise CheckpointError(f"channels are red, green, blue and any others; got {config.channels}")
        if not 0 <= config.second < 1 or (config.second and not config.tones):
            raise CheckpointError(f"second is a share from 0 to below 1, and needs tones; got {config.second}")
        if config.context and not (config.tones and config.pooling == "attention"):
            raise CheckpointError(f"context needs tones, and the pooling attention; got {config.pooling}")
        self.config = config
        self.cascade = Cascade(config.filters, statistics=config.statistics)
        self.tones = Tones() if config.tones else None
        context = self.tones.features if self.tones is not None else 0
        self.encoder: GridEncoder | Encoder
        self.attention: CellAttention | None = None
        self.last: LastStage | None = None
        if config.pooling == "attention":
            self.encoder = GridEncoder(config.encoder, pretrained=pretrained, last=config.context)
            moments = moments_of(config.channels)
            self.attention = CellAttention(
                self.encoder.features, moments, context, config.width, config.layers, config.dropout
            )
            if config.context:
                self.last = LastStage(self.encoder.last_features, context)
        else:
            self.encoder = Encoder(
                config.encoder,
                pretrained=pretrained,
                normalized=config.normalized,
                regions=config.pooling == "regions",
                channels=config.channels,
            )
        features = (self.attention or self.encoder).features + context
        self.pooled = features
        self.dropout = nn.Dropout(config.dropout)
        self.regressor = REGRESSORS[config.regressor](features, len(self.cascade))
        self.second = ToneRegressor(len(self.cascade), config.dropout) if config.second else None
        self.frozen = "none"
        self._measure = partial(measure, tones=config.tones, cells=config.pooling == "attention")
        self._quick: See | None = None
        self._quick_measure: See | None = None

    def freeze(self, part: str) -> None:
        """Let a key of FROZEN keep its weights, and its norms their statistics, while the rest learns.

        Raises CheckpointError for a part that this network has not.
        """
        known = [name for name in FROZEN if name != "half" or isinstance(self.encoder, GridEncoder)]
        if part not in known:
            raise CheckpointError(
                f"no part to freeze is named {part!r} with the pooling {self.config.pooling}; "
                f"there are {', '.join(known)}"
            )
        if part != self.frozen:
            self.frozen, self._quick = part, None
        self.encoder.requires_grad_(True)
        for module in self._still:
            module.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As of any module, but what is frozen stays as it is in use."""
        super().train(mode)
        for module in self._still:
            module.eval()
        return self

    def compile_frozen(self, dtype: torch.dtype = torch.bfloat16) -> None:
        """Let what never changes run, while the network trains, as compiled code: what is frozen in `dtype`.

        The measures without weights belong to it, in float32. The code is made when it is first needed, for pictures of
        one number and size, and again for others. It has the weights of now: to freeze another part and
        to load a state put it aside, and a copy of the network has none.
        Raises CheckpointError if nothing is frozen, EngineError if there is no compiler.
        """
        if self.frozen == "none":
            raise CheckpointError("there is nothing to compile before a part is frozen")
        self._quick = compile_part(self.encoder, self.frozen, dtype)
        self._quick_measure = compile_code(self._measure, next(self.parameters()).device.type)

    def load_state_dict(self, *arguments: Any, **options: Any) -> Any:
        """As of any module."""
        self._quick = None
        return super().load_state_dict(*arguments, **options)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_quick": None, "_quick_measure": None}

    @property
    def _still(self) -> list[nn.Module]:
        if self.frozen == "half" and isinstance(self.encoder, GridEncoder):
            return self.encoder.looking
        return [] if self.frozen == "none" else [self.encoder]

    def forward(self, composite: Tensor, mask: Tensor) -> Tensor:
        """Composite (N, channels, S, S) in [0, 1] and mask (N, 1, S, S) in [0, 1] to theta (N, k) in (-1, 1).

        It is the mean of `opinions`, by their shares.
        """
        theta, *others = self.opinions(composite, mask)
        return (1 - self.config.second) * theta + self.config.second * others[0] if others else theta

    def opinions(self, composite: Tensor, mask: Tensor) -> list[Tensor]:
        """The theta of each regressor, (N, k): they learn apart, so that their mean errs less than each."""
        return self.regress(*self.features(composite, mask))

    def features(self, composite: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """What the regressor is given, (N, F), and the tones, (N, T), which are empty for a network without them."""
        run = self._quick_measure if self.training and self._quick_measure is not None else self._measure
        tones, moments = run(composite, mask)
        context = self.tones(tones) if self.tones is not None else tones
        seen, *last = self._see(composite, mask)
        if self.attention is not None:
            if self.last is not None:
                context = context + self.last(last[0], moments[:, :1])
            seen = self.attention(seen, moments, context, self.patches if self.training else 1.0)
        return torch.cat([seen, context], dim=1), tones

    def regress(self, features: Tensor, tones: Tensor) -> list[Tensor]:
        """What `features` gives to the theta of each regressor."""
        theta = self.regressor(self.dropout(features))
        return [theta] if self.second is None else [theta, self.second(tones)]

    def _see(self, composite: Tensor, mask: Tensor) -> list[Tensor]:
        """What the encoder makes of the picture: its feature maps, or pooled features."""
        if self.frozen == "none":
            return see(self.encoder, composite, mask)
        if self.training and self._quick is not None:
            seen = self._quick(composite, mask)
        else:
            with torch.no_grad():
                seen = see(self.encoder, composite, mask, self.frozen)
        if self.frozen == "half" and isinstance(self.encoder, GridEncoder):
            return self.encoder.finish(*seen)
        return seen

    def trace(self, composite: Tensor, mask: Tensor) -> list[Tensor]:
        """Every predicted I'_i, i = 1 .. k (Eqs. 4 and 5)."""
        return self.cascade.trace(composite[:, :3], self(composite, mask), mask)


def grow(trained: Network, config: ModelConfig, *, pretrained: bool = True) -> Network:
    """Make a network of another configuration that gives the same theta as a trained one while neither trains.

    It may have `context`, whose weights begin with ImageNet's and an output of 0, and other `dropout` and `input_size`.
    Raises CheckpointError for what no tensors of the trained network fit.
    """
    own, wanted = (asdict(each) | {"filters": tuple(each.filters)} for each in (trained.config, config))
    others = [name for name, value in wanted.items() if value != own[name]]
    differ = [name for name in others if name not in ("context", "dropout", "input_size")]
    if differ or (trained.config.context and not config.context):
        raise CheckpointError(
            f"a network can grow in its context, dropout and input_size alone; there differ {', '.join(others)}"
        )
    grows = config.context and not trained.config.context
    network = Network(config, pretrained=pretrained and grows).to(next(trained.parameters()).device)
    network.load_state_dict(trained.state_dict(), strict=False)
    return network


def save(network: Network, directory: Path) -> None:
    """Write `config.json` and `model.safetensors` into an existing directory.

    Matrices and kernels are stored as float16, vectors (biases, running statistics) as they are.
    """
    fields = {"format": 1, "registry_version": REGISTRY_VERSION, "theta_range": [-1, 1], **asdict(network.config)}
    tensors = {
        name: (value.half() if value.ndim > 1 else value).contiguous() for name, value in network.state_dict().items()
    }
    (directory / "model.safetensors").write_bytes(safetensors.torch.save(tensors))
    (directory / "config.json").write_text(json.dumps(fields, indent=2) + "\n")


def load(directory: Path) -> Network:
    """Read what `save` wrote. Raises CheckpointError."""
    try:
        fields = json.loads((directory / "config.json").read_text())
        known = {key: fields[key] for key in ModelConfig.__dataclass_fields__ if key in fields}
        network = Network(ModelConfig(**{**known, "filters": tuple(fields["filters"])}))
        tensors = safetensors.torch.load_file(directory / "model.safetensors")
        network.load_state_dict({name: value.to(network.state_dict()[name].dtype) for name, value in tensors.items()})
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(
            f"{directory} holds no readable checkpoint ({type(error).__name__}: {error}); "
            "expected config.json and model.safetensors as training writes them"
        ) from error
    return network
