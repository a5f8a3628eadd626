"""What one participant is asked, in an order of their own."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from harmonizer.study.folder import Folder


class Kind(StrEnum):
    """The paper's two studies."""

    adjust = "adjust"
    compare = "compare"


@dataclass(frozen=True)
class Question:
    """One task: a composite to adjust, or results of two methods in the order in which they are shown."""

    kind: Kind
    name: str
    first: str | None = None
    second: str | None = None


def draw_questions(folder: Folder, chance: random.Random) -> list[Question]:
    """All composites in random order, then all pairs of results in random order, each pair in a random order.

    One kind after the other: to change between two ways of answering would tire.
    """
    adjust = [Question(Kind.adjust, name) for name in folder.composites]
    compare = [
        Question(Kind.compare, name, *chance.sample(pair, 2))
        for name, results in folder.comparisons.items()
        for pair in combinations(results, 2)
    ]
    chance.shuffle(adjust)
    chance.shuffle(compare)
    return adjust + compare
