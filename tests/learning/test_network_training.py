"""What a network does while it trains: what is frozen, what it sees of a picture, what it grew from."""

import copy
from dataclasses import replace

import pytest
import torch

from harmonizer.errors import CheckpointError, EngineError
from harmonizer.learning.auxiliary import QUANTILES, STATISTICS, AuxiliaryHead, foreground_statistics
from harmonizer.learning.network import checkpoint, compiled
from harmonizer.learning.network.attention import draw_patches
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.network.encoders import pool_regions
from harmonizer.learning.network.network import Network

AVERAGE = NetworkConfig(encoder="mobilenetv3_small_050", input_size=64)
ATTENTIVE = replace(AVERAGE, pooling="attention", second_share=0.25)
WIDE = replace(ATTENTIVE, last_stage=True, dropout=0.2)


def awake(config):
    """A network that predicts something, in all of its outputs."""
    torch.manual_seed(0)
    network = Network(config)
    for name, weight in network.named_parameters():
        if "output" in name and weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.1)
    return network


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(0)
    mask = torch.zeros(3, 1, 64, 64)
    mask[0, :, :32, :24], mask[1, :, 20:50, 10:60], mask[2, :, 40:] = 1, 1, 1
    return torch.rand(3, 3, 64, 64, generator=generator), mask


def learn(network, inputs):
    """What a step changes, by name."""
    before = copy.deepcopy(network.state_dict())
    optimizer = torch.optim.SGD([weight for weight in network.parameters() if weight.requires_grad], lr=0.1)
    torch.stack(network.predictions(*inputs)).square().sum().backward()
    optimizer.step()
    return {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}


def learn_by_picture(network, inputs):
    """What a step towards a brighter picture changes in the regressor, by name."""
    before = copy.deepcopy(network.regressor.state_dict())
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    network.trace(*inputs)[-1].mean().backward()
    optimizer.step()
    return {name for name, value in network.regressor.state_dict().items() if not torch.equal(value, before[name])}


@pytest.mark.parametrize(("part", "quick"), [("none", False), ("half", False), ("encoder", False), ("half", True)])
def test_what_is_frozen_stays_as_it_was_while_the_rest_learns(inputs, part, quick):
    network = awake(WIDE)
    network.freeze(part)
    network.eval().train()  # as around a validation
    if quick:
        network.compile_frozen(torch.float32)
    names = learn(network, inputs)
    parts = {
        name: {each for each in names if each.startswith(name)}
        for name in ("pooling.encoder.body.conv_stem", "pooling.encoder.")
    }
    assert bool(parts["pooling.encoder.body.conv_stem"]) == (part == "none")
    assert bool(parts["pooling.encoder."]) == (part != "encoder")
    assert ("pooling.encoder.body.bn1.running_mean" in names) == (part == "none")
    assert ("pooling.encoder.body.blocks.3.0.bn1.running_mean" in names) == (part != "encoder")
    assert {
        "pooling.attention.embed.weight",
        "pooling.attention.norm.running_mean",
        "pooling.last_stage.output.weight",
    } <= names


def test_what_is_thawed_learns_again(inputs):
    network = awake(WIDE)
    network.freeze("encoder")
    network.freeze("none")
    assert {"pooling.encoder.body.conv_stem.weight", "pooling.encoder.body.bn1.running_mean"} <= learn(network, inputs)


@pytest.mark.parametrize(("config", "part"), [(AVERAGE, "half"), (ATTENTIVE, "tail")])
def test_a_part_that_is_not_there_cannot_be_frozen(config, part):
    with pytest.raises(CheckpointError, match=rf"named '{part}' with the pooling {config.pooling}; there are none"):
        Network(config).freeze(part)


@pytest.mark.parametrize(("config", "dtype"), [(AVERAGE, torch.float32), (WIDE, torch.bfloat16)])
def test_compiled_code_sees_what_the_frozen_part_sees(config, dtype, inputs):
    network = awake(replace(config, dropout=0.0))
    network.freeze("encoder")
    plain = copy.deepcopy(network)
    network.compile_frozen(dtype)
    found, again, expected = (each.features(*inputs)[0] for each in (network, network, plain))
    assert found.dtype == torch.float32
    assert torch.equal(found, again)
    error = (found - expected).std() / expected.std()
    assert error < 1e-4 if dtype == torch.float32 else 1e-4 < error < 0.1
    assert list(network.state_dict()) == list(plain.state_dict())


