import json
from dataclasses import fields, replace

import pytest

from harmonizer.errors import CheckpointError, OutputError, RecipeError
from harmonizer.learning import losses, recipes, run
from harmonizer.learning.composites.augment import Augmentation
from harmonizer.learning.composites.batches import Slots
from harmonizer.learning.composites.kinds import KINDS
from harmonizer.learning.recipes import CONTINUE, DEFAULT, MIXED, PAPER, Recipe


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_recipe_survives_its_file(name):
    recipe = recipes.RECIPES[name]
    assert recipes.from_json(recipes.to_json(recipe)) == recipe


def test_what_differs_from_a_plain_recipe_survives_too():
    recipe = Recipe(
        learning_rate_drops=(0.5, 0.8),
        patch_share=((0.5, 0.25), (1.0, 1.0)),
        kinds={"relight": 2.0, "scenes": 1.0},
        augmentation=Augmentation(jpeg=0.25),
        auxiliary_weight=0.1,
        seed=7,
    )
    assert recipes.from_json(recipes.to_json(recipe)) == recipe


def test_what_a_file_leaves_out_is_as_in_a_plain_recipe():
    assert recipes.from_json('{"steps": 7, "network": {"histograms": false}}') == replace(
        Recipe(), steps=7, network=replace(Recipe().network, histograms=False)
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no recipe"),
        ('{"seed": -1}', "seed is a whole number from 0 on; got -1"),
        ('{"seed": 0.5}', "seed is a whole number; got 0.5"),
        ("[]", "no recipe"),
        ('{"stpes": 7}', r"Recipe has no stpes; it has .*steps"),
        ('{"network": {"depth": 1}}', r"NetworkConfig has no depth; it has .*encoder"),
        ('{"augmentation": {"rain": 1}}', r"Augmentation has no rain; it has .*jpeg"),
        ('{"batch_size": 0}', "at least 1; got 0, 6000, 1"),
        ('{"steps": 0}', "at least 1; got 32, 0, 1"),
        ('{"loss_stride": 0}', "at least 1; got 32, 6000, 0"),
        ('{"sizes": [[0.5, 64]]}', "a schedule holds pairs .* the last 1; got"),
        ('{"sizes": []}', "a schedule holds pairs"),
        ('{"sizes": [[0.5, 64], [0.2, 96], [1, 128]]}', "with increasing shares"),
        ('{"patch_share": [[0.5, 0.3]]}', "a schedule holds pairs"),
        ('{"patch_share": 0.3}', "no recipe"),
        ('{"kinds": {"magic": 1}}', "no kind of composites is named magic; there are renditions, reinhard"),
        ('{"kinds": {"eq8": 1}}', "no kind of composites is named eq8"),
        ('{"kinds": {"relight": -1, "scenes": 2}}', "the shares of kinds are 0 or more"),
        ('{"kinds": {"relight": 0}}', "not all 0"),
        ('{"kinds": {}}', "not all 0"),
        ('{"loss": "mean"}', "no loss is named 'mean'; there are dynamic, sum, last"),
        ('{"similarity": "names"}', "no similarity is named 'names'; there are colours, things"),
        ('{"frozen": "head"}', "no part to freeze is named 'head'; there are none, half, encoder"),
        ('{"eq8_share": 0.99}', "composites by Eq. 8 and others; got eq8_share 0.99 of 32"),
        ('{"eq8_share": 0}', "composites by Eq. 8 and others"),
    ],
)
def test_a_recipe_that_makes_no_run_is_refused(text, says):
    with pytest.raises(RecipeError, match=says):
        recipes.from_json(text)


