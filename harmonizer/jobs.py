"""From a picture in memory and its mask to the result and its edit: the step that every program around it calls.

A program that handles many pictures loads one Harmonizer and passes it to each call; threads may share it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from harmonizer.edits import Edit, change_theta
from harmonizer.errors import HarmonizerWarning
from harmonizer.pictures.picture import Pixels
from harmonizer.pipeline import Harmonizer
from harmonizer.render import Renderer, Result, open_mask

NO_CHANGES: Mapping[str, float] = {}


def harmonize(
    harmonizer: Harmonizer, image: Pixels, mask: Pixels, changes: Mapping[str, float] = NO_CHANGES
) -> tuple[Result, Edit]:
    """Harmonize a composite with the predicted theta, but for the filters that `changes` names.

    Image, mask, warnings and errors are those of `Harmonizer.harmonize`. Raises also EditError for a change of a
    filter that the checkpoint does not use.
    """
    alpha = open_mask(image, mask)
    change_theta(harmonizer.cascade, dict.fromkeys(harmonizer.cascade.names, 0.0), changes)  # before the network runs
    theta = change_theta(harmonizer.cascade, harmonizer.predict(image, alpha), changes)
    result = harmonizer.render(image, theta, alpha)
    return result, Edit.from_result(result, image, alpha)


def apply(edit: Edit, image: Pixels, mask: Pixels, changes: Mapping[str, float] = NO_CHANGES) -> tuple[Result, Edit]:
    """Render an edit, without the network: for its own picture bit for bit what `harmonize` returned.

    Image and mask are as for `Harmonizer.harmonize`, `changes` as for `Edit.set`. The edit that is returned has also
    the statistics that were measured, and belongs to this picture and mask. If `edit` was made for others, it is
    rendered all the same, with its theta and its frozen statistics, and a HarmonizerWarning says so.
    Raises whitebox_filters.ImageError, whitebox_filters.ThetaError, and EditError.
    """
    alpha = open_mask(image, mask)
    changed = edit.set(changes)
    result = Renderer(changed.cascade).render(image, changed.theta, alpha, changed.statistics)
    rendered = Edit.from_result(result, image, alpha)
    others = ["picture"] * (rendered.image_sha256 != edit.image_sha256)
    others += ["mask"] * (rendered.mask_sha256 != edit.mask_sha256)
    if others:
        message = (
            f"the edit was made for another {' and '.join(others)}; its theta and its frozen statistics are used as "
            "they are"
        )
        warnings.warn(message, HarmonizerWarning, stacklevel=2)
    return result, rendered
