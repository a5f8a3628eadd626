"""Makes docs/synthesis_*.jpg: 64 training samples by Eq. 8, by each other recipe, and with all augmentations.

By default from four photographs that scikit-image carries (sources and licences: docs/synthesis.md) with masks
outlined by hand; with --data from a folder of photographs as `harmonizer train` takes it, to look at what a network
would be trained on. Needs the extras `train` and `dev`:

    python docs/contact_sheets.py [--data PHOTOS] [--out FOLDER]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import skimage.data
import torch
from PIL import Image, ImageDraw
from torch import Generator, Tensor

from harmonizer.learning import synthesis
from harmonizer.learning.data import draw, make_batch
from harmonizer.learning.photos import Photos, read_photos
from harmonizer.learning.recipes import DEFAULT
from harmonizer.thumbnail import STORED
from whitebox_filters import Cascade

HERE = Path(__file__).parent
COUNT, ROW, SIZE = 64, 8, 80

# Outlines in pixels of the photograph: polygons, and ellipses by their bounding boxes.
CAT = [(0, 300), (0, 165), (33, 142), (36, 90), (52, 0), (322, 0), (360, 90), (364, 142), (322, 240), (300, 300)]
ROCKET = [(309, 408), (309, 142), (321, 126), (333, 142), (334, 408)]
SAUCER, CUP = (78, 72, 478, 388), (172, 16, 410, 300)


def free_photos() -> Photos:
    """The four photographs and their masks."""
    astronaut = Image.open(HERE.parent / "demo" / "mask.png").convert("L")
    pictures = [
        (skimage.data.astronaut(), astronaut.resize((512, 512))),
        (skimage.data.chelsea(), _outline((451, 300), polygon=CAT)),
        (skimage.data.rocket(), _outline((640, 427), polygon=ROCKET)),
        (skimage.data.coffee(), _outline((600, 400), ellipses=(SAUCER, CUP))),
    ]
    square = (STORED, STORED)
    images = np.stack([np.asarray(Image.fromarray(image).resize(square)) for image, _ in pictures])
    masks = np.stack([np.asarray(mask.resize(square)) for _, mask in pictures])
    return Photos(torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(masks[:, None]))


def samples(name: str, photos: Photos, generator: Generator) -> list[Tensor]:
    """What stands side by side: composites and the pictures that they should become, each (COUNT, 3, SIZE, SIZE)."""
    if name == "augmented":
        batch = make_batch(photos, Cascade(), COUNT, SIZE, generator, augmentation=DEFAULT.augmentation)
        return [batch.composite, batch.seen.expand_as(batch.composite), batch.real]
    indices = torch.arange(COUNT) % len(photos)
    others = indices + torch.randint(1, min(len(photos), COUNT), (COUNT,), generator=generator)
    real, mask = draw(photos, indices, SIZE, generator)
    reference, reference_mask = draw(photos, others % len(photos), SIZE, generator)
    if name == "eq8":
        composite, _ = synthesis.distort(real, mask, Cascade(), generator)
    else:
        composite = synthesis.apply_recipe(name, real, mask, reference, reference_mask, generator)
    return [composite, real]


def sheet(columns: list[Tensor]) -> Image.Image:
    """ROW samples a row, the columns of each side by side."""
    cells = torch.cat(columns, dim=3)
    cells = torch.nn.functional.pad(cells, (1, 1, 1, 1), value=1.0)
    rows = [torch.cat(list(row), dim=2) for row in cells.split(ROW)]
    return Image.fromarray((torch.cat(rows, dim=1) * 255 + 0.5).byte().permute(1, 2, 0).numpy())


def _outline(size: tuple[int, int], polygon=None, ellipses=()) -> Image.Image:
    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    if polygon:
        pen.polygon(polygon, fill=255)
    for box in ellipses:
        pen.ellipse(box, fill=255)
    return mask


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, help="a folder with index.csv")
    arguments.add_argument("--out", type=Path, default=HERE)
    given = arguments.parse_args()
    photos = read_photos(given.data, held_out=True) if given.data else free_photos()
    for seed, name in enumerate(("eq8", *synthesis.RECIPES, "augmented")):
        picture = sheet(samples(name, photos, Generator().manual_seed(seed)))
        picture.save(given.out / f"synthesis_{name}.jpg", quality=75, optimize=True)


if __name__ == "__main__":
    main()
