"""All that composites are made of, on one device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from harmonizer.learning.composites.sources.photos import Photos, read_photos
from harmonizer.learning.composites.sources.scenes import Scenes, read_scenes
from harmonizer.learning.composites.sources.similarity import SIMILARITIES, SimilarPhotos, find_similar, mean_colour


@dataclass(frozen=True)
class Sources:
    """Photographs, which of them are similar, and scenes, if there are any."""

    photos: Photos
    similar: SimilarPhotos
    scenes: Scenes | None = None

    @classmethod
    def of(cls, photos: Photos, scenes: Scenes | None = None) -> Sources:
        """Sources whose photographs are compared by the hues of their foregrounds, which needs no network."""
        return cls(photos, find_similar(photos, mean_colour), scenes)


def read_sources(
    folder: Path, device: torch.device, *, held_out: bool, channels: int = 3, similarity: str = "colours"
) -> Sources:
    """Read the photographs and scenes of a folder, those for training or the held-out ones, and put them on a device.

    `channels` of each photograph counts red, green, blue and the extra ones; `similarity` is a key of SIMILARITIES.
    Raises ImageFileError.
    """
    photos = read_photos(folder, held_out=held_out, channels=channels).to(device)
    scenes = read_scenes(folder, held_out=held_out)
    similar = find_similar(photos, SIMILARITIES[similarity](device))
    return Sources(photos, similar, scenes.to(device) if scenes else None)
