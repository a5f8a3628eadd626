"""Faults that fuzzing found, each by the least input that shows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fuzz_networks
import fuzz_pictures
import fuzz_requests
import fuzz_texts
import numpy as np
import onnx
import pytest
from fuzz_texts import EDIT

import whitebox_filters as wf
from harmonizer import (
    BatchError,
    CheckpointError,
    EditError,
    HarmonizerWarning,
    ImageFileError,
    Predictor,
    RecipeError,
    TimelineError,
    edits,
    io,
)
from harmonizer.batch import report, storage
from harmonizer.batch.records import Record
from harmonizer.batch.tasks import read_tasks
from harmonizer.learning import recipes
from harmonizer.predictor import read_config
from harmonizer.video.timeline import read_timeline

NESTED = "[" * 100_000


def tasks(folder: Path, content: str | bytes, extension: str = ".jsonl"):
    path = folder / f"manifest{extension}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return list(read_tasks(str(path), str(folder / "outputs")))


def row(**changes):
    return json.dumps({"image": "a.png", "mask": "m.png", "output": "x.png"} | changes)


def test_a_timeline_of_nested_json(tmp_path):
    (tmp_path / "a.jsonl").write_text(NESTED)
    with pytest.raises(TimelineError, match="line 1 is not readable as JSON"):
        read_timeline(tmp_path / "a.jsonl")


def test_theta_beyond_the_range_of_floats(tmp_path):
    header, line = fuzz_texts.timelines()[0].decode().splitlines()[:2]
    theta = json.dumps(json.loads(line) | {"theta": [10**400] * 6})
    (tmp_path / "a.jsonl").write_text(f"{header}\n{theta}")
    with pytest.raises(TimelineError, match="line 2: theta is 6 numbers in"):
        read_timeline(tmp_path / "a.jsonl")
    with pytest.raises(wf.ThetaError, match="theta is 1 numbers in"):
        wf.Cascade(["shadow"]).check_theta(["much"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"image\xff,mask\n1,2", "not in UTF-8"), (b"x" * 200_000, "field larger"), (b"image,mask\na\xff,b", "in UTF-8")],
)
def test_a_csv_manifest_whose_header_is_none(tmp_path, content, reason):
    with pytest.raises(ImageFileError, match=reason):
        tasks(tmp_path, content, ".csv")


@pytest.mark.parametrize("place", ["a\0.png", "\ud800.png"])
@pytest.mark.parametrize("column", ["image", "mask", "output", "edit", "background"])
def test_a_cell_that_no_file_can_be_named(tmp_path, column, place):
    (task,) = tasks(tmp_path, row(**{column: place}))
    assert task.fault == f"{column} names no file: {place!a}"
    report.write(str(tmp_path / "report.parquet"), [Record(task.image, task.output, "failed", task.fault)])


@pytest.mark.parametrize(
    "theta", [[1, 2], [["a"]], {"shadow": 10**400}, 5, "{" * 900, '{"a":' * 5000, {"shadow": True}, [["a", [[]]]]]
)
def test_theta_of_a_manifest_that_is_none(tmp_path, theta):
    (task,) = tasks(tmp_path, row(theta=theta))
    assert task.fault is not None
    assert "theta" in task.fault


def test_texts_and_dates_of_parquet_that_are_none(tmp_path):
    for content in fuzz_texts.bad_parquet_manifests():
        try:
            tasks(tmp_path, content, ".parquet")
        except BatchError as error:
            assert "manifest.parquet" in str(error)  # noqa: PT017 # some are good


@pytest.mark.parametrize("extension", [".parquet", ".csv"])
def test_a_report_of_files_whose_names_are_no_text(tmp_path, extension):
    name = os.fsdecode(b"caf\xe9.png")
    report.write(str(tmp_path / f"r{extension}"), [Record(name, name, "failed", f"there is no file {name}")])
    (read,) = report.read(str(tmp_path / f"r{extension}"))
    assert read.image == "caf\\udce9.png"


@pytest.mark.skipif(not Path("/dev/zero").is_char_device(), reason="there is no /dev/zero")
@pytest.mark.parametrize("count", ["9" * 400, "-1"])
def test_a_report_that_counts_bytes_that_no_file_has(tmp_path, count):
    path = tmp_path / "r.csv"
    report.write(str(path), [Record("a.png", "b.png", "done", bytes_read=4321)])
    path.write_text(path.read_text().replace("4321", count))
    with pytest.raises(BatchError, match="bytes that no file has"):
        list(report.read(str(path)))


def test_a_device_without_an_end_is_no_picture(tmp_path):
    with pytest.raises(ImageFileError, match="/dev/zero is a device; name a file"):
        storage.read("/dev/zero")


def test_an_edit_of_many_unknown_filters_is_refused_at_once(monkeypatch):
    looks = []
    find = wf.plugins.find
    monkeypatch.setattr("whitebox_filters.plugins.find", lambda: looks.append(1) or find())
    document = EDIT | {"filters": [{"name": f"filter {number}", "theta": 0.1} for number in range(5000)]}
    with pytest.raises(EditError, match=r"no filter is named filter 0, .* and 4990 more; registered"):
        edits.loads(json.dumps(document))
    assert len(looks) < 10
    with pytest.raises(EditError, match=r"names shadow more than once"):
        edits.loads(json.dumps(EDIT | {"filters": [{"name": "shadow", "theta": 0.1}] * 20_000}))


def test_a_configuration_of_nested_json(tmp_path):
    (tmp_path / "config.json").write_text(NESTED)
    with pytest.raises(CheckpointError, match="not readable as JSON"):
        read_config(tmp_path / "config.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": 10**400}, {"steps": 5.5}, {"eq8_share": float("inf")}, {"sizes": [[1, "a"]]}, {"sizes": [[1, 0]]},
        {"learning_rate_drops": 3}, {"learning_rate_drops": ["", 0.5]}, {"learning_rate_drops": [float("nan")]},
        {"compile": 1}, {"loss": 3}, {"kinds": {"reinhard": float("nan")}}, {"warmup": "2"},
        {"network": {"encoder": [[]]}}, {"network": {"input_size": 0.5}}, {"network": {"attention_layers": 10**9}},
        {"network": {"encoder": "hf-hub:a/b"}}, {"network": {"attention_width": 10**9}},
        {"patch_share": [[1.0, float("nan")]]},
    ],
)  # fmt: skip
def test_a_recipe_whose_values_have_other_types(changes):
    with pytest.raises(RecipeError):
        recipes.from_json(json.dumps(changes))


def test_recipes_and_priors_of_nested_json(tmp_path):
    with pytest.raises(RecipeError):
        recipes.from_json(NESTED)
    (tmp_path / "priors.json").write_text(NESTED)
    with pytest.raises(RecipeError):
        recipes.read_priors(tmp_path / "priors.json")


@pytest.mark.parametrize(
    ("engine", "kind"),  # OpenVINO takes what lies beyond a tensor for 0
    [("onnxruntime", "too much memory"), ("openvino", "too much memory"), ("onnxruntime", "a place that is not there")],
)
def test_a_network_that_fails_only_as_it_runs(tmp_path, engine, kind):
    pytest.importorskip(engine, reason=f"the extra {engine} is not installed")
    (tmp_path / "config.json").write_text(json.dumps(fuzz_texts.CONFIG))
    number = {"too much memory": 2, "a place that is not there": 3}[kind]
    (tmp_path / "model.onnx").write_bytes(fuzz_networks.bad_onnx_models()[number])
    with pytest.raises(CheckpointError, match="Get the checkpoint again"):
        Predictor.load(tmp_path, engine).predict(fuzz_pictures.RGB, fuzz_pictures.GREY)


def test_a_network_whose_size_has_a_name_that_is_no_text(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(fuzz_texts.CONFIG))
    model = onnx.load_from_string(fuzz_networks.onnx_models()[0])
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batches"
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString().replace(b"batches", b"batch\x8fs"))
    with pytest.raises(CheckpointError, match="Get the checkpoint again"):
        Predictor.load(tmp_path)


def test_a_tiff_of_more_samples_than_its_size_tells():
    deep = fuzz_pictures.directory(
        [(256, 4, 1, 8), (257, 4, 1, 8), *fuzz_pictures.PLAIN[:-1], (258, 3, 1, 16), (32997, 4, 1, 100_000_000)]
    )
    with pytest.raises(ImageFileError, match=r"it has the shape .*100000000.*; one picture, grey or RGB"):
        io.decode_image(deep, "deep.tif")


def test_of_a_tiff_of_many_pages_the_first_are_looked_at():
    with pytest.warns(HarmonizerWarning, match="it holds 256 or more pictures; the first is used"):
        picture = io.decode_image(fuzz_pictures.chain(1000), "chain.tif")
    assert picture.pixels.shape == (8, 8, 3)


def test_a_request_that_holds_half_of_a_pair():
    """JSON writes some characters as two halves; one alone is no text, and cannot be sent back."""
    edit = json.dumps(EDIT | {"filters": [{"name": "\ud800", "theta": 0.1}]}).encode()
    pictures = {"composite": fuzz_pictures.png()[0], "mask": fuzz_pictures.masks()[0]}
    answers = [
        fuzz_requests.client().send(b"POST /v1/lut?size=2 application/json\n" + edit),
        fuzz_requests.client().send(fuzz_requests.post("/v1/apply", pictures | {"edit": edit})),
    ]
    for status, body in answers:
        assert status == 422
        assert "\\ud800" in json.loads(body)["error"]


@pytest.mark.parametrize("target", ["POST /v1/grade?size=\xca", "GET /healthz/?q=\xca", "GET /studio?\xca"])
def test_a_query_that_is_no_text(target):
    status, body = fuzz_requests.client().send(
        target.encode("latin-1") + b" multipart/form-data; boundary=x\n--x--\r\n"
    )
    assert (status, json.loads(body)["error"]) == (400, "the query is no text")


def test_symbolic_links_and_folders_in_place_of_pictures(tmp_path):
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "passwords.png").symlink_to("/etc/passwd")
    (tmp_path / "folder.png").mkdir()
    for name in ("loop.png", "passwords.png", "folder.png"):
        with pytest.raises(ImageFileError):
            io.read_image(tmp_path / name)


def test_outputs_of_a_manifest_stay_in_their_folder(tmp_path):
    places = [*fuzz_texts.PLACES, "a/../../../x.png"]
    for place in places:
        for task in tasks(tmp_path, row(output=place)):
            inside = Path(task.output).resolve().is_relative_to(tmp_path / "outputs")
            assert task.fault or inside, place


def test_cycles_of_directories_end(tmp_path):
    for content in fuzz_pictures.tiffs():
        try:
            pixels = io.decode_image(content, "a.tif").pixels
        except ImageFileError:
            continue
        except HarmonizerWarning:
            continue
        assert np.prod(pixels.shape) < 1e7


@pytest.mark.parametrize("number", [0, 1])
def test_a_video_that_says_its_frames_are_vast_takes_no_memory_for_them(tmp_path, number):
    pytest.importorskip("av", reason="the extra video is not installed")
    import fuzz_videos

    (tmp_path / "vast.webm").write_bytes(fuzz_videos.vast_frames()[number])
    code = (
        "import resource, sys; from pathlib import Path; from harmonizer import VideoError\n"
        "from harmonizer.video.coding.reader import Reader\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10\n"
        "before = peak()\n"
        "try: list(Reader(Path(sys.argv[1])))\n"
        "except VideoError: print(peak() - before)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "vast.webm")]
    grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(grown) < 300  # MiB
