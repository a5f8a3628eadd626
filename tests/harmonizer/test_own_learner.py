"""A learner of one's own, as docs/evaluation.md shows it: found by the command, and blind to the real picture."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
MODULE = re.search(r"`halfway.py`:\n\n```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL).group(1)
ENTRY = re.search(r"^```toml\n.*?\n(.*?)\n```", PAGE, re.MULTILINE | re.DOTALL).group(1).replace('"', "")
OPTIONS = ("--data", ".", "--layout", "triples", "--json", "report.json")
PROGRAM = "import sys; from harmonizer.__main__ import main; sys.argv[0] = 'harmonizer'; main()"


@pytest.fixture
def evaluate(tmp_path):
    """Run `harmonizer evaluate` as it is installed, in a folder with one sample; exit code, stderr, the report."""
    real = np.full((24, 32, 3), 120, np.uint8)
    real[:, ::2] += 20
    mask = np.zeros((24, 32), np.uint8)
    mask[6:18, 8:24] = 255
    composite = np.where(mask[..., None] > 0, real - 40, real)
    for name, pixels in (("composite", composite), ("mask", mask), ("real", real)):
        Image.fromarray(pixels).save(tmp_path / f"a_{name}.png")

    def evaluate(*learners, packages=tmp_path / "packages"):
        options = [option for learner in learners for option in ("--learner", learner)]
        done = subprocess.run(
            # -P: an installed command does not have the current folder among its modules.
            [sys.executable, "-P", "-c", PROGRAM, "evaluate", *options, *OPTIONS],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(packages)])},
            capture_output=True,
            text=True,
            check=False,
        )
        report = tmp_path / "report.json"
        return done.returncode, done.stderr, json.loads(report.read_text()) if report.exists() else None

    return evaluate


def test_it_is_found_as_module_and_name_in_the_current_folder(evaluate, tmp_path):
    (tmp_path / "halfway.py").write_text(MODULE)
    code, err, report = evaluate("halfway:open_halfway", "halfway:open_halfway+pcm", "mkl")
    assert (code, err) == (0, "")
    scores = report["pictures"][0]["scores"]
    assert set(scores) == {"composite", "halfway:open_halfway", "halfway:open_halfway+pcm", "mkl"}
    assert scores["composite"]["fmse"] == 1600
    assert scores["halfway:open_halfway"]["fmse"] == pytest.approx(400, rel=0.1)


def test_it_is_found_by_the_entry_point_of_a_package(evaluate, tmp_path):
    packages = tmp_path / "packages"
    metadata = packages / "halfway-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: halfway\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[harmonizer.learners]\n{ENTRY}\n")
    (packages / "halfway.py").write_text(MODULE)
    code, err, report = evaluate("halfway")
    assert (code, err) == (0, "")
    assert report["pictures"][0]["scores"]["halfway"]["fmse"] == pytest.approx(400, rel=0.1)
    code, err, _ = evaluate("nobody")
    assert code == 2
    assert "there are affine, cascade, composite, halfway, mkl" in err


def test_the_real_picture_is_out_of_its_reach(evaluate, tmp_path):
    """Whatever it looks for: not by an attribute of what it is given."""
    cheat = "def cheat(given):\n    return Harmonized(given.real, {})\n"
    (tmp_path / "cheat.py").write_text(MODULE.replace("return halfway", "return cheat") + "\n\n" + cheat)
    code, err, report = evaluate("cheat:open_halfway")
    assert code == 1
    assert "AttributeError: 'Composite' object has no attribute 'real'" in err
    assert report is None


@pytest.mark.parametrize(
    ("learner", "message"),
    [
        ("halfway:missing", "learner 'halfway:missing' cannot be imported: AttributeError"),
        (
            "nowhere:open_it",
            "cannot be imported: ModuleNotFoundError: No module named 'nowhere'. It is searched",
        ),
        ("halfway:NUMBER", "learner 'halfway:NUMBER' is a int; it is a function that takes the folder of --weights"),
        ("broken:open_it", "learner 'broken:open_it' cannot be imported: ZeroDivisionError"),
        ("halfway:", "no learner is named 'halfway:'"),
    ],
)
def test_mistakes_are_one_line(evaluate, tmp_path, learner, message):
    (tmp_path / "halfway.py").write_text(MODULE + "\nNUMBER = 3\n")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    code, err, report = evaluate(learner)
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert report is None
