"""A third party's filter, as docs/plugins.md shows it: one file of its own and an entry point."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
MODULE = re.search(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL).group(1)
LINE = re.search(r"^```toml\n.*?\n(.*?)\n```", PAGE, re.MULTILINE | re.DOTALL).group(1).replace('"', "")


@pytest.fixture
def run_with(run_python, tmp_path):
    """Run code where packages are installed: {name: (entry point line, text of film_midtones.py or None)}."""

    def run(code, packages):
        for name, (line, module) in packages.items():
            metadata = tmp_path / f"{name}-1.0.dist-info"
            metadata.mkdir()
            (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            (metadata / "entry_points.txt").write_text(f"[whitebox_filters.filters]\n{line}\n")
            if module is not None:
                (tmp_path / "film_midtones.py").write_text(module)
        return run_python(code, PYTHONPATH=os.pathsep.join([str(ROOT), str(tmp_path)])).splitlines()

    return run


CHECK = """
import sys
import whitebox_filters as wf
print("film_midtones" in wf.names(), "film_midtones" in sys.modules)
filter = wf.get("film_midtones")
print(wf.get("film_midtones") is filter, filter.summary)
from whitebox_filters.testing import BACKENDS, check_filter
print(check_filter(filter).backends == tuple(BACKENDS))
"""


@pytest.mark.parametrize(
    "module", [MODULE, f"{MODULE}\nimport whitebox_filters\nwhitebox_filters.register(FILM_MIDTONES)"]
)
def test_it_is_found_when_asked_for(run_with, module):
    found = run_with(CHECK.partition("from whitebox_filters.testing")[0], {"film": (LINE, module)})
    assert found == ["True False", "True lifts the middle tones above 0, lowers them below"]


def test_it_passes_the_conformance_suite_on_every_backend(run_with):
    assert run_with(CHECK, {"film": (LINE, MODULE)})[-1] == "True"


TRAIN = """
import torch
from harmonizer.learning import losses
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.network.network import Network

torch.manual_seed(0)
torch.set_num_threads(1)  # tiny pictures
network = Network(NetworkConfig(encoder="mobilenetv3_small_050", input_size=32, filters=("film_midtones",)))
real = 0.2 + 0.6 * torch.rand(8, 3, 32, 32)
mask = torch.zeros(8, 1, 32, 32)
mask[:, :, 8:24, 8:24] = 1
composite = network.cascade(real, torch.full((8, 1), -0.5), mask)
optimizer = torch.optim.Adam(network.parameters(), 3e-3)
for step in range(25):
    theta = network(composite, mask)
    error = ((network.cascade(composite, theta, mask) - real) ** 2).mean()
    if step == 0:
        first = error.item()
    optimizer.zero_grad()
    error.backward()
    optimizer.step()
print(error.item() < 0.2 * first, float(theta.mean()) > 0.2)
"""


def test_a_network_learns_to_set_it(run_with):
    assert run_with(TRAIN, {"film": (LINE, MODULE)}) == ["True True"]


ERRORS = """
import whitebox_filters as wf
for ask in (lambda: wf.get("shadow").name, lambda: "film_midtones" in wf.names(), lambda: wf.get("film_midtones").name):
    try:
        print(ask())
    except wf.FilterError as error:
        print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("line", "module", "message"),
    [
        (LINE, "raise RuntimeError('no licence')", "cannot be loaded: RuntimeError: no licence"),
        (LINE, "import a_module_that_is_not_there", "cannot be loaded: ModuleNotFoundError"),
        (LINE, "FILM_MIDTONES = 'a curve'", "is a str; its entry point must name a whitebox_filters.Filter"),
        (LINE, MODULE.replace('name="film_midtones"', 'name="curve"'), "calls itself 'curve'"),
    ],
)
def test_a_broken_package_is_named_and_the_other_filters_work(run_with, line, module, message):
    shadow, listed, broken = run_with(ERRORS, {"film": (line, module)})
    assert (shadow, listed) == ("shadow", "True")
    assert broken.startswith("PluginError filter 'film_midtones' of package 'film' (film_midtones:FILM_MIDTONES)")
    assert message in broken


def test_two_packages_that_offer_one_name_are_both_named(run_with):
    other = LINE.replace(":FILM", ":OTHER")
    shadow, listed, asked = run_with(ERRORS, {"film": (LINE, MODULE), "rival": (other, None)})
    assert shadow == "shadow"
    assert listed == asked
    assert re.search(r"PluginError packages '(film|rival)' and '(rival|film)' both offer .*'film_midtones'", listed)
