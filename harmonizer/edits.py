"""Edits: what was done to one picture, as a JSON file that a person can change and render again without the network.

>>> from harmonizer import Edit, Harmonizer, edits
>>> harmonizer = Harmonizer.load()  # doctest: +SKIP
>>> result = harmonizer.harmonize(composite, mask)  # doctest: +SKIP
>>> edit = Edit.from_result(result, composite, mask, harmonizer.cascade)  # doctest: +SKIP
>>> edits.write("edit.json", edit)  # doctest: +SKIP
>>> softer = edits.read("edit.json").set({"contrast": -0.2})  # doctest: +SKIP
>>> edits.apply(softer, composite, mask).image  # doctest: +SKIP
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import whitebox_filters as wf
from harmonizer import edit_format, io
from harmonizer.errors import EditError, HarmonizerWarning
from harmonizer.picture import Pixels
from harmonizer.pipeline import Result
from whitebox_filters.cascade import Region
from whitebox_filters.images import to_alpha
from whitebox_filters.lut import Lut

Statistic = float | tuple[float, float, float] | None
"""A mean in [0, 1], those of red, green and blue, or None: the filter needs none, or it is measured when rendered."""


@dataclass(frozen=True)
class Step:
    """One filter: its name, theta in [-1, 1], and the statistic that is frozen for it."""

    name: str
    theta: float
    statistic: Statistic = None


@dataclass(frozen=True)
class Edit:
    """The filters of one picture in order, and the picture and mask (`fingerprint`) that they were chosen for."""

    steps: tuple[Step, ...]
    region: Region  # where a missing statistic is measured
    image_sha256: str
    mask_sha256: str

    @classmethod
    def from_result(cls, result: Result, image: Pixels, mask: Pixels, cascade: wf.Cascade) -> Edit:
        """The edit that made `result` of `image` (HWC) and `mask` (HW), as given to `Harmonizer.harmonize`.

        `cascade` is that of the harmonizer, and tells where to measure after a change.
        Raises whitebox_filters.ImageError.
        """
        statistics = result.statistics or [None] * len(result.theta)
        used = zip(result.theta.items(), statistics, strict=True)
        steps = tuple(Step(name, theta, _plain(statistic)) for (name, theta), statistic in used)
        return cls(steps, cascade.region, "", "").measured(image, mask)

    @property
    def theta(self) -> dict[str, float]:
        """Theta in [-1, 1] by filter name, in order."""
        return {step.name: step.theta for step in self.steps}

    @property
    def cascade(self) -> wf.Cascade:
        """The filters, composed. Raises whitebox_filters.UnknownFilterError."""
        return wf.Cascade([step.name for step in self.steps], statistics=self.region)

    @property
    def statistics(self) -> list[Any]:
        """What is frozen, as `Cascade.__call__` takes it: a float64 array or None for each filter."""
        return [None if step.statistic is None else np.array(step.statistic) for step in self.steps]

    def set(self, changes: Mapping[str, float]) -> Edit:
        """With another theta for some filters.

        A filter measures what those before it made. So the statistics behind the first filter whose theta really
        changes are dropped, to be measured anew; all others stay frozen.
        Raises EditError for a filter that is not in the edit, whitebox_filters.ThetaError outside [-1, 1].
        """
        unknown = sorted(set(changes) - set(self.theta))
        if unknown:
            raise EditError(f"this edit has no filter {', '.join(unknown)}; it has {', '.join(self.theta)}")
        values = self.cascade.check_theta(self.theta | dict(changes)).tolist()
        steps: list[Step] = []
        changed = False
        for step, theta in zip(self.steps, values, strict=True):
            steps.append(Step(step.name, theta, None if changed else step.statistic))
            changed = changed or theta != step.theta
        return replace(self, steps=tuple(steps))

    def measured(self, image: Pixels, mask: Pixels) -> Edit:
        """As the edit of this picture (HWC) and mask (HW): what is not frozen yet measured on it, and its hashes.

        Raises whitebox_filters.ImageError.
        """
        alpha = _alpha(image, mask)
        steps = self.steps
        if any(f.statistic and step.statistic is None for f, step in zip(self.cascade.filters, steps, strict=True)):
            found = _compile(self).statistics(image, self.theta, alpha, statistics=self.statistics)
            steps = tuple(replace(step, statistic=_plain(value)) for step, value in zip(steps, found, strict=True))
        return Edit(steps, self.region, fingerprint(image), fingerprint(alpha))

    def bake_lut(self) -> Lut:
        """All filters as a 3-D LUT for `whitebox_filters.write_cube`; the mask is left to who uses it.

        Raises whitebox_filters.LutError where a statistic is missing; `measured` fills it in.
        """
        return wf.bake_lut(self.cascade, self.theta, self.statistics)


def apply(edit: Edit, image: Pixels, mask: Pixels) -> Result:
    """Render an edit, without the network: for its own picture bit for bit what `Harmonizer.harmonize` returned.

    `image` is HWC RGB: uint8, uint16, or float32 / float64 in [0, 1]; `mask` HW: bool, uint8, uint16 or float in
    [0, 1]. Another picture or mask than the edit was made for gives a HarmonizerWarning, and gets the same theta and
    the same frozen statistics. Raises whitebox_filters.ImageError.
    """
    alpha = _alpha(image, mask)
    given = {"picture": (fingerprint(image), edit.image_sha256), "mask": (fingerprint(alpha), edit.mask_sha256)}
    others = " and ".join(name for name, (found, expected) in given.items() if found != expected)
    if others:
        message = f"the edit was made for another {others}; its theta and its frozen statistics are used as they are"
        warnings.warn(message, HarmonizerWarning, stacklevel=2)
    plan = _compile(edit)
    statistics = plan.statistics(image, edit.theta, alpha, statistics=edit.statistics)
    return Result(plan(image, edit.theta, alpha, statistics=statistics), edit.theta, statistics)


def write(path: str | Path, edit: Edit) -> None:
    """Write an edit as JSON by docs/edit.schema.json, whole or not at all. Raises OutputError."""
    path = Path(path)
    io.check_place(path)
    steps = [{"name": step.name, "theta": step.theta, "statistic": step.statistic} for step in edit.steps]
    document = {
        "format": edit_format.FORMAT,
        "harmonizer_version": _version(),
        "registry_version": wf.REGISTRY_VERSION,
        "input": {"image_sha256": edit.image_sha256, "mask_sha256": edit.mask_sha256},
        "statistics_region": edit.region,
        "filters": [{key: value for key, value in step.items() if value is not None} for step in steps],
    }
    io.write_file(path, (json.dumps(document, indent=2) + "\n").encode())


def read(path: str | Path) -> Edit:
    """Read what `write` wrote, and a person may have changed.

    A HarmonizerWarning tells of filters that have changed since. Raises EditError for what is no edit, was written
    in a newer format or for newer filters, or names filters that are not installed.
    """
    document = edit_format.load(Path(path))
    if document["registry_version"] < wf.REGISTRY_VERSION:
        message = (
            f"{path} was made with filters of version {document['registry_version']}; these are of version "
            f"{wf.REGISTRY_VERSION}, and may render it a little differently"
        )
        warnings.warn(message, HarmonizerWarning, stacklevel=2)
    steps = tuple(
        Step(entry["name"], float(entry["theta"]), _plain(entry.get("statistic"))) for entry in document["filters"]
    )
    return Edit(steps, document["statistics_region"], **document["input"])


def parse_settings(settings: Sequence[str]) -> dict[str, float]:
    """Theta by filter name from words such as shadow=0.3. Raises EditError."""
    changes = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            changes[name.strip()] = float(value)
        except ValueError:
            raise EditError(f"a setting is NAME=THETA with theta in [-1, 1], as shadow=0.3; got {setting!r}") from None
    return changes


def fingerprint(pixels: Pixels) -> str:
    """SHA-256, in hex, of a line such as "uint8 1080x1920x3" and the samples row by row, little-endian.

    The same for all files that decode to the same pixels, whatever their format, metadata and compression.
    """
    little = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))
    digest = hashlib.sha256(f"{pixels.dtype.name} {'x'.join(map(str, pixels.shape))}\n".encode())
    digest.update(little.ravel().data)
    return digest.hexdigest()


def _compile(edit: Edit) -> Any:
    """The plan by which `Harmonizer.harmonize` renders the same filters."""
    return edit.cascade.compile("numba")


def _alpha(image: Pixels, mask: Pixels) -> Pixels:
    """The mask as `Harmonizer.harmonize` hands it to its plan."""
    return to_alpha(np.asarray(mask), image.shape[:2], np.dtype(np.float32))


def _plain(statistic: Any) -> Statistic:
    """A measured or read statistic as Python's own floats, which JSON keeps bit for bit."""
    if statistic is None:
        return None
    values = np.asarray(statistic, np.float64).tolist()
    return tuple(values) if isinstance(values, list) else values


def _version() -> str:
    try:
        return version("whitebox-harmonizer")
    except PackageNotFoundError:  # run from the source tree
        return "unknown"
