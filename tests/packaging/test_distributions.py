"""The two distributions: what they hold, and that each one runs where nothing but its dependencies is installed."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, packages_distributions
from pathlib import Path

import numpy as np
import pytest
import tifffile
from empty_environment import EmptyEnvironment, needed, read_wheel
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

import whitebox_filters as wf

ROOT = Path(__file__).parents[2]
FILTERS, HARMONIZER = "whitebox-filters", "whitebox-harmonizer"
PROJECTS = {FILTERS: ROOT / "whitebox_filters", HARMONIZER: ROOT}
PACKAGES = {FILTERS: ROOT / "whitebox_filters", HARMONIZER: ROOT / "harmonizer"}
NOT_PACKED = {"pyproject.toml", "README.md", "LICENSE"}  # at the top of a package's folder: the wheel's metadata
OPTIONAL = {
    "torch",
    "torchvision",
    "timm",
    "onnx",
    "av",
    "openvino",
    "numba-cuda",
    "fastapi",
    "openexr",
    "pillow-heif",
    "choix",
    "fsspec",
    "pyarrow",
    "ray",
    "matplotlib",
}


@dataclass(frozen=True)
class Build:
    """A wheel built from the project's folder, and one built from its source distribution."""

    wheel: Path
    wheel_of_sdist: Path

    @property
    def metadata(self) -> Distribution:
        return read_wheel(self.wheel)


@pytest.fixture(scope="module")
def builds(tmp_path_factory) -> dict[str, Build]:
    return {name: build(folder, tmp_path_factory.mktemp(name)) for name, folder in PROJECTS.items()}


