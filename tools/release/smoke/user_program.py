"""A program as a user writes it, with types; type checkers read it beside the installed wheels, and it also runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import whitebox_filters as wf
from harmonizer import Edit, EditError, Harmonizer, HarmonizerError, Result, edits, io, jobs

Picture = npt.NDArray[Any]


def strongest(theta: dict[str, float]) -> str:
    """The name of the filter that did most."""
    return max(theta, key=lambda name: abs(theta[name]))


def harmonize(composite: Picture, mask: Picture) -> tuple[Result, Edit]:
    """The result with half of its strongest filter, and its edit."""
    harmonizer = Harmonizer.load()
    result = harmonizer.harmonize(composite, mask)
    name = strongest(result.theta)
    return jobs.harmonize(harmonizer, composite, mask, {name: result.theta[name] / 2})


def grade(picture: Picture, edit: Edit) -> Picture:
    """The edit's filters on another picture, by way of a .cube file."""
    wf.write_cube("grade.cube", edit.bake_lut(33))
    return wf.apply_lut(picture, wf.read_cube("grade.cube"))


def main(folder: Path) -> int:
    """Harmonize the demo's picture; the exit code."""
    try:
        composite = io.read_image(folder / "composite.jpg").pixels
        mask = io.read_mask(folder / "mask.png", composite.shape[:2])
        result, edit = harmonize(composite, mask)
        edits.write("edit.json", edit)
        again: Edit = edits.read("edit.json")
    except (HarmonizerError, wf.FilterError) as error:
        print(error, file=sys.stderr)
        return 2
    graded = grade(result.image, again)
    cascade = wf.Cascade(["shadow", "gamma"])
    lifted: Picture = cascade(graded, {"shadow": 0.2, "gamma": -0.1}, mask)
    shadow: wf.Filter = wf.get("shadow")
    assert issubclass(EditError, HarmonizerError)
    print(f"{strongest(edit.theta)}, {shadow.words}, {np.abs(lifted.astype(float) - composite).mean():.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
