"""Empty environments of each Python, in which both distributions are installed from their wheels and used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from tools.release.commands import ROOT, NotRun, run
from tools.release.distributions import FILTERS, HARMONIZER, Project

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SMOKE = Path(__file__).parent / "smoke"
BIN = "Scripts" if os.name == "nt" else "bin"


def find_python(version: str) -> Path | None:
    """An interpreter of that version: `python3.X` on the PATH, or one that pyenv installed."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = shutil.which(f"python{version}")
    candidates = [Path(on_path)] if on_path else []
    candidates += sorted(pyenv.glob(f"{version}.*/bin/python{version}"), reverse=True)
    return next((path for path in candidates if _answers(path, version)), None)


def _answers(python: Path, version: str) -> bool:
    """Pyenv puts programs on the PATH that refuse to run."""
    command = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    return finished.stdout.strip() == version


class Environment:
    """A virtual environment with nothing in it, not even pip, and a home folder of its own."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        run(python, "-m", "venv", "--without-pip", folder / "venv")
        self.python = folder / "venv" / BIN / ("python.exe" if os.name == "nt" else "python")
        self.home.mkdir()

    def install(self, project: Project, packages: Path) -> None:
        """As a user does, with the wheels of `packages` beside the package index; from wheels alone."""
        options = ["--quiet", "--only-binary", ":all:", "--find-links", str(packages), "--no-warn-script-location"]
        requirement = f"{project.name}=={project.version}"
        run(sys.executable, "-m", "pip", "--python", self.python, "install", *options, requirement)

    def run(self, command: str, *arguments: str | Path) -> str:
        """What a command of the environment prints, in the home folder and with few variables."""
        env = {"HOME": str(self.home), "PATH": f"{self.python.parent}{os.pathsep}{os.defpath}", "PYTHONPATH": ""}
        return run(self.python.parent / command, *arguments, cwd=self.home, env=env)

    @property
    def site(self) -> Path:
        """Where its packages are."""
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        return Path(self.run("python", "-I", "-c", code).strip())


Tried = dict[Project, Environment]


def try_all(packages: Path, folder: Path, tried: Tried) -> Iterator[str]:
    """Try both distributions on every Python of PYTHONS that is here; `tried` gets the environments of the oldest one.

    Raises NotRun at the end if a Python is missing.
    """
    missing = []
    for version in PYTHONS:
        python = find_python(version)
        if python is None:
            missing.append(version)
            continue
        exact = run(python, "-c", "import platform; print(platform.python_version())").strip()
        filters = Environment(python, folder / version / FILTERS.name)
        yield f"Python {exact}: {try_filters(filters, packages)}"
        harmonizer = Environment(python, folder / version / HARMONIZER.name)
        yield from (f"Python {exact}: {line}" for line in try_harmonizer(harmonizer, packages))
        if not tried:
            tried |= {FILTERS: filters, HARMONIZER: harmonizer}
    if missing:
        raise NotRun(f"no interpreter here of Python {', '.join(missing)}; `uv python install {missing[0]}` brings one")


def try_filters(environment: Environment, packages: Path) -> str:
    """Install the filters beside NumPy alone, run their README and the smoke test."""
    environment.install(FILTERS, packages)
    environment.run("python", "-I", "-W", "error", "-c", readme_block(FILTERS.wheel_in(packages), "python"))
    environment.run("python", "-I", "-W", "error", SMOKE / "check_filters.py", environment.site)
    return f"{FILTERS.name} beside {', '.join(others(environment))}: README and smoke test"


def try_harmonizer(environment: Environment, packages: Path) -> Iterator[str]:
    """Install the harmonizer with what it needs, run its README, the smoke test and the demo."""
    environment.install(HARMONIZER, packages)
    for name in ("composite.jpg", "mask.png"):
        shutil.copy(ROOT / "demo" / name, environment.home)
    wheel = HARMONIZER.wheel_in(packages)
    [command] = [line for line in readme_block(wheel, "").splitlines() if line.startswith("harmonizer ")]
    environment.run(*command.partition("#")[0].split())
    environment.run("python", "-I", "-c", readme_block(wheel, "python"))
    yield environment.run("python", "-I", SMOKE / "check_harmonizer.py", environment.site).strip()
    shutil.copytree(ROOT / "demo", environment.home / "demo")
    yield "demo: " + environment.run("python", Path("demo") / "run.py").splitlines()[-1]
    yield f"{HARMONIZER.name} beside {', '.join(others(environment))}"


def readme_block(wheel: Path, language: str) -> str:
    """The first block of that language in the README that a wheel carries."""
    [packed] = distributions(path=[str(wheel)])
    readme = packed.metadata.json["description"]
    assert isinstance(readme, str)
    found = re.search(rf"^```{language}\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert found, f"{wheel.name}: its README has no block of {language or 'plain text'}"
    return found[1]


def others(environment: Environment) -> list[str]:
    """Name and version of all that is installed, except the two distributions."""
    ours = {FILTERS.name, HARMONIZER.name}
    installed = {each.name: each.version for each in distributions(path=[str(environment.site)])}
    return [f"{name} {version}" for name, version in sorted(installed.items()) if name not in ours]
