"""Alpha of masks, clips and backgrounds: opaque says nothing, the whole video decides, levels are opacity."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise

import numpy as np
import pytest
from clips import COUNT, HEIGHT, WIDTH, mask, picture, write_clip, write_masks
from PIL import Image

from harmonizer.errors import HarmonizerWarning, VideoError
from harmonizer.pictures.picture import convert_depth
from harmonizer.video import masks
from harmonizer.video.coding import vpx
from harmonizer.video.coding.reader import Reader
from harmonizer.video.frames import Frame, to_opacity

SIZE = (HEIGHT, WIDTH)
FORMATS = [
    ("m.gif", "gif", "gray", {}),
    ("m.mov", "qtrle", "argb", {}),
    ("m.mov", "png", "rgba", {}),
    ("m.mov", "png", "rgba64be", {}),
    ("m.mov", "prores_ks", "yuva444p10le", {"profile": "4"}),
    ("m.webm", "libvpx-vp9", "yuva420p", {"crf": "4"}),
    ("m.webm", "libvpx", "yuva420p", {"crf": "4", "b": "2M", "auto-alt-ref": "0"}),
    ("m.mkv", "ffv1", "yuva420p", {}),
    ("m.mkv", "ffv1", "gbrap12le", {}),
]
IDS = [f"{codec}-{layout}" for _, codec, layout, _ in FORMATS]


def layers(alphas):
    return [np.dstack([np.repeat(mask(i)[..., None], 3, axis=2), alpha]) for i, alpha in enumerate(alphas)]


def read_masks(path):
    with ExitStack() as stack:
        return [convert_depth(alpha, np.float32) for alpha in masks.open_masks(path, SIZE, stack)]


@pytest.mark.parametrize(("name", "codec", "layout", "options"), FORMATS, ids=IDS)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_constant_alpha_is_no_mask(tmp_path, name, codec, layout, options, level):
    if codec == "gif" and level < 255:
        pytest.skip("GIF has no such frames")
    frames = layers([np.full(SIZE, level, np.uint8)] * 3) if codec != "gif" else map(mask, range(3))
    path = write_clip(tmp_path / name, frames, codec=codec, pixel_format=layout, options=options)
    with Reader(path) as video:
        assert not video.alpha_varies
    tolerance = 0.2 if codec == "libvpx" or layout.endswith("420p") else 0.02
    for index, alpha in enumerate(read_masks(path)):
        assert np.abs(alpha - mask(index) / 255)[10:34].mean() < tolerance


@pytest.mark.parametrize(("name", "codec", "layout", "options"), FORMATS[1:], ids=IDS[1:])
@pytest.mark.parametrize("first", [0, 255])
def test_alpha_that_varies_later_is_the_mask_from_the_first_frame_on(tmp_path, name, codec, layout, options, first):
    """A fade begins opaque or transparent."""
    alphas = [np.full(SIZE, first, np.uint8)] * 4 + [mask(0)[::-1].copy()] * 2
    path = write_clip(tmp_path / name, layers(alphas), codec=codec, pixel_format=layout, options=options)
    for alpha, used in zip(alphas, read_masks(path), strict=True):
        assert np.abs(used - alpha / 255).mean() < 0.02


def test_alpha_that_varies_over_time_alone_is_the_mask(tmp_path):
    alphas = [np.full(SIZE, level, np.uint8) for level in (10, 20, 30)]
    path = write_clip(tmp_path / "m.mov", layers(alphas), codec="png", pixel_format="rgba")
    np.testing.assert_allclose([used[0, 0] * 255 for used in read_masks(path)], [10, 20, 30], atol=1e-4)


@pytest.mark.parametrize("bits", [8, 9, 10, 12, 14, 16])
def test_opaque_is_full_scale_in_every_depth(tmp_path, bits):
    layout = {8: "rgba", 9: "yuva444p9le", 14: "gbrap14le", 16: "gbrap16le"}.get(bits, f"yuva444p{bits}le")
    alpha = np.full(SIZE, 255, np.uint8)
    alpha[0] = 0
    codec = {"name": "m.mov", "codec": "png"} if bits == 8 else {"name": "m.mkv", "codec": "ffv1"}
    path = write_clip(tmp_path / codec.pop("name"), layers([alpha]), pixel_format=layout, **codec)
    with Reader(path) as video:
        (frame,) = video
    assert frame.alpha is not None
    # The clip is made by a converter whose white is a level of 8 bits below that of 9 bits and more.
    assert frame.alpha[1:].min() == frame.alpha.max()
    assert frame.alpha.max() / (255 if bits == 8 else 1) >= 1 - 2 / (1 << min(bits, 8))
    assert frame.alpha[0].max() < 0.003


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("level", [0, 1, 2, 255])
def test_levels_are_opacity_whatever_they_are(dtype, level):
    opacity = to_opacity(np.full((2, 2), level, dtype))
    assert opacity.dtype in (np.uint8, np.float32)
    assert opacity.dtype == np.float32 or opacity.max() != 1
    full = np.iinfo(dtype).max
    np.testing.assert_allclose(convert_depth(opacity, np.float32), level / full, rtol=1e-6)


def test_steps_of_a_fade_are_even(tmp_path):
    """Level 1 is no flag: the change of the picture grows with the level."""
    alphas = [np.where(mask() > 0, level, 0).astype(np.uint8) for level in (0, 1, 2, 3, 255)]
    frames = [np.dstack([picture(), alpha]) for alpha in alphas]
    path = write_clip(tmp_path / "fade.mov", frames, codec="png", pixel_format="rgba")
    found = [alpha.max() for alpha in read_masks(path)]
    np.testing.assert_allclose(found, np.array([0, 1, 2, 3, 255]) / 255, rtol=1e-6)
    assert all(low < high for low, high in pairwise(found))


def test_a_folder_of_a_fade_is_read_in_one_way(tmp_path):
    for index, level in enumerate((0, 1, 2, 255)):
        Image.fromarray(np.where(mask() > 0, level, 0).astype(np.uint8)).save(tmp_path / f"{index}.png")
    np.testing.assert_allclose([used.max() for used in read_masks(tmp_path)], np.array([0, 1, 2, 255]) / 255)


def test_a_folder_of_label_maps_is_flags(tmp_path):
    for index in range(3):
        Image.fromarray((mask(index) > 0).astype(np.uint8) * (index > 0)).save(tmp_path / f"{index}.png")
    with pytest.warns(HarmonizerWarning, match="no mask of .* has a value above 1; 1 is taken for the foreground"):
        found = read_masks(tmp_path)
    assert not found[0].any()
    np.testing.assert_array_equal(found[1:], [mask(1) / np.float32(255), mask(2) / np.float32(255)])


@pytest.mark.parametrize("first", [0, 255])
def test_alpha_of_a_folder_is_that_of_all_its_pictures(tmp_path, first):
    """Of grey pictures with alpha, the first ones transparent or opaque all over."""
    alphas = [np.full(SIZE, first, np.uint8), mask(1), np.full(SIZE, first, np.uint8)]
    for index, layer in enumerate(layers(alphas)):
        Image.fromarray(layer[::-1].copy() if index == 1 else layer).save(tmp_path / f"{index}.png")
    found = read_masks(tmp_path)
    np.testing.assert_array_equal(found[0], first / 255)
    np.testing.assert_array_equal(found[1], mask(1)[::-1] / np.float32(255))
    np.testing.assert_array_equal(found[2], first / 255)


def test_opaque_alpha_of_a_folder_says_nothing(tmp_path):
    for index, layer in enumerate(layers([np.full(SIZE, 255, np.uint8)] * 3)):
        Image.fromarray(layer).save(tmp_path / f"{index}.png")
    np.testing.assert_array_equal(read_masks(tmp_path), [mask(index) / np.float32(255) for index in range(3)])


def test_what_alpha_hides_steers_nothing(files, run):
    """Two clips that look the same, with other colours where nothing can be seen, give the same foreground."""
    alpha = np.zeros(SIZE, np.uint8)
    alpha[:, 8:56] = 255
    for hidden in (0, 255):
        shown = [np.where(alpha[..., None] > 0, picture(i), hidden).astype(np.uint8) for i in range(COUNT)]
        clip = write_clip(
            files / f"{hidden}.mov", [np.dstack([each, alpha]) for each in shown], codec="png", pixel_format="rgba"
        )
        code, _, err = run(clip, files / "mask.mkv", "-o", files / f"{hidden}.mkv", "--codec", "ffv1")
        assert code == 0
        assert err.count("\n") == 1
        assert "is dropped" in err
    with Reader(files / "0.mkv") as first, Reader(files / "255.mkv") as second:
        for one, other in zip(first, second, strict=True):
            assert np.abs(one.pixels.astype(int) - other.pixels).max() == 0


def test_alpha_of_a_background_is_dropped_with_one_line(tmp_path):
    layer = np.dstack([picture(), mask()])
    Image.fromarray(layer).save(tmp_path / "back.png")
    over = Frame(0, 0, 1, 0.0, picture(), np.zeros(SIZE, np.uint8))
    with ExitStack() as stack, pytest.warns(HarmonizerWarning, match="alpha channel of the background .* is dropped"):
        (pasted,) = masks.with_backgrounds([over], masks.open_background(tmp_path / "back.png", SIZE, stack))
    visible = mask() > 0
    np.testing.assert_array_equal(pasted.pixels[visible], picture()[visible])
    assert np.ptp(pasted.pixels[~visible], axis=0).max() == 0


@pytest.mark.parametrize("level", [0, 255])
def test_a_clip_whose_alpha_shows_nothing_needs_a_mask(files, run, level):
    frames = [np.dstack([picture(index), np.full(SIZE, level, np.uint8)]) for index in range(3)]
    clip = write_clip(files / "clip.mov", frames, codec="png", pixel_format="rgba")
    code, _, err = run(clip, "-o", files / "out.mp4")
    assert code == 2
    assert "is the same everywhere and shows no foreground; give a mask" in err


def test_an_opaque_clip_with_a_mask_says_nothing(files, run):
    frames = [np.dstack([picture(index), np.full(SIZE, 255, np.uint8)]) for index in range(3)]
    clip = write_clip(files / "clip.mov", frames, codec="png", pixel_format="rgba")
    write_masks(files / "three.mkv", 3)
    assert run(clip, files / "three.mkv", "-o", files / "out.mp4")[::2] == (0, "")


def test_a_video_of_flags_is_black_and_says_so(tmp_path):
    frames = [(mask(index) > 0).astype(np.uint8) for index in range(3)]
    path = write_clip(tmp_path / "flags.mkv", frames, pixel_format="gray")
    with pytest.warns(HarmonizerWarning, match="no level of the mask .* is above 1 of 255, which is black"):
        assert not np.any(read_masks(path))


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_alpha_that_ends_within_a_video(tmp_path, monkeypatch, codec):
    options = {"b": "2M", "auto-alt-ref": "0"}
    clip = layers([np.full(SIZE, 40 * index, np.uint8) for index in range(4)])
    path = write_clip(tmp_path / "m.webm", clip, codec=codec, pixel_format="yuva420p", options=options)
    join, frames = vpx._join, []

    def join_two(frame, alpha):
        frames.append(frame)
        return join(frame, alpha) if len(frames) < 3 else frame

    monkeypatch.setattr(vpx, "_join", join_two)
    with Reader(path) as video, pytest.raises(VideoError, match="alpha in some frames alone, from frame 2 on"):
        list(video)
