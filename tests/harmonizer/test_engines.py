"""Every engine says what the network says, and refuses what cannot be run."""

from __future__ import annotations

import shutil
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tiny_checkpoint import SIZE, write_checkpoint, write_model

from harmonizer import CheckpointError, EngineError, Harmonizer, Predictor
from harmonizer.engines import EngineName, open_engine
from harmonizer.pictures import io

DEMO = Path(__file__).parents[2] / "demo"
OPENVINO = [EngineName.openvino, EngineName.openvino_bf16]


@pytest.fixture(params=list(EngineName))
def engine(request) -> EngineName:
    if request.param in OPENVINO:
        openvino = pytest.importorskip("openvino", reason="the extra openvino is not installed")
        able = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if request.param is EngineName.openvino_bf16 and "BF16" not in able:
            pytest.skip("this processor has no arithmetic in bf16")
    return request.param


def test_theta_is_what_the_network_says(checkpoint, image, mask, engine):
    expected = Predictor.load(checkpoint).predict(image, mask)
    found = Predictor.load(checkpoint, engine).predict(image, mask)
    assert (found.dtype, found.shape) == (np.float64, (6,))
    np.testing.assert_allclose(found, expected, atol=0.02 if engine is EngineName.openvino_bf16 else 1e-5)


def test_the_shipped_network_runs(engine):
    composite, mask = io.read_composite(DEMO / "composite.jpg", DEMO / "mask.png")
    expected = list(Harmonizer.load().harmonize(composite.pixels, mask).theta.values())
    found = list(Harmonizer.load(engine=engine).harmonize(composite.pixels, mask).theta.values())
    np.testing.assert_allclose(found, expected, atol=0.01 if engine is EngineName.openvino_bf16 else 1e-5)


def test_a_harmonizer_travels_to_another_process(checkpoint, image, mask, engine, tmp_path, monkeypatch):
    monkeypatch.chdir(checkpoint.parent)
    harmonizer = Harmonizer.load(checkpoint.name, engine)  # the path is relative, and the worker is elsewhere
    expected = harmonizer.harmonize(image, mask)
    monkeypatch.chdir(tmp_path)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        result = pool.submit(harmonizer.harmonize, image, mask).result()
    np.testing.assert_array_equal(result.image, expected.image)
    assert result.theta == expected.theta


def test_any_network_runs_by_the_names_of_its_inputs_and_outputs(tmp_path, engine):
    """Not only ours: a segmentation network has other names, and may have several outputs."""
    path = tmp_path / "segment.onnx"
    nodes = [
        helper.make_node("ReduceMean", ["picture", "axis"], ["mask"], keepdims=1),
        helper.make_node("Mul", ["picture", "mask"], ["cut_out"]),
    ]
    values = {name: ["n", channels, 4, 6] for name, channels in (("picture", 3), ("mask", 1), ("cut_out", 3))}
    infos = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in values.items()}
    axis = numpy_helper.from_array(np.array([1], np.int64), "axis")
    graph = helper.make_graph(nodes, "segment", [infos["picture"]], [infos["mask"], infos["cut_out"]], [axis])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    outputs = {"mask": (1, 4, 6), "cut_out": (3, 4, 6)}
    run = open_engine(engine, path, {"picture": (3, 4, 6)}, outputs)
    picture = np.random.default_rng(3).random((1, 3, 4, 6), np.float32)
    found = run({"picture": picture})
    mean = picture.mean(axis=1, keepdims=True)
    tolerance = 0.01 if engine is EngineName.openvino_bf16 else 1e-6
    assert set(found) == set(outputs)
    np.testing.assert_allclose(found["mask"], mean, atol=tolerance)
    np.testing.assert_allclose(found["cut_out"], picture * mean, atol=tolerance)
    with pytest.raises(CheckpointError, match=r"has the outputs .*cut_out.*asks for \{'mask'"):
        open_engine(engine, path, {"picture": (3, 4, 6)}, {"mask": (1, 4, 6)})


def test_threads_share_one(checkpoint, engine):
    predictor = Predictor.load(checkpoint, engine)
    images = [np.full((SIZE, SIZE, 3), level, np.uint8) for level in range(0, 256, 5)]
    mask = np.full((SIZE, SIZE), 255, np.uint8)
    alone = [predictor.predict(image, mask) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: predictor.predict(image, mask), images))
    np.testing.assert_array_equal(together, alone)


def test_damaged_or_foreign_files(tmp_path, engine, capfd):
    whole = (write_checkpoint(tmp_path) / "model.onnx").read_bytes()
    for broken in (whole[: len(whole) // 2], b"", Path(__file__).read_bytes()):
        (tmp_path / "model.onnx").write_bytes(broken)
        with pytest.raises(CheckpointError, match=r"Get the checkpoint again|do not belong together"):
            Predictor.load(tmp_path, engine)
    write_model(tmp_path / "model.onnx", filters=5)
    with pytest.raises(CheckpointError, match="do not belong together"):
        Predictor.load(tmp_path, engine)
    assert capfd.readouterr().err == ""


def test_batches_may_be_of_one(tmp_path, image, mask, engine):
    """A network exported for one picture at a time has a number where others have a free axis."""
    model = onnx.load(write_checkpoint(tmp_path / "free") / "model.onnx")
    shutil.copytree(tmp_path / "free", tmp_path / "fixed")
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, tmp_path / "fixed" / "model.onnx")
    thetas = [Predictor.load(tmp_path / kind, engine).predict(image, mask) for kind in ("free", "fixed")]
    np.testing.assert_array_equal(*thetas)


def test_an_engine_that_cannot_run_here(checkpoint, monkeypatch):
    with pytest.raises(EngineError, match="no engine is named 'tensorrt'; there are onnxruntime, openvino"):
        Predictor.load(checkpoint, "tensorrt")
    monkeypatch.setitem(sys.modules, "openvino", None)
    for name in OPENVINO:
        with pytest.raises(EngineError, match=r"not installed; pip install 'whitebox-harmonizer\[openvino\]'"):
            Predictor.load(checkpoint, name)


def test_a_processor_without_bf16(checkpoint, monkeypatch):
    openvino = pytest.importorskip("openvino", reason="the extra openvino is not installed")

    class Plain:
        def get_property(self, *_):
            return ["FP32", "INT8"]

    monkeypatch.setattr(openvino, "Core", Plain)
    with pytest.raises(EngineError, match="no arithmetic in bf16; choose the engine openvino"):
        Predictor.load(checkpoint, "openvino-bf16")