def test_the_paper_schedule_falls_tenfold_after_epochs_25_and_50_of_60():
    epoch = PAPER.steps // 60
    rates = [PAPER.learning_rate_factor(epoch * number + epoch // 2) for number in (0, 24, 25, 49, 50, 59)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    assert losses.MU == 10
    assert PAPER.size_at(0) == PAPER.network.input_size == 256


def test_the_paper_has_nothing_of_ours():
    plain = Recipe()
    assert not PAPER.network.histograms
    assert PAPER.network.pooling == "average"
    assert (PAPER.frozen, PAPER.loss, PAPER.eq8_share, PAPER.loss_stride) == ("none", "dynamic", 0.5, 1)
    assert PAPER.augmentation == Augmentation()
    assert PAPER.weight_average == PAPER.auxiliary_weight == 0
    assert PAPER.patch_share == plain.patch_share == ((1.0, 1.0),)


def test_the_default_schedule_warms_up_and_falls_to_a_hundredth():
    rates = [DEFAULT.learning_rate_factor(step) for step in range(DEFAULT.steps)]
    assert rates[0] < 0.01
    assert max(rates) == pytest.approx(1)
    assert rates[-1] == pytest.approx(0.01, rel=0.01)
    assert all(
        later <= earlier for earlier, later in zip(rates[DEFAULT.warmup :], rates[DEFAULT.warmup + 1 :], strict=False)
    )
    assert DEFAULT.size_at(DEFAULT.steps - 1) == DEFAULT.network.input_size
    assert Recipe().size_at(0) == 128
    assert Recipe().size_at(Recipe().steps - 1) == 256


def test_a_schedule_changes_at_its_shares_of_the_steps():
    recipe = Recipe(steps=10, sizes=((0.3, 32), (0.5, 64), (1.0, 96)), patch_share=((0.9, 0.25), (1.0, 1.0)))
    assert [recipe.size_at(step) for step in range(10)] == [32] * 3 + [64] * 2 + [96] * 5
    assert [recipe.patch_share_at(step) for step in range(10)] == [0.25] * 9 + [1.0]
    assert recipe.size_at(11) == 96


def test_the_last_steps_see_pictures_as_they_are_in_use():
    for recipe in recipes.RECIPES.values():
        assert recipe.patch_share_at(recipe.steps - 1) == 1
        assert recipe.size_at(recipe.steps - 1) == recipe.network.input_size


def test_the_default_mixture_is_of_all_that_is_usual():
    assert sum(MIXED.values()) == pytest.approx(1)
    assert set(MIXED) <= set(KINDS)
    assert DEFAULT.mixture.kinds == MIXED
    assert DEFAULT.mixture.augmentation == DEFAULT.augmentation
    for share in fields(Augmentation):
        assert 0 <= getattr(DEFAULT.augmentation, share.name) <= 1


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_two_processes_can_share_a_batch(name):
    recipe = recipes.RECIPES[name]
    assert Slots.of(recipe.batch_size, recipe.eq8_share, 0, 2).eq8_count == recipe.eq8_share * recipe.batch_size / 2


def test_going_on_keeps_the_shape_of_the_network_and_learns_more_slowly():
    assert CONTINUE.network == DEFAULT.network
    assert CONTINUE.size_at(0) == CONTINUE.network.input_size
    assert not CONTINUE.pretrained
    assert CONTINUE.frozen == "encoder"
    assert CONTINUE.head_learning_rate < DEFAULT.head_learning_rate


def test_a_plan_names_a_recipe_or_a_file_and_changes_what_is_asked(tmp_path):
    changed = run.plan(tmp_path, "paper", "test_efficientnet", 5, 9, resume=False)
    assert changed == replace(PAPER, network=replace(PAPER.network, encoder="test_efficientnet"), steps=5, seed=9)
    file = tmp_path / "mine.json"
    file.write_text(recipes.to_json(DEFAULT))
    assert run.plan(tmp_path, str(file), None, None, None, resume=False) == DEFAULT
    assert run.plan(tmp_path, None, None, None, None, resume=False) == DEFAULT
    assert run.plan(tmp_path, "continue", None, None, None, resume=False) == CONTINUE
    with pytest.raises(RecipeError, match=r"'papr' is neither a recipe \(default, continue, paper\)"):
        run.plan(tmp_path, "papr", None, None, None, resume=False)


def test_a_file_that_is_no_text_is_no_recipe(tmp_path):
    (tmp_path / "mine.json").write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(RecipeError):
        run.plan(tmp_path, str(tmp_path / "mine.json"), None, None, None, resume=False)


def test_a_resumed_run_takes_its_own_recipe_and_no_other(tmp_path):
    with pytest.raises(CheckpointError, match="no run to resume"):
        run.plan(tmp_path, None, None, None, None, resume=True)
    (tmp_path / "recipe.json").write_text(recipes.to_json(PAPER))
    assert run.plan(tmp_path, None, None, None, None, resume=True) == PAPER
    for options in (("paper", None, None, None), (None, "test_efficientnet", None, None), (None, None, 0, None)):
        with pytest.raises(RecipeError, match="give nothing else with --resume"):
            run.plan(tmp_path, *options, resume=True)
    with pytest.raises(RecipeError, match="give nothing else with --resume"):
        run.plan(tmp_path, None, None, None, None, tmp_path, resume=True)


def test_a_run_is_not_written_over(photo_folder, tmp_path):
    (tmp_path / "last.pt").write_bytes(b"days of work")
    recipe = replace(Recipe(), network=replace(Recipe().network, encoder="test_efficientnet"), pretrained=False)
    with pytest.raises(OutputError, match="holds a run already"):
        run.run(recipe, photo_folder, tmp_path, resume=False)
    assert (tmp_path / "last.pt").read_bytes() == b"days of work"


def test_a_recipe_is_readable_as_json():
    assert json.loads(recipes.to_json(DEFAULT))["kinds"] == MIXED
