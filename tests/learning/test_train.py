import json
from dataclasses import replace

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from harmonizer.errors import CheckpointError, ImageFileError, RecipeError
from harmonizer.learning import data, model, recipes, run, train, validate
from harmonizer.learning.photos import read_photos
from harmonizer.learning.recipes import Recipe
from whitebox_filters import DEFAULT_FILTERS

RECIPE = Recipe(
    pretrained=False,
    model=model.ModelConfig(encoder="mobilenetv3_small_050", input_size=48),
    steps=4,
    batch_size=8,
    sizes=((0.5, 32), (1.0, 48)),
    warmup=2,
)


def ignore(state, losses):
    pass


def weights(state):
    return torch.cat([value.flatten().float() for value in state.averaged.state_dict().values()])


def test_photographs_are_held_out_by_name(photo_folder):
    kept, held_out = (read_photos(photo_folder, held_out=flag) for flag in (False, True))
    assert len(kept) + len(held_out) == 40
    assert 0 < len(held_out) < 10
    assert kept.images.shape[1:] == (3, 256, 256)
    assert kept.masks.shape[1:] == (1, 256, 256)


@pytest.mark.parametrize("index", ["", "picture,mask\n1.jpg,1.png\n", "image,mask\nmissing.jpg,missing.png\n"])
def test_a_folder_without_photographs_is_refused(tmp_path, index):
    (tmp_path / "index.csv").write_text(index)
    with pytest.raises(ImageFileError, match=r"index\.csv"):
        read_photos(tmp_path, held_out=False)


def test_crops_keep_foreground_and_background(photo_folder):
    photos = read_photos(photo_folder, held_out=False)
    indices = torch.arange(len(photos)).repeat(3)
    pictures, masks = data.draw(photos, indices, 32, torch.Generator().manual_seed(0))
    assert pictures.shape == (len(indices), 3, 32, 32)
    coverage = masks.mean(dim=(1, 2, 3))
    assert coverage.min() > 0.01
    assert coverage.max() < 0.95
    assert coverage.std() > 0.05  # they do crop


def test_both_regressors_are_trained(photo_folder):
    recipe = replace(RECIPE, steps=2, model=replace(RECIPE.model, second=0.2))
    state = train.start(recipe, pretrained=False)
    train.train(recipe, read_photos(photo_folder, held_out=False), state, None, ignore)
    for output in (state.network.second.output, *state.network.regressor.outputs):
        assert output.weight.abs().max() > 0


def test_half_of_a_batch_has_a_target_for_every_step(photo_folder):
    photos = read_photos(photo_folder, held_out=False)
    cascade = model.Network(RECIPE.model).cascade
    batch = data.make_batch(photos, cascade, 12, 32, torch.Generator().manual_seed(0))
    assert batch.composite.shape == batch.real.shape == (12, 3, 32, 32)
    assert [len(target) for target in batch.targets] == [6] * 6
    changed = ((batch.composite - batch.real).abs() * batch.mask).mean(dim=(1, 2, 3))
    assert (changed > 1e-3).all()


def test_a_seed_gives_the_same_run_twice_and_another_seed_another(photo_folder, tmp_path):
    photos = read_photos(photo_folder, held_out=False)
    runs = []
    for seed in (0, 0, 1):
        recipe = replace(RECIPE, seed=seed)
        state = train.start(recipe, pretrained=False)
        train.train(recipe, photos, state, tmp_path / "last.pt", ignore)
        runs.append(weights(state))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_a_resumed_run_ends_with_the_same_weights_bit_for_bit(photo_folder, tmp_path):
    photos = read_photos(photo_folder, held_out=False)
    whole = train.start(RECIPE, pretrained=False)
    train.train(RECIPE, photos, whole, tmp_path / "whole.pt", ignore)

    class KilledError(Exception):
        pass

    interrupted = train.start(RECIPE, pretrained=False)

    def step_then_die(recipe, state, batch, _step=train._step):
        if state.step == 3:
            raise KilledError
        losses = _step(recipe, state, batch)
        if state.step == 1:  # as the loop does every 500 steps
            state.step += 1
            state.save(tmp_path / "last.pt")
            state.step -= 1
        return losses

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "_step", step_then_die)
        with pytest.raises(KilledError):
            train.train(RECIPE, photos, interrupted, tmp_path / "unused.pt", ignore)
    resumed = train.start(RECIPE, pretrained=False)
    resumed.load(tmp_path / "last.pt")
    assert resumed.step == 2
    train.train(RECIPE, photos, resumed, tmp_path / "last.pt", ignore)
    assert torch.equal(weights(resumed), weights(whole))


