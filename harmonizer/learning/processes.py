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

from harmonizer.errors import RecipeError

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


def share(total: int) -> range:
    """Which of `total` equal parts of the work fall to this process. Raises RecipeError if they do not share out."""
    if total % count():
        raise RecipeError(f"a batch of {total} shards cannot be shared out evenly among {count()} processes")
    return range(rank(), total, count())


def average(tensors: Iterable[Tensor]) -> None:
    """Replace tensors by their means over the processes, all in one message."""
    tensors = list(tensors)
    if count() == 1 or not tensors:
        return
    message = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(message)
    message /= count()
    for tensor, mean in zip(tensors, torch.split(message, [tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(mean.view_as(tensor))


def average_gradients(module: nn.Module) -> None:
    """What the gradients of one process with the whole batch would be, since all parts of it are of one size."""
    average(parameter.grad for parameter in module.parameters() if parameter.grad is not None)


def synchronize_norms(module: Module) -> Module:
    """Let batch norm measure the batches of all processes together, which torch offers on GPUs only.

    On the CPU each process measures its own part of the batch.
    """
    if count() > 1 and next(module.parameters()).is_cuda:
        # timm's own, which keeps the activations inside its norms.
        return cast(Module, convert_sync_batchnorm(module))  # type: ignore[no-untyped-call]
    return module
