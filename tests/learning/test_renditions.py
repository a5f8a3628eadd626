import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from harmonizer.learning.composites import renditions
from harmonizer.learning.composites.draws import Draws, draw
from harmonizer.learning.composites.renditions import AS_SHOT, STYLES, choose_styles, render
from whitebox_filters import Cascade

RETOUCHERS = range(1, len(STYLES))


@pytest.fixture(scope="module")
def photographs():
    """Smooth colour with some texture: from a dim picture to a bright one, none of them neutral."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(24, 3, 5, 6, generator=generator)
    smooth = interpolate(coarse, (45, 61), mode="bicubic", align_corners=True)
    grey = smooth.mean(dim=1, keepdim=True)
    texture = 0.05 * torch.randn(24, 1, 45, 61, generator=generator)
    gamma = torch.linspace(0.6, 1.8, 24).view(24, 1, 1, 1)
    return ((grey + 0.5 * (smooth - grey) + texture).clamp(0, 1)) ** gamma


@pytest.fixture(scope="module")
def looks(photographs):
    """Every photograph in every style, (styles, N, 3, H, W)."""
    draws = draw(0, 0, range(len(photographs)))
    return torch.stack([render(photographs, np.full(len(photographs), each), draws) for each in range(len(STYLES))])


def luma(pictures):
    return torch.einsum("c,...chw->...hw", torch.tensor([0.2126, 0.7152, 0.0722]), pictures).flatten(-2)


def chroma(pictures):
    return (pictures.amax(dim=-3) - pictures.amin(dim=-3)).mean(dim=(-1, -2))


def warmth(pictures):
    red, _, blue = pictures.mean(dim=(-1, -2)).unbind(-1)
    return (red / blue).log()


def test_renditions_stay_in_range_and_shape(photographs, looks):
    assert looks.shape[1:] == photographs.shape
    assert looks.dtype == torch.float32
    assert 0 <= looks.min() <= looks.max() <= 1


def test_what_was_shot_is_darker_flatter_and_paler_than_each_retouch(looks):
    shot = looks[AS_SHOT]
    for style in RETOUCHERS:
        assert luma(looks[style]).mean() > luma(shot).mean() + 0.04
        assert luma(looks[style]).std(-1).mean() > luma(shot).std(-1).mean() + 0.01
        assert chroma(looks[style]).mean() > chroma(shot).mean() + 0.01


def test_each_retoucher_has_a_taste(looks):
    names = list(STYLES)
    light = dict(zip(names, luma(looks).mean(dim=(1, 2)).tolist(), strict=True))
    colour = dict(zip(names, chroma(looks).mean(dim=1).tolist(), strict=True))
    warm = dict(zip(names, warmth(looks).mean(dim=1).tolist(), strict=True))
    assert max(light, key=light.get) == "airy"
    assert max(colour, key=colour.get) == "vivid"
    assert max(warm, key=warm.get) == "warm"
    assert min(warm, key=warm.get) == "crisp"


def test_retouchers_bring_dim_and_bright_photographs_closer(photographs, looks):
    before = luma(photographs).mean(-1)
    assert before.std() > 0.08
    for style in RETOUCHERS:
        assert luma(looks[style]).mean(-1).std() < 0.85 * before.std()


def test_two_retouches_differ_as_much_as_those_of_people_do(looks):
    errors = 255**2 * (looks[:, None] - looks).square().mean(dim=(3, 4, 5))
    shot, others = errors[AS_SHOT, 1:], errors[1:, 1:]
    assert 200 < shot.median() < 1500
    assert shot.max() < 12000
    assert 60 < others[~torch.eye(len(others), dtype=torch.bool)].median() < 1000


def test_two_draws_give_two_renditions_of_one_style(photographs):
    places, styles = range(len(photographs)), np.full(len(photographs), 3)
    greys = photographs.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    first, second = (render(greys, styles, draw(0, step, places)) for step in range(2))
    assert (first - second).abs().mean(dim=(1, 2, 3)).min() > 1e-3
    # The natural style favours no cast, and its renditions have slight ones.
    assert warmth(first).min() < -0.005 < 0.005 < warmth(first).max()
    assert warmth(first).abs().max() < 0.1


def test_a_rendition_depends_on_no_neighbour(photographs):
    styles = np.arange(len(photographs)) % len(STYLES)
    together = render(photographs, styles, draw(1, 2, range(len(photographs))))
    places = [17, 3, 8]
    some = render(photographs[places], styles[places], draw(1, 2, places))
    torch.testing.assert_close(some, together[places], atol=1e-5, rtol=0)


def test_styles_may_be_a_tensor_and_nothing_else_decides(photographs):
    styles = np.arange(len(photographs)) % len(STYLES)
    by_array = render(photographs, styles, draw(1, 2, range(len(photographs))))
    by_tensor = render(photographs, torch.from_numpy(styles), draw(1, 2, range(len(photographs))))
    assert torch.equal(by_array, by_tensor)


def test_the_tables_do_what_a_cascade_does(photographs, monkeypatch):
    thetas = []
    settings = renditions._settings
    monkeypatch.setattr(renditions, "_settings", lambda *arguments: thetas.append(settings(*arguments)) or thetas[-1])
    # The means, too, are then those of the whole picture.
    monkeypatch.setattr(renditions, "_SIDE", 45)
    styles = np.arange(len(photographs)) % len(STYLES)
    result = render(photographs, styles, draw(1, 2, range(len(photographs))))
    cascade = Cascade((*renditions._CURVES, *renditions._COLOURS))
    assert (result - cascade(photographs, thetas[0])).abs().max() < 2 / 255


def test_half_of_the_backgrounds_and_more_are_as_shot_and_no_foreground_has_its_backgrounds_style():
    foreground, background = choose_styles(draw(0, 0, range(3000)))
    assert foreground.dtype == background.dtype == np.int64
    assert (foreground != background).all()
    assert np.mean(background == AS_SHOT) == pytest.approx(0.6, abs=0.03)
    for style in RETOUCHERS:
        assert np.mean(background == style) == pytest.approx(0.08, abs=0.02)
        assert np.mean(foreground == style) == pytest.approx(0.184, abs=0.025)
    assert np.mean(foreground == AS_SHOT) == pytest.approx(0.08, abs=0.02)


@pytest.mark.parametrize("side", [1, 16])
def test_black_and_white_frames_give_finite_pictures(side):
    flat = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, side, side)
    for style in range(len(STYLES)):
        assert render(flat, np.full(2, style), draw(0, 0, range(2))).isfinite().all()


def test_nothing_waits_for_the_device():
    """The device "meta" has shapes but no numbers: to copy any to the host, or to mix in a host's tensor, raises."""
    draws = draw(0, 0, range(2))
    draws = Draws(draws.host, draws.table.to("meta"))
    pictures, styles = torch.empty(2, 3, 40, 50, device="meta"), torch.empty(2, dtype=torch.int64, device="meta")
    assert render(pictures, styles, draws).shape == pictures.shape
