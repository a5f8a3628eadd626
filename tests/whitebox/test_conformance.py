"""The public suite on our own filters, and on filters broken in one way each, which it must catch."""

from __future__ import annotations

import dataclasses
import importlib.util

import numpy as np
import pytest

import whitebox_filters as wf
from whitebox_filters.testing import BACKENDS, FilterConformanceError, agreement, check_filter, gradients, samples

BRIGHTNESS, CONTRAST, SHADOW = wf.get("brightness"), wf.get("contrast"), wf.get("shadow")


@pytest.mark.parametrize("name", wf.names())
def test_our_filters_keep_every_promise_on_every_backend(name):
    report = check_filter(wf.get(name))
    assert report.filter == name
    assert report.backends == tuple(BACKENDS)
    assert report.not_run == {}
    assert set(gradients.NAMES) <= set(report.properties)
    assert any(note.startswith("no inverse") for note in report.notes) == (wf.get(name).inverse is None)
    assert any(note.startswith("not monotone") for note in report.notes) != wf.get(name).monotone


def gain(formula, **changes):
    """Brightness with another gain; its pixel formula still agrees."""

    def coefficients(xp, theta, statistic):
        return (formula(xp, theta),)

    return dataclasses.replace(BRIGHTNESS, coefficients=coefficients, examples=(), inverse=None, **changes)


def textured(array, **changes):
    """A filter of theta itself with another array formula; the pixel formula is beside the point."""
    return dataclasses.replace(
        SHADOW, coefficients=lambda xp, theta, statistic: (theta,), array=array, examples=(), inverse=None, **changes
    )


def floored(xp, theta, statistic):
    steps = xp.floor(theta * 255)
    return statistic, xp.where(theta > 0, 255 / (256 - steps) - 1 + 1 / 256, theta)


def nan_at_black(xp, rgb, theta):
    return xp.where(theta == 0, rgb, rgb * rgb / rgb * (1 + theta))


def in_place(xp, rgb, exponent):
    result = SHADOW.array(xp, rgb, exponent)
    rgb += 0 * rgb + 0.01
    return result


def detached(xp, rgb, theta):
    held = rgb.detach() if hasattr(rgb, "detach") else rgb
    return rgb + theta * held * (1 - held)


def mixes_the_batch(xp, rgb, theta):
    return rgb + xp.mean(theta) * rgb * (1 - rgb)


def lifted(xp, rgb, theta):
    return rgb + theta * rgb * (1 - rgb)


def mixes_vivid_colours(xp, rgb, theta):
    """A gain of red, and where the chroma is 0.96 to 0.98 also some of what the other channels hold."""
    chroma = xp.max(rgb, axis=0) - xp.min(rgb, axis=0)
    vivid = xp.where((chroma > 0.955) & (chroma < 0.985), 1 + 0 * chroma, 0 * chroma)
    lifted = theta * rgb[0] * (1 - rgb[0])
    return xp.stack([rgb[0] + lifted + theta * vivid * (rgb[1] + rgb[2] - rgb[0]) / 2, rgb[1], rgb[2]])


def mixes_a_vivid_pixel(r, g, b, theta):
    chroma = max(r, g, b) - min(r, g, b)
    vivid = 1.0 if 0.955 < chroma < 0.985 else 0.0
    return r + theta * r * (1 - r) + theta * vivid * (g + b - r) / 2, g, b


