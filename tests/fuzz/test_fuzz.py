"""Every way in, over its corpus and some mutations: the documented error, or none. benchmarks/fuzz.py reads more."""

from __future__ import annotations

import fuzz_targets
import pytest
from fuzz_sandbox import FaultError, Sandbox
from fuzz_targets import TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLOW = {"training_config": 3, "safetensors": 8, "video_to_file": 4, "onnx_openvino": 5, "request": 40, "recipe": 50}
"""Inputs of the corpus, evenly chosen, of targets that take long for each."""
MOST, MUTATIONS = 100, 25
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    """The limits of a campaign, for a time."""
    from PIL import Image

    from harmonizer.pictures import picture
    from whitebox_filters import plugins

    for module, name in ((picture, "MAX_PIXELS"), (Image, "MAX_IMAGE_PIXELS"), (plugins, "find")):
        monkeypatch.setattr(module, name, getattr(module, name))
    fuzz_targets.hurry()


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_and_some_mutations(name):
    target = TARGETS[name]
    target.warm()
    corpus = target.corpus()
    few = SLOW.get(name, MOST)
    for data in corpus[:: max(1, len(corpus) // few)]:
        target(data)
    for number in range(min(few, MUTATIONS)):
        target(target.mutation(0, number))


@pytest.mark.parametrize("name", ["edit", "timeline", "manifest_jsonl", "config", "priors", "recipe"])
@given(value=JSON, key=st.text(max_size=10))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json(name, value, key):
    import json

    target = TARGETS[name]
    target(json.dumps(value).encode())
    line = target.seeds()[0].splitlines()[0] if name in ("timeline", "manifest_jsonl") else target.seeds()[0]
    document = json.loads(line)
    field = sorted(document)[len(key) % len(document)]
    target(json.dumps(document | {field: value}).encode())


@pytest.mark.parametrize("name", [*fuzz_targets.fuzz_pictures.FORMATS, "cube", "manifest_parquet", "released_pth"])
@given(data=st.binary(max_size=300), place=st.integers(0, 10**6))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_a_valid_file(name, data, place):
    target = TARGETS[name]
    seed = target.seeds()[0]
    at = place % len(seed)
    target(seed[:at] + data + seed[at + len(data) :])


class TestTheSandbox:
    """What it must see."""

    @pytest.mark.parametrize(
        ("read", "fault"),
        [
            (lambda data, box: (box.root.parent / "outside").write_bytes(data), "open outside of its folders"),
            (lambda data, box: (box.root.parent / "folder").mkdir(), "os.mkdir outside of its folders"),
            (lambda data, box: (box.outputs / ".x.part").write_bytes(data), "partial files"),
            (lambda data, box: (box.temporary / "x").write_bytes(data), "temporary files"),
            (lambda data, box: (box.inputs / "x").write_bytes(data), "beside the inputs"),
            (lambda data, box: __import__("subprocess").run(["true"], check=True), "subprocess.Popen"),
        ],
    )
    def test_a_reader_that_does_what_it_must_not(self, tmp_path, read, fault):
        with pytest.raises(FaultError, match=fault):
            Sandbox(tmp_path / "box").run(read, b"data", ())

    def test_an_error_that_leaves_a_file(self, tmp_path):
        def read(data, box):
            (box.outputs / "a.png").write_bytes(data)
            raise ValueError("something")

        with pytest.raises(FaultError, match=r"it failed and left \['a.png'\]"):
            Sandbox(tmp_path / "box").run(read, b"data", (ValueError,))

    def test_an_error_that_is_not_documented(self, tmp_path):
        with pytest.raises(ZeroDivisionError):
            Sandbox(tmp_path / "box").run(lambda *_: 1 // 0, b"data", (ValueError,))

    def test_what_a_reader_may_do(self, tmp_path):
        box = Sandbox(tmp_path / "box")
        assert box.run(lambda data, box: (box.outputs / "a.png").write_bytes(data), b"data", ())
        assert list(box.outputs.iterdir()) == []
