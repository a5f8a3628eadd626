"""The files of a network, and how a network grows."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

import safetensors.torch
import torch

from harmonizer import atomic
from harmonizer.errors import CheckpointError
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.network.network import Network
from harmonizer.learning.old_names import NETWORK_FIELDS, rename_fields, rename_tensors
from whitebox_filters import REGISTRY_VERSION


def save(network: Network, directory: Path) -> None:
    """Write `config.json` and `model.safetensors` into an existing directory, both or none. Raises OutputError.

    Matrices and kernels are stored as float16, vectors (biases, running statistics) as they are.
    """
    config = {"format": 1, "registry_version": REGISTRY_VERSION, "theta_range": [-1, 1], **asdict(network.config)}
    tensors = {
        name: (value.half() if value.ndim > 1 else value).contiguous() for name, value in network.state_dict().items()
    }
    atomic.write_files(
        {
            directory / "model.safetensors": safetensors.torch.save(tensors),
            directory / "config.json": (json.dumps(config, indent=2) + "\n").encode(),
        }
    )


def load(directory: Path) -> Network:
    """Read what `save` wrote, in this version or an earlier one. Raises CheckpointError."""
    try:
        config = rename_fields(json.loads((directory / "config.json").read_text(encoding="utf-8-sig")), NETWORK_FIELDS)
        values = {field.name: config[field.name] for field in fields(NetworkConfig) if field.name in config}
        network = Network(NetworkConfig(**{**values, "filters": tuple(config["filters"])}))
        tensors = rename_tensors(safetensors.torch.load_file(directory / "model.safetensors"))
        network.load_state_dict({name: value.to(network.state_dict()[name].dtype) for name, value in tensors.items()})
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(
            f"{directory} holds no readable checkpoint ({type(error).__name__}: {error}); "
            "expected config.json and model.safetensors as training writes them"
        ) from error
    return network


def grow(trained: Network, config: NetworkConfig, *, pretrained: bool = True) -> Network:
    """Make a network of another config that predicts the same theta as a trained one while neither trains.

    `last_stage` may be new: its encoder stages start with ImageNet's weights and its output starts at 0. More filters
    may follow those of the trained network: their theta starts at 0. `dropout` and `input_size` may differ.
    Raises CheckpointError for any other difference.
    """
    old, new = (asdict(each) | {"filters": tuple(each.filters)} for each in (trained.config, config))
    differences = [name for name, value in new.items() if value != old[name]]
    forbidden = set(differences) - {"filters", "last_stage", "dropout", "input_size"}
    count = len(old["filters"])
    if forbidden or new["filters"][:count] != old["filters"] or (old["last_stage"] and not new["last_stage"]):
        raise CheckpointError(
            "a network can grow in its last_stage, dropout and input_size, and by filters after those that it has; "
            f"there differ {', '.join(differences)}"
        )
    grows = config.last_stage and not trained.config.last_stage
    network = Network(config, pretrained=pretrained and grows).to(next(trained.parameters()).device)
    state = network.state_dict()
    for name, value in trained.state_dict().items():
        # Outputs that lie in one matrix have a row for each filter; those of new filters are 0.
        state[name] = value if value.shape == state[name].shape else torch.cat([value, state[name][len(value) :]])
    network.load_state_dict(state)
    return network
