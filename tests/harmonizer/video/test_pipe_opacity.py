"""The alpha of raw frames is opacity out of its dtype's maximum, whatever its values."""

from __future__ import annotations

import io

import numpy as np
import pytest
from clips import HEIGHT, WIDTH, mask, picture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harmonizer import Harmonizer
from harmonizer.video.raw import PixelFormat, harmonize_stream


@pytest.fixture(scope="module")
def harmonizer(checkpoint):
    return Harmonizer.load(checkpoint)


def send(harmonizer, layer, pixel_format):
    sink = io.BytesIO()
    harmonize_stream(harmonizer, io.BytesIO(layer.tobytes()), sink, (HEIGHT, WIDTH), PixelFormat(pixel_format), None)
    return np.frombuffer(sink.getvalue(), layer.dtype).reshape(layer.shape)


@pytest.mark.filterwarnings("ignore:the mask is empty")
@pytest.mark.parametrize("pixel_format", ["rgba", "rgba64le"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(level=st.one_of(st.sampled_from([0, 1, 2, 3, 254, 255, 256, 65534, 65535]), st.integers(0, 65535)))
def test_change_is_in_proportion_to_opacity(harmonizer, pixel_format, level):
    """No pixel moves further than its share of full scale, and a rounding."""
    dtype = np.dtype("u1" if pixel_format == "rgba" else "<u2")
    full = np.iinfo(dtype).max
    level = min(level, full)
    image = picture().astype(dtype) * dtype.type(full // 255)
    alpha = np.where(mask() > 0, level, 0).astype(dtype)
    out = send(harmonizer, np.dstack([image, alpha]), pixel_format)
    np.testing.assert_array_equal(out[..., 3], alpha)
    change = np.abs(out[..., :3].astype(float) - image).max() / full
    assert change <= level / full + 1 / full
