"""Makes dist/ and checks it: python -m tools.release, from the repository's root, in the dependency group `release`.

Exit code 1 if a check failed. A check that cannot be made here is named as not run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from tempfile import TemporaryDirectory
from pathlib import Path

from tools.release import builds, environments, metadata
from tools.release.commands import ROOT, NotRun, ReleaseError

DIST = ROOT / "dist"
Check = Callable[[], Iterable[str]]


def main() -> int:
    """Run all checks, a failure or not, and end with a table of them; the exit code."""
    packages = builds.empty(DIST) / "packages"
    outcomes = {"builds": outcome("builds", lambda: builds.build(packages))}
    if outcomes["builds"] != "passed":
        return finish(outcomes)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        checks: dict[str, Check] = {
            "metadata": lambda: metadata.check(packages),
            "environments": lambda: environments.try_all(packages, folder),
        }
        outcomes |= {name: outcome(name, check) for name, check in checks.items()}
    return finish(outcomes)


def outcome(name: str, check: Check) -> str:
    """Make a check, print what it says as it says it, and return how it ended."""
    print(f"\n== {name}", flush=True)
    try:
        for line in check():
            print(line, flush=True)
    except ReleaseError as error:
        print(f"FAILED: {error}", flush=True)
        return "FAILED"
    except NotRun as reason:
        print(f"not run: {reason}", flush=True)
        return f"not run: {reason}"
    return "passed"


def finish(outcomes: dict[str, str]) -> int:
    """Print the table; the exit code."""
    print("\n== summary")
    for name, ended in outcomes.items():
        print(f"{name:14}{ended}")
    return int("FAILED" in outcomes.values())


if __name__ == "__main__":
    sys.exit(main())
