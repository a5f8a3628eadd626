"""`harmonizer studio --study`, killed at any time, and the commands that read what it stored."""

from __future__ import annotations

import csv
import json
import random
import sys
import threading
import time

import httpx
import pytest
from small_study import FILTERS, adjust_by_truth, compare_by_truth, write_study
from studio_process import Studio, run

from harmonizer.study.store import Store
from harmonizer.study.study import DATABASE
from harmonizer.study.tasks import Kind

PARTICIPANTS = 3


@pytest.fixture
def studio(tmp_path):
    studio = Studio(write_study(tmp_path / "study", composites=20, comparisons=10))
    studio.start()
    yield studio
    studio.process.kill()
    studio.process.wait()
    studio.process.stderr.close()


class Participant:
    """Answers until the end or until the server is gone; knows which answers were acknowledged."""

    def __init__(self, url, number):
        self.number, self.stored, self.answered = number, {}, 0
        self.id = httpx.post(f"{url}/v1/study/participants", timeout=30).json()["participant"]

    def answer(self, url):
        place = f"{url}/v1/study/participants/{self.id}"
        try:
            with httpx.Client(timeout=30) as client:
                progress = client.get(place).json()
                assert progress["answered"] >= len(self.stored)
                while task := progress["task"]:
                    answer = self.reply(task)
                    progress = client.post(f"{place}/answers", json=answer).json()
                    self.stored[task["id"]] = answer  # acknowledged
                self.answered = progress["answered"]
        except httpx.TransportError:
            pass

    def reply(self, task):
        if task["kind"] == "compare":
            return {"task": task["id"], "choice": random.choice(["first", "second"])}
        theta = {name: round(random.uniform(-1, 1), 6) for name in FILTERS}
        return {"task": task["id"], "theta": theta, "importance": dict.fromkeys(FILTERS, 1 + self.number)}


def check(folder, participants):
    """All that was acknowledged is there, under its participant; and at most one more each, whose reply was lost."""
    with Store(folder / DATABASE) as store:
        answers = [*store.answers(Kind.adjust), *store.answers(Kind.compare)]
    for each in participants:
        own = {
            answer.task.id: {"task": answer.task.id, **answer.values}
            for answer in answers
            if answer.task.participant == each.id
        }
        assert each.stored.items() <= own.items()
        assert len(own) <= len(each.stored) + 1
        each.stored = own


def test_no_acknowledged_answer_is_lost_by_kill_9_and_everybody_goes_on(studio):
    participants = [Participant(studio.url, number) for number in range(PARTICIPANTS)]
    for _ in range(5):
        threads = [threading.Thread(target=each.answer, args=[studio.url]) for each in participants]
        before = sum(len(each.stored) for each in participants)
        until = before + random.randint(5, 20)
        for thread in threads:
            thread.start()
        while sum(len(each.stored) for each in participants) < until:
            assert any(thread.is_alive() for thread in threads)
            time.sleep(0.001)
        studio.kill()
        for thread in threads:
            thread.join()
        check(studio.folder, participants)
        studio.start()
    for each in participants:
        each.answer(studio.url)
        assert each.answered == 20 + 10 * 3
    check(studio.folder, participants)


def test_the_page_is_opened_in_a_browser_that_the_command_does_not_wait_for(tmp_path, monkeypatch):
    program = tmp_path / "browser"
    program.write_text(
        f"#!{sys.executable}\nimport pathlib, sys, urllib.request\n"
        f"page = urllib.request.urlopen(sys.argv[1]).read()\n"
        f"pathlib.Path({str(tmp_path / 'part')!r}).write_bytes(page)\n"
        f"pathlib.Path({str(tmp_path / 'part')!r}).rename({str(tmp_path / 'opened')!r})\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{program} %s")
    studio = Studio(write_study(tmp_path / "study"))
    studio.start("--open")
    try:
        for _ in range(600):  # rather than hang where nothing opens it
            if (tmp_path / "opened").exists():
                break
            time.sleep(0.05)
        assert "study.js" in (tmp_path / "opened").read_text()
    finally:
        studio.stop()


def test_without_a_study_the_page_is_that_of_the_studio():
    studio = Studio(None)
    studio.start()
    try:
        assert "studio.js" in httpx.get(studio.url).text
        assert httpx.get(f"{studio.url}/study").status_code == 404
    finally:
        studio.stop()


def test_a_folder_that_is_no_study_is_one_line(tmp_path):
    done = run("studio", "--study", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "holds no study" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.fixture
def database(tmp_path):
    with Store(tmp_path / "answers.sqlite", create=True) as store:
        adjust_by_truth(store, 4, 3, {"brightness": (0.2, 0.3, 4.0), "shadow": (0.0, 0.2, 2.0)})
        compare_by_truth(store, 12, 4, {"ours": 1.0, "theirs": 0.0, "composite": -1.0})
    return tmp_path / "answers.sqlite"


def test_priors_are_printed_and_written(database, tmp_path):
    done = run(
        "study",
        "priors",
        database,
        "-o",
        tmp_path / "p.json",
        "--csv",
        tmp_path / "p.csv",
        "--plot",
        tmp_path / "p.png",
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader((tmp_path / "p.csv").read_text().splitlines()))
    priors = json.loads((tmp_path / "p.json").read_text())
    assert list(priors) == [row["filter"] for row in rows] == ["brightness", "shadow"]
    for row in rows:
        assert float(row["mean"]) == -priors[row["filter"]]["mean"]
        assert float(row["variance"]) == pytest.approx(priors[row["filter"]]["std"] ** 2)
        assert f"{float(row['mean']):.3f}" in done.stdout
        assert f"[{float(row['importance_low']):.2f}, " in done.stdout
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_ranking_is_printed_and_written(database, tmp_path):
    done = run("study", "rank", database, "--csv", tmp_path / "rank.csv")
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader((tmp_path / "rank.csv").read_text().splitlines()))
    assert [row["method"] for row in rows] == ["ours", "theirs", "composite"]
    assert f"{float(rows[0]['score']):.2f} [{float(rows[0]['score_low']):.2f}, " in done.stdout
    assert done.stdout.index("ours") < done.stdout.index("theirs") < done.stdout.index("composite")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["priors", "none.sqlite"], "there is no file none.sqlite"),
        (["rank", "none.sqlite"], "there is no file none.sqlite"),
        (["priors", "{}", "-o", "none/p.json"], "there is no folder"),
        (["priors", "{}", "--plot", "p.txt"], "end it in .png or .svg"),
        (["priors", "{}", "-o", "{folder}/p", "--csv", "{folder}/p"], "two outputs are one file"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(database, tmp_path, arguments, says):
    before = sorted(path.name for path in tmp_path.iterdir())
    done = run("study", *(each.format(database, folder=tmp_path) for each in arguments))
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_comparisons_that_do_not_connect_are_named(tmp_path):
    with Store(tmp_path / "answers.sqlite", create=True) as store:
        compare_by_truth(store, 2, 2, {"ours": 50.0, "theirs": 0.0})
    done = run("study", "rank", tmp_path / "answers.sqlite")
    assert done.returncode == 2
    assert "no finite scores" in done.stderr
    assert "ours" in done.stderr
    assert "theirs" in done.stderr
