import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harmonizer.learning.composites.sources.segments import LARGEST, are_plain, take_segments


def ninths(size=72):
    """Nine plain parts of different colours."""
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    colours = torch.cat([corners, torch.full((1, 3), 0.5)]).T.reshape(1, 3, 3, 3)
    return torch.nn.functional.interpolate(colours, (size, size), mode="nearest")


def test_segments_follow_the_edges_of_the_picture():
    # Some texture: plain parts are taken last.
    picture = ninths() * 0.8 + 0.2 * torch.rand(1, 3, 72, 72, generator=torch.Generator().manual_seed(0))
    found = 0.0
    for seed in range(16):
        (mask,) = take_segments(picture, torch.Generator().manual_seed(seed))
        # Blurred edges may be segments of their own: what counts is that no part's interior is cut.
        interiors = mask[0].unfold(0, 24, 24).unfold(1, 24, 24)[..., 7:17, 7:17].flatten(2)
        assert torch.equal(interiors.amin(dim=2), interiors.amax(dim=2))
        found += interiors[..., 0].sum()
    assert found >= 6  # not ramps alone


def test_of_several_groups_the_one_that_stands_out_most_is_taken():
    # Blocks of nearly one grey, and among them a textured orange square.
    grey = 0.45 + 0.1 * torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(5))
    picture = torch.nn.functional.interpolate(grey, 96, mode="nearest")
    texture = 0.2 * torch.rand(24, 24, generator=torch.Generator().manual_seed(0))
    square = torch.zeros(96, 96, dtype=torch.bool)
    square[36:60, 36:60] = True
    picture[0, :, square] = torch.tensor([0.8, 0.4, 0.1])[:, None] + texture.flatten()
    masks = [take_segments(picture, torch.Generator().manual_seed(seed))[0, 0] for seed in range(40)]
    # Of groups at random 13 would hold it.
    assert sum(float(mask[square].mean()) > 0.5 for mask in masks) > 25


def test_a_foreground_without_texture_is_plain_whatever_surrounds_it():
    noise = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    noise[1, :, 8:40, 8:40] = 0.6
    mask = torch.zeros(2, 1, 48, 48)
    mask[:, :, 8:40, 8:40] = 1
    assert are_plain(noise, mask).tolist() == [False, True]


def test_a_plain_picture_has_no_parts():
    assert take_segments(torch.full((1, 3, 32, 32), 0.5), torch.Generator().manual_seed(0)).max() == 0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_a_group_is_drawn_by_its_generator_and_not_too_large(seed):
    noise = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    picture = torch.nn.functional.interpolate(noise, (64, 64), mode="bicubic").clamp(0, 1)
    first, second = (take_segments(picture, torch.Generator().manual_seed(seed)) for _ in range(2))
    assert torch.equal(first, second)
    assert float(first.mean()) <= LARGEST + 0.05
