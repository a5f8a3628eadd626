"""A study over a real socket."""

from __future__ import annotations

import io
import json
import sys
import threading
from pathlib import Path

import httpx
import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from schemathesis.specs.openapi.checks import positive_data_acceptance
from small_study import FILTERS, METHODS

sys.path.append(str(Path(__file__).parents[1] / "server"))

from socket_service import serving

from harmonizer import edits
from harmonizer.study.store import Store
from harmonizer.study.study import DATABASE, Study
from harmonizer.study.tasks import Kind

STATIC = Path(__file__).parents[2] / "harmonizer/studio/static"


def register(client):
    return client.post("/v1/study/participants").json()


def reply(progress, theta=0.25):
    """An answer that fits the next task."""
    task = progress["task"]
    if task["kind"] == "compare":
        return {"task": task["id"], "choice": "second"}
    return {"task": task["id"], "theta": dict.fromkeys(FILTERS, theta), "importance": dict.fromkeys(FILTERS, 4)}


def send(client, progress, answer=None):
    return client.post(f"/v1/study/participants/{progress['participant']}/answers", json=answer or reply(progress))


def test_a_participant_goes_through_all_tasks(client, folder):
    progress = register(client)
    assert (progress["title"], progress["answered"], progress["total"]) == ("Real or not?", 0, 5)
    kinds = []
    while progress["task"]:
        kinds.append(progress["task"]["kind"])
        answer = send(client, progress)
        assert answer.status_code == 200, answer.text
        progress = answer.json()
    assert kinds == ["adjust"] * 2 + ["compare"] * 3
    assert (progress["answered"], progress["total"]) == (5, 5)
    with Store(folder / DATABASE) as store:
        adjusted = store.answers(Kind.adjust)
        assert {each.task.question.name for each in adjusted} == {"cat0", "cat1"}
        assert adjusted[0].values == {"theta": dict.fromkeys(FILTERS, 0.25), "importance": dict.fromkeys(FILTERS, 4)}
        assert [each.values for each in store.answers(Kind.compare)] == [{"choice": "second"}] * 3


def test_who_comes_back_goes_on_and_a_retry_is_stored_once(client, folder):
    progress = register(client)
    answer = reply(progress)
    for _ in range(3):  # as after a lost reply
        later = send(client, progress, answer).json()
    assert later["answered"] == 1
    assert client.get(f"/v1/study/participants/{progress['participant']}").json() == later
    with Store(folder / DATABASE) as store:
        assert len(store.answers(Kind.adjust)) == 1


