from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harmonizer import ImageFileError
from harmonizer.evaluate import evaluate, is_held_out, read_samples, summarize
from harmonizer.pipeline import Harmonizer
from harmonizer.predictor import Config


class Brightener:
    """A predictor that always asks for the same brightness."""

    config = Config(filters=("brightness",), input_size=8)

    def __init__(self, theta):
        self.theta = theta

    def predict(self, image, alpha):
        return np.array([self.theta])


def save(path: Path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def triples(tmp_path):
    """Two iHarmony4 triples, whose foregrounds have half the brightness that they should have."""
    for name, subset in (("a1_1_2", "HAdobe5k"), ("f2_1_1", "HFlickr")):
        folder = tmp_path / subset
        real = np.full((12, 16, 3), 100, np.uint8)
        mask = np.zeros((12, 16), np.uint8)
        mask[3:9, 4:12] = 255
        composite = real.copy()
        composite[mask > 0] = 50
        stem = name.split("_")[0]
        save(folder / "composite_images" / f"{name}.png", composite)
        save(folder / "masks" / f"{stem}_1.png", mask)
        save(folder / "real_images" / f"{stem}.png", real)
    return tmp_path


def test_a_perfect_prediction_scores_zero_and_doing_nothing_scores_the_composite(triples):
    for theta, expected in ((0.5, 0.0), (0.0, 2500.0)):
        evaluations = list(evaluate(Harmonizer(Brightener(theta)), read_samples(triples)))
        assert [(e.name, e.subset) for e in evaluations] == [("a1_1_2", "HAdobe5k"), ("f2_1_1", "HFlickr")]
        for evaluation in evaluations:
            assert evaluation.composite.fmse == 2500
            assert evaluation.composite.mse == 2500 / 4
            assert evaluation.harmonized.fmse == pytest.approx(expected, abs=1)
            assert evaluation.theta == {"brightness": theta}


def test_the_summary_is_the_mean_over_pictures(triples):
    evaluations = list(evaluate(Harmonizer(Brightener(0.5)), read_samples(triples)))
    summary = summarize(evaluations)
    assert summary["pictures"] == 2
    assert summary["composite"]["fmse"] == 2500
    assert summary["improved"] == 1
    assert summarize(list(evaluate(Harmonizer(Brightener(-0.5)), read_samples(triples))))["improved"] == 0


def test_a_missing_mask_is_named(triples):
    (triples / "HFlickr" / "masks" / "f2_1.png").unlink()
    with pytest.raises(ImageFileError, match=r"f2_1\.\* is missing"):
        list(read_samples(triples))


def test_an_unknown_layout_is_refused(tmp_path):
    with pytest.raises(ImageFileError, match="neither composite_images/"):
        list(read_samples(tmp_path))


def test_held_out_photographs_are_distorted_the_same_way_each_time(tmp_path):
    random = np.random.default_rng(0)
    names = [f"{index}.png" for index in range(60)]
    mask = np.zeros((12, 16), np.uint8)
    mask[3:9, 4:12] = 255
    save(tmp_path / "mask.png", mask)
    for name in names:
        save(tmp_path / name, random.integers(60, 180, (12, 16, 3), dtype=np.uint8))
    (tmp_path / "index.csv").write_text("image,mask\n" + "".join(f"{name},mask.png\n" for name in names))
    first, second = (list(read_samples(tmp_path)) for _ in range(2))
    assert len(first) == sum(map(is_held_out, names))
    assert 0 < len(first) < 12
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.composite, b.composite)
        assert not np.array_equal(a.composite, a.real)
        assert np.array_equal(a.composite[mask == 0], a.real[mask == 0])