@pytest.mark.parametrize(
    ("instructions", "dtype"),
    [
        ({}, torch.float32),
        ({"avx2": True, "avx512_f": True, "avx512_bf16": False}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
    ],
)
def test_the_frozen_part_computes_in_what_the_processor_multiplies(instructions, dtype, monkeypatch, inputs):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    monkeypatch.setattr(torch, "compile", lambda run, **_: run)
    network = awake(AVERAGE)
    network.freeze("encoder")
    found = network.features(*inputs)[0]
    network.compile_frozen(dtype)
    expected = network.features(*inputs)[0]
    network.compile_frozen()
    assert torch.equal(network.features(*inputs)[0], expected)
    assert torch.allclose(found, expected, atol=1e-5) == (dtype == torch.float32)


def test_compiled_code_of_other_weights_is_put_aside(inputs):
    network, other = awake(AVERAGE), Network(AVERAGE)
    other.load_state_dict({name: value + 0.01 for name, value in network.state_dict().items()})
    for each in (network, other):
        each.freeze("encoder")
    network.compile_frozen(torch.float32)
    assert copy.deepcopy(network)._compiled_encoder is None
    for put_aside in (copy.deepcopy(network), network):
        put_aside.load_state_dict(other.state_dict())
        torch.testing.assert_close(put_aside.features(*inputs), other.features(*inputs), atol=1e-4, rtol=1e-4)
    network.compile_frozen(torch.float32)
    network.freeze("encoder")
    assert network._compiled_encoder is not None
    network.freeze("none")
    assert network._compiled_encoder is None


def test_nothing_is_compiled_without_a_frozen_part_or_a_compiler(monkeypatch):
    network = awake(AVERAGE)
    with pytest.raises(CheckpointError, match="before a part is frozen"):
        network.compile_frozen()

    def find():
        raise RuntimeError("none found")

    monkeypatch.setattr(compiled, "get_cpp_compiler", find)
    network.freeze("encoder")
    with pytest.raises(EngineError, match=r"C\+\+ compiler \(none found\); install g\+\+"):
        network.compile_frozen()


@pytest.mark.parametrize("config", [AVERAGE, ATTENTIVE], ids=lambda config: config.pooling)
def test_a_network_grows_without_a_change_of_theta(config, inputs):
    trained = awake(config)
    trained(*inputs)  # its norms have statistics of their own
    trained.eval()
    wider = replace(config, last_stage=config.pooling == "attention", dropout=0.3)
    network = checkpoint.grow(trained, wider, pretrained=False).eval()
    assert network.config == wider
    with torch.no_grad():
        torch.testing.assert_close(network(*inputs), trained(*inputs), atol=1e-5, rtol=0)
    if wider.last_stage:
        assert "pooling.last_stage.output.weight" in learn(network.train(), inputs)


@pytest.mark.parametrize("config", [ATTENTIVE, WIDE, replace(AVERAGE, regressor="multihead")])
def test_a_network_grows_by_filters_whose_theta_starts_at_0_and_learns(config, inputs):
    trained = awake(config).eval()
    longer = replace(config, filters=(*config.filters, "tint", "gamma"))
    network = checkpoint.grow(trained, longer, pretrained=False).eval()
    with torch.no_grad():
        theta = network(*inputs)
        torch.testing.assert_close(theta[:, :6], trained(*inputs), atol=1e-5, rtol=0)
    assert not theta[:, 6:].any()
    assert [name for name in learn_by_picture(network.train(), inputs) if ".7." in name]


@pytest.mark.parametrize(
    "changes",
    [
        {"filters": ("brightness", *ATTENTIVE.filters)},
        {"filters": ATTENTIVE.filters[:5]},
        {"attention_width": 80},
        {"attention_layers": 4},
        {"second_share": 0.5},
        {"last_stage": False},
    ],
)
def test_a_network_that_cannot_grow_is_refused(changes):
    with pytest.raises(CheckpointError, match=f"that it has; there differ {next(iter(changes))}"):
        checkpoint.grow(Network(WIDE), replace(WIDE, **changes), pretrained=False)


@pytest.mark.parametrize("changes", [{"histograms": False, "second_share": 0.0}, {"pooling": "regions"}])
def test_the_last_stage_needs_histograms_and_attention(changes):
    with pytest.raises(CheckpointError, match="last_stage needs histograms, and the pooling attention"):
        Network(replace(WIDE, **changes))


def test_the_last_stage_is_pooled_over_both_regions(inputs):
    network = awake(WIDE).eval()
    composite, mask = inputs
    _, last = network.pooling.encoder(composite)
    assert last.shape == (3, network.pooling.encoder.last_features, 2, 2)
    foreground, background = pool_regions(last, mask).chunk(2, dim=1)
    shares = torch.nn.functional.avg_pool2d(mask, 32)
    torch.testing.assert_close(foreground, (last * shares).sum((2, 3)) / (shares.sum((2, 3)) + 0.04))
    torch.testing.assert_close(background, (last * (1 - shares)).sum((2, 3)) / ((1 - shares).sum((2, 3)) + 0.04))
    # Patches of a sixteenth hold the same shares.
    smaller = torch.nn.functional.avg_pool2d(mask, 16)
    torch.testing.assert_close(network.pooling.last_stage(last, smaller), network.pooling.last_stage(last, mask))
    assert network.pooling.last_stage(last, mask).abs().max() > 0


def test_attention_reads_a_share_of_the_patches_while_it_trains(inputs):
    network = awake(replace(ATTENTIVE, dropout=0.0))
    lengths = []
    network.pooling.attention.embed.register_forward_hook(
        lambda module, inputs, output: lengths.append(output.shape[1])
    )
    network.pooling.attention.norm.eval()
    network.pooling.encoder.eval()
    everything = network(*inputs)
    network.patch_share = 0.5
    one, other = network(*inputs), network(*inputs)
    assert not torch.equal(one, other)
    torch.manual_seed(1)
    one = network(*inputs)
    torch.manual_seed(1)
    assert torch.equal(network(*inputs), one)
    network.eval()
    assert torch.equal(network(*inputs), everything)
    assert lengths == [16, 8, 8, 8, 8, 16]
    network.train()
    assert "pooling.attention.embed.weight" in learn(network, inputs)


def test_patches_of_a_small_region_are_drawn_first():
    torch.manual_seed(0)
    shares = torch.zeros(4, 196)
    shares[0, 7] = 0.01  # one patch of foreground; then one of background; none; and a third
    shares[1], shares[1, 9] = 1, 0
    shares[3, :66] = 1
    often = torch.zeros(196)
    for _ in range(20):
        index = draw_patches(shares, 0.3)
        often[index[2]] += 1
        assert index.shape == (4, 59)
        assert all(len(set(each.tolist())) == 59 for each in index)
        assert 7 in index[0]
        assert 9 in index[1]
        assert not torch.equal(index[2].sort().values, index[3].sort().values)
    assert often.max() < 20  # no patch comes every time where there is no foreground
    # Where there are enough of both, they come as often as they are.
    drawn = torch.cat([draw_patches(shares[3:].expand(64, -1), 0.3) for _ in range(20)])
    assert (drawn < 66).float().mean().item() == pytest.approx(66 / 196, abs=0.01)
    counts = drawn.flatten().bincount(minlength=196) / len(drawn)
    assert counts.min() > 0.2
    assert 7 in draw_patches(shares[:1], 0.001)


def test_the_statistics_of_the_foreground_are_those_of_its_pixels(inputs):
    real, mask = inputs
    real[1] = 0.25 + 0.5 * real[1] ** 2
    statistics = foreground_statistics(real, mask)
    assert statistics.shape == (3, STATISTICS)
    for picture, alpha, row in zip(real, mask, statistics, strict=True):
        inside = picture[:, alpha[0] > 0]
        torch.testing.assert_close(row[:3], inside.mean(dim=1))
        torch.testing.assert_close(row[3:6], inside.std(dim=1, correction=0))
        torch.testing.assert_close(row[6:], inside.mean(dim=0).quantile(torch.tensor(QUANTILES)), atol=6e-3, rtol=0)
    assert torch.equal(foreground_statistics(real, 0 * mask), torch.zeros(3, STATISTICS))
    white = foreground_statistics(torch.ones_like(real), mask)
    torch.testing.assert_close(white[:, 6:], torch.ones(3, len(QUANTILES)), atol=4e-3, rtol=0)


def test_a_head_learns_from_what_the_regressor_is_given(inputs):
    network = awake(WIDE)
    features, histograms = network.features(*inputs)
    loss = (AuxiliaryHead(features.shape[1])(features) - foreground_statistics(*inputs)).square().mean()
    loss.backward()
    assert network.pooling.attention.embed.weight.grad.abs().max() > 0
    network.eval()
    features, histograms = network.features(*inputs)
    first, second = network.regress(features, histograms)
    torch.testing.assert_close(network(*inputs), 0.75 * first + 0.25 * second)


def test_measures_keep_their_precision_whatever_the_network_computes_in(inputs):
    network = awake(ATTENTIVE).eval()
    with torch.autocast("cpu", torch.bfloat16):
        _, histograms = network.features(*inputs)
    assert torch.equal(histograms, network.features(*inputs)[1])
