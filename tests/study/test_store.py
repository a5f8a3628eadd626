"""The database of a study."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from harmonizer.errors import StudyError
from harmonizer.study.store import VERSION, Store
from harmonizer.study.study import DATABASE, Study
from harmonizer.study.tasks import Kind, Question

QUESTIONS = [Question(Kind.adjust, "cat"), Question(Kind.compare, "dog", "beta", "alpha")]


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "answers.sqlite", create=True) as store:
        yield store


def test_tasks_come_one_after_the_other_and_end(store):
    participant = store.register(QUESTIONS)
    seen = []
    while (progress := store.progress(participant)).task is not None:
        assert (progress.answered, progress.total) == (len(seen), 2)
        seen.append(progress.task.question)
        store.record(progress.task, {"choice": "first"})
    assert seen == QUESTIONS
    assert store.progress(participant).answered == 2
    assert store.progress("somebody") is None


def test_participants_do_not_mix(store):
    one, other = store.register(QUESTIONS), store.register(QUESTIONS)
    store.record(store.progress(one).task, {"theta": {}})
    assert (store.progress(one).answered, store.progress(other).answered) == (1, 0)
    assert store.progress(one).task.question == QUESTIONS[1]
    assert store.progress(other).task.question == QUESTIONS[0]
    assert [answer.task.participant for answer in store.answers(Kind.adjust)] == [one]


def test_the_same_answer_twice_is_one_row_and_a_changed_one_replaces_it(store):
    participant = store.register(QUESTIONS)
    task = store.progress(participant).task
    for value in (0.1, 0.1, 0.2):
        store.record(task, {"theta": {"hue": value}})
    assert [answer.values for answer in store.answers(Kind.adjust)] == [{"theta": {"hue": 0.2}}]
    assert store.progress(participant).answered == 1


def test_an_answer_is_there_for_another_process_at_once(store, tmp_path):
    task = store.progress(store.register(QUESTIONS)).task
    store.record(task, {"choice": "first"})
    with Store(tmp_path / "answers.sqlite") as reader:
        assert reader.answers(Kind.adjust)[0].task == task


def test_what_guards_against_loss_is_on(store, tmp_path):
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_only_random_ids_are_stored_of_a_participant(store):
    columns = {
        table: [row[1] for row in store._connection.execute(f"PRAGMA table_info({table})")]
        for table in ("tasks", "answers")
    }
    assert columns == {
        "tasks": ["id", "participant", "position", "kind", "name", "first", "second"],
        "answers": ["participant", "task", "answer"],
    }
    ids = {store.register(QUESTIONS) for _ in range(50)}
    assert len(ids) == 50
    assert {len(each) for each in ids} == {22}


def test_many_threads_lose_nothing(store):
    participants = [store.register([Question(Kind.adjust, str(number)) for number in range(20)]) for _ in range(4)]

    def answer(participant):
        while (task := store.progress(participant).task) is not None:
            store.record(task, {"by": participant, "name": task.question.name})

    threads = [threading.Thread(target=answer, args=[each]) for each in participants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = store.answers(Kind.adjust)
    assert len(answers) == 80
    for each in answers:
        assert each.values == {"by": each.task.participant, "name": each.task.question.name}


def test_a_database_of_another_kind_is_an_error_and_stays_as_it_is(tmp_path):
    with pytest.raises(StudyError, match="there is no file"):
        Store(tmp_path / "none.sqlite")
    (tmp_path / "text.sqlite").write_text("This is no database, but a text that is long enough." * 20)
    for create in (False, True):
        with pytest.raises(StudyError, match="file is not a database"):
            Store(tmp_path / "text.sqlite", create=create)
    connection = sqlite3.connect(tmp_path / "other.sqlite")
    connection.execute("CREATE TABLE plants (name)")
    connection.close()
    before = (tmp_path / "other.sqlite").read_bytes()
    for create in (False, True):
        with pytest.raises(StudyError, match="is not a study's database"):
            Store(tmp_path / "other.sqlite", create=create)
    assert (tmp_path / "other.sqlite").read_bytes() == before


def test_a_newer_schema_is_an_error(store, tmp_path):
    store._connection.execute("PRAGMA user_version = 7")
    with pytest.raises(StudyError, match="has version 7 of a study's database, this program knows version 1"):
        Store(tmp_path / "answers.sqlite")


def test_pictures_that_participants_are_asked_about_must_stay(folder):
    with Study.open(folder) as study:
        study.register()
    (folder / "adjust/cat1").rename(folder / "cat1")
    with pytest.raises(StudyError, match=f"participants of .*{DATABASE} are still asked about cat1"):
        Study.open(folder)


@pytest.mark.parametrize(
    ("theta", "importance", "says"),
    [
        ({"brightness": 0}, {"brightness": 1, "contrast": 1}, "theta is of brightness, contrast; got brightness"),
        ({"brightness": 0, "contrast": 0}, {}, "importance is of brightness, contrast; got none"),
        ({"brightness": 0, "contrast": 1.1}, {"brightness": 1, "contrast": 1}, r"theta is in \[-1, 1\]"),
        ({"brightness": 0, "contrast": float("nan")}, {"brightness": 1, "contrast": 1}, r"theta is in \[-1, 1\]"),
        ({"brightness": 0, "contrast": 0}, {"brightness": 0, "contrast": 1}, "whole number from 1 to 5"),
        ({"brightness": 0, "contrast": 0}, {"brightness": 6, "contrast": 1}, "whole number from 1 to 5"),
    ],
)
def test_an_answer_that_does_not_fit_is_not_stored(folder, theta, importance, says):
    with Study.open(folder) as study:
        participant = study.register()
        task = study.progress(participant).task
        with pytest.raises(StudyError, match=says):
            study.adjust(task, theta, importance)
        with pytest.raises(StudyError, match="the task is to adjust; got an answer to compare"):
            study.compare(task, "first")
        assert study.progress(participant).answered == 0
        study.adjust(task, {"brightness": -1, "contrast": 1}, {"brightness": 1, "contrast": 5})
        assert study.find("somebody", task.id) is None
