"""What the routes do, on bytes and plain values: nothing here knows of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

import whitebox_filters as wf
from harmonizer import edits
from harmonizer.alpha import harmonize_visible
from harmonizer.edits import Edit, change_theta
from harmonizer.errors import EditError
from harmonizer.pictures.coding.formats import Format
from harmonizer.pictures.picture import Picture, Pixels, convert_depth
from harmonizer.pictures.placement import Placement
from harmonizer.pipeline import Harmonizer
from harmonizer.render import Renderer, Result
from harmonizer.server import uploads
from harmonizer.server.metrics import Metrics
from harmonizer.server.models import FilterModel, FiltersModel, Options
from harmonizer.server.problems import RequestError
from harmonizer.server.settings import Limits
from harmonizer.server.uploads import Upload
from harmonizer.server.workers import Task
from harmonizer.studio import preview
from whitebox_filters.cascade import Region
from whitebox_filters.lut import Lut

JSON = "application/json"
RAW = "application/octet-stream"
SIZE = "Harmonizer-Size"  # of the whole picture, beside a small one: WIDTHxHEIGHT

Job = Callable[[Pixels, Pixels], tuple[Result, Edit]]
"""A picture (HWC) and its mask as opacity (HW) to the result and its edit."""


@dataclass(frozen=True)
class Answer:
    """The body of an answer, its media type and further headers."""

    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Service:
    """Harmonizes what clients send, with one network; threads may share it."""

    def __init__(self, harmonizer: Harmonizer, limits: Limits, metrics: Metrics) -> None:
        self._harmonizer, self._limits, self._metrics = harmonizer, limits, metrics

    def warm_up(self) -> None:
        """Run once through network and filters, so that the first client does not wait for compiled code."""
        mask = np.zeros((64, 64), np.uint8)
        mask[16:48, 16:48] = 255
        for dtype in (np.uint8, np.uint16):
            self._harmonizer.harmonize(np.full((64, 64, 3), np.iinfo(dtype).max // 2, dtype), mask)

    def filters(self) -> FiltersModel:
        """The registry, and what this network predicts."""
        entries = [wf.get(name) for name in wf.names()]
        return FiltersModel(
            filters=[
                FilterModel(name=each.name, summary=each.summary, less=each.words[0], more=each.words[1])
                for each in entries
            ],
            predicted=list(self._harmonizer.cascade.names),
            formats=[str(each) for each in Format],
        )

    def harmonize(
        self,
        task: Task,
        upload: Upload,
        options: Options,
        as_json: bool,
    ) -> Answer:
        """Predict and render; the picture, or its edit.

        Raises RequestError, HarmonizerError, FilterError, and AbandonedError between its stages.
        """
        picture, alpha = self._read(task, upload, options.placement)

        def job(pixels: Pixels, opacity: Pixels) -> tuple[Result, Edit]:
            with self._stage(task, "predict"):
                theta = self._choose_theta(pixels, opacity, options)
            region = self._harmonizer.cascade.region
            renderer = self._harmonizer if options.filters is None else compiled(tuple(theta), region)
            return self._render(task, renderer, pixels, opacity, theta)

        return self._answer(task, job, picture, alpha, options.format, as_json)

    def apply(
        self,
        task: Task,
        upload: Upload,
        edit: str,
        options: Options,
        as_json: bool,
    ) -> Answer:
        """Render an edit, with what `options` changes; the picture, or the edit as it was measured."""
        changed = edits.loads(edit).set(options.theta)
        picture, alpha = self._read(task, upload, options.placement)
        renderer = compiled(changed.cascade.names, changed.region)

        def job(pixels: Pixels, opacity: Pixels) -> tuple[Result, Edit]:
            return self._render(task, renderer, pixels, opacity, changed.theta, changed.statistics)

        return self._answer(task, job, picture, alpha, options.format, as_json)

    def bake(self, task: Task, edit: str, size: int, raw: bool) -> Answer:
        """An edit as a .cube file, or as the raw table: size^3 triples of 8 bits, red fastest."""
        lut = edits.loads(edit).bake_lut(size)
        task.check()
        if raw:
            return Answer(to_levels(lut), RAW)
        return Answer(wf.format_cube(lut, "harmonizer").encode("ascii"), "text/plain; charset=us-ascii")

    def preview(self, task: Task, upload: Upload, side: int) -> Answer:
        """The picture and its mask in little, as `preview.encode_preview` has them, and its size.

        Without a mask, the picture's own alpha channel.
        """
        picture, opacity = self._read_any(task, upload, None)
        if opacity is None:
            shown = np.ones(picture.pixels.shape[:2], np.float32) if picture.alpha is None else picture.alpha
        else:
            shown = opacity
        with self._stage(task, "encode"):
            height, width = shown.shape
            return Answer(preview.encode_preview(picture, shown, side), "image/png", {SIZE: f"{width}x{height}"})

    def colours(self, task: Task, upload: Upload) -> Answer:
        """The picture's colours, float32, as `preview.count_colours` counts them."""
        picture, opacity = self._read(task, upload, None)
        with self._stage(task, "encode"):
            return Answer(preview.count_colours(picture, opacity).tobytes(), RAW)

    def compose(self, task: Task, upload: Upload, options: Options) -> Answer:
        """The composite as it is before harmonization, the foreground placed and pasted."""
        picture, _ = self._read(task, upload, options.placement)
        with self._stage(task, "encode"):
            return Answer(uploads.encode(picture, options.format), options.format.media_type)

    def mask(self, task: Task, upload: Upload, options: Options) -> Answer:
        """The mask of the composite as grey PNG of 8 bits."""
        _, opacity = self._read(task, upload, options.placement)
        with self._stage(task, "encode"):
            return Answer(preview.encode_mask(opacity), "image/png")

    def grade(self, task: Task, edit: str, colours: bytes, theta: Mapping[str, float], size: int) -> Answer:
        """The raw table of a changed edit, whose missing statistics are measured on the colours."""
        changed = edits.loads(edit).set(theta)
        with self._stage(task, "render"):
            return Answer(preview.bake(preview.measure(changed, _read_colours(colours)), size), RAW)

    def _read(self, task: Task, upload: Upload, placement: Placement | None) -> tuple[Picture, Pixels]:
        if upload.mask is None and upload.background is None:
            raise RequestError(
                422,
                "nothing shows what the foreground is",
                given="neither a mask nor a background",
                accepted="`composite` and `mask`; or `composite`, with an alpha channel or a mask, and `background`",
                advice="Send a mask or a background.",
            )
        picture, opacity = self._read_any(task, upload, placement)
        assert opacity is not None
        return picture, opacity

    def _read_any(self, task: Task, upload: Upload, placement: Placement | None) -> tuple[Picture, Pixels | None]:
        with self._stage(task, "decode"):
            return uploads.read_composite(upload, placement, self._limits.pixels)

    def _choose_theta(self, image: Pixels, alpha: Pixels, options: Options) -> dict[str, float]:
        """Theta by filter name, in order: what the client sets, else what the network predicts, else 0."""
        predicted = self._harmonizer.predict(image, alpha)
        names = list(predicted) if options.filters is None else options.filters
        if len(set(names)) < len(names):
            raise EditError("a filter is named twice; name each once")
        return change_theta(wf.Cascade(names), {name: predicted.get(name, 0.0) for name in names}, options.theta)

    def _render(
        self,
        task: Task,
        renderer: Renderer,
        pixels: Pixels,
        opacity: Pixels,
        theta: Mapping[str, float],
        statistics: Sequence[Any] | None = None,
    ) -> tuple[Result, Edit]:
        with self._stage(task, "render"):
            result = renderer.render(pixels, theta, opacity, statistics)
            return result, Edit.from_result(result, pixels, opacity)

    def _answer(self, task: Task, job: Job, picture: Picture, alpha: Pixels, format: Format, as_json: bool) -> Answer:
        result, edit = harmonize_visible(job, picture.pixels, alpha, picture.alpha)
        with self._stage(task, "encode"):
            if as_json:
                return Answer(edits.dumps(edit).encode(), JSON)
            return Answer(uploads.encode(replace(picture, pixels=result.image), format), format.media_type)

    @contextmanager
    def _stage(self, task: Task, name: str) -> Iterator[None]:
        """Time a stage, which begins only if the client is still there."""
        task.check()
        with self._metrics.stage(name):
            yield


def _read_colours(data: bytes) -> preview.Colours:
    row = 4 * preview.COLUMNS
    values = np.frombuffer(data[: len(data) // row * row], "<f4").reshape(-1, preview.COLUMNS)
    if not len(values) or len(data) % row or not np.isfinite(values).all() or not (values[:, 3] > 0).all():
        raise RequestError(
            422,
            "the colours cannot be used",
            given=f"{len(data)} bytes",
            accepted="what POST /v1/colours answers",
            advice="Ask POST /v1/colours for those of your picture.",
        )
    return values


@lru_cache(maxsize=64)
def compiled(names: tuple[str, ...], region: Region) -> Renderer:
    """A renderer of filters that the network does not predict in this order."""
    return Renderer(wf.Cascade(names, statistics=region))


def to_levels(lut: Lut) -> bytes:
    """A LUT (N, N, N, 3) in 8 bits a channel, red fastest, as a 3-D texture takes it."""
    return np.ascontiguousarray(convert_depth(lut.transpose(2, 1, 0, 3), np.uint8)).tobytes()
