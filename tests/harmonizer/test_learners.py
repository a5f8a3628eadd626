from importlib import import_module

import numpy as np
import pytest
from tiny_checkpoint import write_checkpoint

from harmonizer import CheckpointError, EvaluationError, Harmonizer
from harmonizer.evaluation import learners
from harmonizer.evaluation.learners import Harmonized, Sample, open_learner
from whitebox_filters import Cascade


@pytest.fixture
def photograph():
    """A 60 x 80 picture of waves: the same colours wherever one looks."""
    y, x = np.mgrid[0:60, 0:80] / 80
    waves = [0.2 * np.sin(30 * x + 2 * y), 0.2 * np.cos(28 * y), 0.15 * np.sin(25 * (x + y))]
    picture = 0.4 + np.stack(waves, axis=-1)
    return np.rint(255 * picture).astype(np.uint8)


@pytest.fixture
def darkened(photograph):
    """The photograph with a foreground that some filters made darker and warmer."""
    mask = np.zeros((60, 80), np.float32)
    mask[15:45, 20:60] = 1
    theta = {"temperature": 0.15, "brightness": -0.4, "contrast": 0, "saturation": 0, "highlight": 0, "shadow": -0.1}
    return Sample("darkened", "none", Cascade()(photograph, theta, mask), mask, photograph)


@pytest.fixture(autouse=True)
def fewer_pixels(monkeypatch):
    """The oracle's descent, quick enough for a test."""
    fit = import_module("whitebox_filters.fit")
    monkeypatch.setattr(fit, "PIXELS", 512)
    monkeypatch.setattr(fit, "STEPS", 15)


def fmse(sample, image):
    return float(np.mean((image.astype(float) - sample.real)[sample.foreground] ** 2))


@pytest.mark.parametrize(("name", "left"), [("reinhard", 0.02), ("mkl", 0.02), ("statistics", 0.8), ("oracle", 0.02)])
def test_learners_without_a_network_bring_a_dark_foreground_closer(darkened, name, left):
    result = open_learner(name)(darkened)
    assert fmse(darkened, result.image) < left * fmse(darkened, darkened.composite)
    assert np.array_equal(result.image[~darkened.foreground], darkened.composite[~darkened.foreground])


def test_theta_makes_the_picture(darkened):
    result = open_learner("statistics")(darkened)
    assert np.array_equal(result.image, Cascade()(darkened.composite, result.theta, darkened.mask))


def test_statistics_do_not_look_at_the_truth(darkened):
    blind = Sample("blind", "none", darkened.composite, darkened.mask, 0 * darkened.real)
    assert open_learner("statistics")(blind).theta == open_learner("statistics")(darkened).theta


def test_the_composite_is_returned_as_it_is(darkened):
    result = open_learner("composite")(darkened)
    assert np.array_equal(result.image, darkened.composite)
    assert result.theta == {}


@pytest.mark.parametrize("name", ["reinhard", "mkl", "statistics"])
@pytest.mark.parametrize("covered", [0, 1])
def test_without_foreground_or_background_nothing_breaks(photograph, name, covered):
    mask = np.full((60, 80), covered, np.float32)
    result = open_learner(name)(Sample("one region", "none", photograph, mask, photograph))
    assert np.array_equal(result.image, photograph)


def test_a_network_is_that_of_the_checkpoint(darkened, checkpoint):
    result = open_learner("cascade", checkpoint)(darkened)
    expected = Harmonizer.load(checkpoint).harmonize(darkened.composite, darkened.mask)
    assert result.theta == expected.theta
    assert np.array_equal(result.image, expected.image)


@pytest.mark.parametrize("regressor", ["multihead", "affine", "released"])
def test_a_network_with_another_regressor_is_refused_with_advice_that_helps(tmp_path, regressor):
    weights = write_checkpoint(tmp_path, regressor=regressor)
    with pytest.raises(CheckpointError, match=f"take the learner '{regressor}'"):
        open_learner("cascade", weights)
    open_learner(regressor, weights)


def test_no_learner_is_advised_that_does_not_exist(tmp_path):
    weights = write_checkpoint(tmp_path, regressor="quadratic")
    with pytest.raises(CheckpointError, match="not 'cascade'; give the weights of another network"):
        open_learner("cascade", weights)


def test_pcm_brings_the_thumbnails_colours_to_full_size(darkened):
    composite, mask, real = (p.repeat(9, 0).repeat(9, 1) for p in (darkened.composite, darkened.mask, darkened.real))
    large = Sample("large", "none", composite, mask, real)
    whole, upsampled = (open_learner(name)(large).image for name in ("mkl", "mkl+pcm"))
    assert upsampled.shape == composite.shape
    assert 0 < np.abs(upsampled.astype(int) - whole).mean() < 1
    assert np.abs(whole.astype(int) - composite).mean() > 10


def test_a_learner_of_ones_own_has_a_name(darkened, monkeypatch):
    monkeypatch.setattr(learners, "_openers", dict(learners._openers))
    learners.register("white", lambda weights: lambda sample: Harmonized(np.full_like(sample.composite, 255), {}))
    assert "white" in learners.names()
    assert (open_learner("white")(darkened).image == 255).all()
    assert open_learner("white+pcm")(darkened).image[darkened.foreground].min() > 235
    with pytest.raises(EvaluationError, match="'white' is registered already"):
        learners.register("white", lambda weights: lambda sample: Harmonized(sample.composite, {}))


def test_only_the_oracle_is_given_the_real_picture(darkened, monkeypatch):
    monkeypatch.setattr(learners, "_openers", dict(learners._openers))
    given = []
    learners.register("spy", lambda weights: lambda sample: given.append(sample) or Harmonized(sample.composite, {}))
    for name in ("spy", "spy+pcm"):
        open_learner(name)(darkened)
    assert not any(hasattr(sample, "real") for sample in given)
    assert fmse(darkened, open_learner("oracle")(darkened).image) < 0.02 * fmse(darkened, darkened.composite)
    with pytest.raises(EvaluationError, match="'oracle' is registered already"):
        learners.register("oracle", lambda weights: lambda sample: sample)


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(EvaluationError, match=r"no learner is named 'network'; there are affine, cascade, .*oracle"):
        open_learner("network")
