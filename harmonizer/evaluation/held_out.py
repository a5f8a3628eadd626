"""Which pictures are not trained on, so that networks can be evaluated with them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

EVERY = 20
"""One in so many photographs and places is held out, by a hash of its name."""

PLACES = ("fuji", "catalina")
"""Places that are held out whole: too few were photographed at many hours to leave the choice to a hash."""

SOURCES = ("horses", "vegfruit", "ikea_rooms", "panda", "vocmap", "groceries")
"""Collections that are held out whole: they show how a network does on photographs from other sources."""


def is_held_out(row: Mapping[str, str]) -> bool:
    """Whether a row of `index.csv` is held out from training.

    The column `held_out`, 1 or 0, decides. If it is missing or empty, the place decides for a picture of a scene, and
    the source or the name for a photograph. The place is the first word of a scene's name: fuji of fuji_a and fuji_b.
    """
    if row.get("held_out"):
        return row["held_out"] == "1"
    if row.get("scene"):
        place = row["scene"].split("_")[0]
        return place in PLACES or _is_drawn(place)
    return row.get("source", "").split(":")[0] in SOURCES or _is_drawn(row["image"])


def _is_drawn(name: str) -> bool:
    return zlib.crc32(name.encode()) % EVERY == 0
