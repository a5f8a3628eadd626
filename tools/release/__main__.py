"""Makes dist/ and checks it: python -m tools.release [TAG], from the repository's root, with requirements/release.txt.

TAG is that of a release, such as v1.2.3. Exit code 1 if a check failed. A check that cannot be made here is named as
not run.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.release import audit, builds, changelog, environments, licences, metadata, platforms, sbom, typing
from tools.release.commands import ROOT, NotRun, ReleaseError
from tools.release.distributions import HARMONIZER
from tools.release.environments import Tried

DIST = ROOT / "dist"
Check = Callable[[], Iterable[str]]


def main(tag: str | None) -> int:
    """Run all checks, whether one fails or not, and end with a table of them; the exit code."""
    packages = builds.empty(DIST) / "packages"
    outcomes = {"builds": outcome("builds", lambda: builds.build(packages))}
    if outcomes["builds"] != "passed":
        return finish(outcomes)
    with TemporaryDirectory() as temporary:
        for name, check in checks(tag, packages, Path(temporary)).items():
            outcomes[name] = outcome(name, check)
    return finish(outcomes)


def checks(tag: str | None, packages: Path, folder: Path) -> dict[str, Check]:
    """All checks of what was built, in order; those after `environments` look at what it installed."""
    tried: Tried = {}
    return {
        "metadata": lambda: metadata.check(packages),
        "versions": lambda: changelog.check(tag),
        "environments": lambda: environments.try_all(packages, folder, tried),
        "types": lambda: typing.check(tried[HARMONIZER], folder),
        "licences": lambda: licences.check(each.site for each in tried.values()),
        "sbom": lambda: sbom.write(tried, DIST),
        "audit": lambda: audit.check(environments.others(tried[HARMONIZER]), folder),
        "platforms": platforms.rows,
    }


def outcome(name: str, check: Check) -> str:
    """Make a check, print what it says as it says it, and return how it ended."""
    print(f"\n== {name}", flush=True)
    started = time.monotonic()
    try:
        for line in check():
            print(line, flush=True)
        ended = "passed"
    except ReleaseError as error:
        print(f"FAILED: {error}", flush=True)
        ended = "FAILED"
    except NotRun as reason:
        ended = f"not run, or not whole: {reason}"
    print(f"-- {ended} ({time.monotonic() - started:.0f} s)", flush=True)
    return ended


def finish(outcomes: dict[str, str]) -> int:
    """Print the table; the exit code."""
    print("\n== summary")
    for name, ended in outcomes.items():
        print(f"{name:14}{ended}")
    return int("FAILED" in outcomes.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
