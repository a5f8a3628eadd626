"""The nodes that look at pictures: Harmonize, Predict and Apply."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING

from harmonizer import jobs
from harmonizer.comfyui.batches import Batch, Edits
from harmonizer.comfyui.inputs import BATCH, CATEGORY, EDIT, EDIT_INPUT, IMAGE, VIDEO, Inputs
from harmonizer.edits import Edit
from harmonizer.errors import EditError
from harmonizer.pictures.picture import Pixels
from harmonizer.pipeline import Harmonizer
from harmonizer.render import Result
from harmonizer.video import grading
from harmonizer.video.frames import Frame
from harmonizer.video.smoothing import one_euro

if TYPE_CHECKING:
    from torch import Tensor


@lru_cache(maxsize=1)
def network() -> Harmonizer:
    """The network that ships with Harmonizer, loaded once for all nodes. Raises CheckpointError."""
    return Harmonizer.load()


class Harmonize:
    """Predict and render in one node."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Makes the foreground of a composite look as if it had been taken together with its background. Pixels where "
        "the mask is 0 come back bit for bit."
    )
    RETURN_TYPES = ("IMAGE", EDIT)
    RETURN_NAMES = ("image", "edit")
    OUTPUT_TOOLTIPS = ("The harmonized picture.", "What was done to it, for Save Edit, Save .cube and Apply.")
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:  # noqa: N802
        return {"required": IMAGE | BATCH}

    def run(self, image: Tensor, mask: Tensor, batch: str, frame_rate: float) -> tuple[Tensor, Edits]:
        pictures = Batch(image, mask)
        return pictures.collect(_harmonize(pictures, frame_rate if batch == VIDEO else None))


class Predict:
    """Predict theta, to be changed before it is rendered."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Predicts the arguments, theta, of the photographic filters. Change them with Sliders or Set Theta, and render "
        "them with Apply."
    )
    RETURN_TYPES = (EDIT, "STRING")
    RETURN_NAMES = ("edit", "theta")
    OUTPUT_TOOLTIPS = (
        "The predicted edit, for Sliders, Set Theta, Apply, Save Edit and Save .cube.",
        "Theta of each filter, in [-1, 1], as JSON: to look at with Preview Any, or to edit and give to Set Theta.",
    )
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:  # noqa: N802
        return {"required": IMAGE | BATCH}

    def run(self, image: Tensor, mask: Tensor, batch: str, frame_rate: float) -> tuple[Edits, str]:
        # Rendered too: what the filters measure belongs to an edit, and a .cube needs it.
        _, edits = Harmonize().run(image, mask, batch, frame_rate)
        thetas = [edit.theta for edit in edits]
        return edits, json.dumps(thetas[0] if len(thetas) == 1 else thetas, indent=1)


class Apply:
    """Render an edit, without the network."""

    CATEGORY = CATEGORY
    DESCRIPTION = "Renders an edit. Pixels where the mask is 0 come back bit for bit."
    RETURN_TYPES = ("IMAGE", EDIT)
    RETURN_NAMES = ("image", "edit")
    OUTPUT_TOOLTIPS = ("The rendered picture.", "The edit with all that its filters measured, for Save .cube.")
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:  # noqa: N802
        return {"required": IMAGE | EDIT_INPUT}

    def run(self, image: Tensor, mask: Tensor, edit: Edits) -> tuple[Tensor, Edits]:
        pictures = Batch(image, mask)
        if len(edit) not in (1, len(pictures)):
            raise EditError(
                f"there are {len(edit)} edits for {len(pictures)} pictures; give one for all, or one for each"
            )
        steps = zip(repeat(edit[0], len(pictures)) if len(edit) == 1 else edit, pictures, strict=True)
        return pictures.collect(jobs.apply(each, pixels, opacity) for each, (pixels, opacity) in steps)


def _harmonize(pairs: Iterable[tuple[Pixels, Pixels]], frame_rate: float | None) -> Iterator[tuple[Result, Edit]]:
    """Each picture by itself; or, with frames a second, as a video."""
    harmonizer = network()
    if frame_rate is None:
        for pixels, opacity in pairs:
            yield jobs.harmonize(harmonizer, pixels, opacity)
        return
    frames = (Frame(index, index, 1, index / frame_rate, *pair) for index, pair in enumerate(pairs))
    for graded in grading.predict(frames, harmonizer.predictor, one_euro):
        pixels, alpha = graded.frame.pixels, graded.frame.alpha
        assert alpha is not None
        result = harmonizer.render(pixels, graded.theta, alpha)
        yield result, Edit.from_result(result, pixels, alpha)
