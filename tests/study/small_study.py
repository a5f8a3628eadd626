"""A study of small pictures, and participants whose answers follow a truth that is known."""

from __future__ import annotations

import json
import random

import numpy as np
from PIL import Image

from harmonizer.study.store import Store
from harmonizer.study.tasks import Kind, Question

FILTERS = ["brightness", "contrast"]
METHODS = ["alpha", "beta", "omega"]


def write_picture(path, level, size=(32, 24)):
    pixels = np.full((size[1], size[0], 3), level, np.uint8)
    pixels[:, ::2] += 20
    Image.fromarray(pixels).save(path)


def write_study(folder, composites=2, comparisons=1):
    """FOLDER with so many composites to adjust, and so many to compare the results of three methods of."""
    for number in range(composites):
        place = folder / "adjust" / f"cat{number}"
        place.mkdir(parents=True)
        write_picture(place / "composite.png", 60 + 40 * (number % 4))
        mask = np.zeros((24, 32), np.uint8)
        mask[6:18, 8:24] = 255
        Image.fromarray(mask).save(place / "mask.png")
    for number in range(comparisons):
        place = folder / "compare" / f"dog{number}"
        place.mkdir(parents=True)
        for index, method in enumerate(METHODS):
            write_picture(place / f"{method}.{'jpg' if index else 'png'}", 50 + 50 * index)
    (folder / "study.json").write_text(json.dumps({"title": "Real or not?", "filters": FILTERS}))
    return folder


def adjust_by_truth(store: Store, participants, composites, truth, seed=0):
    """Store adjustments with theta from (mean, deviation), cut at -1 and 1, and importance around a mean.

    `truth` has (mean, deviation, importance) by filter. Every participant rates a little higher or lower than others.
    """
    chance = np.random.default_rng(seed)
    for _ in range(participants):
        participant = store.register([Question(Kind.adjust, f"cat{number}") for number in range(composites)])
        habit = chance.normal(0, 0.5)
        while (task := store.progress(participant).task) is not None:
            theta = {name: float(np.clip(chance.normal(*each[:2]), -1, 1)) for name, each in truth.items()}
            rate = {name: each[2] + habit + chance.normal(0, 0.5) for name, each in truth.items()}
            importance = {name: int(np.clip(np.rint(value), 1, 5)) for name, value in rate.items()}
            store.record(task, {"theta": theta, "importance": importance})


def compare_by_truth(store: Store, participants, comparisons, scores, seed=0):
    """Store choices between all pairs of methods, by the Bradley-Terry model with these scores."""
    chance = random.Random(seed)
    methods = list(scores)
    for _ in range(participants):
        questions = [
            Question(Kind.compare, f"dog{number}", *chance.sample((a, b), 2))
            for number in range(comparisons)
            for index, a in enumerate(methods)
            for b in methods[index + 1 :]
        ]
        participant = store.register(questions)
        while (task := store.progress(participant).task) is not None:
            ahead = scores[task.question.first] - scores[task.question.second]
            first = chance.random() < 1 / (1 + np.exp(-ahead))
            store.record(task, {"choice": "first" if first else "second"})
