"""The network as a whole, and its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from harmonizer.errors import CheckpointError
from harmonizer.learning.cells import CellAttention, GridEncoder, measure_cells, moments_of
from harmonizer.learning.encoder import Encoder
from harmonizer.learning.regressor import REGRESSORS
from harmonizer.learning.tones import ToneRegressor, Tones, describe_tones
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
    dropout: float = 0.0  # while training, in the attention and of what the regressor is given
    input_size: int = 256
    normalized: bool = True  # by the mean and deviation of ImageNet, as the encoder's own weights expect


POOLINGS = {
    "average": "over the whole feature map, as the encoder itself does it (the paper)",
    "regions": "over foreground and background apart",
    "attention": "compared between the cells of an earlier feature map, then over foreground and background apart",
}


class Network(nn.Module):
    """Composite and mask to theta; `trace` then runs the differentiable cascade.

    What a picture is described by before any weight that training always changes is apart: `describe`. The encoder
    itself belongs to it, but with attention between cells only its first half.
    Raises CheckpointError for a configuration that names what is not there.
    """

    def __init__(self, config: ModelConfig, *, pretrained: bool = False) -> None:
        super().__init__()
        for kind, name, known in (("regressor", config.regressor, REGRESSORS), ("pooling", config.pooling, POOLINGS)):
            if name not in known:
                raise CheckpointError(f"no {kind} is named {name!r}; there are {', '.join(known)}")
        if config.channels < 3:
            raise CheckpointError(f"channels are red, green, blue and any others; got {config.channels}")
        if not 0 <= config.second < 1 or (config.second and not config.tones):
            raise CheckpointError(f"second is a share from 0 to below 1, and needs tones; got {config.second}")
        self.config = config
        self.cascade = Cascade(config.filters, statistics=config.statistics)
        self.tones = Tones() if config.tones else None
        context = self.tones.features if self.tones is not None else 0
        self.encoder: GridEncoder | Encoder
        self.attention: CellAttention | None = None
        if config.pooling == "attention":
            self.encoder = GridEncoder(config.encoder, pretrained=pretrained)
            moments = moments_of(config.channels)
            self.attention = CellAttention(
                self.encoder.features, moments, context, config.width, config.layers, config.dropout
            )
        else:
            self.encoder = Encoder(
                config.encoder,
                pretrained=pretrained,
                normalized=config.normalized,
                regions=config.pooling == "regions",
                channels=config.channels,
            )
        features = (self.attention or self.encoder).features + context
        self.dropout = nn.Dropout(config.dropout)
        self.regressor = REGRESSORS[config.regressor](features, len(self.cascade))
        self.second = ToneRegressor(len(self.cascade), config.dropout) if config.second else None

    def forward(self, composite: Tensor, mask: Tensor) -> Tensor:
        """Composite (N, channels, S, S) in [0, 1] and mask (N, 1, S, S) in [0, 1] to theta (N, k) in (-1, 1)."""
        return self.predict(*self.describe(composite, mask))

    @property
    def describing(self) -> list[nn.Module]:
        """The modules with weights that `describe` runs: what is frozen, if anything is."""
        return self.encoder.looking if isinstance(self.encoder, GridEncoder) else [self.encoder]

    def describe(self, composite: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of the encoder, (N, F) or (N, C, S / 8, S / 8); moments of the cells; tones, (N, T).

        Moments and tones are empty for a network without them.
        """
        nothing = composite.new_zeros(len(composite), 0)
        tones = describe_tones(composite[:, :3], mask) if self.tones is not None else nothing
        if isinstance(self.encoder, GridEncoder):
            return self.encoder.look(composite), measure_cells(composite, mask), tones
        return self.encoder(composite, mask), nothing, tones

    def predict(self, features: Tensor, moments: Tensor, tones: Tensor) -> Tensor:
        """What `describe` gives to theta (N, k) in (-1, 1): the mean of `opinions`, by their shares."""
        theta, *others = self.opinions(features, moments, tones)
        return (1 - self.config.second) * theta + self.config.second * others[0] if others else theta

    def opinions(self, features: Tensor, moments: Tensor, tones: Tensor) -> list[Tensor]:
        """The theta of each regressor, (N, k): they learn apart, so that their mean errs less than each."""
        context = self.tones(tones) if self.tones is not None else tones
        if isinstance(self.encoder, GridEncoder) and self.attention is not None:
            features = self.attention(self.encoder.finish(features), moments, context)
        theta = self.regressor(self.dropout(torch.cat([features, context], dim=1)))
        return [theta] if self.second is None else [theta, self.second(tones)]

    def trace(self, composite: Tensor, mask: Tensor) -> list[Tensor]:
        """Every predicted I'_i, i = 1 .. k (Eqs. 4 and 5)."""
        return self.cascade.trace(composite[:, :3], self(composite, mask), mask)


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
