"""Writes docs/licences.md: python -m tools.release.licences, in an environment with the extra `dev`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.release.commands import ROOT, ReleaseError
from tools.release.distributions import FILTERS, HARMONIZER, PROJECTS

OURS = {project.name: project for project in PROJECTS}
PAGE = ROOT / "docs" / "licences.md"
KNOWN: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
ALWAYS = {"the filters": (FILTERS.name, ""), "the harmonizer": (HARMONIZER.name, "")}
FOR_DEVELOPMENT = {"test", "bench", "dev", "docs"}
INTRODUCTION = """# Licences of dependencies

Made by `make licences` on Linux with Python 3.11; do not edit. Code, filters and weights of both distributions are
under Apache-2.0. Neither contains any of what is listed here: pip fetches it from its own makers. A package stands in
the first table that needs it.

The licences of the first two tables put no condition on code under Apache-2.0 that uses these packages; a test fails
for one that does. Wheels also carry libraries. Those under the LGPL or the GPL are named below: using them asks nothing
of you; who passes them on, say inside an installer or a container, has to follow their licences. The same goes for
NVIDIA's libraries (LicenseRef-NVIDIA-Proprietary), which torch requires on Linux and the extra `cuda` uses.
"""


def licence(found: Distribution) -> str:
    """The licence of a distribution as an SPDX expression. Raises ReleaseError if its metadata tell of none."""
    name = canonicalize_name(found.name)
    if name in KNOWN["stated"]:
        return str(KNOWN["stated"][name])
    declared = {key: found.metadata.get_all(key) or [] for key in ("License-Expression", "License", "Classifier")}
    for expression in declared["License-Expression"]:
        return str(expression)
    for words in (*declared["License"], *(text.rpartition(" :: ")[2] for text in declared["Classifier"])):
        expression = str(KNOWN["words"].get(words, words))
        if expression in KNOWN["conditional"] or problem(expression) is None:
            return expression
    raise ReleaseError(f"{found.name} declares no licence that is known: read its licence, then add to licences.toml")


def problem(expression: str) -> str | None:
    """What keeps a licence from the packages that are always installed, or None."""
    alternatives = [re.split(r" AND ", each) for each in expression.replace("(", "").replace(")", "").split(" OR ")]
    if any(all(part.strip() in KNOWN["compatible"] for part in parts) for parts in alternatives):
        return None
    return f"{expression} is not known to put no condition on code that uses it; see tools/release/licences.toml"


def needed(name: str, extra: str) -> Iterator[Distribution]:
    """What a distribution of ours, or one of its extras, brings on this platform, without our own; each once."""
    visited: set[tuple[str, str]] = set()
    pending = list(_required(name, extra))
    while pending:
        requirement = pending.pop()
        for each in {"", *requirement.extras}:
            key = (canonicalize_name(requirement.name), each)
            if key in visited:
                continue
            visited.add(key)
            pending += _required(*key)
            if each == "" and key[0] not in OURS:
                yield _installed(key[0])


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise ReleaseError(f"{name} is not installed; use an environment with the extra `dev`") from None


def _required(name: str, extra: str) -> Iterator[Requirement]:
    """What a distribution, or an extra of it, requires by name; of our own, what pyproject.toml says now."""
    if name in OURS:
        own = OURS[name].metadata
        yield from map(Requirement, own["optional-dependencies"][extra] if extra else own["dependencies"])
        return
    for text in _installed(name).requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def groups() -> dict[str, tuple[str, str]]:
    """Titles of the page's tables, in their order, with distribution and extra; what is for development comes last."""
    extras = [
        (project.name, extra)
        for project in PROJECTS
        for extra in project.metadata["optional-dependencies"]
        if extra != "numba"  # the harmonizer requires it
    ]
    users = {f"{name}[{extra}]": (name, extra) for name, extra in extras if extra not in FOR_DEVELOPMENT}
    return {**ALWAYS, **users, "development": (HARMONIZER.name, "dev")}


def tables() -> dict[str, dict[str, Distribution]]:
    """Title to the distributions of its table, which no table before it has."""
    listed: set[str] = set()
    result = {}
    for title, (name, extra) in groups().items():
        new: dict[str, Distribution] = {canonicalize_name(each.name): each for each in needed(name, extra)}
        result[title] = {key: new[key] for key in sorted(new) if key not in listed}
        listed |= set(new)
    return result


def page(found: Mapping[str, Mapping[str, Distribution]]) -> str:
    """The text of docs/licences.md. Raises ReleaseError for a licence that may not stand where it does."""
    parts = [INTRODUCTION]
    for title, packages in found.items():
        name, extra = groups()[title]
        heading = {"": f"Always: {name}"}.get(extra, f"Extra `{extra}` of {name}")
        parts.append(f"\n## {heading if title != 'development' else 'Tests, benchmarks and development alone'}\n\n")
        parts.append("".join(rows(packages, always=title in ALWAYS)) or "Nothing further.\n")
    return "".join(parts)


def rows(packages: Mapping[str, Distribution], *, always: bool) -> Iterator[str]:
    """A Markdown table of packages."""
    if packages:
        yield "| package | licence | inside its wheel |\n|---|---|---|\n"
    for name, found in packages.items():
        expression = licence(found)
        if problem(expression) and (always or expression not in KNOWN["conditional"]):
            raise ReleaseError(f"{name}: {problem(expression)}")
        yield f"| {name} | {expression} | {KNOWN['bundled'].get(name, '')} |\n"


def check(sites: Iterable[Path]) -> Iterator[str]:
    """That what was installed in empty environments has licences that may stand there."""
    for site in sites:
        found = {each.name: each for each in distributions(path=[str(site)]) if each.name not in OURS}
        list(rows(found, always=True))
        yield f"{len(found)} packages, all under licences compatible with Apache-2.0: {', '.join(sorted(found))}"


if __name__ == "__main__":
    PAGE.write_text(page(tables()), encoding="utf-8", newline="\n")
