import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch

from harmonizer.errors import CheckpointError
from harmonizer.learning.export import export_onnx
from harmonizer.learning.network import checkpoint
from harmonizer.learning.network.attention import measure_patches, moment_count
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.network.encoders import PATCH, MaskedEncoder, StageEncoder, TwoBranchStem
from harmonizer.learning.network.histograms import soft_histograms
from harmonizer.learning.network.network import Network
from harmonizer.learning.network.poolings import POOLINGS, RegionPooling
from harmonizer.learning.network.regressor import REGRESSORS

SMALL = NetworkConfig(encoder="mobilenetv3_small_050", input_size=64)
ATTENTIVE = NetworkConfig(encoder="mobilenetv3_small_050", input_size=64, pooling="attention")


TWOFOLD = replace(ATTENTIVE, second_share=0.3)
WIDE = replace(TWOFOLD, last_stage=True)


@pytest.fixture(scope="module", params=[SMALL, ATTENTIVE, WIDE], ids=["average", "attention", "last stage"])
def network(request):
    torch.manual_seed(0)
    network = Network(request.param).eval()
    for output in network.regressor.outputs:
        torch.nn.init.normal_(output.weight, std=0.3)
    if network.second is not None:
        torch.nn.init.normal_(network.second.output.weight, std=0.3)
    if request.param.last_stage:
        torch.nn.init.normal_(network.pooling.last_stage.output.weight, std=0.3)
    return network


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(0)
    mask = (torch.rand(2, 1, 64, 64, generator=generator) > 0.5).float()
    return torch.rand(2, 3, 64, 64, generator=generator), mask


def test_a_new_network_predicts_the_identity(inputs):
    theta = Network(SMALL).eval()(*inputs)
    assert torch.equal(theta, torch.zeros(2, 6))


@pytest.mark.parametrize("regressor", REGRESSORS)
def test_every_output_learns_from_the_first_step(regressor, inputs):
    network = Network(NetworkConfig(encoder=SMALL.encoder, regressor=regressor, input_size=64))
    composite, mask = inputs
    ((network.trace(composite, mask)[-1] - composite.flip(1)) ** 2).mean().backward()
    for name, parameter in network.regressor.named_parameters():
        if parameter.shape[0] == 1:  # the layer before tanh
            assert parameter.grad.abs().max() > 0, name


def test_only_the_affine_regressor_is_affine():
    torch.manual_seed(0)
    one, other = torch.randn(2, 1, 8)
    for name in ("affine", "cascade"):
        regressor = REGRESSORS[name](8, 3)
        for output in regressor.outputs:
            torch.nn.init.normal_(output.weight, std=0.1)
        raw = torch.atanh(regressor(torch.cat([one, other, (one + other) / 2])))
        halfway = torch.allclose(raw[2], (raw[0] + raw[1]) / 2, atol=1e-5)
        assert halfway == (name == "affine")


def test_both_branches_see_the_mask_and_begin_as_the_pretrained_stem(inputs):
    conv = torch.nn.Conv2d(3, 8, 3, stride=2, padding=1)
    stem = TwoBranchStem(conv)
    composite, mask = inputs
    both = torch.cat([composite, mask], dim=1)
    torch.testing.assert_close(stem(both), conv(composite))
    torch.nn.init.ones_(stem.foreground.weight)
    torch.nn.init.ones_(stem.background.weight)
    changed = stem(torch.cat([composite, 1 - mask], dim=1)) - stem(both)
    assert changed[:, :4].abs().max() > 0
    # The branches see M and 1 - M: what one gains in the interior the other loses.
    inside = slice(1, -1)
    torch.testing.assert_close(changed[:, 0, inside, inside], -changed[:, 4, inside, inside], atol=1e-4, rtol=1e-4)


def test_the_default_encoder_is_the_papers():
    encoder = MaskedEncoder(NetworkConfig().encoder, pretrained=False)
    assert NetworkConfig().encoder == "efficientnet_b0"
    assert encoder.pooled_features == 1280
    assert encoder.body.conv_stem.foreground.weight.shape == (16, 4, 3, 3)


def test_the_lite_encoder_finds_its_imagenet_weights_without_a_hub():
    first, second = (MaskedEncoder("tf_efficientnet_lite0", pretrained=True) for _ in range(2))
    for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert first.body.bn1.running_var.std() > 0  # not the ones of a fresh batch norm


def test_histograms_differ_between_regions_and_are_finite_for_an_empty_mask(inputs):
    composite, mask = inputs
    assert not torch.allclose(soft_histograms(composite, mask), soft_histograms(composite, 1 - mask))
    assert torch.isfinite(soft_histograms(composite, 0 * mask)).all()
    assert torch.isfinite(soft_histograms(0 * composite, mask)).all()


