"""A study that runs: the folder's pictures, and the database beside them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from harmonizer.errors import StudyError
from harmonizer.study.folder import Folder, read_folder
from harmonizer.study.store import Progress, Store, Task
from harmonizer.study.tasks import Kind, Question, draw_questions

DATABASE = "answers.sqlite"
LOWEST, HIGHEST = 1, 5
"""Of the importance of a filter."""


class Study:
    """Asks and stores; threads may share it. Leave its context to close the database."""

    def __init__(self, folder: Folder, store: Store) -> None:
        """Raise StudyError if tasks in the store ask for pictures that the folder lacks."""
        self.folder, self._store = folder, store
        missing = sorted({each.name for each in store.questions() if not _is_there(folder, each)})
        if missing:
            raise StudyError(
                f"participants of {folder.path / DATABASE} are still asked about {', '.join(missing)}, whose pictures "
                f"are not in {folder.path}; put them back, or move the database away to begin anew"
            )

    @classmethod
    def open(cls, path: Path) -> Self:
        """The study of a folder. Raises StudyError, ImageFileError and MaskError."""
        folder = read_folder(path)
        store = Store(path / DATABASE, create=True)
        try:
            return cls(folder, store)
        except BaseException:
            store.__exit__()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.__exit__()

    def register(self) -> str:
        """A new participant, who gets tasks in an order of their own; returns the id."""
        return self._store.register(draw_questions(self.folder, random.SystemRandom()))

    def progress(self, participant: str) -> Progress | None:
        """Where a participant is; None for one who is unknown."""
        return self._store.progress(participant)

    def find(self, participant: str, task: str) -> Task | None:
        """A task of that participant."""
        found = self._store.find(task)
        return found if found is not None and found.participant == participant else None

    def pictures(self, task: str) -> Mapping[str, Path] | None:
        """The files of a task: composite and mask, or first and second; None for an id that is unknown."""
        found = self._store.find(task)
        if found is None:
            return None
        question = found.question
        if question.kind == Kind.adjust:
            files = self.folder.composites[question.name]
            return {"composite": files.composite, "mask": files.mask}
        results = self.folder.comparisons[question.name]
        assert question.first is not None
        assert question.second is not None
        return {"first": results[question.first], "second": results[question.second]}

    def adjust(self, task: Task, theta: Mapping[str, float], importance: Mapping[str, int]) -> None:
        """Store theta in [-1, 1] and the importance from 1 to 5 of every filter of the study. Raises StudyError."""
        self._check_kind(task, Kind.adjust)
        for what, values in (("theta", theta), ("importance", importance)):
            if set(values) != set(self.folder.filters):
                raise StudyError(f"{what} is of {', '.join(self.folder.filters)}; got {', '.join(values) or 'none'}")
        if not all(-1 <= value <= 1 for value in theta.values()):
            raise StudyError(f"theta is in [-1, 1]; got {dict(theta)}")
        if not all(value in range(LOWEST, HIGHEST + 1) for value in importance.values()):
            raise StudyError(f"importance is a whole number from {LOWEST} to {HIGHEST}; got {dict(importance)}")
        self._store.record(task, {"theta": dict(theta), "importance": dict(importance)})

    def compare(self, task: Task, choice: str) -> None:
        """Store which result looks more real, "first" or "second". Raises StudyError."""
        self._check_kind(task, Kind.compare)
        if choice not in ("first", "second"):
            raise StudyError(f"the choice is first or second; got {choice!r}")
        self._store.record(task, {"choice": choice})

    def _check_kind(self, task: Task, kind: Kind) -> None:
        if task.question.kind != kind:
            raise StudyError(f"the task is to {task.question.kind}; got an answer to {kind}")


def _is_there(folder: Folder, question: Question) -> bool:
    if question.kind == Kind.adjust:
        return question.name in folder.composites
    return {question.first, question.second} <= set(folder.comparisons.get(question.name, {}))
