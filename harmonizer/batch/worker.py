"""What is done with one picture: the same function on every engine."""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import whitebox_filters as wf
from harmonizer import edits
from harmonizer.alpha import harmonize_visible
from harmonizer.batch import storage
from harmonizer.batch.records import Record
from harmonizer.batch.tasks import Task
from harmonizer.edits import Edit, change_theta
from harmonizer.errors import BatchError, OutputError
from harmonizer.pictures import io, roles
from harmonizer.pictures.coding.encode import ENCODERS, LONGEST
from harmonizer.pictures.picture import Picture, Pixels
from harmonizer.pipeline import Harmonizer
from harmonizer.predictor import WEIGHTS
from harmonizer.render import Renderer, Result


@dataclass(frozen=True)
class Settings:
    """What is the same for all pictures of a batch."""

    weights: str | None = None
    theta: tuple[tuple[str, float], ...] = ()  # other theta for some filters
    edit: str | None = None  # JSON of an edit whose theta all pictures get, without the network
    write_edit: bool = False
    write_lut: bool = False

    def check(self) -> None:
        """Raise what every picture would fail by: CheckpointError, EditError, whitebox_filters.ThetaError."""
        changes = dict(self.theta)
        if self.edit is not None:
            edits.loads(self.edit).set(changes)
            return
        cascade = Harmonizer.load(self.weights).cascade
        change_theta(cascade, dict.fromkeys(cascade.names, 0.0), changes)


