"""The plain way: one frame after the other, network and filters in eager torch."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import cast

import av
import numpy as np
import torch
from baselines import RELEASED, Frame
from PIL import Image

from harmonizer.learning.network.network import Network
from harmonizer.thumbnail import STORED
from harmonizer.video import CodecName
from harmonizer.video.coding.codecs import CODECS
from harmonizer.video.coding.colour import BT709

MOST = 48  # frames of a clip: the plain way is slow, and as slow from the first frame on


class Plain:
    """Predicts from a frame (H, W, 3) and its mask (H, W), uint8, and filters it."""

    def __init__(self, network: Network) -> None:
        self.network = network

    @torch.no_grad()
    def predict(self, frame: Frame, mask: Frame) -> tuple[float, ...]:
        """Theta (k,), from thumbnails by Pillow, made in the two steps of training."""
        composite, opacity = (self._shrink(pixels) for pixels in (frame, mask))
        theta = self.network(composite.permute(2, 0, 1)[None].float() / 255, opacity[None, None].float() / 255)
        return tuple(theta[0].tolist())

    def _shrink(self, pixels: Frame) -> torch.Tensor:
        picture = Image.fromarray(pixels)
        for side in (STORED, self.network.config.input_size):
            picture = picture.resize((side, side), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.array(picture))

    def __call__(self, frame: Frame, mask: Frame) -> Frame:
        return RELEASED.prepare(tuple(self.network.config.filters), self.predict(frame, mask))(frame, mask)


def harmonize_video(clip: Path, masks: Path, output: Path, plain: Plain) -> int:
    """The first frames of `clip` through `plain` into a video with the encoder's settings of ours; their number."""
    codec, count = CODECS[CodecName.h264], 0
    with av.open(str(clip)) as video, av.open(str(masks)) as opacities, av.open(str(output), "w") as file:
        source = video.streams.video[0]
        stream = cast(av.VideoStream, file.add_stream(codec.encoder, source.average_rate, codec.settings(None)))
        stream.width, stream.height, stream.pix_fmt = source.width, source.height, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = BT709, 1
        pairs = zip(video.decode(source), opacities.decode(video=0), strict=True)
        for frame, mask in islice(pairs, MOST):
            rgb, grey = frame.to_ndarray(format="rgb24"), mask.to_ndarray(format="gray")
            harmonized = plain(rgb.astype(np.uint8, copy=False), grey.astype(np.uint8, copy=False))
            coded = av.VideoFrame.from_ndarray(harmonized, format="rgb24")
            file.mux(stream.encode(coded.reformat(format="yuv420p", dst_colorspace=BT709, dst_color_range=1)))
            count += 1
        file.mux(stream.encode(None))
    return count
