from dataclasses import replace

import pytest
import torch

from harmonizer.learning import model, train
from harmonizer.learning.photos import read_photos
from harmonizer.learning.recipes import Recipe
from harmonizer.learning.rehearsal import lessons, source

RECIPE = Recipe(
    pretrained=False,
    model=model.ModelConfig(encoder="mobilenetv3_small_050", input_size=32, pooling="attention"),
    steps=14,
    batch_size=8,
    sizes=((1.0, 32),),
    frozen=12 / 14,
    passes=3,
    memory=2,
    warmup=0,
)


@pytest.fixture(scope="module")
def photos(photo_folder):
    return read_photos(photo_folder, held_out=False)


def test_a_round_sees_each_of_its_batches_as_often_and_then_makes_new_ones():
    recipe = replace(RECIPE, memory=5, passes=2, steps=24, frozen=20 / 24)
    sources = [source(recipe, step) for step in range(24)]
    assert sources[:5] == [0, 1, 2, 3, 4]
    assert sorted(sources[5:10]) == [0, 1, 2, 3, 4]
    assert sources[5:10] != sources[:5]
    assert sources[10:15] == [10, 11, 12, 13, 14]
    assert sources[20:] == [20, 21, 22, 23]  # not frozen any more: nothing comes again


def test_a_frozen_encoder_describes_each_batch_once(photos):
    network = train.start(RECIPE, pretrained=False).network
    seen = []
    network.encoder.body.conv_stem.register_forward_hook(lambda module, inputs, output: seen.append(len(output)))
    taught = list(lessons(network, photos, RECIPE, 0, range(1)))
    assert len(taught) == 14
    assert len(seen) == 4  # two rounds of two batches
    assert len({id(lesson) for lesson in taught[:6]}) == 2
    assert [lesson.description is None for lesson in taught] == [False] * 12 + [True] * 2
    assert taught[0].batch.composite.shape[2] == 16
    assert taught[-1].batch.composite.shape[2] == 32


def test_a_run_resumed_within_a_round_ends_with_the_same_weights(photos, tmp_path):
    whole = train.start(RECIPE, pretrained=False)
    train.train(RECIPE, photos, whole, None, lambda *_: None)

    class StopError(Exception):
        pass

    def stop(state, losses):
        if state.step == 4:  # in the last pass of the first round
            state.save(tmp_path / "last.pt")
            raise StopError

    with pytest.raises(StopError):
        train.train(RECIPE, photos, train.start(RECIPE, pretrained=False), None, stop)
    resumed = train.start(RECIPE, pretrained=False)
    resumed.load(tmp_path / "last.pt")
    train.train(RECIPE, photos, resumed, None, lambda *_: None)
    assert resumed.step == whole.step == 14
    for name, value in whole.averaged.state_dict().items():
        assert torch.equal(value, resumed.averaged.state_dict()[name]), name