BROKEN = {
    "not the identity at 0": ("identity", gain(lambda xp, t: 1.01 + t)),
    "derivative 0 at 0": ("effect", gain(lambda xp, t: 1 + t * t * xp.where(t < 0, -1.0, 1.0))),
    "no effect above 0": ("effect", gain(lambda xp, t: 1 + xp.where(t < 0, t, 0 * t))),
    "no effect below 0": ("effect", gain(lambda xp, t: 1 + xp.where(t > 0, t, 0 * t))),
    "a clamp met at its bound": ("effect", gain(lambda xp, t: 1 + xp.clip(t, -0.9, 0.9))),
    "floor": ("effect", dataclasses.replace(CONTRAST, coefficients=floored)),
    "NaN at black": ("output range", textured(nan_at_black)),
    "writes into its input": ("input untouched", dataclasses.replace(SHADOW, array=in_place)),
    "depends on the resolution": ("crop", textured(lambda xp, rgb, t: rgb + t * (rgb - xp.mean(rgb)))),
    "another inverse": ("inverse", dataclasses.replace(SHADOW, inverse=lambda theta: -theta)),
    "an inverse it does not declare": ("inverse", dataclasses.replace(BRIGHTNESS, inverse=None)),
    "an inverse out of reach": ("inverse", dataclasses.replace(SHADOW, inverse=lambda t: 0.0 if t == 0 else 2.0)),
    "monotone in name only": ("monotone", dataclasses.replace(CONTRAST, monotone=True)),
    "monotone without saying so": ("monotone", dataclasses.replace(SHADOW, monotone=False)),
    "a wrong example": (
        "examples",
        dataclasses.replace(SHADOW, examples=(wf.Example(0.5, 0.5, 0.6, "nowhere"),)),
    ),
    "mixed channels that it declares apart": ("channels", dataclasses.replace(wf.get("hue"), channels="each")),
    "mixed only where colours are vivid": (
        "channels",
        textured(mixes_vivid_colours, pixel=mixes_a_vivid_pixel, monotone=False, channels="each"),
    ),
    "unlike channels that it declares alike": ("channels", dataclasses.replace(wf.get("tint"), channels="same")),
    "separate channels that it declares mixed": ("channels", dataclasses.replace(SHADOW, channels="mixed")),
    "alike channels that it declares unlike": ("channels", dataclasses.replace(SHADOW, channels="each")),
    "pixel and array disagree": (
        "agreement",
        dataclasses.replace(BRIGHTNESS, pixel=lambda r, g, b, gain: (r * gain, g * gain, b * (gain * gain))),
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_filter_is_caught_without_torch(fault):
    property, filter = BROKEN[fault]
    with pytest.raises(FilterConformanceError) as error:
        check_filter(filter, backends=["numpy", "python"])
    assert error.value.property == property
    assert error.value.filter == filter.name
    assert filter.name in str(error.value)


BROKEN_GRADIENTS = {
    "absolute value at 0": (
        "living gradient",
        gain(lambda xp, t: 1 + xp.where(t > 0, xp.abs(t), -xp.abs(t))),
        gradients.check_living,
    ),
    "floor": ("living gradient", dataclasses.replace(CONTRAST, coefficients=floored), gradients.check_living),
    "a clamp met at its bound": (
        "living gradient",
        gain(lambda xp, t: 1 + xp.clip(t, -0.9, 0.9)),
        gradients.check_living,
    ),
    "no effect above 0": (
        "living gradient",
        gain(lambda xp, t: 1 + xp.where(t < 0, t, 0 * t)),
        gradients.check_living,
    ),
    "unbounded at black": (
        "finite gradient",
        dataclasses.replace(SHADOW, array=lambda xp, rgb, exponent: rgb ** (1 + exponent)),
        gradients.check_finite,
    ),
    "counted twice at 0": (
        "gradient at 0",
        gain(lambda xp, t: 1 + xp.clip(t, 0, 1) + xp.clip(t, -1, 0)),
        gradients.check_zero,
    ),
    "lost on the way to the image": ("gradcheck", textured(detached), gradients.check_against_differences),
    "one theta for the batch": ("batch", textured(mixes_the_batch), gradients.check_batch),
}


@pytest.mark.parametrize("fault", BROKEN_GRADIENTS)
def test_a_broken_gradient_is_caught(fault):
    property, filter, check = BROKEN_GRADIENTS[fault]
    with pytest.raises(FilterConformanceError) as error:
        check(filter)
    assert error.value.property == property


def lifted_pixel(r, g, b, theta):
    return tuple(value + theta * value * (1 - value) for value in (r, g, b))


SOUND = textured(lifted, name="lifted", pixel=lifted_pixel)


def test_a_sound_filter_of_the_same_make_passes():
    """What the broken ones have in common is not what they are caught for."""
    report = check_filter(SOUND, backends=["numpy", "python", "torch"])
    assert report.backends == ("numpy", "python", "torch")
    assert report.not_run == {"numba": "not asked for", "cuda-simulator": "not asked for"}


def of(formula):
    return lambda xp, theta, statistic: (formula(xp, theta),)


def nan_on_black(xp, rgb, theta):
    return xp.where((rgb == 0) & (theta != 0), rgb / rgb, lifted(xp, rgb, theta))


def wider_is_stronger(xp, rgb, theta):
    return lifted(xp, rgb, theta * rgb.shape[-1] / (1 + rgb.shape[-1]))


def another_in_torch(xp, rgb, theta):
    return lifted(xp, rgb, theta if xp is np else 0.99 * theta)


SEVEN = {
    "flat at 0": ("effect", {"coefficients": of(lambda xp, t: t * t * t)}),
    "gradient lost at 0": (
        "living gradient",
        {"coefficients": of(lambda xp, t: xp.where(t > 0, xp.abs(t), -xp.abs(t)))},
    ),
    "dead above 0": ("effect", {"coefficients": of(lambda xp, t: xp.where(t < 0, t, 0 * t))}),
    "NaN at black": ("output range", {"array": nan_on_black}),
    "not the identity at 0": ("identity", {"coefficients": of(lambda xp, t: 0.98 * t + 0.02)}),
    "a wrong inverse": ("inverse", {"inverse": lambda theta: -theta}),
    "scalar backends disagree": ("agreement", {"pixel": lambda r, g, b, t: lifted_pixel(r, g, b, 0.99 * t)}),
    "torch disagrees": ("agreement", {"array": another_in_torch}),
    "depends on the resolution": ("crop", {"array": wider_is_stronger}),
}


@pytest.mark.parametrize("fault", SEVEN)
def test_one_fault_in_a_sound_filter_is_caught(fault):
    property, change = SEVEN[fault]
    with pytest.raises(FilterConformanceError) as error:
        check_filter(dataclasses.replace(SOUND, **change), backends=["numpy", "python", "torch"])
    assert error.value.property == property


def disagrees(r, g, b, gain):
    return r * gain, g * gain, b * gain * gain


@pytest.mark.parametrize("backend", ["numba", "cuda-simulator"])
def test_a_compiled_backend_that_disagrees_is_caught(backend):
    with pytest.raises(FilterConformanceError, match=backend) as error:
        check_filter(dataclasses.replace(BRIGHTNESS, pixel=disagrees), backends=[backend])
    assert error.value.property == "agreement"


def test_another_dtype_from_torch_is_caught():
    wide = dataclasses.replace(SHADOW, array=lambda xp, rgb, e: xp.astype(SHADOW.array(xp, rgb, e), xp.float64))
    with pytest.raises(FilterConformanceError) as error:
        check_filter(wide, backends=["torch"])
    assert error.value.property == "dtype and shape"


def test_an_unknown_backend():
    with pytest.raises(wf.BackendError, match="numpy, python, torch, numba, cuda-simulator"):
        check_filter(SHADOW, backends=["jax"])


def test_what_is_not_installed_is_reported_and_not_silently_left_out(monkeypatch):
    find_spec = importlib.util.find_spec

    def without_numba(name, *args):
        return None if name.startswith(("numba", "torch")) else find_spec(name, *args)

    monkeypatch.setattr(importlib.util, "find_spec", without_numba)
    report = check_filter(SHADOW)
    assert report.backends == ("numpy", "python")
    assert report.not_run == {
        "torch": "needs torch",
        "numba": "needs numba",
        "cuda-simulator": "needs numba, numba_cuda",
    }
    with pytest.raises(wf.BackendError, match="needs torch"):
        check_filter(SHADOW, backends=["torch"])


def test_numpy_alone_is_enough(run_python):
    code = """
import sys
for name in ("torch", "numba", "array_api_compat"):
    sys.modules[name] = None
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name in ("torch", "numba", "numba_cuda") else find_spec(name)
import whitebox_filters as wf
from whitebox_filters.testing import check_filter
print(check_filter(wf.get("shadow")).backends)
"""
    assert run_python(code).strip() == "('numpy', 'python')"


@pytest.mark.parametrize(("filter", "value"), [(SHADOW, 1e-3), (BRIGHTNESS, 0.9)])
def test_what_a_straight_toe_or_clipping_loses_is_not_held_against_an_inverse(filter, value):
    image = np.full((1, 1, 3), value)
    assert np.abs(filter(filter(image, 0.5), filter.inverse(0.5)) - image).max() > 1e-4
    assert check_filter(filter, backends=["numpy"]).notes == ()


def test_the_compiled_backend_is_held_to_levels_of_8_and_16_bits(monkeypatch):
    """Were the declaration believed, pictures of 8 bits would be filtered through tables of single channels."""
    _, vivid = BROKEN["mixed only where colours are vivid"]
    agreement.check(dataclasses.replace(vivid, channels="mixed"), ["numba"])
    with pytest.raises(FilterConformanceError, match=r"numba in uint8 at theta .* on the colour sweep image"):
        agreement.check(vivid, ["numba"])


def test_which_of_our_filters_mix_channels_and_which_treat_them_alike():
    declared = {
        name: wf.get(name).channels for name in wf.names()
    }  # others may come: `check_filter` holds them to theirs
    bands = {name for name in declared if name.endswith(("_hue", "_saturation", "_luminance"))}
    mixing = {"saturation", "gamma", "vibrance", "hue", "shadow_warmth", "highlight_warmth"}
    single = {"temperature", "tint", "red_gain", "blue_gain"}
    alike = {"brightness", "contrast", "highlight", "shadow", "exposure", "whites", "blacks", "fade"}
    for channels, names in (("mixed", mixing | bands), ("each", single), ("same", alike)):
        assert {declared[name] for name in names} == {channels}


def test_the_colour_sweep_reaches_every_chroma_and_hue():
    colours = samples.colour_sweep()
    assert colours.min() >= 0
    assert colours.max() <= 1
    chroma = np.ptp(colours, axis=2)
    assert np.diff(np.unique(chroma.round(6))).max() <= 0.1 + 1e-6
    assert np.diff(np.unique(chroma[chroma > 0.9].round(6))).max() <= 0.005 + 1e-6
