import json
from pathlib import Path

import numpy as np
import pytest
import torch

from harmonizer.errors import CheckpointError
from harmonizer.learning.convert import convert

DATA = Path(__file__).parent.parent / "data"


def value(index, name, shape, stored):
    """The tensor that the golden rule puts under a name of the released state dict."""
    if "running_" in name:
        return stored[f"buffer:{name}"]
    if name.endswith("num_batches_tracked"):
        return np.zeros((), np.int64)
    normal = np.random.RandomState(index).standard_normal(int(np.prod(shape))).reshape(shape)
    if len(shape) >= 2:
        normal *= np.sqrt(2 / normal[0].size)
    elif name.endswith("weight"):
        normal = 1 + 0.1 * normal
    else:
        normal *= 0.05
    return normal.astype(np.float32)


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    keys = json.loads((DATA / "released_state_dict.json").read_text())["keys"]
    with np.load(DATA / "released_predictor.npz") as stored:
        tensors = {
            name: torch.from_numpy(value(index, name, shape, stored)) for index, (name, shape, _) in enumerate(keys)
        }
    path = tmp_path_factory.mktemp("released") / "harmonizer.pth"
    torch.save(tensors, path)
    return path


def test_the_converted_network_predicts_what_the_released_one_does(released):
    network = convert(released)
    with np.load(DATA / "released_predictor.npz") as stored:
        composite = torch.from_numpy(stored["image"]).permute(0, 3, 1, 2).float() / 255
        mask = torch.from_numpy(stored["mask"])[:, None].float()
        expected = stored["theta"].clip(-1, 1)
    with torch.no_grad():
        theta = network(composite, mask).numpy()
    np.testing.assert_allclose(theta, expected, atol=1e-4)


@pytest.mark.parametrize("damage", ["missing", "no tensors", "a key missing"])
def test_another_file_is_refused(released, tmp_path, damage):
    path = tmp_path / "harmonizer.pth"
    if damage == "no tensors":
        path.write_bytes(b"hello")
    elif damage == "a key missing":
        tensors = torch.load(released, weights_only=True)
        del tensors["regressor.f.weight"]
        torch.save(tensors, path)
    with pytest.raises(CheckpointError, match="released harmonizer"):
        convert(path)
