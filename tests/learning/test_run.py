"""A run as a whole: what it begins with, and what it leaves in its folder."""

import json
from dataclasses import replace

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from harmonizer.errors import RecipeError
from harmonizer.learning import recipes, run, train
from harmonizer.learning.network import checkpoint
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.network.network import Network
from harmonizer.learning.recipes import Recipe
from whitebox_filters import DEFAULT_FILTERS

RECIPE = Recipe(
    pretrained=False,
    network=NetworkConfig(encoder="mobilenetv3_small_050", input_size=48),
    steps=4,
    batch_size=8,
    sizes=((0.5, 32), (1.0, 48)),
    warmup=2,
)


def test_a_run_leaves_a_checkpoint_and_a_log(photo_folder, tmp_path):
    run.run(RECIPE, photo_folder, tmp_path / "run", resume=False)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "best",
        "config.json",
        "last.pt",
        "log.jsonl",
        "model.safetensors",
        "recipe.json",
        "tensorboard",
    ]
    line = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert 0.5 < line["score"] < 1.5
    assert line["step"] == 4
    assert line["eq8_before"] > 0
    assert line["untouched_before"] == 0
    assert checkpoint.load(tmp_path / "run").config.encoder == RECIPE.network.encoder
    board = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    board.Reload()
    losses = ["L1", "L2", "L3", "L4", "L5", "L6", "final", "unharmonized", "images_per_second"]
    assert {f"loss/{name}" for name in losses} <= set(board.Tags()["scalars"])
    assert set(board.Tags()["histograms"]) == {f"theta/{name}" for name in DEFAULT_FILTERS}
    assert len(board.Images(board.Tags()["images"][0])) == 4  # one at each milestone, here each step


def test_a_run_that_minutes_end_leaves_its_weights_and_goes_on(photo_folder, tmp_path):
    recipe = replace(RECIPE, steps=600)  # a milestone at step 60 at first
    run.run(recipe, photo_folder, tmp_path / "run", resume=False, minutes=0.02)
    step = torch.load(tmp_path / "run" / "last.pt", weights_only=True)["step"]
    assert 0 < step < 600
    assert (tmp_path / "run" / "model.safetensors").is_file()
    run.run(
        run.plan(tmp_path / "run", *[None] * 4, resume=True), photo_folder, tmp_path / "run", resume=True, minutes=0.02
    )
    assert torch.load(tmp_path / "run" / "last.pt", weights_only=True)["step"] > step


def test_a_run_begins_with_the_weights_that_it_is_given(photo_folder, tmp_path):
    """At rates of 0 it ends with them; the recipe's own network is another, but its size and dropout hold."""
    taught = train.start(replace(RECIPE, seed=5), pretrained=False)
    (tmp_path / "taught").mkdir()
    checkpoint.save(taught.network, tmp_path / "taught")
    still = replace(RECIPE, encoder_learning_rate=0.0, head_learning_rate=0.0, frozen_norm=True, steps=1)
    recipe = replace(still, network=replace(RECIPE.network, attention_width=32, input_size=96, dropout=0.1))
    (tmp_path / "recipe.json").write_text(recipes.to_json(recipe))
    chosen = run.plan(
        tmp_path / "run", str(tmp_path / "recipe.json"), None, None, None, tmp_path / "taught", resume=False
    )
    assert chosen.network == replace(RECIPE.network, dropout=0.1, input_size=recipe.sizes[-1][1])
    run.run(chosen, photo_folder, tmp_path / "run", tmp_path / "taught", resume=False)
    first, last = (checkpoint.load(folder).state_dict() for folder in (tmp_path / "taught", tmp_path / "run"))
    assert all(torch.equal(value, last[name]) for name, value in first.items())


def test_a_network_grows_by_the_context_that_the_recipe_asks_for(tmp_path):
    plain = NetworkConfig(
        encoder="test_efficientnet", pooling="attention", attention_width=32, attention_layers=1, input_size=64
    )
    (tmp_path / "taught").mkdir()
    checkpoint.save(Network(plain), tmp_path / "taught")
    recipe = replace(RECIPE, network=replace(plain, last_stage=True), sizes=((1.0, 64),))
    (tmp_path / "recipe.json").write_text(recipes.to_json(recipe))
    options = (tmp_path / "run", str(tmp_path / "recipe.json"), None, None, None)
    assert run.plan(*options, tmp_path / "taught", resume=False).network == replace(plain, last_stage=True)


def test_weights_and_an_encoder_are_not_given_at_once(tmp_path):
    with pytest.raises(RecipeError, match="--from or --encoder"):
        run.plan(tmp_path, None, "efficientnet_b0", None, None, tmp_path, resume=False)
