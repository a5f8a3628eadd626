"""Bills of materials: what an environment with one of the distributions holds, in CycloneDX's JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.release.commands import ROOT, ReleaseError, run
from tools.release.distributions import Project
from tools.release.environments import Environment, others


def write(environments: dict[Project, Environment], dist: Path) -> Iterator[str]:
    """Write dist/NAME.cdx.json for each; the same environment gives the same file. Raises ReleaseError for a gap."""
    for project, environment in environments.items():
        out = dist / f"{project.name}.cdx.json"
        options = ["--output-format=JSON", "--spec-version=1.6", "--output-reproducible", "--mc-type=library"]
        options += [f"--pyproject={ROOT / project.folder / 'pyproject.toml'}", f"--output-file={out}"]
        run(sys.executable, "-m", "cyclonedx_py", "environment", "--validate", *options, environment.python)
        bill = json.loads(out.read_text(encoding="utf-8"))
        listed = {f"{each['name']} {each['version']}" for each in bill["components"]}
        if missing := set(others(environment)) - listed:
            raise ReleaseError(f"{out.name} lacks {', '.join(sorted(missing))}")
        yield f"{out.name}: {bill['metadata']['component']['name']} and {len(listed)} components, schema 1.6 valid"
