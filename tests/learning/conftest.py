import csv

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory):
    """Forty small pictures of smooth colour with a rectangle as foreground, and their index.csv."""
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    with (folder / "index.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, ["image", "mask"])
        rows.writeheader()
        for index in range(40):
            coarse = random.integers(30, 220, (6, 8, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((80, 60), Image.Resampling.BICUBIC).save(folder / f"{index}.jpg")
            mask = np.zeros((60, 80), np.uint8)
            mask[15:45, 20:60] = 255
            Image.fromarray(mask).save(folder / f"{index}.png")
            rows.writerow({"image": f"{index}.jpg", "mask": f"{index}.png"})
    return folder
