"""From picture files to picture files, around any job on one picture: what the commands `run` and `apply` do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import whitebox_filters as wf
from harmonizer import atomic, edits
from harmonizer.alpha import harmonize_visible
from harmonizer.edits import Edit
from harmonizer.errors import MaskError, OutputError
from harmonizer.pictures import compare, io
from harmonizer.pictures.picture import Picture, Pixels, convert_depth
from harmonizer.render import Result

Job = Callable[[Pixels, Pixels], tuple[Result, Edit]]
"""A composite (HWC) and its mask (HW, float32 in [0, 1]) to the result and its edit: what `jobs` offers."""


@dataclass(frozen=True)
class Inputs:
    """The pictures of a run: `composite`, and a mask, a background, or both; `second` is either, told by its look."""

    composite: Path
    second: Path | None = None
    mask: Path | None = None
    background: Path | None = None

    def check(self) -> None:
        """Raise MaskError unless the roles are clear before a file is opened."""
        if self.second and self.mask:
            raise MaskError(f"two masks are named, {self.second} and {self.mask}; give one")

    def read(self) -> tuple[Picture, Pixels]:
        """The composite and its mask, as `io.read_composite` or `io.read_roles` reads them. Raises what these raise."""
        if self.second and not self.background:
            return io.read_composite(self.composite, self.second)
        return io.read_roles(self.composite, self.second or self.mask, self.background)


@dataclass(frozen=True)
class Outputs:
    """Where the harmonized picture goes, and what else is asked for; None: nowhere."""

    image: Path
    extension: str | None = None  # of the format that goes to standard output, where image is `-`; None: .png
    compare: Path | None = None  # before and after side by side
    edit: Path | None = None
    lut: Path | None = None  # .cube
    delta: Path | None = None  # as compare.difference encodes it
    mask: Path | None = None

    def check(self) -> None:
        """Raise OutputError, before the work, unless each can be written and no two are one file."""
        pictures = [path for path in (self.compare, self.delta, self.mask) if path]
        others = [path for path in (self.edit, self.lut) if path]
        if io.STANDARD in (*pictures, *others):
            raise OutputError("only the harmonized picture can go to standard output; name a file for all else")
        if self.extension and self.image != io.STANDARD:
            raise OutputError(f"--format is that of -o -; the format of {self.image} is told by its extension")
        for path in (self.image, *pictures):
            io.check_output(path)
        if self.edit:
            atomic.check_place(self.edit)
        if self.lut:
            io.check_lut(self.lut)
        places = [atomic.target(path) for path in (self.image, *pictures, *others)]
        if len(set(places)) < len(places):
            raise OutputError("two outputs are one file; give each a name of its own")

    def check_size(self, pixels: Pixels) -> None:
        """Raise OutputError, before the work, if a format cannot hold so large a picture (H, W, 3)."""
        for path in (self.image, self.delta, self.mask):
            if path:
                io.check_size(path, pixels, self.extension or ".png")

    def write(self, picture: Picture, alpha: Pixels, result: Result, edit: Edit) -> None:
        """Write all, the harmonized picture last. Raises OutputError."""
        pixels = picture.pixels
        bare = Picture(pixels, profile=picture.profile)
        if self.compare:
            io.write_image(self.compare, replace(bare, pixels=compare.side_by_side(pixels, result.image)))
        if self.delta:
            io.write_image(self.delta, replace(bare, pixels=compare.difference(pixels, result.image)))
        if self.mask:
            # 16 bits, in which every mask of 8 or 16 bits comes back exactly.
            grey = np.repeat(convert_depth(alpha, np.uint16)[..., None], 3, axis=2)
            io.write_image(self.mask, Picture(grey))
        if self.edit:
            edits.write(self.edit, edit)
        if self.lut:
            atomic.write_file(self.lut, wf.format_cube(edit.bake_lut(), "harmonizer").encode("ascii"))
        io.write_image(self.image, replace(picture, pixels=result.image), self.extension or ".png")


def run(inputs: Inputs, outputs: Outputs, job: Job) -> dict[str, float]:
    """Read a composite and its mask, do the job on what can be seen of it, write all outputs; return theta by name.

    Raises HarmonizerError and whitebox_filters.FilterError.
    """
    inputs.check()
    outputs.check()
    picture, mask = inputs.read()
    outputs.check_size(picture.pixels)
    result, edit = harmonize_visible(job, picture.pixels, mask, picture.alpha)
    outputs.write(picture, mask, result, edit)
    return result.theta
