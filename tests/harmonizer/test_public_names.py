"""What `harmonizer` offers at its top level."""

from __future__ import annotations

import inspect

import harmonizer
from harmonizer import errors


def test_every_error_is_exported():
    family = {name for name, _ in inspect.getmembers(errors, inspect.isclass)}
    assert family <= set(harmonizer.__all__)


def test_every_exported_name_is_there():
    for name in harmonizer.__all__:
        assert getattr(harmonizer, name).__name__.rpartition(".")[2] == name