def test_two_at_once_do_not_mix(client, folder):
    theta = {}

    def take_part(value):
        progress = register(client)
        theta[progress["participant"]] = value
        while progress["task"]:
            progress = send(client, progress, reply(progress, value)).json()
        assert progress["answered"] == 5

    threads = [threading.Thread(target=take_part, args=[value]) for value in (-0.5, 0.5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Store(folder / DATABASE) as store:
        answers = store.answers(Kind.adjust)
    assert len(answers) == 4
    assert all(each.values["theta"]["contrast"] == theta[each.task.participant] for each in answers)


def test_the_edit_of_a_task_leaves_the_picture_and_is_graded(client):
    task = register(client)["task"]
    edit = edits.loads(json.dumps(task["edit"]))
    assert edit.theta == dict.fromkeys(FILTERS, 0.0)
    files = {part: client.get(f"/v1/study/tasks/{task['id']}/{part}").content for part in ("composite", "mask")}
    colours = client.post("/v1/colours", files=files).content
    parts = {"edit": json.dumps(task["edit"]), "options": json.dumps({"theta": {"brightness": 0.0}})}
    table = client.post("/v1/grade?size=9", data=parts, files={"colours": colours})
    assert table.status_code == 200
    levels = np.frombuffer(table.content, np.uint8).reshape(9, 9, 9, 3)
    steps = np.rint(np.linspace(0, 255, 9))
    np.testing.assert_allclose(levels[0, 0, :, 0], steps, atol=1)
    np.testing.assert_allclose(levels[:, 0, 0, 2], steps, atol=1)


def skip_to_comparisons(client):
    progress = register(client)
    while progress["task"]["kind"] == "adjust":
        progress = send(client, progress).json()
    return progress


def test_the_browser_cannot_tell_which_method_a_result_is_of(folder, harmonizer):
    for method in METHODS:  # a file that names its method
        info = PngInfo()
        info.add_text("Software", f"made by {method}")
        [path] = (folder / "compare/dog0").glob(f"{method}.*")
        picture = Image.open(path)
        picture.load()
        path.unlink()
        picture.save(path.with_suffix(".png"), pnginfo=info)
    with Study.open(folder) as study:
        expected = {np.asarray(Image.open(path)).tobytes() for path in study.folder.comparisons["dog0"].values()}
    seen = set()
    with (
        Study.open(folder) as study,
        serving(harmonizer, study=study) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        progress = skip_to_comparisons(client)
        while progress["task"]:
            assert set(progress["task"]) == {"id", "kind", "edit"}
            for part in ("first", "second"):
                answer = client.get(f"/v1/study/tasks/{progress['task']['id']}/{part}")
                assert answer.headers["content-type"] == "image/png"
                shown = repr((answer.content, answer.headers, progress))
                assert not [name for name in (*METHODS, "dog0") if name in shown]
                seen.add(np.asarray(Image.open(io.BytesIO(answer.content))).tobytes())
            progress = send(client, progress).json()
    assert seen == expected


def test_what_is_chosen_is_the_method_that_was_shown(client, folder):
    progress = skip_to_comparisons(client)
    shown = {}
    while progress["task"]:
        picture = client.get(f"/v1/study/tasks/{progress['task']['id']}/second").content
        shown[progress["task"]["id"]] = np.asarray(Image.open(io.BytesIO(picture)))
        progress = send(client, progress).json()
    with Store(folder / DATABASE) as store:
        for each in store.answers(Kind.compare):
            [path] = (folder / "compare/dog0").glob(f"{each.task.question.second}.*")
            np.testing.assert_array_equal(shown[each.task.id], np.asarray(Image.open(path).convert("RGB")))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("participants/nobody", 404),
        ("tasks/none/first", 404),
        ("tasks/none/..%2f..%2fanswers.sqlite", 404),
        ("tasks/{task}/first", 404),  # of a task to adjust
        ("tasks/{task}/other", 422),
        ("tasks/..%2f{task}/composite", 404),
    ],
)
def test_what_is_not_there(client, path, status):
    answer = client.get(f"/v1/study/{path.format(task=register(client)['task']['id'])}")
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "given", "accepted", "advice"}


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"task": "another"}, 404, "no such task of this participant"),
        ({"theta": {"brightness": 0}}, 422, "theta is of brightness, contrast; got brightness"),
        ({"theta": {"brightness": 0, "contrast": 2}}, 422, "less than or equal to 1"),
        ({"importance": {"brightness": 1, "contrast": 6}}, 422, "less than or equal to 5"),
        ({"importance": {"brightness": 1, "contrast": 2.5}}, 422, "integer"),
        ({"note": "x"}, 422, "Extra inputs"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(client, change, status, says):
    progress = register(client)
    answer = send(client, progress, reply(progress) | change)
    assert answer.status_code == status
    assert says in answer.json()["error"]
    assert client.get(f"/v1/study/participants/{progress['participant']}").json()["answered"] == 0


def test_an_answer_of_the_other_kind_or_of_another_person_is_refused(client):
    progress, other = register(client), register(client)
    choice = {"task": progress["task"]["id"], "choice": "first"}
    assert "got an answer to compare" in send(client, progress, choice).json()["error"]
    assert send(client, other, reply(progress)).status_code == 404
    text = client.post(f"/v1/study/participants/{other['participant']}/answers", content=b"x")
    assert (text.status_code, text.json()["accepted"]) == (415, "application/json")


def test_the_page_of_the_service_is_that_of_the_study(client):
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "study")
    assert "study.js" in client.get("/", follow_redirects=True).text
    for name in ("study.html", "study.css", "study.js"):
        text = client.get(f"/studio/{name}").text
        assert text == (STATIC / name).read_text()
        assert "//" not in text.replace("// ", "")  # nothing from elsewhere


def test_without_a_study_there_is_none(harmonizer):
    with serving(harmonizer) as url:
        assert httpx.get(f"{url}/study").status_code == 404
        assert httpx.post(f"{url}/v1/study/participants").status_code == 404
        assert httpx.get(url).status_code == 200


STUDY = "/v1/study"
CASES = [
    ("POST", "/participants", "POSITIVE"),
    ("GET", "/participants/{participant}", "POSITIVE"),
    ("POST", "/participants/{participant}/answers", "POSITIVE"),
    ("POST", "/participants/{participant}/answers", "NEGATIVE"),
    ("GET", "/tasks/{task}/{part}", "POSITIVE"),
    ("GET", "/tasks/{task}/{part}", "NEGATIVE"),
]


@pytest.mark.parametrize(("method", "path", "mode"), CASES)
def test_every_answer_is_one_that_the_document_has(client, method, path, mode):
    document = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")
    assert {each for each in document if "study" in each} == {STUDY + each for _, each, _ in CASES}
    operation = document[STUDY + path][method]

    @given(case=operation.as_strategy(generation_mode=getattr(schemathesis.GenerationMode, mode)))
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def ask(case):
        # No schema says which ids there are.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    ask()
