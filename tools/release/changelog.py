"""Versions, the changelog and CITATION.cff, which must agree; and files that others read by a schema."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from tools.release.commands import ROOT, ReleaseError, run
from tools.release.distributions import HARMONIZER, PROJECTS

HEADING = re.compile(r"^## (?P<version>\d+\.\d+\.\d+) \((?P<date>unreleased|\d{4}-\d{2}-\d{2})\)$", re.MULTILINE)


def check(tag: str | None) -> Iterator[str]:
    """That one version stands everywhere, and for a tag, that it is this version and has a day in the changelog."""
    version, date = latest((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    said = {f"pyproject.toml of {project.name}": project.version for project in PROJECTS}
    said |= {"CHANGELOG.md": version, "CITATION.cff": cited[1] if cited else "none"}
    if len(set(said.values())) > 1:
        raise ReleaseError("one version has to stand everywhere: " + ", ".join(f"{v} in {k}" for k, v in said.items()))
    if tag and (tag != f"v{HARMONIZER.version}" or date == "unreleased"):
        raise ReleaseError(f"the tag {tag} is of version {HARMONIZER.version}, {date} in CHANGELOG.md: give it its day")
    yield f"version {version} everywhere; in the changelog: {date}"
    validate = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    run(*validate, "vendor.citation-file-format", ROOT / "CITATION.cff")
    yield "CITATION.cff is valid by its schema"
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    run(*validate, "vendor.github-workflows", *workflows)
    run("zizmor", "--offline", "--quiet", *workflows)
    yield f"{', '.join(path.name for path in workflows)}: valid by their schema, zizmor has no finding"


def latest(changelog: str) -> tuple[str, str]:
    """Version and date of the newest section. Raises ReleaseError if there is none, or a heading in another form."""
    headings = [line for line in changelog.splitlines() if line.startswith("## ")]
    first = HEADING.match(headings[0]) if headings else None
    if not first:
        raise ReleaseError(
            f"CHANGELOG.md starts with {headings[:1]}, not with `## 1.2.3 (2026-01-31)` or `(unreleased)`"
        )
    return first["version"], first["date"]
