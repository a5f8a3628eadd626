"""Known vulnerabilities of what users and development install."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.release.commands import ROOT, NotRun, ReleaseError

OPTIONS = ["--no-deps", "--disable-pip", "--progress-spinner=off"]


def check(installed: list[str], folder: Path) -> Iterator[str]:
    """Ask pip-audit about `installed`, "NAME VERSION" each, and about the lock of development.

    Raises ReleaseError for a vulnerability, and NotRun where its data cannot be reached.
    """
    users = folder / "installed.txt"
    users.write_text("".join(f"{each.replace(' ', '==')}\n" for each in installed), encoding="utf-8")
    for what, requirements in (("what users install", users), ("the lock", ROOT / "requirements" / "dev.txt")):
        audited = ask(requirements)
        if skipped := [each["name"] for each in audited if "skip_reason" in each]:
            if len(skipped) == len(audited):
                raise NotRun(
                    "the package index that is reached here has no data about vulnerabilities; elsewhere: "
                    f"pip-audit --strict {' '.join(OPTIONS)} -r requirements/dev.txt"
                )
            raise ReleaseError(f"{what}: no data about {', '.join(skipped)}")
        if bad := [each for each in audited if each["vulns"]]:
            raise ReleaseError("\n".join(f"{each['name']} {each['version']}: {ids(each)}" for each in bad))
        yield f"{what}: {len(audited)} packages, no vulnerability known"


def ask(requirements: Path) -> list[dict[str, Any]]:
    """What pip-audit says of each package. Raises NotRun if it says nothing."""
    command = [sys.executable, "-m", "pip_audit", "--format=json", *OPTIONS, "-r", str(requirements)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return list(json.loads(finished.stdout)["dependencies"])
    except ValueError:
        last = finished.stderr.strip().splitlines()[-1:]
        raise NotRun(f"pip-audit reached no data: {' '.join(last)}") from None


def ids(vulnerable: dict[str, Any]) -> str:
    """The names of its vulnerabilities and the versions that mend them."""
    return ", ".join(f"{each['id']} (mended in {each['fix_versions'] or 'none'})" for each in vulnerable["vulns"])
