"""Edits: what was done to one picture, as a JSON file that a person can change and render again without the network.

>>> from harmonizer import Harmonizer, edits, jobs
>>> result, edit = jobs.harmonize(Harmonizer.load(), composite, mask)  # doctest: +SKIP
>>> edits.write("edit.json", edit)  # doctest: +SKIP
>>> result, softer = jobs.apply(edits.read("edit.json"), composite, mask, {"contrast": -0.2})  # doctest: +SKIP
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
from harmonizer import atomic, edit_format
from harmonizer.errors import EditError, HarmonizerWarning
from harmonizer.pictures.picture import Pixels
from harmonizer.render import Result, open_mask
from whitebox_filters.cascade import Region
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
    def from_result(cls, result: Result, image: Pixels, mask: Pixels) -> Edit:
        """The edit that made `result` of `image` (HWC) and `mask` (HW), which are as for `Harmonizer.harmonize`.

        Raises whitebox_filters.ImageError.
        """
        measured = zip(result.theta.items(), result.statistics, strict=True)
        steps = tuple(Step(name, theta, _plain(statistic)) for (name, theta), statistic in measured)
        return cls(steps, result.cascade.region, fingerprint(image), fingerprint(open_mask(image, mask)))

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
        """The frozen statistics, as `Cascade.__call__` takes them: a float64 array or None for each filter."""
        return [None if step.statistic is None else np.array(step.statistic) for step in self.steps]

    def set(self, changes: Mapping[str, float]) -> Edit:
        """With another theta for some filters.

        Each filter measures the output of the filters before it. So the statistics of all filters after the first
        one whose theta changes are dropped, to be measured anew; the others stay frozen.
        Raises EditError for a filter that is not in the edit, whitebox_filters.ThetaError outside [-1, 1].
        """
        theta = change_theta(self.cascade, self.theta, changes)
        steps: list[Step] = []
        changed = False
        for step in self.steps:
            steps.append(Step(step.name, theta[step.name], None if changed else step.statistic))
            changed = changed or theta[step.name] != step.theta
        return replace(self, steps=tuple(steps))

    def with_statistics(self, statistics: Sequence[Any]) -> Edit:
        """With these statistics frozen, one entry for each filter as `Result.statistics` has them."""
        steps = [replace(step, statistic=_plain(value)) for step, value in zip(self.steps, statistics, strict=True)]
        return replace(self, steps=tuple(steps))

    def bake_lut(self, size: int = 65) -> Lut:
        """All filters as a 3-D LUT of `size` steps; it grades the whole frame, whatever the mask.

        Raises whitebox_filters.LutError where a statistic is missing; the edit that `jobs.apply` returns has them all.
        """
        return wf.bake_lut(self.cascade, self.theta, self.statistics, size)


def change_theta(cascade: wf.Cascade, theta: Mapping[str, float], changes: Mapping[str, float]) -> dict[str, float]:
    """`theta` by filter name, in the cascade's order, with other values for some filters.

    Raises EditError for a filter that is not in the cascade, whitebox_filters.ThetaError outside [-1, 1].
    """
    unknown = sorted(set(changes) - set(theta))
    if unknown:
        raise EditError(f"there is no filter {', '.join(unknown)} here; there are {', '.join(theta)}")
    return dict(zip(theta, cascade.check_theta({**theta, **changes}).tolist(), strict=True))


def write(path: str | Path, edit: Edit) -> None:
    """Write what `dumps` returns to a file, whole or not at all. Raises OutputError."""
    atomic.write_file(Path(path), dumps(edit).encode())


def read(path: str | Path) -> Edit:
    """Read a file that `write` wrote, and that a person may have changed.

    Gives a HarmonizerWarning if the filters have changed since. Raises EditError for a file that is no edit, that has
    a newer format or newer filters, or that names filters that are not installed.
    """
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise EditError(f"{path} cannot be read: {error.strerror}; give a file that --edit wrote") from error
    return loads(text, str(path))


def dumps(edit: Edit) -> str:
    """An edit as JSON by docs/edit.schema.json."""
    steps = [{"name": step.name, "theta": step.theta, "statistic": step.statistic} for step in edit.steps]
    document = {
        "format": edit_format.FORMAT,
        "harmonizer_version": _version(),
        "registry_version": wf.REGISTRY_VERSION,
        "input": {"image_sha256": edit.image_sha256, "mask_sha256": edit.mask_sha256},
        "statistics_region": edit.region,
        "filters": [{key: value for key, value in step.items() if value is not None} for step in steps],
    }
    return json.dumps(document, indent=2) + "\n"


def loads(text: str | bytes, name: str = "the edit") -> Edit:
    """Read JSON by docs/edit.schema.json, with or without a byte-order mark.

    Warnings and errors are those of `read`; they call the edit `name`.
    """
    document = edit_format.parse(text, name)
    if document["registry_version"] < wf.REGISTRY_VERSION:
        message = (
            f"{name} was made with filters of version {document['registry_version']}; these are of version "
            f"{wf.REGISTRY_VERSION}, and may render it a little differently"
        )
        warnings.warn(message, HarmonizerWarning, stacklevel=2)
    steps = tuple(
        Step(entry["name"], float(entry["theta"]), _plain(entry.get("statistic"))) for entry in document["filters"]
    )
    return Edit(steps, document["statistics_region"], **document["input"])


def parse_settings(settings: Sequence[str]) -> dict[str, float]:
    """Theta by filter name from texts such as "shadow=0.3". Raises EditError."""
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


def _plain(statistic: Any) -> Statistic:
    """A statistic as Python floats, which JSON keeps bit for bit."""
    if statistic is None:
        return None
    values = np.asarray(statistic, np.float64).tolist()
    return tuple(values) if isinstance(values, list) else values


def _version() -> str:
    try:
        return version("whitebox-harmonizer")
    except PackageNotFoundError:  # run from the source tree
        return "unknown"
