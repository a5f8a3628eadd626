"""Times the stages of a training step by the recipe `continue` on one core, and estimates what one H100 allows.

Processor time of the thread that does the work, not wall time, so that other load on the machine hardly counts.
From the repository root: python benchmarks/training_step.py PHOTOS [--page], where PHOTOS is a folder as
`harmonizer train` takes it; its held-out photographs are read. With --page it writes benchmarks/results/training.md.
Needs the extra `train`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from training_speed.page import page
from training_speed.roofline import works
from training_speed.stages import kinds, stages

from harmonizer.learning.composites.sources.sources import read_sources
from harmonizer.learning.recipes import CONTINUE

RESULTS = Path(__file__).parent / "results" / "training.md"


def main() -> None:
    """Measure, estimate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="a folder with index.csv, or of such folders")
    parser.add_argument("--page", action="store_true", help="write the results page")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sources = read_sources(options.photos, torch.device("cpu"), held_out=True, similarity=CONTINUE.similarity)
    text = page(CONTINUE, kinds(CONTINUE, sources), stages(CONTINUE, sources), works(sources))
    print(text)
    if options.page:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
