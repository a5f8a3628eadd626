"""How one input of each kind is read: what the product does with it, on the way that a user's file takes."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import fuzz_networks
import fuzz_pictures
import fuzz_requests
import fuzz_texts
import numpy as np
from fuzz_sandbox import FaultError, Sandbox

import whitebox_filters as wf
from harmonizer import edits, jobs
from harmonizer.pictures import files, io
from harmonizer.pictures.picture import Picture
from harmonizer.predictor import Predictor, read_config
from harmonizer.server.problems import RequestError

EXTENSIONS = (".png", ".jpg", ".tif", ".webp")
DONE = 8  # of so many manifests one is not only read, but done
MANY_PIXELS = 1_000_000
"""The limit on pixels while random inputs are read: so many pictures of the product's own limit would take days."""


def _written(data: bytes, box: Sandbox, name: str) -> Path:
    """The input as a file."""
    path = box.inputs / "fuzzed" / name
    path.write_bytes(data)
    return path


def read_picture(data: bytes, box: Sandbox) -> None:
    decoded = io.decode_image(data, "input")
    _check_picture(decoded)
    extension = ".exr" if decoded.scene else EXTENSIONS[len(data) % len(EXTENSIONS)]
    io.write_image(box.outputs / f"picture{extension}", decoded)


def read_upload(data: bytes, box: Sandbox) -> None:
    """As the service does, which measures a picture before it decodes it."""
    from harmonizer.server import uploads

    try:
        _check_picture(uploads.decode_upload(data, "composite", MANY_PIXELS))
    except RequestError as error:
        if error.status not in (413, 415):
            raise


def read_mask(data: bytes, box: Sandbox) -> None:
    """A mask beside a good picture, through an edit, to files."""
    name = "mask.png"
    inputs = files.Inputs(box.inputs / "pictures" / "a.png", mask=_written(data, box, name))
    outputs = files.Outputs(box.outputs / "a.png", mask=box.outputs / "mask.png")
    edit = edits.loads(json.dumps(fuzz_texts.EDIT))
    files.run(inputs, outputs, lambda pixels, alpha: jobs.apply(edit, pixels, alpha, {}))


def read_cube(data: bytes, box: Sandbox) -> None:
    lut = wf.read_cube(_written(data, box, "a.cube"))
    wf.apply_lut(fuzz_pictures.RGB, lut)


def read_edit(data: bytes, box: Sandbox) -> None:
    edit = edits.loads(data, "input.json")
    again = edits.loads(edits.dumps(edit))
    if again != edit:
        raise FaultError(f"{edit} comes back as {again}")
    jobs.apply(edit, fuzz_pictures.RGB, fuzz_pictures.GREY, {})
    edits.write(box.outputs / "edit.json", edit)


def read_timeline(data: bytes, box: Sandbox) -> None:
    from harmonizer.video.timeline import read_timeline

    timeline = read_timeline(_written(data, box, "a.jsonl"))
    if not np.all(np.abs(timeline.theta) <= 1):
        raise FaultError(f"theta {timeline.theta}")


def read_manifest(data: bytes, box: Sandbox, extension: str) -> None:
    """The tasks, and of one manifest in DONE what the batch does with them."""
    from harmonizer.batch import report
    from harmonizer.batch.records import Record
    from harmonizer.batch.tasks import read_tasks

    path = _written(data, box, f"manifest{extension}").rename(box.inputs / f"manifest{extension}")
    is_done = zlib.crc32(data) % DONE == 0
    records = []
    try:
        for task in read_tasks(str(path), str(box.outputs)):
            if not task.fault and not Path(task.output).resolve().is_relative_to(box.outputs):
                raise FaultError(f"{task.output} lies outside of the outputs")
            names = [task.image, task.mask, task.background, task.edit]
            if is_done and not task.fault and all("://" not in name for name in names if name):
                record = _worker(box)(task)
            else:
                record = Record(task.image, task.output, "failed", task.fault or "a URL")
            if record is not None:
                records.append(record)
        if is_done:
            report.write(str(box.outputs / "report.parquet"), records)
    except BaseException:
        import shutil

        shutil.rmtree(box.outputs)  # pictures of the rows before a bad one are whole, and stay
        box.outputs.mkdir()
        raise
    finally:
        path.unlink()


def read_report(data: bytes, box: Sandbox) -> None:
    from harmonizer.batch import report

    report.summarize(report.read(str(_written(data, box, "report.csv"))))


def read_configuration(data: bytes, box: Sandbox) -> None:
    read_config(_written(data, box, "config.json"))


