"""Makes docs/comfyui.jpg: what the nodes do for a picture whose colours an inpainting has shifted.

No inpainting model runs here. Its result is stood in for by the demo's composite, whose foreground is under another
light, with a shift of all colours such as the trip through a VAE leaves. PYTHONPATH=. python docs/comfyui_picture.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw

from harmonizer.comfyui import NODE_CLASS_MAPPINGS
from harmonizer.pictures import io

ROOT = Path(__file__).parents[1]
SHIFT = np.array([1.06, 1.0, 0.95]), 4.0  # as tests/comfyui shifts it: gain of red, green and blue; levels added
GAP = 8


def make_panels() -> dict[str, npt.NDArray[np.uint8]]:
    """The pictures of docs/comfyui/inpainting.json by title, HWC RGB."""
    original, composite = (io.read_image(ROOT / "demo" / name).pixels for name in ("real.jpg", "composite.jpg"))
    opacity = io.read_mask(ROOT / "demo/mask.png", original.shape[:2])
    gain, lift = SHIFT
    inpainted = (composite * gain + lift).clip(0, 255).astype(np.uint8)
    weight = opacity[..., None]
    pasted = (weight * inpainted + (1 - weight) * original) / 255
    image, mask = (torch.from_numpy(array.astype(np.float32))[None] for array in (pasted, opacity))
    harmonized, _ = NODE_CLASS_MAPPINGS["HarmonizerHarmonize"]().run(image, mask, batch="pictures", frame_rate=25.0)
    return {
        "inpainted: colours shift everywhere": inpainted,
        "pasted over the original": np.rint(pasted * 255).astype(np.uint8),
        "and harmonized": np.rint(harmonized[0].numpy() * 255).astype(np.uint8),
        "the original": original,
    }


def main() -> None:
    """Put the pictures side by side."""
    panels = make_panels()
    height, width, _ = panels["the original"].shape
    sheet = Image.new("RGB", (len(panels) * (width + GAP) - GAP, height + 28), "white")
    for index, (title, pixels) in enumerate(panels.items()):
        place = index * (width + GAP)
        sheet.paste(Image.fromarray(pixels), (place, 28))
        ImageDraw.Draw(sheet).text((place + 4, 5), title, fill="black", font_size=18)
    size = sheet.width * 2 // 3, sheet.height * 2 // 3
    sheet.resize(size, Image.Resampling.LANCZOS).save(ROOT / "docs/comfyui.jpg", quality=88)


if __name__ == "__main__":
    main()
