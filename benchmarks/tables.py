"""Runs the evaluations and writes docs/results.md: the paper's Tables 1 and 2 on the pictures that there are.

From the repository root: python benchmarks/tables.py --data DIR, where DIR holds the folders iharmony4_sample and
iharmony4_more (with published.csv), webcam, webcam_chamonix, triples_256, scenes and photos. Each evaluation is one
`harmonizer evaluate`, whose report is left in --reports; with --reuse those already there are not run again.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from paper_tables.page import page
from paper_tables.runs import Run, runs

RESULTS = Path(__file__).parents[1] / "docs" / "results.md"


def main() -> None:
    """Evaluate, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of these folders of pictures")
    parser.add_argument("--reports", type=Path, default=Path("out/tables"), help="where the JSON reports go")
    parser.add_argument("--reuse", action="store_true", help="take the reports that are there already")
    parser.add_argument("--weights", type=Path, help="a checkpoint folder instead of the one shipped")
    parser.add_argument("--network", default="cascade", help="the regressor that the checkpoint has")
    options = parser.parse_args()
    options.reports.mkdir(parents=True, exist_ok=True)
    chosen = runs(options.network)

    def evaluate(run: Run) -> None:
        if not (options.reuse and (options.reports / run.report).is_file()):
            command = run.command(options.data, options.reports, options.weights)
            print(shlex.join(["harmonizer", *command]), flush=True)
            process = [sys.executable, "-m", "harmonizer", *command]
            subprocess.run(process, check=True, stdout=subprocess.DEVNULL)

    with ThreadPoolExecutor(2) as pool:  # the longest last would leave one core idle
        list(pool.map(evaluate, reversed(chosen)))
    reports = [(run, json.loads((options.reports / run.report).read_text())) for run in chosen]
    RESULTS.write_text(page(reports, options.network, options.data, options.weights))


if __name__ == "__main__":
    main()
