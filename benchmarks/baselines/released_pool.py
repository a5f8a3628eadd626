"""A folder of pairs as a user of the released system would do it: a pool of processes, torch, Pillow.

From benchmarks/: python -m baselines.released_pool IN OUT PROCESSES. The released weights may not be shipped; the
network is theirs with weights from a seed, which take the same time.
"""

from __future__ import annotations

import multiprocessing
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from baselines.released import RELEASED as FILTERS
from harmonizer.learning.convert import RELEASED
from harmonizer.learning.network.network import Network

_network: Network


def start(processes: int) -> None:
    """Begin a process: its share of the cores and a warm network."""
    global _network
    torch.set_num_threads(max(1, (multiprocessing.cpu_count()) // processes))
    torch.manual_seed(0)
    _network = Network(RELEASED).eval()


@torch.no_grad()
def harmonize(out: Path, path: Path) -> None:
    """One picture, from file to file."""
    frame = np.array(Image.open(path).convert("RGB"))
    mask = np.array(Image.open(path.with_name(f"{path.stem}_mask.png")).convert("L"))
    small = [
        torch.nn.functional.interpolate(torch.from_numpy(each)[None].permute(0, 3, 1, 2) / 255, (256, 256))
        for each in (frame, mask[..., None])
    ]
    theta = tuple(_network(*small)[0].tolist())
    result = FILTERS.prepare(tuple(RELEASED.filters), theta)(frame, mask)
    Image.fromarray(result).save(out / path.name, quality=95)


def main() -> None:
    """Do a folder."""
    folder, out, processes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    out.mkdir()
    with multiprocessing.get_context("spawn").Pool(processes, start, (processes,)) as pool:
        for _ in pool.imap_unordered(partial(harmonize, out), sorted(folder.glob("*.jpg"))):
            pass


if __name__ == "__main__":
    main()
