"""Files of earlier versions are read under the names of today."""

import json
from dataclasses import asdict
from importlib.metadata import version

import pytest
import torch
from packaging.version import Version

from harmonizer.errors import OldNameWarning, RecipeError
from harmonizer.learning import recipes
from harmonizer.learning.composites.augment import Augmentation
from harmonizer.learning.network import checkpoint
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.network.network import Network
from harmonizer.learning.old_names import (
    AUGMENTATION_FIELDS,
    NETWORK_FIELDS,
    READ_UNTIL,
    RECIPE_FIELDS,
    rename_fields,
    rename_tensors,
)
from harmonizer.learning.recipes import DEFAULT, PAPER, Recipe
from harmonizer.learning.train import start

CONFIG = NetworkConfig(
    encoder="test_efficientnet",
    pooling="attention",
    attention_width=32,
    attention_layers=1,
    second_share=0.2,
    last_stage=True,
    input_size=64,
)
OLD_RECIPE = """{
  "model": {"encoder": "tf_efficientnet_lite0", "pooling": "attention", "width": 96, "layers": 2, "tones": true,
    "second": 0.25, "context": true, "input_size": 208},
  "steps": 3600, "encoder_rate": 0.0003, "head_rate": 0.0004, "decays": [0.5], "patches": [[0.8, 0.3], [1.0, 1.0]],
  "average": 0.99, "stepwise": 0.2, "loss": "last", "stride": 2, "statistics": 0.1, "likeness": "things",
  "augmentation": {"whole": 0.85, "part": 0.1, "light": 0.4, "refocus": 0.5, "cut": 0.25, "misseen": 0.2, "jpeg": 0.3}
}"""


# Of the second regressor first, whose histograms are not those of the network.
PREFIXES = {
    "second.histograms.": "second.tones.",
    "histograms.": "tones.",
    "pooling.encoder.": "encoder.",
    "pooling.attention.": "attention.",
    "pooling.last_stage.": "last.",
}


def old_fields(values, table):
    names = {new: old for old, new in table.items()}
    return {names.get(name, name): value for name, value in values.items()}


def old_tensors(tensors):
    return {
        next((old + name.removeprefix(new) for new, old in PREFIXES.items() if name.startswith(new)), name): value
        for name, value in tensors.items()
    }


def trained(config):
    torch.manual_seed(0)
    network = Network(config)
    for name, weight in network.named_parameters():
        if "output" in name:
            torch.nn.init.normal_(weight, std=0.1)
    return network.eval()


def test_every_field_of_an_old_recipe_is_read():
    with pytest.warns(OldNameWarning):
        recipe = recipes.from_json(OLD_RECIPE)
    assert recipe == Recipe(
        network=NetworkConfig(
            encoder="tf_efficientnet_lite0",
            pooling="attention",
            attention_width=96,
            attention_layers=2,
            second_share=0.25,
            last_stage=True,
            input_size=208,
        ),
        steps=3600,
        encoder_learning_rate=3e-4,
        head_learning_rate=4e-4,
        learning_rate_drops=(0.5,),
        patch_share=((0.8, 0.3), (1.0, 1.0)),
        weight_average=0.99,
        eq8_share=0.2,
        loss="last",
        loss_stride=2,
        auxiliary_weight=0.1,
        similarity="things",
        augmentation=Augmentation(
            uncropped=0.85,
            part_of_object=0.1,
            relight=0.4,
            refocus=0.5,
            bad_cutout=0.25,
            bad_input_mask=0.2,
            jpeg=0.3,
        ),
    )


@pytest.mark.parametrize("recipe", [DEFAULT, PAPER])
def test_a_whole_recipe_under_old_names_is_the_same(recipe):
    values = old_fields(asdict(recipe), RECIPE_FIELDS)
    values["model"] = old_fields(values["model"], NETWORK_FIELDS)
    values["augmentation"] = old_fields(values["augmentation"], AUGMENTATION_FIELDS)
    with pytest.warns(OldNameWarning):
        assert recipes.from_json(json.dumps(values)) == recipe


def test_a_recipe_under_old_names_says_what_they_are_called_now():
    text = '{"stride": 2, "network": {"width": 96}, "seed": 1}'
    with pytest.warns(OldNameWarning) as given:
        recipes.from_json(text)
    assert [str(each.message) for each in given] == [
        "names of an earlier version, which harmonizer 1.0 will not read: stride is now loss_stride, "
        "network.width is now network.attention_width"
    ]
    assert given[0].filename == __file__


def test_a_recipe_under_names_of_today_gives_no_warning():
    """Warnings are errors here."""
    assert recipes.from_json(recipes.to_json(DEFAULT)) == DEFAULT


def test_old_names_are_gone_when_it_was_said():
    """Fails in the version that READ_UNTIL names: then the names, this file and the warning go."""
    assert Version(version("whitebox-harmonizer")) < Version(READ_UNTIL)


def test_two_names_of_one_field_are_refused():
    with pytest.raises(RecipeError, match="two names of one value: stride and loss_stride; give one of them"):
        recipes.from_json('{"stride": 2, "loss_stride": 1}')
    assert rename_fields({"a": 1, "b": 2}, {"a": "c"}) == {"c": 1, "b": 2}


def test_an_old_checkpoint_predicts_the_same_theta(tmp_path):
    network = trained(CONFIG)
    checkpoint.save(network, tmp_path)
    expected = checkpoint.load(tmp_path).eval()
    values = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(old_fields(values, NETWORK_FIELDS)))
    tensors = checkpoint.safetensors.torch.load_file(tmp_path / "model.safetensors")
    renamed = old_tensors(tensors)
    assert {name.split(".")[0] for name in renamed} == {"encoder", "attention", "last", "tones", "regressor", "second"}
    checkpoint.safetensors.torch.save_file(renamed, tmp_path / "model.safetensors")
    old = checkpoint.load(tmp_path).eval()
    assert old.config == expected.config
    generator = torch.Generator().manual_seed(0)
    composite, mask = torch.rand(2, 3, 64, 64, generator=generator), torch.ones(2, 1, 64, 64)
    mask[..., :30] = 0
    with torch.no_grad():
        theta = old(composite, mask)
        assert torch.equal(theta, expected(composite, mask))
    assert theta.abs().max() > 0.001


def test_an_old_run_resumes_with_weights_and_moments(tmp_path):
    recipe = Recipe(network=CONFIG, pretrained=False)
    state = start(recipe, pretrained=False)
    for index, parameter in enumerate(state.network.parameters()):
        parameter.grad = torch.full_like(parameter, 0.01 * index)
    state.optimizer.step()
    state.save(tmp_path / "last.pt")
    values = torch.load(tmp_path / "last.pt", weights_only=True)
    for part in ("network", "averaged"):
        values[part] = old_tensors(values[part])
    torch.save(values, tmp_path / "last.pt")
    resumed = start(Recipe(network=CONFIG, pretrained=False, seed=1), pretrained=False)
    resumed.load(tmp_path / "last.pt")
    for name, value in state.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name
    for name, parameter in state.network.named_parameters():
        moments = (each.optimizer.state[each.network.get_parameter(name)]["exp_avg"] for each in (state, resumed))
        assert torch.equal(*moments), name
        assert parameter.grad is not None


def test_names_of_today_stay():
    tensors = dict.fromkeys(Network(CONFIG).state_dict(), 0)
    assert rename_tensors(tensors) == tensors
