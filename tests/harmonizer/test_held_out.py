"""Which pictures are kept from training."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmonizer.evaluation.held_out import EVERY, PLACES, SOURCES, is_held_out

names = st.text(st.characters(codec="utf-8"), min_size=1)


@given(row=st.fixed_dictionaries({"image": names, "scene": names, "source": st.sampled_from(SOURCES)}))
def test_a_column_decides(row):
    assert is_held_out(row | {"held_out": "1"})
    assert not is_held_out(row | {"held_out": "0"})
    assert is_held_out(row | {"held_out": ""}) == is_held_out(row)


def test_about_every_twentieth_photograph_is_held_out_by_its_name():
    chosen = [is_held_out({"image": f"{index}.jpg"}) for index in range(4000)]
    assert 0.8 < sum(chosen) * EVERY / len(chosen) < 1.2
    # The same on every machine and for good: else a trained network would be judged by what it has learned.
    assert [index for index in range(100) if chosen[index]] == [29, 33, 35, 37, 41, 42, 43, 59]


@pytest.mark.parametrize("source", SOURCES)
def test_some_sources_are_held_out_whole(source):
    for column in (source, f"{source}: someone/{source}"):
        assert all(is_held_out({"image": f"{index}.jpg", "source": column}) for index in range(40))
    assert not all(is_held_out({"image": f"{index}.jpg", "source": f"not {source}"}) for index in range(40))


@pytest.mark.parametrize("place", PLACES)
def test_some_places_are_held_out_whole(place):
    for scene in (place, f"{place}_a", f"{place}_b_2"):
        assert is_held_out({"scene": scene, "image": "1.jpg"})


@given(place=st.text("abcdefghij", min_size=1), image=names)
def test_all_scenes_of_a_place_stand_on_one_side(place, image):
    sides = {is_held_out({"scene": scene, "image": image}) for scene in (place, f"{place}_a", f"{place}_b")}
    assert len(sides) == 1


def test_about_every_twentieth_place_is_held_out():
    chosen = [is_held_out({"scene": f"place{index}_a", "image": "1.jpg"}) for index in range(4000)]
    assert 0.8 < sum(chosen) * EVERY / len(chosen) < 1.2
