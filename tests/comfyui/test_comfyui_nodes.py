"""The nodes by themselves: they need torch, and no ComfyUI."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import whitebox_filters as wf
from harmonizer import Harmonizer, HarmonizerError, HarmonizerWarning, edits, jobs
from harmonizer.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
from harmonizer.video import grading
from harmonizer.video.frames import Frame
from harmonizer.video.smoothing import one_euro

ROOT = Path(__file__).parents[2]


def run(node, **inputs):
    """What a node returns, for the inputs that are named and the defaults of the others."""
    cls = NODE_CLASS_MAPPINGS[f"Harmonizer{node}"]
    required = cls.INPUT_TYPES()["required"].items()
    defaults = {name: options["default"] for name, (_, options) in required if "default" in options}
    with torch.inference_mode():  # as ComfyUI runs them
        return getattr(cls(), cls.FUNCTION)(**defaults | inputs)


def harmonize(image, mask, **inputs):
    return run("Harmonize", image=image, mask=mask, **inputs)


@pytest.fixture(scope="module")
def harmonizer():
    return Harmonizer.load()


@pytest.fixture
def edit(image, mask):
    return run("Predict", image=image, mask=mask)[0]


@pytest.fixture
def frames(image):
    """Five frames in which the light changes back and forth, then a cut to a dark shot of two."""
    gains = [1, 0.7, 1, 0.7, 1]
    dark = 0.15 * image.flip(2)
    return torch.cat([gain * image for gain in gains] + [dark, dark])


@pytest.mark.parametrize("name", NODE_CLASS_MAPPINGS)
def test_every_node_says_what_comfyui_asks_for(name):
    cls = NODE_CLASS_MAPPINGS[name]
    inputs = cls.INPUT_TYPES()["required"]
    accepted = inspect.signature(getattr(cls, cls.FUNCTION)).parameters
    assert set(inputs) - set(accepted) == (set(wf.DEFAULT_FILTERS) if name == "HarmonizerSliders" else set())
    assert all(options["tooltip"] for _, options in inputs.values())
    assert cls.DESCRIPTION
    assert cls.CATEGORY == "image/harmonizer"
    assert NODE_DISPLAY_NAME_MAPPINGS[name]
    named = [getattr(cls, attribute, ()) for attribute in ("RETURN_TYPES", "RETURN_NAMES", "OUTPUT_TOOLTIPS")]
    assert len({len(each) for each in named}) == 1
    assert bool(cls.RETURN_TYPES) != getattr(cls, "OUTPUT_NODE", False)
    assert NODE_CLASS_MAPPINGS.keys() == NODE_DISPLAY_NAME_MAPPINGS.keys()


def test_importing_the_nodes_needs_neither_torch_nor_comfyui_nor_pyav(run_python):
    code = "import sys\nimport harmonizer.comfyui\nprint({'torch', 'comfy', 'folder_paths', 'av'} & set(sys.modules))"
    assert run_python(code).strip() == "set()"


def test_the_demo_is_what_jobs_give(harmonizer, levels, image, opacity, mask):
    result, expected = jobs.harmonize(harmonizer, levels.astype(np.float32) / 255, opacity)
    [picture], [edit] = harmonize(image, mask)
    np.testing.assert_array_equal(picture.numpy(), result.image)
    assert edit == expected
    of_bytes, _ = jobs.harmonize(harmonizer, levels, opacity)
    saved = np.rint(picture.numpy() * 255)
    assert np.abs(saved - of_bytes.image).max() <= 1
    assert (saved == of_bytes.image).mean() > 0.99


def test_predict_and_apply_are_harmonize(image, mask, edit):
    whole, [made] = harmonize(image, mask)
    assert edit == (made,)
    applied, again = run("Apply", image=image, mask=mask, edit=edit)
    assert torch.equal(applied, whole)
    assert again == edit


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_the_background_keeps_its_bits(image, mask, dtype):
    noisy = image + 0.3 * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))  # far outside [0, 1]
    before = noisy.to(dtype)
    after, _ = harmonize(before, mask)
    assert after.dtype == dtype
    outside = mask == 0
    assert torch.equal(after[outside], before[outside])
    assert (after[mask == 1] != before[mask == 1]).float().mean() > 0.5
    assert torch.equal(before, noisy.to(dtype))


def test_alpha_is_kept_and_what_it_hides_steers_nothing(image, mask):
    alpha = torch.ones_like(image[..., :1])
    opaque, _ = harmonize(torch.cat([image, alpha], 3), mask)
    assert torch.equal(opaque[..., :3], harmonize(image, mask)[0])
    alpha[:, :, :100] = 0
    alpha[:, :, 100:110] = 0.5
    first, [edit] = harmonize(torch.cat([image, alpha], 3), mask)
    loud = image.clone()
    loud[:, :, :100] = torch.tensor([1.0, 0, 1])
    second, [other] = harmonize(torch.cat([loud, alpha], 3), mask)
    assert torch.equal(first[..., 3:], alpha)
    assert torch.equal(second[:, :, :100, :3], loud[:, :, :100])
    assert torch.equal(first[:, :, 100:], second[:, :, 100:])
    assert edit == other


def test_each_picture_of_a_batch_gets_its_own_prediction(image, mask):
    pictures = torch.cat([image, image.flip(2), 0.5 * image])
    masks = torch.cat([mask, mask.flip(2), mask])
    together, edits_together = harmonize(pictures, masks)
    for index in range(3):
        alone, edit_alone = harmonize(pictures[index : index + 1], masks[index : index + 1])
        assert torch.equal(together[index : index + 1], alone)
        assert edits_together[index : index + 1] == edit_alone
    assert edits_together[0].theta != edits_together[2].theta


def test_one_mask_serves_all_pictures(image, mask):
    pictures = torch.cat([image, 0.5 * image])
    one, many = harmonize(pictures, mask), harmonize(pictures, mask.repeat(2, 1, 1))
    flat = harmonize(pictures, mask[0])
    assert torch.equal(one[0], many[0])
    assert one[1] == many[1] == flat[1]


def test_a_mask_of_another_size_is_scaled(image, mask):
    half = mask[:, ::2, ::2]
    scaled = torch.nn.functional.interpolate(half[None], size=image.shape[1:3], mode="bilinear")[0]
    assert torch.equal(harmonize(image, half)[0], harmonize(image, scaled)[0])


@pytest.mark.parametrize(
    ("pictures", "masks", "words"),
    [
        ((3, 8, 8, 3), (2, 8, 8), "2 masks for 3 pictures"),
        ((1, 8, 8, 1), (1, 8, 8), r"\(B, H, W, 3 or 4\); got \(1, 8, 8, 1\)"),
        ((8, 8, 3), (1, 8, 8), r"\(B, H, W, 3 or 4\); got \(8, 8, 3\)"),
        ((1, 8, 8, 3), (1, 1, 8, 8), r"a MASK has shape \(B, H, W\); got"),
    ],
)
def test_shapes_that_do_not_fit_are_errors(pictures, masks, words):
    with pytest.raises((HarmonizerError, wf.FilterError), match=words):
        harmonize(torch.full(pictures, 0.5), torch.ones(masks))


def test_progress_is_told_and_a_cancelled_run_ends(image, mask, monkeypatch):
    class Bar:
        def __init__(self, total):
            told.append(total)

        def update(self, value):
            told.append(value)
            if len(told) == 3:  # as ComfyUI's hook does after Cancel
                raise InterruptedError

    told = []
    monkeypatch.setitem(sys.modules, "comfy.utils", SimpleNamespace(ProgressBar=Bar))
    harmonize(image, mask)
    assert told == [1, 1]
    told = []
    with pytest.raises(InterruptedError):
        harmonize(image.repeat(4, 1, 1, 1), mask)
    assert told == [4, 1, 1]


def test_an_empty_mask_changes_nothing_and_says_so(image, mask):
    with pytest.warns(HarmonizerWarning, match="mask is empty"):
        picture, [edit] = harmonize(image, torch.zeros_like(mask))
    assert torch.equal(picture, image)
    assert set(edit.theta.values()) == {0}


def test_video_is_smoothed_as_harmonizer_video_does(harmonizer, frames, opacity, mask):
    _, made = harmonize(frames, mask, batch="video", frame_rate=24.0)
    clip = [
        Frame(index, index, 1, index / 24, pixels, opacity)
        for index, pixels in enumerate(np.rint(frames.numpy() * 255).astype(np.uint8))  # as a file has them
    ]
    graded = list(grading.predict(clip, harmonizer.predictor, one_euro))
    assert [item.shot_change for item in graded] == [False] * 5 + [True, False]
    smoothed = np.array([list(edit.theta.values()) for edit in made])
    np.testing.assert_allclose(smoothed, [item.theta for item in graded], atol=2e-3)
    raw = np.array([list(edit.theta.values()) for edit in harmonize(frames, mask)[1]])
    assert np.abs(np.diff(smoothed[:5], axis=0)).mean() < 0.5 * np.abs(np.diff(raw[:5], axis=0)).mean()
    np.testing.assert_array_equal(smoothed[5], raw[5])


def test_frames_of_a_video_are_rendered_with_their_edits(frames, mask):
    pictures, made = harmonize(frames, mask, batch="video")
    applied, again = run("Apply", image=frames, mask=mask, edit=made)
    assert torch.equal(applied, pictures)
    assert again == made
    assert torch.equal(pictures[:, mask[0] == 0], frames[:, mask[0] == 0])


def test_predict_writes_theta_as_text_that_set_theta_takes(image, mask, edit):
    _, text = run("Predict", image=image, mask=mask)
    assert json.loads(text) == edit[0].theta
    assert run("SetTheta", edit=edit, theta=text) == (edit,)
    [changed] = run("SetTheta", edit=edit, theta='{"shadow": 0.5, "contrast": -1}')[0]
    assert changed.theta == edit[0].theta | {"shadow": 0.5, "contrast": -1.0}
    both = torch.cat([image, 0.5 * image])
    made, text = run("Predict", image=both, mask=mask)
    assert [dict(each) for each in json.loads(text)] == [each.theta for each in made]
    [changed] = run("SetTheta", edit=made, theta='[{"shadow": 0.5}, {}]')
    assert [each.theta["shadow"] for each in changed] == [0.5, made[1].theta["shadow"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{shadow: 1}", "theta is JSON"),
        ("3", "theta is JSON.*got 3"),
        ('{"shadow": "dark"}', "theta is JSON"),
        ('{"shadow": true}', "theta is JSON"),
        ('{"shade": 0.1}', "there is no filter shade here; there are temperature"),
        ('{"shadow": 2}', r"\[-1, 1\]"),
        ('{"shadow": NaN}', r"\[-1, 1\]"),
        ('[{"shadow": 0.1}, {}]', "2 objects for 1 pictures"),
    ],
)
def test_theta_that_is_none_is_an_error(edit, text, words):
    with pytest.raises((HarmonizerError, wf.FilterError), match=words):
        run("SetTheta", edit=edit, theta=text)


def test_sliders_add_to_the_prediction(edit):
    assert run("Sliders", edit=edit) == (edit,)
    [[changed]] = run("Sliders", edit=edit, shadow=0.25, contrast=-1.0, temperature=1.0)
    predicted = edit[0].theta
    expected = {"shadow": predicted["shadow"] + 0.25, "contrast": max(-1, predicted["contrast"] - 1)}
    assert changed.theta == predicted | expected | {"temperature": min(1, predicted["temperature"] + 1)}


def test_sliders_at_zero_leave_an_edit_of_other_filters_alone(edit):
    document = json.loads(edits.dumps(edit[0]))
    document["filters"] = [{"name": "gamma", "theta": 0.2}]
    [[other]] = run("EditFromJson", edit_json=json.dumps(document))
    assert run("Sliders", edit=(other,)) == ((other,),)
    with pytest.raises(HarmonizerError, match="there is no filter shadow here; there are gamma"):
        run("Sliders", edit=(other,), shadow=0.1)


def test_a_changed_edit_is_rendered_as_jobs_do(image, mask, levels, opacity, edit):
    [changed] = run("Sliders", edit=edit, temperature=0.3)
    picture, measured = run("Apply", image=image, mask=mask, edit=changed)
    result, expected = jobs.apply(changed[0], levels.astype(np.float32) / 255, opacity)
    np.testing.assert_array_equal(picture[0].numpy(), result.image)
    assert measured == (expected,)


def test_one_edit_serves_all_pictures_and_two_do_not_serve_three(image, mask, edit):
    pictures = torch.cat([image, 0.5 * image, image])
    with pytest.warns(HarmonizerWarning, match="made for another picture"):
        applied, made = run("Apply", image=pictures, mask=mask, edit=edit)
    assert torch.equal(applied[:1], applied[2:])
    assert [each.theta for each in made] == [edit[0].theta] * 3
    with pytest.raises(HarmonizerError, match="2 edits for 3 pictures"):
        run("Apply", image=pictures, mask=mask, edit=edit * 2)


def test_a_saved_edit_is_read_by_harmonizer_and_by_the_node(output, image, mask, edit):
    told = run("SaveEdit", edit=edit * 2, filename_prefix="day 1/edit")
    files = sorted((output / "day 1").iterdir())
    assert told["ui"]["text"] == [file.name for file in files] == ["edit_00001_.json", "edit_00002_.json"]
    assert edits.read(files[0]) == edit[0]
    assert run("EditFromJson", edit_json=files[1].read_text()) == (edit,)
    with pytest.raises(HarmonizerError, match="JSON"):
        run("EditFromJson", edit_json="")


def test_a_cube_is_read_by_the_filters(output, image, mask, edit):
    run("SaveCube", edit=edit)
    lut = wf.read_cube(output / "harmonizer_00001_.cube")
    np.testing.assert_allclose(lut, edit[0].bake_lut(), atol=1e-6)
    picture, _ = harmonize(image, mask)
    inside = mask[0].numpy() == 1
    graded = wf.apply_lut(image[0].numpy(), lut)
    assert np.abs(graded - picture[0].numpy())[inside].mean() < 1 / 255


def test_a_changed_edit_has_no_cube_before_it_is_rendered(output, image, mask, edit):
    [changed] = run("Sliders", edit=edit, temperature=0.3)
    with pytest.raises(HarmonizerError, match="connect the edit that Harmonizer: Apply gives"):
        run("SaveCube", edit=changed)
    assert not list(output.iterdir())
    run("SaveCube", edit=run("Apply", image=image, mask=mask, edit=changed)[1])
    assert [file.name for file in output.iterdir()] == ["harmonizer_00001_.cube"]


@pytest.mark.parametrize("prefix", ["../out", "/tmp/out", "a/../../out", "link/out", ".."])
def test_no_prefix_leads_out_of_the_output_folder(output, edit, prefix):
    (output / "link").symlink_to(output.parent)
    with pytest.raises(HarmonizerError, match="leads out of ComfyUI's output folder"):
        run("SaveEdit", edit=edit, filename_prefix=prefix)
    assert [path.name for path in output.parent.iterdir()] == ["output"]


def test_the_page_tells_what_its_picture_shows(opacity):
    spec = importlib.util.spec_from_file_location("comfyui_picture", ROOT / "docs/comfyui_picture.py")
    picture = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(picture)
    _, pasted, harmonized, original = (pixels.astype(float) for pixels in picture.make_panels().values())
    before, after = (np.square(each - original)[opacity == 1].mean() for each in (pasted, harmonized))
    page = " ".join((ROOT / "docs/comfyui.md").read_text(encoding="utf-8").split())
    told = re.search(r"the mean squared error inside the mask falls from (\d+) to (\d+), and is 0 outside", page)
    np.testing.assert_allclose((before, after), [float(figure) for figure in told.groups()], rtol=0.02)
    np.testing.assert_array_equal(harmonized[opacity == 0], original[opacity == 0])