def test_the_moment_count_a_cell_are_those_of_its_pixels():
    generator = torch.Generator().manual_seed(0)
    composite, mask = torch.rand(1, 3, 32, 48, generator=generator), torch.zeros(1, 1, 32, 48)
    mask[..., :PATCH, : PATCH // 2] = 1
    moments = measure_patches(composite, mask)
    assert moments.shape == (1, moment_count(3), 2, 3)
    inside = composite[0, :, :PATCH, : PATCH // 2].flatten(1)
    first = moments[0, :, 0, 0]
    assert first[0] == 0.5
    torch.testing.assert_close(first[1:4], 2 * inside.mean(dim=1) - 1, atol=5e-3, rtol=0)
    torch.testing.assert_close(first[4:7], 4 * inside.std(dim=1), atol=5e-2, rtol=0)
    # The mean of a region that a patch lacks is 0; positions go from -1 to 1.
    torch.testing.assert_close(moments[0, 1:4, 1, 2], torch.zeros(3), atol=1e-6, rtol=0)
    assert moments[0, -2:, 1, 2].tolist() == [1, 1]


def test_little_of_the_moments_of_a_patch_is_rounding():
    # Even colours, and next to nothing outside of the mask: differences of what is nearly equal.
    generator = torch.Generator().manual_seed(0)
    composite = 0.5 + 0.002 * torch.rand(1, 3, 64, 64, generator=generator)
    mask = 1 - 0.002 * torch.rand(1, 1, 64, 64, generator=generator)
    exact = measure_patches(composite.double(), mask.double())
    torch.testing.assert_close(measure_patches(composite, mask).double(), exact, atol=1e-4, rtol=0)


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_extra_channels_count_beside_the_colours(inputs, pooling):
    torch.manual_seed(0)
    config = replace(ATTENTIVE if pooling == "attention" else SMALL, pooling=pooling, channels=5)
    network = Network(config).eval()
    torch.nn.init.normal_(network.regressor.outputs[0].weight)
    for name, weight in network.named_parameters():
        if "ground.weight" in name:
            torch.nn.init.normal_(weight, std=0.1)
    composite, mask = inputs
    extra = torch.rand(2, 2, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        theta, other = (network(torch.cat([composite, each], dim=1), mask) for each in (extra, 1 - extra))
        assert not torch.allclose(theta, other, atol=1e-7)
        harmonized = network.trace(torch.cat([composite, extra], dim=1), mask)[-1]
    assert harmonized.shape == composite.shape


def test_a_pretrained_stem_first_sees_the_colours_alone():
    conv = torch.nn.Conv2d(3, 8, 3)
    stem, picture = TwoBranchStem(conv, channels=4), torch.rand(1, 5, 9, 9)
    torch.testing.assert_close(stem(picture), conv(picture[:, :3]))


def test_two_regressors_learn_apart_and_theta_is_their_mean(inputs):
    network = Network(TWOFOLD)
    for number, own in enumerate((network.regressor, network.second)):
        network.zero_grad(set_to_none=True)
        network.predictions(*inputs)[number].sum().backward()
        moved = {name.split(".")[0] for name, weight in network.named_parameters() if weight.grad is not None}
        assert ("second" in moved, "regressor" in moved) == (number == 1, number == 0)
        assert all(weight.grad.abs().max() > 0 for name, weight in own.named_parameters() if "output" in name)
    torch.nn.init.normal_(network.second.output.weight)
    torch.nn.init.normal_(network.regressor.outputs[0].weight)
    network.eval()
    first, second = network.predictions(*inputs)
    assert not torch.allclose(first, second, atol=1e-2)
    torch.testing.assert_close(network(*inputs), 0.7 * first + 0.3 * second)


@pytest.mark.parametrize(
    "wrong", [{"second_share": 1.0}, {"second_share": -0.1}, {"second_share": 0.2, "histograms": False}]
)
def test_a_share_that_no_second_regressor_can_have_is_refused(wrong):
    with pytest.raises(CheckpointError, match="second_share is a share from 0 to below 1, and needs histograms"):
        Network(replace(SMALL, **wrong))


@pytest.mark.parametrize(("name", "part"), [(name, part) for name, each in POOLINGS.items() for part in each.freezable])
def test_a_pooling_runs_its_encoder_in_two_parts_and_freezes_the_first(inputs, name, part):
    torch.manual_seed(0)
    network = Network(replace(ATTENTIVE, pooling=name))
    network.freeze(part)
    pooling = network.pooling
    frozen = {id(weight) for module in pooling.frozen_modules(part) for weight in module.parameters()}
    assert frozen == {id(weight) for weight in network.parameters() if not weight.requires_grad}
    assert bool(frozen) == (part != "none")
    encoder = {id(weight) for weight in pooling.encoder.parameters()}
    assert frozen <= encoder
    assert (frozen == encoder) == (part == "encoder")
    network.eval()
    with torch.no_grad():
        whole, parts = pooling.encode(*inputs), pooling.finish(pooling.encode(*inputs, part), part)
        assert all(map(torch.equal, whole, parts))
        moments = pooling.describe(*inputs)
        features = pooling(whole, moments, torch.zeros(2, network.histograms.features))
    assert features.shape == (2, pooling.features)


def test_fewer_channels_than_colours_are_refused():
    with pytest.raises(CheckpointError, match="got 2"):
        Network(replace(SMALL, channels=2))


def test_regions_are_pooled_apart_and_an_empty_one_fades():
    pooling = RegionPooling(replace(SMALL, pooling="regions"), 0, pretrained=False).eval()
    composite = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    foreground, background = pooling.encode(composite, torch.ones(1, 1, 64, 64))[0].chunk(2, dim=1)
    assert foreground.abs().sum() > 0
    assert torch.equal(background, torch.zeros_like(background))
    half = torch.zeros(1, 1, 64, 64)
    half[..., :32] = 1
    left, right = pooling.encode(composite, half)[0].chunk(2, dim=1)
    assert pooling.features == 2 * left.shape[1]
    assert not torch.allclose(left, right)


def test_attention_compares_places_so_that_the_background_elsewhere_counts(inputs):
    torch.manual_seed(0)
    network = Network(ATTENTIVE).eval()
    torch.nn.init.normal_(network.regressor.outputs[0].weight)
    composite, _ = inputs
    mask = torch.zeros(2, 1, 64, 64)
    mask[..., :16, :16] = 1
    # Two patches of the background change places: histograms and moments stay, as a set, what they were.
    swapped = composite.clone()
    swapped[..., 48:, 48:], swapped[..., 16:32, 48:] = composite[..., 16:32, 48:], composite[..., 48:, 48:]
    with torch.no_grad():
        assert not torch.allclose(network(composite, mask), network(swapped, mask), atol=1e-7)


@pytest.mark.parametrize("config", [SMALL, ATTENTIVE], ids=lambda config: config.pooling)
def test_dropout_acts_while_training_alone(config, inputs):
    torch.manual_seed(0)
    network = Network(replace(config, dropout=0.5)).eval()
    torch.nn.init.normal_(network.regressor.outputs[0].weight)
    plain = Network(config).eval()
    plain.load_state_dict(network.state_dict())
    assert torch.equal(network(*inputs), plain(*inputs))
    for each in (network, plain):
        if config.pooling == "attention":
            each.pooling.attention.train()
        each.dropout.train()
    assert torch.equal(plain(*inputs), plain(*inputs))
    assert not torch.equal(network(*inputs), network(*inputs))
    if config.pooling == "attention":
        network.dropout.eval()
        assert not torch.equal(network(*inputs), network(*inputs))


def test_an_encoder_without_early_stages_is_refused():
    with pytest.raises(CheckpointError, match=r"'vit_tiny_patch16_224' has no stages.*another pooling"):
        StageEncoder("vit_tiny_patch16_224", pretrained=False)


@pytest.mark.parametrize(("key", "name", "known"), [("regressor", "forest", "cascade"), ("pooling", "max", "average")])
def test_an_unknown_part_is_named(key, name, known):
    with pytest.raises(CheckpointError, match=rf"no {key} is named '{name}'.*{known}"):
        Network(NetworkConfig(**{key: name}))


def test_a_checkpoint_reads_back_as_written(network, inputs, tmp_path):
    checkpoint.save(network, tmp_path)
    again = checkpoint.load(tmp_path).eval()
    with torch.no_grad():
        torch.testing.assert_close(again(*inputs), network(*inputs), atol=5e-3, rtol=0)
    fields = json.loads((tmp_path / "config.json").read_text())
    assert fields["filters"] == list(network.cascade.names)
    assert fields["format"] == 1


@pytest.mark.parametrize("damage", ["missing", "truncated", "foreign"])
def test_a_damaged_checkpoint_is_refused(network, tmp_path, damage):
    checkpoint.save(network, tmp_path)
    weights = tmp_path / "model.safetensors"
    if damage == "missing":
        weights.unlink()
    elif damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:1000])
    else:
        fields = json.loads((tmp_path / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps(fields | {"encoder": "mobilenetv3_small_075"}))
    with pytest.raises(CheckpointError, match="readable checkpoint"):
        checkpoint.load(tmp_path)


def test_onnx_gives_what_torch_gives_for_any_batch(network, inputs, tmp_path):
    export_onnx(network, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    composite, mask = (tensor.numpy() for tensor in inputs)
    with torch.no_grad():
        expected = network(*inputs).numpy()
    for count in (1, 2):
        (theta,) = session.run(["theta"], {"composite": composite[:count], "mask": mask[:count]})
        np.testing.assert_allclose(theta, expected[:count], atol=5e-3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx"]
    assert b"network.py" not in (tmp_path / "model.onnx").read_bytes()  # no path of the machine that exported it


@pytest.mark.parametrize(("name", "pretrained"), [("no_such_net", False), ("test_efficientnet", True)])
def test_an_encoder_that_cannot_be_had_says_what_to_choose(name, pretrained):
    with pytest.raises(CheckpointError, match=rf"'{name}' cannot be created.*tf_efficientnet_lite0"):
        MaskedEncoder(name, pretrained=pretrained)
