"""Training in several processes, on one machine or many, as `torchrun` starts them; one process is the simple case."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from timm.layers.norm_act import convert_sync_batchnorm
from torch import Tensor, nn

Module = TypeVar("Module", bound=nn.Module)


@contextmanager
def joined() -> Iterator[torch.device]:
    """Join the processes that `torchrun` started, if it did, and give the device of this one.

    Each process takes the GPU of its local rank where there are GPUs (talking through NCCL), else the CPU (Gloo).
    """
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    else:
        device = torch.device("cpu")
    if "WORLD_SIZE" not in os.environ:
        yield device
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()


def rank() -> int:
    """The number of this process, from 0; process 0 writes the files."""
    return dist.get_rank() if dist.is_initialized() else 0


def count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def agree(mine: bool) -> bool:
    """What process 0 says, so that all processes end at the same step."""
    if count() == 1:
        return mine
    message = torch.tensor([float(mine)], device="cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.broadcast(message, 0)
    return bool(message.item())


def average(tensors: Iterable[Tensor | None]) -> None:
    """Replace tensors by their means over the processes, all in one message.

    Of gradients these are what one process with the whole batch would have, since all parts of it are of one size.
    """
    if count() == 1:
        return
    parts = [tensor for tensor in tensors if tensor is not None]
    message = torch.cat([part.flatten() for part in parts])
    dist.all_reduce(message)
    message /= count()
    for part, mean in zip(parts, torch.split(message, [part.numel() for part in parts]), strict=True):
        part.copy_(mean.view_as(part))


def synchronize_norms(module: Module) -> Module:
    """Let batch norm measure the batches of all processes together, which torch offers on GPUs only.

    On the CPU each process measures its own part of the batch.
    """
    if count() > 1 and next(module.parameters()).is_cuda:
        # timm's own, which keeps the activations inside its norms.
        return cast(Module, convert_sync_batchnorm(module))  # type: ignore[no-untyped-call]
    return module
