"""Before and after: side by side, and as their difference."""

from __future__ import annotations

import numpy as np

from harmonizer.pictures.picture import Pixels, convert_depth

# The picture is to be looked at on a screen, not to be measured.
LONG_SIDE = 1280
GAP = 8
LABEL_HEIGHT = 28
FONT_SIZE = 18
PAPER, INK = (255, 255, 255), (40, 40, 40)


def side_by_side(before: Pixels, after: Pixels) -> Pixels:
    """Two pictures of one size (HWC RGB), labelled, each scaled down to at most 1280 pixels a side; uint8."""
    from PIL import Image, ImageDraw, ImageFont

    panels = [Image.fromarray(convert_depth(pixels, np.uint8)) for pixels in (before, after)]
    for panel in panels:
        panel.thumbnail((LONG_SIDE, LONG_SIDE))
    font = ImageFont.load_default(FONT_SIZE)
    column = max(panels[0].width, int(font.getlength("before")) + GAP) + GAP
    sheet = Image.new("RGB", (2 * column - GAP, panels[0].height + LABEL_HEIGHT), PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, (panel, label) in enumerate(zip(panels, ("before", "after"), strict=True)):
        draw.text((index * column + GAP // 2, LABEL_HEIGHT // 2), label, INK, font, anchor="lm")
        sheet.paste(panel, (index * column, LABEL_HEIGHT))
    return np.asarray(sheet)


def difference(before: Pixels, after: Pixels) -> Pixels:
    """0.5 + (after - before) / 2 of two pictures (HWC RGB, one size and dtype): grey 0.5 where nothing changed.

    Float for float, else uint16, where 0.5 is level 32768: what it was of 8 bits comes back exactly, as
    before + round((level - 32768) * 2 / 257), of 16 bits within one level.
    """
    if before.dtype.kind == "f":
        halved: Pixels = 0.5 + (after - before) / 2
        return halved
    old, new = (convert_depth(pixels, np.uint16).astype(np.int32) for pixels in (before, after))
    levels: Pixels = np.clip(32768 + (new - old + 1) // 2, 0, 65535).astype(np.uint16)
    return levels
