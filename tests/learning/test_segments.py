import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harmonizer.learning.segments import LARGEST, take_segments, vary_segments


def ninths(size=72):
    """Nine plain parts of different colours."""
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    colours = torch.cat([corners, torch.full((1, 3), 0.5)]).T.reshape(1, 3, 3, 3)
    return torch.nn.functional.interpolate(colours, (size, size), mode="nearest")


def test_segments_follow_the_edges_of_the_picture():
    found = 0.0
    for seed in range(16):
        (mask,) = take_segments(ninths(), torch.Generator().manual_seed(seed))
        # Blurred edges may be segments of their own: what counts is that no part's interior is cut.
        interiors = mask[0].unfold(0, 24, 24).unfold(1, 24, 24)[..., 7:17, 7:17].flatten(2)
        assert torch.equal(interiors.amin(dim=2), interiors.amax(dim=2))
        found += interiors[..., 0].sum()
    assert found >= 6  # not ramps alone


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


def test_each_segment_varies_as_one():
    field = vary_segments(ninths(), 200, torch.Generator().manual_seed(1))
    assert field.shape == (1, 1, 72, 72)
    cells = [field[0, 0, top + 6 : top + 18, left + 6 : left + 18] for top in (0, 24, 48) for left in (0, 24, 48)]
    assert all(float(cell.std()) < 1e-6 for cell in cells)
    assert len({round(float(cell.mean()), 4) for cell in cells}) == 9