class Worker:
    """Does tasks, one after the other, with one network that stays warm."""

    def __init__(self, settings: Settings, threads: int | None = None) -> None:
        self.settings = settings
        self.version = version("whitebox-harmonizer")
        self._threads = threads
        self._harmonizer: Harmonizer | None = None
        self._weights = _fingerprint_weights(settings.weights)

    def __call__(self, task: Task, before: str = "") -> Record | None:
        """Do a task; None if `before` is the fingerprint of what would be done, and its output is there.

        Nothing that a picture or its files cause is raised: it stands in the record.
        """
        watch = _Watch()
        try:
            if task.fault:
                raise BatchError(task.fault)
            with watch.stage("read"):
                sources = self._read(task)
                fingerprint = self._fingerprint(task, sources)
                if fingerprint == before and storage.size(task.output) is not None:
                    return None
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", UserWarning)
                result, edit, picture = self._render(task, sources, watch)
                written = self._write(task, picture, edit, watch)
        except Exception as error:  # one picture never stops the others
            text = f"{error}" if isinstance(error, BatchError) else f"{type(error).__name__}: {error}"
            return Record(task.image, task.output, "failed", " ".join(text.split()), version=self.version)
        return Record(
            task.image,
            task.output,
            "done",
            warning="; ".join(dict.fromkeys(str(each.message) for each in caught)),
            theta=result.theta,
            statistics={step.name: step.statistic for step in edit.steps if step.statistic is not None},
            milliseconds=watch.milliseconds,
            bytes_read=sum(map(len, sources.values())),
            bytes_written=written,
            fingerprint=fingerprint,
            version=self.version,
        )

    def _read(self, task: Task) -> dict[str, bytes]:
        names = {"image": task.image, "mask": task.mask, "background": task.background, "edit": task.edit}
        return {role: storage.read(name) for role, name in names.items() if name}

    def _fingerprint(self, task: Task, sources: dict[str, bytes]) -> str:
        """The SHA-256 of the files, and of all that decides what is made of them."""
        digest = hashlib.sha256()
        for role, data in sources.items():
            digest.update(f"{role} {len(data)} ".encode() + hashlib.sha256(data).digest())
        treated = [vars(self.settings), task.theta, task.output, self.version, wf.REGISTRY_VERSION, self._weights]
        digest.update(json.dumps(treated).encode())
        return digest.hexdigest()

    def _render(self, task: Task, sources: dict[str, bytes], watch: _Watch) -> tuple[Result, Edit, Picture]:
        with watch.stage("decode"):
            names = (task.image, task.mask or "", task.background or "")
            picture = io.decode_image(sources["image"], names[0])
            mask, background = sources.get("mask"), sources.get("background")
            picture, opacity = roles.combine(
                picture,
                None if mask is None else io.decode_image(mask, names[1], is_mask=True),
                None if background is None else io.decode_image(background, names[2]),
                names,
            )
            _check_size(task.output, picture)

        def job(pixels: Pixels, alpha: Pixels) -> tuple[Result, Edit]:
            renderer, theta, statistics = self._choose(task, sources.get("edit"), pixels, alpha, watch)
            with watch.stage("render"):
                result = renderer.render(pixels, theta, alpha, statistics)
                return result, Edit.from_result(result, pixels, alpha)

        result, edit = harmonize_visible(job, picture.pixels, opacity, picture.alpha)
        return result, edit, replace(picture, pixels=result.image)

    def _choose(
        self, task: Task, edit: bytes | None, pixels: Pixels, alpha: Pixels, watch: _Watch
    ) -> tuple[Renderer, dict[str, float], Any]:
        """The renderer, theta, and statistics that are frozen."""
        changes = dict(self.settings.theta) | dict(task.theta)
        if edit is not None:  # made for this picture
            changed = edits.loads(edit, task.edit or "").set(changes)
            return _renderer(changed.cascade.names, changed.region), changed.theta, changed.statistics
        if self.settings.edit is not None:  # made for another picture: statistics are those of this one
            changed = edits.loads(self.settings.edit).set(changes)
            return _renderer(changed.cascade.names, changed.region), changed.theta, None
        harmonizer = self.harmonizer
        change_theta(harmonizer.cascade, dict.fromkeys(harmonizer.cascade.names, 0.0), changes)
        with watch.stage("predict"):
            theta = {**harmonizer.predict(pixels, alpha), **changes}
        return harmonizer, theta, None

    @property
    def harmonizer(self) -> Harmonizer:
        """The network and its filters, loaded when they are first needed."""
        if self._harmonizer is None:
            self._harmonizer = Harmonizer.load(self.settings.weights, threads=self._threads)
        return self._harmonizer

    def _write(self, task: Task, picture: Picture, edit: Edit, watch: _Watch) -> int:
        """Write the picture last: where it is, all that belongs to it is."""
        stem, _, extension = task.output.rpartition(".")
        outputs: dict[str, bytes] = {}
        with watch.stage("encode"):
            if self.settings.write_edit:
                outputs[f"{stem}.json"] = edits.dumps(edit).encode()
            if self.settings.write_lut:
                outputs[f"{stem}.cube"] = wf.format_cube(edit.bake_lut(), "harmonizer").encode("ascii")
            outputs[task.output] = ENCODERS[f".{extension.lower()}"](picture)
        with watch.stage("write"):
            for name, data in outputs.items():
                storage.write(name, data)
        return sum(map(len, outputs.values()))


def _fingerprint_weights(folder: str | None) -> str:
    """The SHA-256 of a checkpoint's network; another one at the same place makes other pictures."""
    path = (WEIGHTS if folder is None else Path(folder)) / "model.onnx"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


class _Watch:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.milliseconds[name] = round(1e3 * (time.perf_counter() - start), 3)


@lru_cache(maxsize=64)
def _renderer(names: tuple[str, ...], region: Any) -> Renderer:
    return Renderer(wf.Cascade(names, statistics=region))


def _check_size(output: str, picture: Picture) -> None:
    height, width = picture.pixels.shape[:2]
    suffix = f".{output.rpartition('.')[2].lower()}"
    if max(height, width) > LONGEST.get(suffix, max(height, width)):
        raise OutputError(f"{suffix} holds at most {LONGEST[suffix]} pixels a side, the picture has {width} x {height}")
