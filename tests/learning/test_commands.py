"""The commands around training, as a user runs them."""

import json
import sys

import pytest

from harmonizer.cli import app


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command in this process; exit code, stdout, stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["harmonizer", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as exit:
            app.main()
        return exit.value.code or 0, *capsys.readouterr()

    return run


def test_train_export_and_evaluate_follow_each_other(run, photo_folder, tmp_path, monkeypatch):
    from harmonizer.learning.network import pretrained

    create = pretrained.create
    monkeypatch.setattr(pretrained, "create", lambda name, pretrained: create(name, pretrained=False))
    (tmp_path / "small.json").write_text('{"batch_size": 8, "sizes": [[1, 32]], "model": {"input_size": 32}}')
    small = ("--recipe", tmp_path / "small.json", "--encoder", "test_efficientnet", "--steps", 1)
    trained = run("train", photo_folder, tmp_path / "run", *small)
    assert trained[0] == 0, trained
    exported = run("export", tmp_path / "run", tmp_path / "weights")
    assert exported[0] == 0, exported
    options = (
        "--layout",
        "photos",
        "--size",
        256,
        "--weights",
        tmp_path / "weights",
        "--json",
        tmp_path / "report.json",
    )
    code, out, err = run("evaluate", "--data", photo_folder, "--learner", "cascade", "--learner", "mkl+pcm", *options)
    assert code == 0, err
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["layout"], report["size"]) == ("photos", "256")
    for learner in ("composite", "cascade", "mkl+pcm"):
        assert f"{report['summary']['all'][learner]['fmse']:.2f}" in out
    assert set(report["pictures"][0]["theta"]["cascade"]) == {
        "temperature", "brightness", "contrast", "saturation", "highlight", "shadow",
    }  # fmt: skip


def test_a_run_has_the_priors_of_a_study(run, photo_folder, tmp_path):
    from harmonizer.study import adjustments
    from harmonizer.study.bootstrap import Interval

    uses = [adjustments.FilterUse("shadow", 2, (0.1, 0.3), Interval(3.0, 2.0, 4.0))]
    (tmp_path / "priors.json").write_text(adjustments.format_priors(uses))
    (tmp_path / "small.json").write_text(
        '{"batch_size": 8, "sizes": [[1, 32]], "pretrained": false, "network": {"input_size": 32}}'
    )
    options = ("--recipe", tmp_path / "small.json", "--encoder", "test_efficientnet", "--steps", 1)
    trained = run("train", photo_folder, tmp_path / "run", *options, "--priors", tmp_path / "priors.json")
    assert trained[0] == 0, trained
    priors = json.loads((tmp_path / "run/recipe.json").read_text())["priors"]
    assert priors == {"shadow": {"mean": -0.2, "std": pytest.approx(0.02**0.5)}}


def test_ablate_writes_a_table_and_says_where(run, photo_folder, tmp_path, monkeypatch):
    from harmonizer.learning.ablation import ablate

    monkeypatch.setattr(ablate, "variants", lambda: [ablate.BASE])
    options = ("--encoder", "test_efficientnet", "--no-pretrained", "--steps", 1, "--size", 32, "--seeds", 1)
    code, out, _ = run("ablate", photo_folder, tmp_path / "out", *options)
    assert code == 0
    assert "1/1 base, seed 0: fMSE" in out
    assert str(tmp_path / "out" / "table.md") in out.replace("\n", "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["runs.jsonl", "table.md"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("evaluate", "--data", "{folder}"), "holds no composite_images/"),
        (("evaluate", "--data", "{folder}", "--json", "{folder}/none/report.json"), "there is no folder"),
        (("evaluate", "--data", "{folder}", "--layout", "zip"), "no layout is named 'zip'"),
        (("evaluate", "--data", "{folder}", "--learner", "magic"), "no learner is named 'magic'"),
        (("export", "{folder}", "{folder}/out"), "no readable checkpoint"),
        (("convert", "{folder}/none.pth", "{folder}/out"), "not the released harmonizer.pth"),
        (("ablate", "{folder}", "{folder}/out"), "no folder of photographs"),
        (("train", "{folder}", "{folder}/out", "--encoder", "mobilenetv3_small_050"), "no folder of photographs"),
        (("train", "{folder}", "{folder}/out", "--recipe", "papr"), "a recipe (default, continue, paper)"),
        (("train", "{folder}", "{folder}/out", "--resume"), "no run to resume"),
        (("train", "{folder}", "{folder}/out", "--seed", -1), "seed is a whole number from 0 on; got -1"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(run, tmp_path, arguments, says):
    code, out, err = run(*(str(argument).format(folder=tmp_path) for argument in arguments))
    assert code == 2
    assert out == ""
    assert says in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert list(tmp_path.rglob("*.onnx")) == list(tmp_path.rglob("*.safetensors")) == []


def test_a_missing_extra_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "harmonizer.learning.run", None)
    code, _, err = run("train", tmp_path, tmp_path / "run")
    assert code == 2
    assert "whitebox-harmonizer[train]" in err
