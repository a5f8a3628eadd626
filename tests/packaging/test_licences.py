"""docs/licences.md, and what makes a licence one that users need not think of."""

from __future__ import annotations

import sys
from importlib.metadata import distribution

import pytest

from tools.release import licences
from tools.release.commands import ReleaseError

ONE_PLATFORM = pytest.mark.skipif(
    sys.platform != "linux" or sys.version_info[:2] != (3, 11), reason="the page lists what Linux and Python 3.11 need"
)


@ONE_PLATFORM
def test_the_page_lists_what_is_installed():
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page(licences.tables()), "run `make licences`"


@pytest.mark.parametrize(
    "expression",
    ["MIT", "BSD-2-Clause AND Apache-2.0 WITH LLVM-exception", "GPL-2.0-only OR MIT", "(Apache-2.0 OR BSD-3-Clause)"],
)
def test_licences_without_conditions(expression):
    assert licences.problem(expression) is None


@pytest.mark.parametrize("expression", ["LGPL-3.0-or-later", "MIT AND GPL-3.0-only", "LicenseRef-NVIDIA-Proprietary"])
def test_licences_with_conditions(expression):
    assert expression in licences.problem(expression)


def test_a_package_with_a_condition_may_only_be_optional():
    packages = {"nvidia-cublas": Declared("nvidia-cublas", "LicenseRef-NVIDIA-Proprietary")}
    assert "NVIDIA" in "".join(licences.rows(packages, always=False))
    with pytest.raises(ReleaseError, match="nvidia-cublas: LicenseRef-NVIDIA"):
        list(licences.rows(packages, always=True))


def test_a_copyleft_package_may_not_even_be_optional():
    with pytest.raises(ReleaseError, match="some-codec: GPL-3"):
        list(licences.rows({"some-codec": Declared("some-codec", "GPL-3.0-only")}, always=False))


def test_a_package_that_tells_of_no_licence_is_an_error():
    with pytest.raises(ReleaseError, match="no licence that is known"):
        licences.licence(Declared("strange", None))


def test_libraries_inside_wheels_are_named_for_packages_that_are_listed():
    assert set(licences.KNOWN["bundled"]) <= {name for packages in licences.tables().values() for name in packages}


def test_the_wheels_of_pyav_still_carry_what_the_page_says():
    """LGPL and GPL: if they no longer did, the page and docs/video.md would be wrong."""
    files = " ".join(str(file) for file in distribution("av").files or [])
    if "av.libs" not in files:
        pytest.skip("this platform's wheel keeps its libraries elsewhere")
    assert all(name in files for name in ("libavcodec", "libx264", "libx265"))


class Declared:
    """An installed distribution, as far as its licence goes."""

    def __init__(self, name: str, expression: str | None) -> None:
        self.name, self.version, self.metadata = name, "1.0", self
        self._fields = {"License-Expression": [expression] if expression else []}

    def get_all(self, key: str) -> list[str] | None:
        return self._fields.get(key)
