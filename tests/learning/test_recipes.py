from dataclasses import replace

import pytest

from harmonizer.errors import CheckpointError, OutputError, RecipeError
from harmonizer.learning import losses, recipes, run
from harmonizer.learning.recipes import CONTINUE, DEFAULT, PAPER, Recipe


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_recipe_survives_its_file(name):
    recipe = recipes.RECIPES[name]
    assert recipes.from_json(recipes.to_json(recipe)) == recipe


def test_what_a_file_leaves_out_is_as_in_a_plain_recipe():
    assert recipes.from_json('{"steps": 7, "model": {"tones": false}}') == replace(
        Recipe(), steps=7, model=replace(Recipe().model, tones=False)
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no recipe"),
        ("[]", "no recipe"),
        ('{"stpes": 7}', r"Recipe has no stpes; it has .*steps"),
        ('{"augmentation": {"rain": 1}}', r"Augmentation has no rain; it has .*jpeg"),
        ('{"batch_size": 12}', "multiple of 8; got 12"),
        ('{"steps": 0}', "at least 1; got 0, 1 and 64"),
        ('{"sizes": [[0.5, 64]]}', "the last 1"),
        ('{"synthesis": ["magic"]}', "no synthesis is named magic; there are reinhard"),
        ('{"loss": "mean"}', "no loss is named 'mean'; there are dynamic, sum, last"),
        ('{"stepwise": 0.95}', "hold both kinds; got stepwise 0.95"),
        ('{"synthesis": []}', "hold both kinds"),
    ],
)
def test_a_recipe_that_makes_no_run_is_refused(text, says):
    with pytest.raises(RecipeError, match=says):
        recipes.from_json(text)


def test_the_paper_schedule_falls_tenfold_after_epochs_25_and_50_of_60():
    epoch = PAPER.steps // 60
    rates = [PAPER.rate(epoch * number + epoch // 2) for number in (0, 24, 25, 49, 50, 59)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    assert losses.MU == 10
    assert PAPER.size(0) == PAPER.model.input_size == 256


def test_the_default_schedule_warms_up_and_falls_to_a_hundredth():
    rates = [DEFAULT.rate(step) for step in range(DEFAULT.steps)]
    assert rates[0] < 0.01
    assert max(rates) == pytest.approx(1)
    assert rates[-1] == pytest.approx(0.01, rel=0.01)
    assert DEFAULT.size(DEFAULT.steps - 1) == DEFAULT.model.input_size
    assert Recipe().size(0) == 128
    assert Recipe().size(Recipe().steps - 1) == 256


def test_going_on_keeps_the_shape_of_the_network():
    assert replace(CONTINUE.model, input_size=160, dropout=0) == DEFAULT.model
    assert CONTINUE.size(0) == CONTINUE.model.input_size
    assert not CONTINUE.pretrained
    assert CONTINUE.is_frozen(CONTINUE.steps - 1)


def test_a_plan_names_a_recipe_or_a_file_and_changes_what_is_asked(tmp_path):
    changed = run.plan(tmp_path, "paper", "test_efficientnet", 5, 9, resume=False)
    assert changed == replace(PAPER, model=replace(PAPER.model, encoder="test_efficientnet"), steps=5, seed=9)
    file = tmp_path / "mine.json"
    file.write_text(recipes.to_json(DEFAULT))
    assert run.plan(tmp_path, str(file), None, None, None, resume=False) == DEFAULT
    assert run.plan(tmp_path, None, None, None, None, resume=False) == DEFAULT
    assert run.plan(tmp_path, "continue", None, None, None, resume=False) == CONTINUE
    with pytest.raises(RecipeError, match=r"'papr' is neither a recipe \(default, continue, paper\)"):
        run.plan(tmp_path, "papr", None, None, None, resume=False)


def test_a_resumed_run_takes_its_own_recipe_and_no_other(tmp_path):
    with pytest.raises(CheckpointError, match="no run to resume"):
        run.plan(tmp_path, None, None, None, None, resume=True)
    (tmp_path / "recipe.json").write_text(recipes.to_json(PAPER))
    assert run.plan(tmp_path, None, None, None, None, resume=True) == PAPER
    for given in (("paper", None, None, None), (None, "test_efficientnet", None, None), (None, None, 0, None)):
        with pytest.raises(RecipeError, match="give nothing else with --resume"):
            run.plan(tmp_path, *given, resume=True)


def test_a_run_is_not_written_over(photo_folder, tmp_path):
    (tmp_path / "last.pt").write_bytes(b"days of work")
    recipe = replace(Recipe(), model=replace(Recipe().model, encoder="test_efficientnet"), pretrained=False)
    with pytest.raises(OutputError, match="holds a run already"):
        run.run(recipe, photo_folder, tmp_path, resume=False)
    assert (tmp_path / "last.pt").read_bytes() == b"days of work"
