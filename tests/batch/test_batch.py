"""`harmonizer batch` on folders and manifests of this machine."""

from __future__ import annotations

import csv
import json

import numpy as np
import pyarrow as pa
import pytest
from batch_steps import harmonizer, pictures, records, write_pair
from pyarrow import parquet

import whitebox_filters as wf
from harmonizer import edits, io
from harmonizer.pictures.picture import Picture


def test_a_folder_gives_what_run_gives_bit_for_bit(pairs, tmp_path):
    out, single = tmp_path / "out", tmp_path / "single.png"
    said = harmonizer("batch", pairs, "-o", out, "--edit", "--lut")
    assert "6 pictures done" in said
    for number in (0, 5):
        edit, lut = tmp_path / "edit.json", tmp_path / "grade.cube"
        harmonizer(
            "run", pairs / f"p{number}.png", pairs / f"p{number}_mask.png", "-o", single, "--edit", edit, "--lut", lut
        )
        assert (out / f"p{number}.png").read_bytes() == single.read_bytes()
        assert (out / f"p{number}.json").read_bytes() == edit.read_bytes()
        assert (out / f"p{number}.cube").read_bytes() == lut.read_bytes()
    found = records(out)
    assert {each.status for each in found.values()} == {"done"}
    assert found["p0.png"].theta == edits.read(out / "p0.json").theta
    statistics = {step.name: step.statistic for step in edits.read(out / "p0.json").steps if step.statistic is not None}
    assert json.loads(json.dumps(statistics)) == found["p0.png"].statistics
    assert set(found["p0.png"].milliseconds) == {"read", "decode", "predict", "render", "encode", "write"}
    assert not (out / "report.parquet.parts").exists()
    assert not (out / "report.parquet.lock").exists()


def test_processes_give_the_same(pairs, tmp_path):
    harmonizer("batch", pairs, "-o", tmp_path / "one")
    harmonizer("batch", pairs, "-o", tmp_path / "two", "--workers", 2)
    assert pictures(tmp_path / "one") == pictures(tmp_path / "two")
    assert len(pictures(tmp_path / "one")) == 6


def test_cut_outs_with_one_background_or_their_own(tmp_path):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    alpha = np.zeros((24, 32), np.uint8)
    alpha[6:18, 8:24] = 255
    generator = np.random.default_rng(0)
    for name in ("a", "sub/b"):
        io.write_image(folder / f"{name}.png", Picture(generator.integers(0, 256, (24, 32, 3), np.uint8), alpha))
    for name in ("sub/b_background.png", "../sky.png"):
        io.write_image(folder / name, Picture(generator.integers(0, 256, (24, 32, 3), np.uint8)))
    harmonizer("batch", folder, "-o", tmp_path / "out", "--background", tmp_path / "sky.png")
    for name, under in (("a", tmp_path / "sky.png"), ("sub/b", folder / "sub/b_background.png")):
        harmonizer("run", folder / f"{name}.png", "--background", under, "-o", tmp_path / "single.png")
        assert (tmp_path / "out" / f"{name}.png").read_bytes() == (tmp_path / "single.png").read_bytes()


ROWS = [
    {"image": "p0.png", "mask": "p0_mask.png", "output": "deep/first.tif", "theta": '{"shadow": 0.5}', "edit": ""},
    {"image": "p1.png", "mask": "p1_mask.png", "output": "", "theta": "shadow=0.25 contrast=-0.1", "edit": ""},
    {"image": "p2.png", "mask": "p2_mask.png", "output": "third.png", "theta": "", "edit": "../edit.json"},
]


