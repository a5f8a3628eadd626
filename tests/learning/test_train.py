"""The training loop."""

from dataclasses import replace

import pytest
import torch
from test_no_waiting import Watch

from harmonizer.errors import CheckpointError
from harmonizer.learning import train
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.recipes import Recipe
from harmonizer.learning.validate import validate
from whitebox_filters import tensors

RECIPE = Recipe(
    pretrained=False,
    network=NetworkConfig(encoder="mobilenetv3_small_050", input_size=48),
    steps=4,
    batch_size=8,
    sizes=((0.5, 32), (1.0, 48)),
    warmup=2,
)
ATTENTIVE = replace(
    RECIPE,
    network=replace(
        RECIPE.network, encoder="test_efficientnet", pooling="attention", attention_width=32, attention_layers=1
    ),
    sizes=((1.0, 64),),
)


def ignore(state, losses):
    pass


def learn(recipe, sources, state=None, checkpoint=None, report=ignore, **options):
    state = state or train.start(recipe, pretrained=False)
    train.train(recipe, sources, state, checkpoint, report, **options)
    return state


def flat(module):
    return torch.cat([value.flatten().float() for value in module.state_dict().values()])


def test_a_seed_gives_the_same_run_twice_and_another_seed_another(sources):
    runs = [flat(learn(replace(RECIPE, seed=seed), sources).averaged) for seed in (0, 0, 1)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_the_number_of_threads_decides_nothing(sources):
    first, second = (flat(learn(RECIPE, sources, workers=workers).averaged) for workers in (1, 3))
    assert torch.equal(first, second)


STATISTICS = replace(RECIPE, auxiliary_weight=0.1)
PATCHES = replace(ATTENTIVE, patch_share=((1.0, 0.3),), network=replace(ATTENTIVE.network, dropout=0.2))


@pytest.mark.parametrize("recipe", [RECIPE, STATISTICS, PATCHES], ids=["plain", "statistics", "patches and dropout"])
def test_a_resumed_run_ends_with_the_same_weights_bit_for_bit(sources, tmp_path, recipe):
    class KilledError(Exception):
        pass

    def die(state, losses):
        if state.step == 3:
            raise KilledError

    whole = learn(recipe, sources)
    with pytest.raises(KilledError):
        learn(recipe, sources, checkpoint=tmp_path / "last.pt", report=die)
    resumed = train.start(replace(recipe, seed=9), pretrained=False)
    resumed.load(tmp_path / "last.pt")
    assert resumed.step == 2
    learn(recipe, sources, resumed)
    assert resumed.step == whole.step == 4
    for part in ("network", "averaged", *(["head"] if whole.head else [])):
        assert torch.equal(flat(getattr(resumed, part)), flat(getattr(whole, part)))


def test_minutes_end_a_run_at_a_checkpoint_from_which_it_goes_on(sources, tmp_path, monkeypatch):
    recipe = replace(RECIPE, steps=20, sizes=((1.0, 32),))
    clock = [1000.0]
    monkeypatch.setattr(train.time, "monotonic", lambda: clock[0])

    def half_a_minute_later(state, losses):
        clock[0] += 30

    stopped = learn(recipe, sources, None, tmp_path / "last.pt", half_a_minute_later, minutes=1.3)
    assert stopped.step == 3
    assert not train.is_milestone(recipe, 3)
    resumed = train.start(recipe, pretrained=False)
    resumed.load(tmp_path / "last.pt")
    assert resumed.step == 3
    learn(recipe, sources, resumed, tmp_path / "last.pt", half_a_minute_later)
    assert resumed.step == 20
    assert torch.equal(flat(resumed.averaged), flat(learn(recipe, sources).averaged))


def test_several_processes_look_at_the_clock_rarely_and_stop_together(sources, tmp_path, monkeypatch):
    """Process 0 decides for all of them, which makes each host wait for its device."""
    recipe = replace(RECIPE, steps=400, sizes=((1.0, 32),), learning_rate_drops=(0.9,))  # a milestone at step 40
    clock, looks = [0.0], []
    monkeypatch.setattr(train.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(train.distributed, "count", lambda: 2)
    monkeypatch.setattr(train.distributed, "average", lambda tensors: None)
    monkeypatch.setattr(train.distributed, "broadcast", lambda value: looks.append(value) or value)

    def one_second_later(state, losses):
        clock[0] += 1

    state = learn(recipe, sources, None, tmp_path / "last.pt", one_second_later, minutes=0.4)
    assert looks == [False, True]
    assert state.step == 2 * train.CLOCK_INTERVAL == 40


def test_a_checkpoint_is_due_at_every_milestone_and_at_the_end(sources, tmp_path):
    def steps(count):
        return [step for step in range(1, count + 1) if train.is_milestone(replace(RECIPE, steps=count), step)]

    assert steps(4) == [1, 2, 3, 4]
    assert steps(33) == [3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33]
    assert steps(6002)[:2] == [500, 1000]
    assert steps(6002)[-2:] == [6000, 6002]
    learn(RECIPE, sources, checkpoint=tmp_path / "last.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_a_foreign_checkpoint_is_not_resumed(tmp_path):
    state = train.start(RECIPE, pretrained=False)
    (tmp_path / "last.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="does not fit"):
        state.load(tmp_path / "last.pt")
    other = train.start(replace(RECIPE, network=replace(RECIPE.network, histograms=False)), pretrained=False)
    other.save(tmp_path / "last.pt")
    with pytest.raises(CheckpointError, match="does not fit"):
        state.load(tmp_path / "last.pt")
    with pytest.raises(CheckpointError, match="does not fit"):
        state.load(tmp_path / "none.pt")


def test_training_brings_composites_closer_to_the_photographs(sources):
    """Sixty steps on one kind of picture, at one size: the averaged network must beat doing nothing on it."""
    network = replace(RECIPE.network, input_size=64)
    recipe = replace(
        RECIPE,
        network=network,
        steps=60,
        batch_size=16,
        sizes=((1.0, 64),),
        head_learning_rate=1e-3,
        weight_average=0.9,
        warmup=5,
    )
    losses = []
    state = learn(recipe, sources, report=lambda state, plain: losses.append(plain))
    scores = validate(state.averaged, sources, count=32).scores
    assert scores["eq8_after"] < 0.8 * scores["eq8_before"]
    begin, end = (torch.stack([plain["L6"] for plain in part]).mean() for part in (losses[:10], losses[-10:]))
    assert end < 0.9 * begin


@pytest.mark.parametrize(
    ("loss", "names"), [("dynamic", [f"L{index}" for index in range(1, 7)]), ("sum", ["L1"]), ("last", ["eq8"])]
)
def test_the_plain_losses_of_every_step_are_reported(sources, loss, names):
    reports = []
    learn(
        replace(RECIPE, loss=loss, loss_stride=2),
        sources,
        report=lambda state, plain: reports.append((state.step, plain)),
    )
    assert [step for step, _ in reports] == [1, 2, 3, 4]
    for _, plain in reports:
        assert set(names) | {"final", "unharmonized"} <= set(plain)
        assert all(value.ndim == 0 and value > 0 and not value.requires_grad for value in plain.values())
    # A network that has not learned yet changes nothing.
    first = reports[0][1]
    assert first["final"] == pytest.approx(float(first["unharmonized"]), rel=1e-4)


def test_both_regressors_are_trained(sources):
    state = learn(replace(RECIPE, steps=2, network=replace(RECIPE.network, second_share=0.2)), sources)
    for output in (state.network.second.output, *state.network.regressor.outputs):
        assert output.weight.abs().max() > 0


def test_a_head_for_statistics_is_trained_beside_the_network_and_teaches_it(sources):
    plain, both = train.start(RECIPE, pretrained=False), train.start(STATISTICS, pretrained=False)
    assert plain.head is None
    before = flat(both.head)
    for recipe, state in ((RECIPE, plain), (STATISTICS, both)):
        learn(recipe, sources, state)
    assert not torch.equal(flat(both.head), before)
    assert not torch.equal(flat(both.network), flat(plain.network))
    assert flat(both.network).shape == flat(plain.network).shape  # it is no part of what ships


@pytest.mark.parametrize(("frozen", "norm"), [("none", False), ("none", True), ("half", False), ("encoder", False)])
def test_what_is_frozen_stays_as_it_was_while_the_rest_learns(sources, frozen, norm):
    recipe = replace(ATTENTIVE, frozen=frozen, frozen_norm=norm)
    state = train.start(recipe, pretrained=False)
    before = {name: value.clone() for name, value in state.network.state_dict().items()}
    learn(recipe, sources, state)
    same = {name for name, value in state.network.state_dict().items() if torch.equal(value, before[name])}
    encoder = {name for name in before if name.startswith("pooling.encoder.")}
    looking = {f"pooling.encoder.{name}" for name, _ in state.network.pooling.encoder.named_parameters()}
    looking = {name for name in looking if not state.network.get_parameter(name).requires_grad}
    norms = {name for name in encoder if "running_" in name}
    assert (encoder <= same) == (frozen == "encoder")
    assert looking <= same
    assert bool(looking) == (frozen != "none")
    assert bool(norms - same) == (frozen != "encoder" and not norm)
    assert (looking == {name for name in encoder if name in dict(state.network.named_parameters())}) == (
        frozen == "encoder"
    )
    for output in state.network.regressor.outputs:
        assert output.weight.abs().max() > 0


# What torch.compile itself looks at.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize("frozen", ["none", "encoder"])
def test_compiled_training_takes_the_same_steps(sources, frozen):
    recipe = replace(
        ATTENTIVE,
        steps=2,
        loss="last",
        loss_stride=2,
        frozen=frozen,
        network=replace(ATTENTIVE.network, second_share=0.25),
    )
    losses = {}
    for compiled in (False, True):
        reports = []
        learn(replace(recipe, compile=compiled), sources, report=lambda state, plain, to=reports: to.append(plain))
        losses[compiled] = reports
    for own, plain in zip(losses[True], losses[False], strict=True):
        for name, value in plain.items():
            assert float(own[name]) == pytest.approx(float(value), rel=0.02), name


def test_attention_sees_the_patches_that_the_schedule_gives(sources):
    shares = []
    recipe = replace(PATCHES, patch_share=((0.5, 0.25), (1.0, 1.0)))
    learn(recipe, sources, report=lambda state, plain: shares.append(state.network.patch_share))
    assert shares == [0.25, 0.25, 1.0, 1.0]


def test_bfloat16_trains_and_leaves_the_weights_in_float32(sources):
    state = learn(replace(ATTENTIVE, steps=2, bfloat16=True), sources)
    assert {value.dtype for value in state.network.parameters()} == {torch.float32}
    assert torch.isfinite(flat(state.network)).all()


def test_the_averaged_weights_follow_and_are_those_of_the_end_without_an_average(sources):
    state = learn(replace(RECIPE, weight_average=0.0), sources)
    assert torch.equal(flat(state.averaged), flat(state.network))
    state = learn(replace(RECIPE, weight_average=0.9), sources)
    assert not torch.equal(flat(state.averaged), flat(state.network))


def test_rates_are_those_of_the_recipe(sources):
    recipe, rates = replace(RECIPE, encoder_learning_rate=1e-4, head_learning_rate=1e-2), []
    learn(
        recipe,
        sources,
        report=lambda state, plain: rates.append([group["lr"] for group in state.optimizer.param_groups]),
    )
    for step, pair in enumerate(rates):
        assert pair == pytest.approx(
            [1e-4 * recipe.learning_rate_factor(step), 1e-2 * recipe.learning_rate_factor(step)]
        )


@pytest.mark.parametrize("loss", ["dynamic", "last"])
@pytest.mark.parametrize("statistics", [0.0, 0.1])
def test_a_step_does_not_wait_for_the_device(sources, monkeypatch, loss, statistics):
    recipe = replace(
        PATCHES,
        loss=loss,
        loss_stride=2,
        network=replace(PATCHES.network, second_share=0.25),
        auxiliary_weight=statistics,
    )
    state = train.start(recipe, pretrained=False)
    # On a GPU the values of theta and of masks are not looked at.
    monkeypatch.setattr(tensors, "_lies_in", lambda *_: True)
    places = train.Slots.of(recipe.batch_size, recipe.eq8_share)
    distortion = Distortion.of(state.network.cascade)
    batch = next(train.batches(sources, distortion, {0: 64}, recipe.mixture, 0, places, 1))
    criterion = train.Criterion(state.network.cascade, None)
    train._step(recipe, state, criterion, batch)
    with Watch() as watch:
        losses = train._step(recipe, state, criterion, batch)
    assert watch.count > 500
    assert not watch.waits
    assert losses["final"] > 0