def read_onnx(data: bytes, box: Sandbox, engine: str = "onnxruntime") -> None:
    folder = _checkpoint(box)
    (folder / "model.onnx").write_bytes(data)
    predictor = Predictor.load(folder, engine, threads=1)
    theta = predictor.predict(fuzz_pictures.RGB, fuzz_pictures.GREY)
    if not np.all(np.abs(theta) <= 1):
        raise FaultError(f"theta {theta}")


def read_tensors(data: bytes, box: Sandbox) -> None:
    from harmonizer.learning.network import checkpoint

    folder = _checkpoint(box)
    (folder / "config.json").write_bytes(fuzz_networks.trained()[0])
    (folder / "model.safetensors").write_bytes(data)
    try:
        checkpoint.load(folder)
    finally:
        (folder / "config.json").write_bytes((box.inputs / "checkpoint" / "config.json").read_bytes())


def read_training_config(data: bytes, box: Sandbox) -> None:
    from harmonizer.learning.network import checkpoint

    folder = box.inputs / "fuzzed" / "trained"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_bytes(data)
    (folder / "model.safetensors").write_bytes(fuzz_networks.trained()[1])
    checkpoint.load(folder)


def read_released(data: bytes, box: Sandbox) -> None:
    from harmonizer.learning.convert import convert

    convert(_written(data, box, "harmonizer.pth"))


def read_recipe(data: bytes, box: Sandbox) -> None:
    from harmonizer.learning import recipes, run

    recipe = run.plan(box.outputs, str(_written(data, box, "recipe.json")), None, None, None, resume=False)
    for step in (0, 1, recipe.steps // 2, recipe.steps - 1):
        recipe.size_at(step), recipe.patch_share_at(step), recipe.learning_rate_factor(step)
    recipes.from_json(recipes.to_json(recipe))


def read_priors(data: bytes, box: Sandbox) -> None:
    from harmonizer.learning.recipes import read_priors

    read_priors(_written(data, box, "priors.json"))


def read_request(data: bytes, box: Sandbox) -> None:
    status, body = fuzz_requests.client().send(data)
    if status not in fuzz_requests.ANSWERS:
        raise FaultError(f"it answers {status}: {body[:300]!r}")
    if status >= 400 and set(json.loads(body)) != {"error", "given", "accepted", "advice"}:
        raise FaultError(f"{status} says {body[:300]!r}")


def read_video(data: bytes, box: Sandbox) -> None:
    """The frames, and the same file as a mask."""
    from harmonizer.video.coding.reader import Reader

    path = _written(data, box, "clip")
    with Reader(path) as reader:
        if reader.info.size[0] * reader.info.size[1] > MANY_PIXELS:
            return
        for index, _ in enumerate(reader):
            if index == 50:
                break
    with Reader(path) as reader:
        for index, _ in enumerate(reader.opacities()):
            if index == 50:
                break


def harmonize_video(data: bytes, box: Sandbox) -> None:
    """From file to file, with the filters of a timeline-free grading: all threads of the command."""
    from harmonizer.video import CodecName, grading, pipeline
    from harmonizer.video.outputs import Outputs

    outputs = Outputs(box.outputs / "out.mkv", CodecName.ffv1, None, box.outputs / "theta.jsonl")
    chosen = grading.from_network(box.inputs / "checkpoint")
    pipeline.harmonize_video(_written(data, box, "clip"), outputs, chosen)


def _checkpoint(box: Sandbox) -> Path:
    """A folder whose files a target replaces."""
    folder = box.inputs / "fuzzed" / "checkpoint"
    if not folder.exists():
        folder.mkdir()
        (folder / "config.json").write_bytes((box.inputs / "checkpoint" / "config.json").read_bytes())
    return folder


@cache
def _worker(box: Sandbox) -> Callable[..., object]:
    from harmonizer.batch.worker import Settings, Worker

    return Worker(Settings(weights=str(box.inputs / "checkpoint")), threads=1)


def _check_picture(decoded: Picture) -> None:
    pixels = decoded.pixels
    sound = (
        pixels.ndim == 3
        and pixels.shape[2] == 3
        and pixels.size
        and pixels.dtype.name in ("uint8", "uint16", "float32")
    )
    if not sound or (pixels.dtype.kind == "f" and not (pixels.min() >= 0 and pixels.max() <= 1)):
        raise FaultError(f"it was decoded to {pixels.dtype} {pixels.shape}")
    if decoded.alpha is not None and (decoded.alpha.shape, decoded.alpha.dtype) != (pixels.shape[:2], pixels.dtype):
        raise FaultError(
            f"its alpha is {decoded.alpha.dtype} {decoded.alpha.shape}, its pixels {pixels.dtype} {pixels.shape}"
        )
