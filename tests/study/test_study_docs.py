"""The commands of docs/study.md run, one after the other, and do what the page says."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

from harmonizer.study.study import Study

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/study.md").read_text(encoding="utf-8")


def test_the_page_from_the_folder_to_the_ranking(tmp_path, run_script, shell_blocks):
    (tmp_path / "demo").symlink_to(ROOT / "demo")

    def run(script):
        done = run_script(script, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    install, make_folder, priors, rank = shell_blocks(PAGE)
    assert install.startswith("pip install")
    run(make_folder)
    chance = random.Random(0)
    with Study.open(tmp_path / "study") as study:
        assert study.folder.filters == ("temperature", "brightness", "shadow")
        for _ in range(12):
            participant = study.register()
            while (task := study.progress(participant).task) is not None:
                if task.question.kind == "compare":
                    study.compare(task, chance.choice(["first", "second"]))
                else:
                    theta = {name: chance.uniform(-0.5, 0.5) for name in study.folder.filters}
                    study.adjust(task, theta, {name: chance.randint(1, 5) for name in theta})
    assert "temperature" in run(priors)
    assert list(json.loads((tmp_path / "priors.json").read_text())) == ["temperature", "brightness", "shadow"]
    assert len((tmp_path / "filters.csv").read_text().splitlines()) == 4
    assert "<svg" in (tmp_path / "filters.svg").read_text()
    assert "photograph" in run(rank)
    rows = csv.DictReader((tmp_path / "methods.csv").read_text().splitlines())
    assert {row["method"] for row in rows} == {"photograph", "harmonizer", "composite"}