def test_a_foreign_checkpoint_is_not_resumed(tmp_path):
    state = train.start(RECIPE, pretrained=False)
    (tmp_path / "last.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="does not fit"):
        state.load(tmp_path / "last.pt")


def test_training_brings_composites_closer_to_the_photographs(photo_folder, tmp_path):
    """Sixty steps on one kind of picture, at one size: the averaged network must beat doing nothing on it."""
    network = replace(RECIPE.model, input_size=64)
    recipe = replace(
        RECIPE, model=network, steps=60, batch_size=16, sizes=((1.0, 64),), head_rate=1e-3, average=0.9, warmup=5
    )
    photos = read_photos(photo_folder, held_out=False)
    state = train.start(recipe, pretrained=False)
    train.train(recipe, photos, state, tmp_path / "last.pt", ignore)
    scores = validate.validate(state.averaged, photos, count=32).scores
    assert scores["eq8_after"] < 0.8 * scores["eq8_before"]


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
    assert model.load(tmp_path / "run").config.encoder == RECIPE.model.encoder
    board = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    board.Reload()
    losses = ["L1", "L2", "L3", "L4", "L5", "L6", "final", "unharmonized", "images_per_second"]
    assert {f"loss/{name}" for name in losses} <= set(board.Tags()["scalars"])
    assert set(board.Tags()["histograms"]) == {f"theta/{name}" for name in DEFAULT_FILTERS}
    assert len(board.Images(board.Tags()["images"][0])) == 4  # one at each milestone, here each step


def test_a_run_begins_with_the_weights_that_it_is_given(photo_folder, tmp_path):
    """At rates of 0 it ends with them; the recipe's own network is another, but its size and dropout hold."""
    taught = train.start(replace(RECIPE, seed=5), pretrained=False)
    (tmp_path / "taught").mkdir()
    model.save(taught.network, tmp_path / "taught")
    still = replace(RECIPE, encoder_rate=0.0, head_rate=0.0, frozen_norm=True, steps=1)
    recipe = replace(still, model=replace(RECIPE.model, width=32, input_size=96, dropout=0.1))
    (tmp_path / "recipe.json").write_text(recipes.to_json(recipe))
    chosen = run.plan(
        tmp_path / "run", str(tmp_path / "recipe.json"), None, None, None, tmp_path / "taught", resume=False
    )
    assert chosen.model == replace(RECIPE.model, dropout=0.1, input_size=recipe.sizes[-1][1])
    run.run(chosen, photo_folder, tmp_path / "run", tmp_path / "taught", resume=False)
    given, kept = (model.load(folder).state_dict() for folder in (tmp_path / "taught", tmp_path / "run"))
    assert all(torch.equal(value, kept[name]) for name, value in given.items())


def test_weights_and_an_encoder_are_not_given_at_once(tmp_path):
    with pytest.raises(RecipeError, match="--from or --encoder"):
        run.plan(tmp_path, None, "efficientnet_b0", None, None, tmp_path, resume=False)


def test_a_frozen_encoder_stays_as_it_was_while_the_regressor_learns(photo_folder, tmp_path):
    recipe = replace(RECIPE, steps=2, frozen=0.5)
    photos = read_photos(photo_folder, held_out=False)
    state = train.start(recipe, pretrained=False)

    def encoder_weights():
        return torch.cat([value.flatten().float() for value in state.network.encoder.state_dict().values()])

    seen = [encoder_weights()]

    def step_and_look(recipe, state, batch, _step=train._step):
        losses = _step(recipe, state, batch)
        seen.append(encoder_weights())
        return losses

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "_step", step_and_look)
        before = state.network.regressor.outputs[0].weight.clone()
        train.train(recipe, photos, state, tmp_path / "last.pt", ignore)
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[1], seen[2])
    assert not torch.equal(before, state.network.regressor.outputs[0].weight)
