"""The network as a whole, and its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import safetensors.torch
import torch
from torch import Tensor, nn

from harmonizer.errors import CheckpointError
from harmonizer.learning.encoder import Encoder, Tones
from harmonizer.learning.regressor import REGRESSORS
from whitebox_filters import DEFAULT_FILTERS, REGISTRY_VERSION, Cascade
from whitebox_filters.cascade import Region


@dataclass(frozen=True)
class ModelConfig:
    """What a checkpoint's config.json says of its network."""

    encoder: str = "efficientnet_b0"  # any timm name
    regressor: str = "cascade"  # a key of REGRESSORS
    filters: Sequence[str] = DEFAULT_FILTERS
    statistics: Region = "frame"  # or "mask": where the filters measure
    tones: bool = True  # join the Tones to the pooled features
    regions: bool = False  # pool the encoder's features over foreground and background apart
    input_size: int = 256
    normalized: bool = True  # by the mean and deviation of ImageNet, as the encoder's own weights expect


class Network(nn.Module):
    """Composite and mask to theta; `trace` then runs the differentiable cascade."""

    def __init__(self, config: ModelConfig, *, pretrained: bool = False) -> None:
        super().__init__()
        if config.regressor not in REGRESSORS:
            raise CheckpointError(f"no regressor is named {config.regressor!r}; there are {', '.join(REGRESSORS)}")
        self.config = config
        self.cascade = Cascade(config.filters, statistics=config.statistics)
        self.encoder = Encoder(
            config.encoder, pretrained=pretrained, normalized=config.normalized, regions=config.regions
        )
        self.tones = Tones() if config.tones else None
        features = self.encoder.features + (self.tones.features if self.tones is not None else 0)
        self.regressor = REGRESSORS[config.regressor](features, len(self.cascade))

    def forward(self, composite: Tensor, mask: Tensor) -> Tensor:
        """Composite (N, 3, S, S) in [0, 1] and mask (N, 1, S, S) in [0, 1] to theta (N, k) in (-1, 1)."""
        features = self.encoder(composite, mask)
        if self.tones is not None:
            features = torch.cat([features, self.tones(composite, mask)], dim=1)
        return cast(Tensor, self.regressor(features))

    def trace(self, composite: Tensor, mask: Tensor) -> list[Tensor]:
        """Every predicted I'_i, i = 1 .. k (Eqs. 4 and 5)."""
        return self.cascade.trace(composite, self(composite, mask), mask)


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
        network = Network(
            ModelConfig(**{key: fields[key] for key in ModelConfig.__dataclass_fields__ if key in fields})
        )
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
