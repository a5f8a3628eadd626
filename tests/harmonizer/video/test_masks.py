"""One mask and one background for each frame."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import pytest
from clips import COUNT, HEIGHT, UNEVEN, WIDTH, mask, picture, write_clip, write_masks
from PIL import Image

from harmonizer.errors import HarmonizerWarning, MaskError, VideoError
from harmonizer.video import masks
from harmonizer.video.frames import Frame

SIZE = (HEIGHT, WIDTH)


def frames(count=COUNT, times=None):
    for index in range(count):
        time = index / 30 if times is None else times[index] / 90000
        yield Frame(index, index, 1, time, picture(index), mask(index) / np.float32(255))


def test_video(tmp_path):
    with ExitStack() as stack:
        found = list(masks.open_masks(write_masks(tmp_path / "mask.mkv"), SIZE, stack))
    assert found[0].dtype == np.uint8
    np.testing.assert_array_equal(found, [mask(index) for index in range(COUNT)])


def test_noise_of_one_level_is_no_foreground(tmp_path):
    """Else the filters would read a mask of 0 and 1 as bool, and that frame would flash."""
    noise = np.random.default_rng(0).integers(0, 2, (HEIGHT, WIDTH), dtype=np.uint8)
    levels = [np.full((3, HEIGHT, WIDTH), 128, np.uint8) for _ in range(2)]
    levels[0][0], levels[1][0] = noise, 2 * noise
    path = write_clip(tmp_path / "mask.mkv", levels, full=True)
    with ExitStack() as stack:
        first, second = masks.open_masks(path, SIZE, stack)
    assert not first.any()
    np.testing.assert_array_equal(second, 2 * noise)


def test_folder_is_read_in_the_order_of_its_numbers(tmp_path):
    (tmp_path / "notes.txt").write_text("no mask")
    for index in range(COUNT):
        Image.fromarray(mask(index)).save(tmp_path / f"mask{index}.png")  # mask10 comes after mask9
    with ExitStack() as stack:
        found = list(masks.open_masks(tmp_path, SIZE, stack))
    np.testing.assert_array_equal(found, [mask(index) / np.float32(255) for index in range(COUNT)])


def test_one_picture_for_all_frames(tmp_path):
    Image.fromarray(mask()).save(tmp_path / "mask.png")
    with ExitStack() as stack:
        found = list(masks.with_masks(frames(), masks.open_masks(tmp_path / "mask.png", SIZE, stack), tmp_path))
    assert len(found) == COUNT
    assert all(frame.alpha.dtype == np.uint8 and (frame.alpha == mask()).all() for frame in found)


def test_a_deep_picture_keeps_its_digits(tmp_path):
    deep = mask().astype(np.uint16) * 150
    Image.fromarray(deep).save(tmp_path / "mask.png")
    with ExitStack() as stack:
        found = next(masks.open_masks(tmp_path / "mask.png", SIZE, stack))
    np.testing.assert_array_equal(found, deep / np.float32(65535))


def test_wrong_masks(tmp_path):
    (tmp_path / "empty").mkdir()
    colour = write_clip(tmp_path / "colour.mkv", map(picture, range(2)))
    small = write_masks(tmp_path / "small.mkv", 2, (32, 32))
    with ExitStack() as stack:
        for path, message in [(tmp_path / "empty", "no masks"), (colour, "in colour")]:
            with pytest.raises(MaskError, match=message):
                masks.open_masks(path, SIZE, stack)
        with pytest.raises(VideoError, match=r"mask .* has 32 x 32 pixels, its video 64 x 48"):
            masks.open_masks(small, SIZE, stack)
        with pytest.raises(VideoError, match=r"background .* has 32 x 32 pixels"):
            masks.open_background(small, SIZE, stack)


def test_too_few_and_too_many(tmp_path):
    alphas = [mask(index) / np.float32(255) for index in range(COUNT)]
    with pytest.raises(MaskError, match="ends after 3 frames"):
        list(masks.with_masks(frames(), iter(alphas[:3]), tmp_path))
    with pytest.warns(HarmonizerWarning, match="goes on after"):
        assert len(list(masks.with_masks(frames(3), iter(alphas), tmp_path))) == 3


def test_background_goes_by_time_and_stays(tmp_path):
    """At 10 frames a second under a clip of another, uneven rate."""
    shades = [np.full((HEIGHT, WIDTH, 3), 40 * index, np.uint8) for index in range(4)]
    path = write_clip(tmp_path / "back.mkv", shades, times=range(0, 36000, 9000))
    with ExitStack() as stack:
        found = list(masks.with_backgrounds(frames(times=UNEVEN), masks.open_background(path, SIZE, stack)))
    corners = [int(frame.pixels[0, 0, 0]) for frame in found]
    expected = [40 * min(time // 9000, 3) for time in UNEVEN]
    np.testing.assert_allclose(corners, expected, atol=2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("alpha", [mask() / np.float32(765), mask() // np.uint8(3)], ids=["float32", "uint8"])
def test_paste(dtype, alpha):
    scale = np.iinfo(dtype).max // 255
    over = Frame(0, 0, 1, 0.0, picture().astype(dtype) * dtype(scale), alpha)
    back = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    expected = np.where(mask()[..., None] > 0, (picture() + 200.0) / 3, 100.0) * scale
    found = masks.paste(over, back)
    assert found.dtype == dtype
    assert np.abs(found - expected).max() <= 0.51
    assert (masks.paste(Frame(0, 0, 1, 0.0, over.pixels, np.zeros(SIZE, np.float32)), back) == 100 * scale).all()