def build(project: Path, out: Path) -> Build:
    def wheel(source: Path, folder: Path) -> Path:
        options = ["--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder]
        python("-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", *options, source)
        [built] = folder.glob("*.whl")
        return built

    python("-m", "hatchling", "build", "--target", "sdist", "--directory", out, cwd=project)
    [sdist] = out.glob("*.tar.gz")
    return Build(wheel(project, out / "of-folder"), wheel(sdist, out / "of-sdist"))


def python(*arguments: str | Path, cwd: Path = ROOT) -> None:
    finished = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def packed_files(build: Build) -> set[str]:
    """Paths of the files in a wheel, its metadata left out."""
    paths = {file.as_posix() for file in build.metadata.files or []}
    return {path for path in paths if ".dist-info/" not in path}


def fenced(page: Path, language: str) -> str:
    """The first block of that language on a page."""
    return re.search(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[1]


@pytest.fixture(scope="module")
def filters_alone(builds, tmp_path_factory) -> EmptyEnvironment:
    """whitebox-filters beside NumPy alone."""
    environment = EmptyEnvironment(tmp_path_factory.mktemp("filters"), ["numpy"])
    environment.install(builds[FILTERS].wheel_of_sdist)
    return environment


@pytest.fixture(scope="module")
def dependencies(builds) -> set[str]:
    """Names of what whitebox-harmonizer needs, besides the two distributions."""
    return needed([HARMONIZER], {name: build.metadata for name, build in builds.items()}) - {FILTERS, HARMONIZER}


@pytest.fixture(scope="module")
def harmonizer_alone(builds, dependencies, tmp_path_factory) -> EmptyEnvironment:
    """Both distributions and what they need; pip finds the filters because the harmonizer asks for them."""
    environment = EmptyEnvironment(tmp_path_factory.mktemp("harmonizer"), dependencies)
    environment.install("--find-links", builds[FILTERS].wheel_of_sdist.parent, builds[HARMONIZER].wheel_of_sdist)
    for name in ("composite.jpg", "mask.png"):
        shutil.copy(ROOT / "demo" / name, environment.home)
    return environment


@pytest.mark.parametrize("name", PROJECTS)
def test_a_wheel_holds_its_package_whole_and_nothing_else(builds, name):
    package = PACKAGES[name]
    inside = (path.relative_to(package) for path in package.rglob("*") if path.is_file())
    expected = {path for path in inside if "__pycache__" not in path.parts and path.as_posix() not in NOT_PACKED}
    assert packed_files(builds[name]) == {f"{package.name}/{path.as_posix()}" for path in expected}


def test_the_wheels_hold_types_and_weights(builds):
    assert "whitebox_filters/py.typed" in packed_files(builds[FILTERS])
    weights = {f"harmonizer/weights/{name}" for name in ("model.onnx", "model.safetensors", "config.json")}
    assert packed_files(builds[HARMONIZER]) >= {"harmonizer/py.typed"} | weights


@pytest.mark.parametrize("name", PROJECTS)
def test_a_source_distribution_builds_the_same_wheel(builds, name):
    """The same bytes: the record lists their hashes."""
    of_folder, of_sdist = (read_wheel(wheel) for wheel in (builds[name].wheel, builds[name].wheel_of_sdist))
    assert of_folder.read_text("RECORD") == of_sdist.read_text("RECORD")


@pytest.mark.parametrize("name", PROJECTS)
def test_a_wheel_states_its_licence_and_its_python(builds, name):
    packed = builds[name].metadata
    assert packed.metadata["Name"] == name
    assert packed.metadata["License-Expression"] == "Apache-2.0"
    assert packed.read_text("licenses/LICENSE") == (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert packed.metadata["Requires-Python"] == ">=3.11"
    assert packed.metadata["Description-Content-Type"] == "text/markdown"


def test_the_filters_need_numpy_and_offer_the_backends(builds):
    packed = builds[FILTERS].metadata
    assert needed([FILTERS], {FILTERS: packed}) == {FILTERS, "numpy"}
    assert set(packed.metadata.get_all("Provides-Extra")) == {"numba", "torch", "cuda"}


def test_the_harmonizer_needs_the_filters_of_its_version_and_nothing_optional(builds, dependencies):
    assert builds[FILTERS].metadata.version == builds[HARMONIZER].metadata.version
    assert f"whitebox-filters[numba]=={builds[FILTERS].metadata.version}" in builds[HARMONIZER].metadata.requires
    assert not dependencies & OPTIONAL


def test_every_import_is_declared(builds):
    """By the distribution itself or an extra of it; the harmonizer may also use what the filters require."""
    owners = packages_distributions()
    declared: set[str] = set()
    for name in (FILTERS, HARMONIZER):
        declared |= {canonicalize_name(Requirement(text).name) for text in builds[name].metadata.requires}
        for module in imported_packages(PACKAGES[name]):
            assert declared & {canonicalize_name(owner) for owner in owners.get(module, [module])}, (
                f"{name} imports {module}"
            )


def imported_packages(folder: Path) -> set[str]:
    """The top-level names that a package imports, without its own, ours and those of Python."""
    modules: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules.add(node.module)
    return (
        {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - {"harmonizer", "whitebox_filters"}
    )


def test_nothing_names_the_distribution_of_others():
    """`harmonizer` on the package index is another tool; an extra is always one of ours."""
    folders = (ROOT / "whitebox_filters", ROOT / "harmonizer", ROOT / "docs")
    files = [path for folder in folders for suffix in ("py", "md") for path in folder.rglob(f"*.{suffix}")]
    for path in (ROOT / "pyproject.toml", ROOT / "README.md", *files):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w-])harmonizer\[[a-z]|pip install '?harmonizer\b", text), path


def test_the_filters_run_beside_numpy_alone(filters_alone):
    code = """
import numpy as np
import whitebox_filters as wf
import whitebox_filters.testing
photo = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
np.save("filtered.npy", wf.Cascade()(photo, [0.1, 0.2, -0.1, 0.3, 0.2, -0.2]))
print(wf.__file__)
"""
    assert filters_alone.site in Path(filters_alone.run("python", "-W", "error", "-c", code).strip()).parents
    photo = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    expected = wf.Cascade()(photo, [0.1, 0.2, -0.1, 0.3, 0.2, -0.2])
    np.testing.assert_array_equal(np.load(filters_alone.home / "filtered.npy"), expected)


def test_the_readme_of_the_filters_runs_beside_numpy_alone(filters_alone):
    example = fenced(PACKAGES[FILTERS] / "README.md", "python")
    assert "shadow" in filters_alone.run("python", "-W", "error", "-c", example)


@pytest.mark.parametrize("backend", ["numba", "torch", "cuda"])
def test_a_backend_that_is_not_installed_names_its_extra(filters_alone, backend):
    code = f"""
import whitebox_filters as wf
try:
    wf.Cascade().compile({backend!r})
except wf.BackendError as error:
    print(error)
"""
    assert f"pip install 'whitebox-filters[{backend}]'" in filters_alone.run("python", "-c", code)


def test_numba_by_name_names_its_extra(filters_alone):
    code = """
import numpy as np
import whitebox_filters as wf
try:
    wf.Cascade(["shadow"])(np.zeros((2, 2, 3), np.uint8), [0.1], backend="numba")
except wf.BackendError as error:
    print(error)
"""
    assert "pip install 'whitebox-filters[numba]'" in filters_alone.run("python", "-c", code)


def test_the_commands_of_the_harmonizer_run(builds, harmonizer_alone):
    assert harmonizer_alone.run("harmonizer", "--version") == f"harmonizer {builds[HARMONIZER].metadata.version}\n"
    assert "composite" in harmonizer_alone.run("harmonizer", "--help")


def test_the_readme_of_the_harmonizer_runs(harmonizer_alone):
    """Its command and its code, in a folder that holds the two pictures: both give the same harmonized picture."""
    page = PACKAGES[HARMONIZER] / "README.md"
    [command] = [line for line in fenced(page, "").splitlines() if line.startswith("harmonizer ")]
    harmonizer_alone.run(*command.partition("#")[0].split())
    check = "import harmonizer, whitebox_filters\nprint(harmonizer.__file__, whitebox_filters.__file__, sep='\\n')"
    *_, ours, filters = harmonizer_alone.run("python", "-c", fenced(page, "python") + check).splitlines()
    assert all(harmonizer_alone.site in Path(file).parents for file in (ours, filters))

    names = ("composite.jpg", "mask.png", "harmonized.png", "from_python.png")
    composite, mask, harmonized, from_python = (np.asarray(Image.open(harmonizer_alone.home / name)) for name in names)
    np.testing.assert_array_equal(from_python, harmonized)
    np.testing.assert_array_equal(harmonized[mask == 0], composite[mask == 0])
    assert (harmonized[mask == 255] != composite[mask == 255]).any()


def test_the_harmonizer_reads_and_writes_16_bits(harmonizer_alone):
    """By dependencies that pictures of 8 bits do not use."""
    composite = np.asarray(Image.open(ROOT / "demo" / "composite.jpg")).astype(np.uint16) * 257
    tifffile.imwrite(harmonizer_alone.home / "deep.tif", composite, photometric="rgb")
    harmonizer_alone.run("harmonizer", "run", "deep.tif", "mask.png", "-o", "deep_harmonized.tif")
    harmonized = tifffile.imread(harmonizer_alone.home / "deep_harmonized.tif")
    assert (harmonized.dtype, harmonized.shape) == (np.uint16, composite.shape)


def test_the_filters_are_installed_editably_alone(tmp_path):
    environment = EmptyEnvironment(tmp_path, needed(["numpy", "hatchling"], {}))
    environment.install("--editable", ROOT / "whitebox_filters")
    file = environment.run("python", "-c", "import whitebox_filters\nprint(whitebox_filters.__file__)")
    assert Path(file.strip()).parent == PACKAGES[FILTERS]


def test_both_are_installed_editably_by_one_command(dependencies, tmp_path):
    """What the Makefile does: the harmonizer's requirement is met by the folder beside it."""
    environment = EmptyEnvironment(tmp_path, dependencies | needed(["hatchling"], {}))
    environment.install("--editable", ROOT / "whitebox_filters", "--editable", ROOT)
    code = "import harmonizer, whitebox_filters\nprint(harmonizer.__file__, whitebox_filters.__file__, sep='\\n')"
    files = environment.run("python", "-c", code).splitlines()
    assert [Path(file).parent for file in files] == [PACKAGES[HARMONIZER], PACKAGES[FILTERS]]
    assert environment.run("harmonizer", "--version").startswith("harmonizer ")
