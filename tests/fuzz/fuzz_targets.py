"""Every way in: how one input is read, valid inputs to start from, crafted ones, and the errors that are documented."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import fuzz_networks
import fuzz_pictures
import fuzz_readers
import fuzz_requests
import fuzz_texts
import fuzz_videos
import numpy as np
from fuzz_mutations import mutate, repair_png, truncations
from fuzz_readers import MANY_PIXELS
from fuzz_sandbox import FaultError, Read, Sandbox
from PIL import Image

import whitebox_filters as wf
from harmonizer import Harmonizer, HarmonizerError, Renderer
from harmonizer.pictures import io, picture
from harmonizer.pictures.picture import Picture
from whitebox_filters import plugins

MEMORY = 900 << 20  # bytes
Files = Callable[[], Sequence[bytes]]


@dataclass(frozen=True)
class Target:
    """A way in. `share` is its part of a campaign's inputs, compared with the others'."""

    name: str
    read: Read
    seeds: Files
    crafted: Files = tuple  # type: ignore[assignment]
    form: str = "bytes"
    repair: Callable[[bytes], bytes] | None = None
    share: float = 1

    def __call__(self, data: bytes) -> bool:
        """Read one input; whether it was taken. Raises FaultError and HangError, and what is no documented error."""
        return sandbox().run(self.read, data, (HarmonizerError, wf.FilterError))

    def warm(self) -> None:
        """Read a valid input: what is loaded at first use asks the system for its libraries."""
        with suppress(FaultError):
            self(_seeds(self.name)[0])

    def mutation(self, seed: int, index: int) -> bytes:
        """The input of a number: the same on every machine whose encoders write the same seeds."""
        return mutate(_seeds(self.name), self.form, self.repair, random.Random(f"{self.name} {seed} {index}"))

    def corpus(self) -> list[bytes]:
        """The seeds, whole and cut off at every sixteenth, and the crafted files."""
        seeds = _seeds(self.name)
        return [*seeds, *(part for seed in seeds for part in truncations(seed)), *self.crafted()]


@cache
def sandbox() -> Sandbox:
    """The folders of this process, with a picture, its mask, an edit and checkpoints in the inputs."""
    import atexit
    import shutil
    import tempfile

    shared = Path("/dev/shm")
    root = Path(tempfile.mkdtemp(prefix="fuzz", dir=shared if shared.is_dir() else None))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    made = Sandbox(root)
    pictures = made.inputs / "pictures"
    pictures.mkdir()
    io.write_image(pictures / "a.png", Picture(fuzz_pictures.RGB))
    Image.fromarray(fuzz_pictures.GREY).save(pictures / "a_mask.png")
    (pictures / "edit.json").write_text(json.dumps(fuzz_texts.EDIT))
    checkpoint = made.inputs / "checkpoint"
    checkpoint.mkdir()
    config = {key: value for key, value in fuzz_texts.CONFIG.items() if key != "statistics"}
    (checkpoint / "config.json").write_text(json.dumps(config))
    (checkpoint / "model.onnx").write_bytes(fuzz_networks.onnx_models()[0])
    (made.inputs / "fuzzed").mkdir()
    # What is compiled at first use takes seconds, and asks the system for its libraries.
    harmonizer = Harmonizer.load(checkpoint)
    harmonizer.harmonize(fuzz_pictures.RGB, fuzz_pictures.GREY)
    Renderer(wf.Cascade(wf.names())).render(fuzz_pictures.RGB, np.full(len(wf.names()), 0.1), fuzz_pictures.GREY)
    return made


def hurry() -> None:
    """Refuse pictures of more than MANY_PIXELS, and look once at what packages are installed."""
    picture.MAX_PIXELS = MANY_PIXELS
    Image.MAX_IMAGE_PIXELS = MANY_PIXELS // 2  # Pillow refuses twice as many
    plugins.find = cache(plugins.find)


def limit_memory() -> None:
    """From now on inputs may add MEMORY to the data of this process; more cannot be had. Needs Linux."""
    import resource

    lines = Path("/proc/self/status").read_text().splitlines()
    size = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmData:"))
    resource.setrlimit(resource.RLIMIT_DATA, (size + MEMORY, size + MEMORY))


@cache
def _seeds(name: str) -> Sequence[bytes]:
    return tuple(TARGETS[name].seeds())


def _crafted_pictures(name: str) -> list[bytes]:
    return fuzz_pictures.crafted()[name]


def _seed_pictures() -> list[bytes]:
    return [seed for seeds in fuzz_pictures.FORMATS.values() for seed in seeds()]


def _all_crafted() -> list[bytes]:
    return [file for crafted in fuzz_pictures.crafted().values() for file in crafted]


def _report() -> list[bytes]:
    from harmonizer.batch.report import COLUMNS

    row = 'a.png,b.png,done,,,"{""shadow"": 0.1}",{},1,2,3,4,5,6,100,200,abc,0.1.0'
    return [f"{','.join(COLUMNS)}\n{row}\n".encode()]


def _texts() -> list[Target]:
    texts, readers = fuzz_texts, fuzz_readers
    csv, jsonl, parquet = (
        partial(readers.read_manifest, extension=extension) for extension in (".csv", ".jsonl", ".parquet")
    )
    return [
        Target("edit", readers.read_edit, texts.edits, texts.bad_edits, "json", share=180),
        Target("cube", readers.read_cube, texts.cubes, texts.bad_cubes, "text", share=150),
        Target("timeline", readers.read_timeline, texts.timelines, texts.bad_timelines, "lines", share=150),
        Target("manifest_csv", csv, texts.csv_manifests, texts.bad_csv_manifests, "text", share=20),
        Target("manifest_jsonl", jsonl, texts.jsonl_manifests, texts.bad_jsonl_manifests, "lines", share=20),
        Target("manifest_parquet", parquet, texts.parquet_manifests, texts.bad_parquet_manifests, share=15),
        Target("report", readers.read_report, _report, lambda: texts.ODD, "text", share=40),
        Target("config", readers.read_configuration, texts.configs, texts.bad_configs, "json", share=150),
        Target("recipe", readers.read_recipe, texts.recipes, texts.bad_recipes, "json", share=80),
        Target("priors", readers.read_priors, texts.priors, texts.bad_priors, "json", share=80),
    ]


def _pictures() -> list[Target]:
    formats = [
        Target(name, fuzz_readers.read_picture, seeds, partial(_crafted_pictures, name), share=12)
        for name, seeds in fuzz_pictures.FORMATS.items()
    ]
    return [
        *(replace(target, repair=repair_png) if target.name == "png" else target for target in formats),
        Target("upload", fuzz_readers.read_upload, _seed_pictures, _all_crafted, repair=repair_png, share=12),
        Target("mask", fuzz_readers.read_mask, fuzz_pictures.masks, _all_crafted, repair=repair_png, share=10),
    ]


def _others() -> list[Target]:
    nets, readers, videos, requests = fuzz_networks, fuzz_readers, fuzz_videos, fuzz_requests
    openvino = partial(readers.read_onnx, engine="openvino")
    config = nets.training_configs, nets.bad_training_configs
    return [
        Target("onnx", readers.read_onnx, nets.onnx_models, nets.bad_onnx_models, share=8),
        Target("onnx_openvino", openvino, nets.onnx_models, nets.bad_onnx_models, share=0.5),
        Target("released_pth", readers.read_released, nets.released, nets.bad_released, share=10),
        Target("safetensors", readers.read_tensors, nets.tensors, nets.bad_tensors, share=2),
        Target("training_config", readers.read_training_config, *config, "json", share=0.3),
        Target("request", readers.read_request, requests.requests, requests.bad_requests, "text", share=8),
        Target("video", readers.read_video, videos.videos, videos.bad_videos, share=8),
        Target("video_to_file", readers.harmonize_video, videos.videos, videos.bad_videos, share=0.4),
    ]


TARGETS = {target.name: target for target in (*_texts(), *_pictures(), *_others())}
