"""Other Gaussians for Eq. 9, as a study gives them."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from harmonizer.errors import RecipeError
from harmonizer.learning import recipes, run
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import draw
from harmonizer.learning.recipes import Recipe
from harmonizer.learning.train import start, train
from whitebox_filters import Cascade
from whitebox_filters.spec import Prior

FLAT = torch.full((2000, 3, 1, 1), 0.3), torch.ones(2000, 1, 1, 1)


def distort(priors):
    """Grey pixels that were darkened or brightened by Eq. 8."""
    return Distortion.of(Cascade(["brightness"]), priors=priors)(*FLAT, draw(0, 0, range(2000)))[0][:, 0, 0, 0]


def test_the_draws_have_the_mean_and_deviation_of_the_priors():
    drawn = distort({"brightness": Prior(0.3, 0.05)})
    low, middle, high = (
        Cascade(["brightness"])(np.full((1, 1, 3), 0.3), [theta])[0, 0, 0] for theta in (0.2, 0.3, 0.4)
    )
    assert drawn.min() >= low - 1e-5
    assert drawn.max() <= high + 1e-5
    assert float(drawn.median()) == pytest.approx(middle, abs=0.01)


def test_without_priors_every_draw_is_as_it_was():
    torch.testing.assert_close(distort(None), distort({}), atol=0, rtol=0)
    [own] = Cascade(["brightness"]).filters
    torch.testing.assert_close(distort(None), distort({"brightness": own.prior}), atol=0, rtol=0)
    assert not torch.equal(distort(None), distort({"brightness": Prior(0.1, own.prior.std)}))


def test_no_draw_leaves_the_range_of_theta():
    end = Cascade(["brightness"])(np.full((1, 1, 3), 0.3), [1])[0, 0, 0]
    assert float(distort({"brightness": Prior(0.9, 0.8)}).max()) == pytest.approx(end, abs=1e-5)


def test_a_run_trains_on_the_priors_of_its_recipe(photo_folder, monkeypatch):
    used = []
    real = Distortion.of
    monkeypatch.setattr(Distortion, "of", lambda *args, **options: used.append(real(*args, **options)) or used[-1])
    recipe = Recipe(
        pretrained=False,
        network=replace(Recipe().network, encoder="mobilenetv3_small_050", input_size=32),
        steps=1,
        batch_size=4,
        sizes=((1.0, 32),),
        priors={"shadow": Prior(-0.2, 0.1)},
    )
    sources = run._read_sources(photo_folder, recipe, torch.device("cpu"), held_out=False)
    train(recipe, sources, start(recipe, pretrained=False), None, lambda *_: None)
    names = used[0].cascade.names
    assert dict(zip(names, used[0].priors, strict=True))["shadow"] == Prior(-0.2, 0.1)


def test_priors_survive_the_file_of_a_recipe_and_an_older_file_has_none():
    recipe = Recipe(priors={"contrast": Prior(0.1, 0.2)})
    assert recipes.from_json(recipes.to_json(recipe)) == recipe
    assert json.loads(recipes.to_json(recipe))["priors"] == {"contrast": {"mean": 0.1, "std": 0.2}}
    assert recipes.from_json("{}").priors is None


@pytest.mark.parametrize(
    ("priors", "says"),
    [
        ('{"hue": {"mean": 0, "std": 0.1}}', "hue is not among temperature, brightness"),
        ('{"shadow": {"mean": 2, "std": 0.1}}', r"mean in \[-1, 1\] and a std from 0 on; got another for shadow"),
        ('{"shadow": {"mean": 0, "std": -1}}', "got another for shadow"),
        ('{"shadow": {"mean": "0", "std": 1}}', "got another for shadow"),
        ('{"shadow": {"mean": 0}}', "this is no recipe"),
        ('{"shadow": {"mean": 0, "variance": 1}}', "Prior has no variance; it has mean, std"),
        ('{"shadow": 0.3}', "this is no recipe"),
    ],
)
def test_priors_that_nothing_can_be_drawn_from_are_refused(priors, says):
    with pytest.raises(RecipeError, match=says):
        recipes.from_json(f'{{"priors": {priors}}}')


def test_a_file_of_priors_changes_a_recipe_by_name(tmp_path):
    file = tmp_path / "priors.json"
    file.write_text('{"shadow": {"mean": -0.1, "std": 0.3}}')
    plan = run.plan(tmp_path, "paper", None, None, None, priors=file, resume=False)
    assert plan == replace(recipes.PAPER, priors={"shadow": Prior(-0.1, 0.3)})
    file.write_text("[]")
    with pytest.raises(RecipeError, match=r"priors\.json holds no priors"):
        run.plan(tmp_path, None, None, None, None, priors=file, resume=False)
    with pytest.raises(RecipeError, match="nothing else with --resume"):
        run.plan(tmp_path, None, None, None, None, priors=file, resume=True)