def write_csv(path, rows, delimiter=";", encoding="utf-8-sig", first=""):
    with path.open("w", encoding=encoding, newline="") as file:
        file.write(first)
        writer = csv.DictWriter(file, rows[0], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def write_unicode_text(path, rows):
    write_csv(path, rows, delimiter="\t", encoding="utf-16", first="sep=\t\r\n")  # as Excel does


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_parquet(path, rows):
    parquet.write_table(pa.Table.from_pylist(rows), path)


@pytest.mark.parametrize(
    ("write", "extension"),
    [(write_csv, "csv"), (write_unicode_text, "csv"), (write_jsonl, "jsonl"), (write_parquet, "parquet")],
)
def test_a_manifest_in_each_format(pairs, tmp_path, write, extension):
    harmonizer(
        "run", pairs / "p5.png", pairs / "p5_mask.png", "-o", tmp_path / "x.png", "--edit", tmp_path / "edit.json"
    )
    manifest = pairs / f"rows.{extension}"
    write(manifest, ROWS)
    harmonizer("batch", manifest, "-o", tmp_path / "out")
    found = records(tmp_path / "out")
    assert set(found) == {"first.tif", "p1.png", "third.png"}
    assert (found["first.tif"].theta["shadow"], found["p1.png"].theta["shadow"]) == (0.5, 0.25)
    assert found["p1.png"].theta["contrast"] == -0.1
    assert found["third.png"].theta == edits.read(tmp_path / "edit.json").theta
    harmonizer("apply", tmp_path / "edit.json", pairs / "p2.png", pairs / "p2_mask.png", "-o", tmp_path / "y.png")
    assert (tmp_path / "out" / "third.png").read_bytes() == (tmp_path / "y.png").read_bytes()
    assert io.read_image(tmp_path / "out" / "deep" / "first.tif").pixels.shape == (24, 32, 3)


def test_set_and_the_theta_of_an_edit(pairs, tmp_path):
    harmonizer("batch", pairs, "-o", tmp_path / "set", "--set", "shadow=0.5")
    assert all(each.theta["shadow"] == 0.5 for each in records(tmp_path / "set").values())
    harmonizer(
        "run", pairs / "p5.png", pairs / "p5_mask.png", "-o", tmp_path / "x.png", "--edit", tmp_path / "edit.json"
    )
    harmonizer("batch", pairs, "-o", tmp_path / "same", "--theta", tmp_path / "edit.json")
    found = records(tmp_path / "same")
    assert all(each.theta == edits.read(tmp_path / "edit.json").theta for each in found.values())
    assert len({json.dumps(each.statistics) for each in found.values()}) == 6  # each measured on its own picture
    assert "predict" not in found["p0.png"].milliseconds


CORRUPT = {
    "empty": lambda good: b"",
    "text": lambda good: b"no picture",
    "half": lambda good: good[: len(good) // 2],
    "header": lambda good: good[:12],
    "flipped": lambda good: good[:60] + bytes(byte ^ 255 for byte in good[60:]),
    "large": lambda good: good[:16] + (10**6).to_bytes(4, "big") * 2 + good[24:],
    "zero": lambda good: good[:16] + bytes(8) + good[24:],
}


def test_what_cannot_be_done_is_a_row_of_the_report(pairs, tmp_path):
    for name, spoil in CORRUPT.items():
        write_pair(pairs, name, 9)
        path = pairs / f"{name}.png"
        path.write_bytes(spoil(path.read_bytes()))
    write_pair(pairs, "alone", 9)
    (pairs / "alone_mask.png").unlink()
    write_pair(pairs, "colour", 9)
    (pairs / "colour_mask.png").write_bytes((pairs / "p0.png").read_bytes())
    write_pair(pairs, "size", 9)
    io.write_image(pairs / "size_mask.png", Picture(np.full((9, 9, 3), 255, np.uint8)))
    said = harmonizer("batch", pairs, "-o", tmp_path / "out", code=1)
    assert "6 pictures done, 10 failed" in said
    found = records(tmp_path / "out")
    failed = {name for name, each in found.items() if each.status == "failed"}
    assert failed == {f"{name}.png" for name in (*CORRUPT, "alone", "colour", "size")}
    assert all(found[name].error for name in failed)
    assert set(pictures(tmp_path / "out")) == {f"p{number}.png" for number in range(6)}
    summary = harmonizer("batch", "--summary", tmp_path / "out" / "report.parquet")
    assert "6 done, 10 failed" in summary
    assert "what failed" in summary


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"image": ""}, "names no image"),
        ({"image": "p0.png"}, "nothing shows its foreground"),
        ({"image": "p0.png", "mask": "p0_mask.png", "output": "../out.png"}, "does not lie in the folder"),
        ({"image": "p0.png", "mask": "p0_mask.png", "output": "/tmp/out.png"}, "does not lie in the folder"),
        ({"image": "p0.png", "mask": "p0_mask.png", "output": "out.txt"}, "no extension that can be written"),
        ({"image": "p0.png", "mask": "p0_mask.png", "theta": "shadow=x"}, "a setting is NAME=THETA"),
        ({"image": "p0.png", "mask": "p0_mask.png", "theta": "shadow=3"}, "shadow"),
        ({"image": "p0.png", "mask": "p0_mask.png", "theta": "no_such=0.1"}, "no filter no_such"),
        ({"image": "none.png", "mask": "p0_mask.png"}, "there is no file"),
        ({"image": "p1.png", "mask": "p1_mask.png"}, "written to"),
    ],
)
def test_a_bad_row_says_why_and_the_others_are_done(pairs, tmp_path, row, reason):
    write_jsonl(pairs / "rows.jsonl", [{"image": "p1.png", "mask": "p1_mask.png"}, row])
    harmonizer("batch", pairs / "rows.jsonl", "-o", tmp_path / "out", code=1)
    found = list(records(tmp_path / "out").values())
    assert [each.status for each in found] == ["done", "failed"]
    assert reason in found[1].error


def test_an_output_never_overwrites_an_input(pairs):
    before = pictures(pairs)
    said = harmonizer("batch", pairs, "-o", pairs, code=1)
    assert "6 failed" in said
    assert pictures(pairs) == before
    assert "would overwrite" in records(pairs)["p0.png"].error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere", "-o", "out"), "neither a folder nor a manifest"),
        (("in",), "name INPUTS"),
        (("in", "-o", "out", "--set", "no_such=0.1"), "no filter no_such"),
        (("in", "-o", "out", "--set", "shadow=2"), "shadow"),
        (("in", "-o", "out", "--weights", "nowhere"), "there is no"),
        (("in", "-o", "out", "--report", "out/report.txt"), "a report is"),
        (("--summary", "nowhere.parquet"), "cannot be read"),
    ],
)
def test_a_mistake_of_the_whole_batch_is_one_line(pairs, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    said = harmonizer("batch", *arguments, code=2)
    assert message in said
    assert not (tmp_path / "out" / "p0.png").exists()


def test_a_report_as_csv(pairs, tmp_path):
    harmonizer("batch", pairs, "-o", tmp_path / "out", "--report", tmp_path / "all.csv")
    assert {each.status for each in records(tmp_path, "all.csv").values()} == {"done"}
    with (tmp_path / "all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert set(json.loads(rows[0]["theta"])) == set(wf.DEFAULT_FILTERS)
    said = harmonizer("batch", pairs, "-o", tmp_path / "out", "--report", tmp_path / "all.csv")
    assert "0 pictures done, 6 were done before" in said


def test_progress_for_machines(pairs, tmp_path):
    said = harmonizer("batch", pairs, "-o", tmp_path / "out", "--progress", "json")
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert {key: lines[-1][key] for key in ("done", "failed", "skipped", "total")} == {
        "done": 6,
        "failed": 0,
        "skipped": 0,
        "total": 6,
    }
