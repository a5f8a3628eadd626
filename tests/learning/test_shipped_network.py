"""The two forms of the shipped checkpoint are one network."""

import numpy as np
import onnxruntime
import torch

from harmonizer.learning.network import checkpoint
from harmonizer.predictor import WEIGHTS


def test_onnx_and_safetensors_predict_the_same():
    network = checkpoint.load(WEIGHTS).eval()
    size = network.config.input_size
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, 3, 8, 8, generator=generator)
    composite = torch.nn.functional.interpolate(coarse, size, mode="bilinear")
    mask = torch.zeros(2, 1, size, size)
    mask[:, :, size // 4 : size // 2, size // 4 :] = 1
    session = onnxruntime.InferenceSession(WEIGHTS / "model.onnx", providers=["CPUExecutionProvider"])
    (theta,) = session.run(["theta"], {"composite": composite.numpy(), "mask": mask.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(theta, network(composite, mask).numpy(), atol=1e-5)
    assert np.abs(theta).max() > 0.01
