"""The answers of a study in SQLite: one row an answer, on the disk before it is acknowledged.

A participant is a random id and nothing else; no time, address or name is stored.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from harmonizer.errors import StoreError, StudyError
from harmonizer.study.tasks import Kind, Question

VERSION = 1
"""Of the schema, in the database's `user_version`."""
APPLICATION = 0x48_41_52_4D
"""In the database's `application_id`: tells a study from any other database."""
PATIENCE = 10.0
"""Seconds to wait for another process that writes."""

SCHEMA = """
CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    participant TEXT NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('adjust', 'compare')),
    name TEXT NOT NULL,
    first TEXT,
    second TEXT,
    UNIQUE (participant, position),
    UNIQUE (participant, id)
) STRICT;
CREATE TABLE answers (
    participant TEXT NOT NULL,
    task TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (participant, task),
    FOREIGN KEY (participant, task) REFERENCES tasks (participant, id)
) STRICT;
"""

COLUMNS = "id, tasks.participant, kind, name, first, second"
ANSWERED = "tasks LEFT JOIN answers ON answers.participant = tasks.participant AND task = id"


@dataclass(frozen=True)
class Task:
    """A question of one participant; `id` is random, so nobody can guess another's."""

    id: str
    participant: str
    question: Question


@dataclass(frozen=True)
class Progress:
    """Where a participant is: the next task, None after the last one."""

    answered: int
    total: int
    task: Task | None


@dataclass(frozen=True)
class Answer:
    """An answer as it was stored, as JSON values."""

    task: Task
    values: Mapping[str, Any]


class Store:
    """A database of tasks and answers; threads may share it, and several processes its file."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Open a database, or with `create` make one that is not there. Raises StudyError."""
        if not create and not path.is_file():
            raise StudyError(f"there is no file {path}; name the answers.sqlite of a study")
        self._lock = threading.Lock()
        self._path = path
        with self._explained():
            # Autocommit: transactions begin where this file says so.
            self._connection = sqlite3.connect(path, PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            with self._explained():
                self._open(create)
        except BaseException:
            self._connection.close()
            raise

    def _open(self, create: bool) -> None:
        run = self._connection.execute
        run("PRAGMA synchronous = FULL")  # an answer survives a power cut, too
        run("PRAGMA foreign_keys = ON")
        if create and self._is_empty():
            run("PRAGMA journal_mode = WAL")  # who reads the answers does not hold up who gives them
            with self._writing():
                if self._is_empty():  # no other process was quicker
                    for statement in SCHEMA.split(";\n"):
                        run(statement)
                    run(f"PRAGMA user_version = {VERSION}")
                    run(f"PRAGMA application_id = {APPLICATION}")
        if run("PRAGMA application_id").fetchone()[0] != APPLICATION:
            raise StudyError(f"{self._path} is not a study's database; name the answers.sqlite of a study")
        if (version := run("PRAGMA user_version").fetchone()[0]) != VERSION:
            raise StudyError(
                f"{self._path} has version {version} of a study's database, this program knows version {VERSION}; "
                "use the program that made it"
            )

    def _is_empty(self) -> bool:
        return not self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._connection.close()

    def register(self, questions: Sequence[Question]) -> str:
        """Store the tasks of a new participant, and return the participant's id."""
        participant = secrets.token_urlsafe(16)
        rows = [
            (secrets.token_urlsafe(16), participant, position, each.kind, each.name, each.first, each.second)
            for position, each in enumerate(questions)
        ]
        with self._lock, self._explained(), self._writing():
            self._connection.executemany("INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        return participant

    def progress(self, participant: str) -> Progress | None:
        """Where a participant is; None for one who is unknown."""
        with self._lock, self._explained():
            total, answered = self._connection.execute(
                f"SELECT count(*), count(answer) FROM {ANSWERED} WHERE tasks.participant = ?", (participant,)
            ).fetchone()
            row = self._connection.execute(
                f"SELECT {COLUMNS} FROM {ANSWERED} WHERE tasks.participant = ? AND answer IS NULL "
                "ORDER BY position LIMIT 1",
                (participant,),
            ).fetchone()
        return Progress(answered, total, None if row is None else _task(row)) if total else None

    def find(self, task: str) -> Task | None:
        """The task of an id."""
        with self._lock, self._explained():
            row = self._connection.execute(f"SELECT {COLUMNS} FROM tasks WHERE id = ?", (task,)).fetchone()
        return None if row is None else _task(row)

    def record(self, task: Task, values: Mapping[str, Any]) -> None:
        """Store an answer; it is on the disk when this returns.

        An answer that is sent again is the same row. A changed answer replaces it: who sends one had no reply and
        changed their mind, so the last word counts, and every estimate takes one answer a task.
        """
        with self._lock, self._explained():
            self._connection.execute(
                "INSERT INTO answers VALUES (?, ?, ?) "
                "ON CONFLICT (participant, task) DO UPDATE SET answer = excluded.answer",
                (task.participant, task.id, json.dumps(values)),
            )

    def questions(self) -> list[Question]:
        """Every question that somebody has or had to answer, once each."""
        with self._lock, self._explained():
            rows = self._connection.execute("SELECT DISTINCT kind, name, first, second FROM tasks").fetchall()
        return [_question(row) for row in rows]

    def answers(self, kind: Kind) -> list[Answer]:
        """All answers of a kind."""
        with self._lock, self._explained():
            rows = self._connection.execute(
                f"SELECT {COLUMNS}, answer FROM {ANSWERED} WHERE kind = ? AND answer IS NOT NULL ORDER BY tasks.rowid",
                (kind,),
            ).fetchall()
        return [Answer(_task(row[:-1]), json.loads(row[-1])) for row in rows]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All of it or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"the database {self._path} cannot be used: {error}") from error


def _task(row: tuple[Any, ...]) -> Task:
    return Task(row[0], row[1], _question(row[2:]))


def _question(row: tuple[Any, ...]) -> Question:
    kind, name, first, second = row
    return Question(Kind(kind), name, first, second)
