"""Makes docs/synthesis_*.jpg: 64 training samples by Eq. 8, by each other kind, and with all augmentations.

By default from four photographs that scikit-image carries (sources and licences: docs/synthesis.md) with masks
outlined by hand; with --data from a folder of photographs as `harmonizer train` takes it, to look at what a network
would be trained on. Composites of scenes need such a folder. Needs the extras `train` and `dev`:

    python docs/contact_sheets.py [--data PHOTOS] [--out FOLDER] [--only KIND ...]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import skimage.data
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from harmonizer.learning.composites.batches import Mixture, make_batch
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import draw
from harmonizer.learning.composites.kinds import EQ8, KINDS, SCENES, UNTOUCHED
from harmonizer.learning.composites.sources.photos import Photos
from harmonizer.learning.composites.sources.sources import Sources, read_sources
from harmonizer.learning.recipes import DEFAULT
from harmonizer.thumbnail import STORED
from whitebox_filters import Cascade

HERE = Path(__file__).parent
COUNT, ROW, SIZE = 64, 8, 80
AUGMENTED = "augmented"
NAMES = (EQ8, *(name for name in KINDS if name != UNTOUCHED), AUGMENTED)

# Outlines in pixels of the photograph: polygons, and ellipses by their bounding boxes.
CAT = [(0, 300), (0, 165), (33, 142), (36, 90), (52, 0), (322, 0), (360, 90), (364, 142), (322, 240), (300, 300)]
ROCKET = [(309, 408), (309, 142), (321, 126), (333, 142), (334, 408)]
SAUCER, CUP = (78, 72, 478, 388), (172, 16, 410, 300)


def free_sources() -> Sources:
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
    count = np.arange(len(pictures))
    return Sources.of(Photos(torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(masks[:, None]), count))


def samples(name: str, sources: Sources) -> list[Tensor]:
    """What stands side by side: composites and the pictures that they should become, each (COUNT, 3, SIZE, SIZE)."""
    mixture = DEFAULT.mixture if name == AUGMENTED else Mixture({name: 1.0} if name != EQ8 else None)
    eq8_share = {EQ8: 1.0, AUGMENTED: DEFAULT.eq8_share}.get(name, 0.0)
    draws = draw(0, NAMES.index(name), range(COUNT))
    batch = make_batch(
        sources, Distortion.of(Cascade(), all_targets=False), SIZE, mixture, draws, round(eq8_share * COUNT)
    )
    middle = [batch.input_mask.expand_as(batch.composite)] if name == AUGMENTED else []
    return [batch.composite, *middle, batch.real]


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
    arguments.add_argument("--data", type=Path, help="a folder with index.csv, or of such folders")
    arguments.add_argument("--out", type=Path, default=HERE)
    arguments.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="KIND", help=", ".join(NAMES))
    options = arguments.parse_args()
    sources = free_sources()
    if options.data:
        sources = read_sources(options.data, torch.device("cpu"), held_out=True, similarity=DEFAULT.similarity)
    for name in options.only:
        if name == SCENES and sources.scenes is None:
            continue
        picture = sheet(samples(name, sources))
        picture.save(options.out / f"synthesis_{name}.jpg", quality=75, optimize=True)


if __name__ == "__main__":
    main()
