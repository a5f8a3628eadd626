"""A study whose disk is full, or whose pictures are taken away while people answer."""

from __future__ import annotations

import shutil

import pytest

from harmonizer.study.store import Store
from harmonizer.study.study import DATABASE
from harmonizer.study.tasks import Kind


def test_an_answer_that_cannot_be_stored_is_not_acknowledged(client, study, folder):
    progress = client.post("/v1/study/participants").json()
    theta = {"brightness": 0.1, "contrast": 0.2}
    answer = {"task": progress["task"]["id"], "theta": theta, "importance": dict.fromkeys(theta, 3)}
    place = f"/v1/study/participants/{progress['participant']}/answers"
    connection = study._store._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")  # as a disk on which no further page fits
    statuses = []
    for _ in range(40):
        progress = client.post("/v1/study/participants")
        statuses.append(progress.status_code)
    assert set(statuses) == {200, 503}
    refused = client.post("/v1/study/participants").json()
    assert refused["error"] == "the answer is not stored"
    assert str(folder) not in str(refused)
    connection.execute("PRAGMA max_page_count = 1000000")
    assert client.post(place, json=answer).status_code == 200
    with Store(folder / DATABASE) as store:
        assert [each.values["theta"] for each in store.answers(Kind.adjust)] == [theta]


@pytest.mark.parametrize(("kind", "part"), [("adjust", "mask"), ("compare", "first")])
def test_pictures_that_are_gone(client, folder, kind, part):
    with Store(folder / DATABASE) as store:
        participant = client.post("/v1/study/participants").json()["participant"]
        rows = store._connection.execute("SELECT id, participant FROM tasks WHERE kind = ?", (kind,)).fetchall()
    shutil.rmtree(folder / kind)
    answer = client.get(f"/v1/study/tasks/{rows[0][0]}/{part}")
    assert rows[0][1] == participant
    assert (answer.status_code, answer.json()["error"]) == (503, "the picture is not there now")
    assert str(folder) not in answer.text
