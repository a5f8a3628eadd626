import csv

import numpy as np
import pytest
import torch
from PIL import Image

from harmonizer.learning.composites.sources.photos import Photos
from harmonizer.learning.composites.sources.scenes import Scenes
from harmonizer.learning.composites.sources.sources import Sources


@pytest.fixture(scope="session", autouse=True)
def single_thread():
    """Work this small gains nothing from more, and waits long for them where other tests run beside it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def blend(height, width, texture, seed):
    """A picture of smooth colour with some texture, uint8 (H, W, 3), that is all its own for each seed."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(30, 220, (6, 8, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float64)
    return np.clip(smooth + random.normal(0, texture, (height, width, 1)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory):
    """Forty small pictures with a rectangle as foreground, and their index.csv."""
    folder = tmp_path_factory.mktemp("photos")
    with (folder / "index.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, ["image", "mask"])
        rows.writeheader()
        for index in range(40):
            Image.fromarray(blend(60, 80, 20, index)).save(folder / f"{index}.jpg")
            mask = np.zeros((60, 80), np.uint8)
            mask[15:45, 20:60] = 255
            Image.fromarray(mask).save(folder / f"{index}.png")
            rows.writerow({"image": f"{index}.jpg", "mask": f"{index}.png"})
    return folder


@pytest.fixture(scope="session")
def sources():
    """Twelve photographs of two collections with rectangles as foregrounds, and a scene at three hours."""
    side = 64
    images = torch.from_numpy(np.stack([blend(side, side, 6, seed) for seed in range(15)])).permute(0, 3, 1, 2)
    masks = torch.zeros(12, 1, side, side, dtype=torch.uint8)
    for index, mask in enumerate(masks):
        mask[:, 16 : 36 + index, 20:44] = 255
    region = torch.zeros(1, 1, side, side, dtype=torch.uint8)
    region[..., 10:30, 10:50] = 255
    pairs = np.array([(first, second, 0) for first in range(3) for second in range(3) if first != second])
    scenes = Scenes(images[12:], region, pairs, np.zeros(len(pairs), np.int64))
    return Sources.of(Photos(images[:12], masks, np.repeat([0, 1], [9, 3])), scenes)
