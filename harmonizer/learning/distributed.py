"""Training in several processes, as `torchrun` starts them on one machine or many; a single process needs nothing."""

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
def process_group() -> Iterator[torch.device]:
    """Join the processes that `torchrun` started, if it did, and return the device of this one.

    Each process takes the GPU of its local rank and communicates through NCCL; without GPUs, the CPU and Gloo.
    """
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    else:
        device = torch.device("cpu")
    if "WORLD_SIZE" not in os.environ:
        yield device
        return
    store, number, size = next(dist.rendezvous("env://"))  # type: ignore[attr-defined]
    # After a restart the store still has the addresses of the processes that died.
    store = dist.PrefixStore(f"start {_starts()}", store)  # type: ignore[attr-defined]
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", store=store, rank=number, world_size=size)
    try:
        yield device
    finally:
        dist.destroy_process_group()


def was_restarted() -> bool:
    """Whether `torchrun --max-restarts` started these processes again, by the same command, since one of them died."""
    return _starts() > 0


def _starts() -> int:
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))


def rank() -> int:
    """The number of this process, from 0. Process 0 writes the files."""
    return dist.get_rank() if dist.is_initialized() else 0


def count() -> int:
    """The number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def broadcast(value: bool) -> bool:
    """The value of process 0, in all processes; the host waits for the device."""
    if count() == 1:
        return value
    message = torch.tensor([float(value)], device="cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.broadcast(message, 0)
    return bool(message.item())


def average(tensors: Iterable[Tensor | None]) -> None:
    """Replace tensors by their means over the processes, in one message.

    The means of the gradients are those of one process with the whole batch, since all its parts have the same size.
    """
    if count() == 1:
        return
    present = [tensor for tensor in tensors if tensor is not None]
    message = torch.cat([tensor.flatten() for tensor in present])
    dist.all_reduce(message)
    message /= count()
    for tensor, mean in zip(present, torch.split(message, [each.numel() for each in present]), strict=True):
        tensor.copy_(mean.view_as(tensor))


def synchronize_norms(module: Module) -> Module:
    """Let batch norm measure the whole batch instead of each process's part of it; torch can do so on GPUs only."""
    if count() > 1 and next(module.parameters()).is_cuda:
        # timm's own function keeps the activations inside its norms.
        return cast(Module, convert_sync_batchnorm(module))  # type: ignore[no-untyped-call]
    return module
