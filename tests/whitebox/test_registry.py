from __future__ import annotations

import dataclasses

import pytest

import whitebox_filters as wf


def test_the_six_filters_of_the_paper_are_registered():
    assert set(wf.DEFAULT_FILTERS) <= set(wf.names())
    assert wf.EIGHT_FILTERS[:6] == wf.DEFAULT_FILTERS
    assert set(wf.EIGHT_FILTERS) - set(wf.DEFAULT_FILTERS) == {"tint", "gamma"} <= set(wf.names())
    assert wf.names() == tuple(sorted(wf.names()))
    assert wf.get("shadow").name == "shadow"


def test_the_filters_that_photographers_know_are_registered():
    tones = {"exposure", "whites", "blacks", "fade"}
    colours = {"vibrance", "hue", "shadow_warmth", "highlight_warmth", "red_gain", "blue_gain"}
    assert tones | colours | set(wf.EIGHT_FILTERS) <= set(wf.names())


def test_an_unknown_name_lists_what_there_is_and_suggests():
    with pytest.raises(wf.UnknownFilterError, match="Did you mean 'contrast'") as error:
        wf.get("contarst")
    for name in wf.names():
        assert name in str(error.value)


def test_a_name_like_none_gets_no_suggestion():
    with pytest.raises(wf.UnknownFilterError) as error:
        wf.get("zzzz")
    assert "Did you mean" not in str(error.value)


def test_a_second_filter_of_one_name_is_refused_and_replaces_nothing():
    before = wf.get("shadow")
    with pytest.raises(wf.DuplicateFilterError, match="shadow"):
        wf.register(dataclasses.replace(before, summary="another"))
    assert wf.get("shadow") is before


def test_a_filter_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        wf.get("shadow").name = "other"


def test_every_error_is_of_one_family():
    errors = [value for value in vars(wf).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert {wf.BackendError, wf.PluginError, wf.UnknownFilterError} <= set(errors)
    for error in errors:
        assert issubclass(error, wf.FilterError)
