"""Which pictures are kept from training, so that they can tell how good a network is."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

EVERY = 20
"""Every twentieth photograph, and every twentieth place, is held out by its name."""

PLACES = ("fuji", "catalina")
"""Places that are held out whole: of those photographed at many hours there are too few to leave it to chance."""

SOURCES = ("horses", "vegfruit", "ikea_rooms", "panda", "vocmap", "groceries")
"""Collections that are held out whole: they tell how good a network is on photographs of another origin."""


def is_held_out(row: Mapping[str, str]) -> bool:
    """Whether a row of `index.csv` is kept from training.

    A column `held_out`, 1 or 0, decides; without it, of a picture of a scene its place, of a photograph its source
    or its name. Several scenes of one place share the first word of their names, `fuji_a` and `fuji_b` say.
    """
    if row.get("held_out"):
        return row["held_out"] == "1"
    if row.get("scene"):
        place = row["scene"].split("_")[0]
        return place in PLACES or _is_drawn(place)
    return row.get("source", "").split(":")[0] in SOURCES or _is_drawn(row["image"])


def _is_drawn(name: str) -> bool:
    return zlib.crc32(name.encode()) % EVERY == 0
