"""What the service answers."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from socket_service import serving

import whitebox_filters as wf
from harmonizer import edits, io, jobs
from harmonizer.pictures.coding.decode import decode
from harmonizer.pictures.coding.encode import ENCODERS
from harmonizer.pictures.picture import Picture
from harmonizer.server.settings import Limits

DEMO = Path(__file__).parents[2] / "demo"
JSON = {"Accept": "application/json"}
FORM = {"content-type": "multipart/form-data; boundary=x"}


def png(pixels, alpha=None):
    return ENCODERS[".png"](Picture(pixels, alpha))


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)


@pytest.fixture
def square():
    mask = np.zeros((40, 50), np.uint8)
    mask[10:30, 10:40] = 255
    return mask


def grey(mask):
    return png(np.repeat(mask[..., None], 3, axis=2))


def test_the_picture_is_the_one_that_the_command_writes(client, demo, tmp_path, harmonizer):
    answer = client.post("/v1/harmonize", files=demo)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    picture, mask = io.read_composite(DEMO / "composite.jpg", DEMO / "mask.png")
    result, edit = jobs.harmonize(harmonizer, picture.pixels, mask)
    np.testing.assert_array_equal(decode(answer.content).pixels, result.image)
    assert edits.loads(client.post("/v1/harmonize", files=demo, headers=JSON).text) == edit


def test_an_edit_is_applied_to_the_same_bytes_and_changed_by_options(client, demo):
    edit = client.post("/v1/harmonize", files=demo, headers=JSON).text
    same = client.post("/v1/apply", files=demo, data={"edit": edit})
    assert same.content == client.post("/v1/harmonize", files=demo).content
    options = json.dumps({"theta": {"shadow": 0.3}})
    changed = client.post("/v1/apply", files=demo, data={"edit": edit, "options": options}, headers=JSON).json()
    assert changed["filters"][-1] == {"name": "shadow", "theta": 0.3}
    again = client.post("/v1/harmonize", files=demo, data={"options": options}, headers=JSON).json()
    assert again == changed


@pytest.mark.parametrize("format", ["png", "jpg", "webp", "tif", "avif"])
def test_every_format_is_answered_under_its_type(client, demo, format):
    answer = client.post("/v1/harmonize", files=demo, data={"options": json.dumps({"format": format})})
    kind = {"jpg": "jpeg", "tif": "tiff"}.get(format, format)
    assert answer.headers["content-type"] == f"image/{kind}"
    assert decode(answer.content).pixels.shape == decode(demo["composite"]).pixels.shape


def test_16_bits_stay_and_pixels_outside_the_mask_too(client, noise, square):
    deep = noise.astype(np.uint16) * 257 - 1
    answer = client.post("/v1/harmonize", files={"composite": png(deep), "mask": grey(square)})
    pixels = decode(answer.content).pixels
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels[square == 0], deep[square == 0])


def test_a_cut_out_is_pasted_onto_a_background(client, noise, square):
    answer = client.post(
        "/v1/harmonize", files={"composite": png(noise, square), "background": png(noise[::-1].copy())}
    )
    np.testing.assert_array_equal(decode(answer.content).pixels[square == 0], noise[::-1][square == 0])


def test_a_cut_out_is_placed_scaled_and_flipped(client, noise, square):
    background = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    files = {"composite": png(noise, square), "background": png(background)}
    where = {"options": json.dumps({"place": {"x": 60, "y": 45, "flip": True}})}
    composite = decode(client.post("/v1/compose", files=files, data=where).content).pixels
    expected = background.copy()
    inside = np.s_[25:65, 35:85]
    opaque = square[:, ::-1] > 0
    expected[inside][opaque] = noise[:, ::-1][opaque]
    np.testing.assert_array_equal(composite, expected)
    mask = client.post("/v1/mask", files=files, data=where).content
    np.testing.assert_array_equal(decode(mask, is_mask=True).pixels[inside][..., 0], square[:, ::-1])
    together = client.post("/v1/harmonize", files=files, data=where).content
    apart = client.post("/v1/harmonize", files={"composite": png(composite), "mask": mask}).content
    np.testing.assert_array_equal(decode(together).pixels, decode(apart).pixels)
    small = {"options": json.dumps({"place": {"x": 60, "y": 45, "scale": 0.5}})}
    shape = decode(client.post("/v1/mask", files=files, data=small).content, is_mask=True).pixels[..., 0] > 127
    assert shape.sum() == pytest.approx((square > 0).sum() / 4, rel=0.1)


def test_a_preview_without_a_mask_has_the_alpha_of_the_picture(client, noise, square):
    answer = client.post("/v1/preview", files={"composite": png(noise, square)}, params={"side": 25})
    assert answer.headers["harmonizer-size"] == "50x40"
    small = decode(answer.content)
    assert small.pixels.shape == (20, 25, 3)
    np.testing.assert_array_equal(small.alpha, square[::2, ::2])
    assert decode(client.post("/v1/preview", files={"composite": png(noise)}).content).alpha is None


def test_any_filters_in_any_order(client, noise, square):
    options = json.dumps({"filters": ["tint", "contrast", "gamma"], "theta": {"tint": 0.4}})
    files = {"composite": png(noise), "mask": grey(square)}
    edit = client.post("/v1/harmonize", files=files, data={"options": options}, headers=JSON).json()
    predicted = client.post("/v1/harmonize", files=files, headers=JSON).json()
    theta = {step["name"]: step["theta"] for step in predicted["filters"]}
    assert [(step["name"], step["theta"]) for step in edit["filters"]] == [
        ("tint", 0.4),
        ("contrast", theta["contrast"]),
        ("gamma", 0.0),
    ]


def test_a_lut_as_a_file_and_as_a_table(client, demo, tmp_path):
    edit = client.post("/v1/harmonize", files=demo, headers=JSON).json()
    text = client.post("/v1/lut", json=edit, params={"size": 17})
    (tmp_path / "a.cube").write_text(text.text)
    lut = wf.read_cube(tmp_path / "a.cube")
    raw = client.post("/v1/lut", json=edit, params={"size": 17}, headers={"Accept": "application/octet-stream"})
    table = np.frombuffer(raw.content, np.uint8).reshape(17, 17, 17, 3)
    assert np.abs(table.transpose(2, 1, 0, 3) / 255 - lut).max() <= 0.5 / 255 + 1e-6


def test_the_registry(client):
    answer = client.get("/v1/filters").json()
    assert [entry["name"] for entry in answer["filters"]] == list(wf.names())
    assert answer["predicted"] == list(wf.DEFAULT_FILTERS)
    assert "png" in answer["formats"]


def test_health_readiness_and_metrics(client, demo):
    assert client.get("/healthz").text == "ok"
    assert client.get("/readyz").text == "ready"
    client.post("/v1/harmonize", files=demo)
    text = client.get("/metrics").text
    assert 'harmonizer_requests_total{route="/v1/harmonize",status="200"}' in text
    assert 'harmonizer_stage_seconds_count{stage="render"}' in text


@pytest.mark.parametrize(
    ("path", "files", "data", "status", "message"),
    [
        ("harmonize", {"composite": b"no picture"}, {}, 422, "nothing shows what the foreground is"),
        ("harmonize", {"composite": b"no picture", "mask": b"none"}, {}, 415, "not a picture"),
        ("harmonize", {"composite": b"", "mask": b""}, {}, 415, "not a picture"),
        ("harmonize", {"composite": b"\x89PNG\r\n\x1a\n cut", "mask": b"x"}, {}, 400, "cannot be decoded"),
        ("harmonize", {"mask": b"x"}, {}, 422, "composite"),
        ("harmonize", "pair", {"options": "{"}, 422, "options cannot be used"),
        ("harmonize", "pair", {"options": '{"theta": {"contrast": 2}}'}, 422, "theta.contrast"),
        ("harmonize", "pair", {"options": '{"theta": {"none": 0.2}}'}, 422, "no filter none"),
        ("harmonize", "pair", {"options": '{"filters": ["none"]}'}, 422, "none"),
        ("harmonize", "pair", {"options": '{"filters": ["tint", "tint"]}'}, 422, "twice"),
        ("harmonize", "pair", {"options": '{"format": "gif"}'}, 422, "format"),
        ("harmonize", "pair", {"options": '{"other": 1}'}, 422, "other"),
        ("harmonize", "sizes", {}, 422, "the mask"),
        ("apply", "pair", {"edit": "{}"}, 422, "edit"),
        ("apply", "pair", {}, 422, "edit"),
    ],
)
def test_what_cannot_be_answered_says_why_in_json(client, noise, square, path, files, data, status, message):
    pair = {"composite": png(noise), "mask": grey(square)}
    named = {"pair": pair, "sizes": pair | {"mask": grey(square[:20])}}
    sent = named[files] if isinstance(files, str) else files
    answer = client.post(f"/v1/{path}", files=sent, data=data)
    problem = answer.json()
    assert answer.status_code == status, problem
    assert message in problem["error"]
    assert set(problem) == {"error", "given", "accepted", "advice"}
    assert "Traceback" not in answer.text


def test_other_bodies_methods_and_paths(client):
    assert client.post("/v1/harmonize", json={}).status_code == 415
    assert (
        client.post("/v1/harmonize", content=b"x", headers={"content-type": "multipart/form-data"}).status_code == 400
    )
    assert client.get("/v1/harmonize").status_code == 405
    assert client.get("/v1/nothing").json()["error"] == "Not Found"
    assert client.post("/v1/lut", json={"format": 1}).status_code == 422


def test_limits_of_bytes_and_pixels(harmonizer, noise, square):
    with serving(harmonizer, Limits(body_bytes=200_000, pixels=2000)) as url, httpx.Client(base_url=url) as client:
        answer = client.post("/v1/harmonize", files={"composite": bytes(300_000), "mask": b"x"})
        assert (answer.status_code, answer.json()["accepted"]) == (413, "200000 bytes")

        def chunks():
            yield b'--x\r\nContent-Disposition: form-data; name="composite"; filename="a"\r\n\r\n'
            yield from [bytes(10_000)] * 30

        answer = client.post("/v1/harmonize", content=chunks(), headers=FORM)
        assert answer.status_code == 413
        large = np.zeros((41, 50, 3), np.uint8)
        answer = client.post("/v1/harmonize", files={"composite": png(large), "mask": grey(square)})
        assert (answer.status_code, answer.json()["given"]) == (413, "50 x 41 pixels")
        answer = client.post("/v1/harmonize", files={"composite": png(noise), "mask": grey(square)})
        assert answer.status_code == 200


def test_a_bomb_is_refused_by_its_header(harmonizer, square):
    bomb = bytearray(png(np.zeros((2, 2, 3), np.uint8)))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    with serving(harmonizer) as url, httpx.Client(base_url=url) as client:
        answer = client.post("/v1/harmonize", files={"composite": bytes(bomb), "mask": grey(square)})
        assert answer.status_code == 413


def test_a_key_is_asked_for(harmonizer):
    with serving(harmonizer, api_key="secret") as url, httpx.Client(base_url=url) as client:
        assert client.get("/v1/filters").status_code == 401
        assert client.get("/v1/filters", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/v1/filters", headers={"Authorization": "Bearer secret"}).status_code == 200
        assert client.get("/healthz").status_code == 200


class Slow:
    """A harmonizer whose prediction waits for `go`."""

    def __init__(self, harmonizer):
        self._harmonizer, self.go, self.predicted = harmonizer, threading.Event(), 0

    def __getattr__(self, name):
        return getattr(self._harmonizer, name)

    def predict(self, *arguments):
        assert self.go.wait(20)
        self.predicted += 1
        return self._harmonizer.predict(*arguments)


def wait_for(condition):
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def gauge(client, name):
    line = next(line for line in client.get("/metrics").text.splitlines() if line.startswith(f"harmonizer_{name} "))
    return float(line.split()[1])


def test_what_does_not_fit_is_turned_away_and_the_rest_is_answered(harmonizer, noise, square):
    slow = Slow(harmonizer)
    files = {"composite": png(noise), "mask": grey(square)}
    statuses = []

    def ask(url):
        statuses.append(httpx.post(f"{url}/v1/harmonize", files=files, timeout=30).status_code)

    with serving(slow, Limits(parallel=1, queue=2)) as url, httpx.Client(base_url=url) as client:
        threads = [threading.Thread(target=ask, args=(url,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        wait_for(lambda: gauge(client, "requests_admitted") == 3)
        answer = client.post("/v1/harmonize", files=files)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
        assert client.get("/v1/filters").status_code == 200
        slow.go.set()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 3
        assert gauge(client, "requests_admitted") == 0


def test_a_client_that_goes_away_frees_its_place(harmonizer, noise, square):
    slow = Slow(harmonizer)
    files = {"composite": png(noise), "mask": grey(square)}
    with serving(slow, Limits(parallel=1, queue=1)) as url, httpx.Client(base_url=url) as client:
        for _ in range(2):  # one at work, one that waits
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(f"{url}/v1/harmonize", files=files, timeout=0.3)
        wait_for(lambda: gauge(client, "requests_admitted") == 0)
        slow.go.set()
        assert client.post("/v1/harmonize", files=files, timeout=30).status_code == 200
        assert slow.predicted == 2  # the one that waited was never worked on


def test_too_long_is_503(harmonizer, noise, square):
    slow = Slow(harmonizer)
    files = {"composite": png(noise), "mask": grey(square)}
    with serving(slow, Limits(seconds=0.3)) as url, httpx.Client(base_url=url) as client:
        answer = client.post("/v1/harmonize", files=files)
        assert (answer.status_code, answer.json()["error"]) == (503, "the request took too long")
        slow.go.set()


def test_answers_are_not_mixed(harmonizer, client):
    """Every client gets its own picture, many at a time."""
    mistakes = []

    def ask(seed):
        random = np.random.default_rng(seed)
        pixels = random.integers(0, 256, (30 + seed, 40, 3), dtype=np.uint8)
        mask = np.zeros(pixels.shape[:2], np.uint8)
        mask[5:20, 5:30] = 255
        expected = harmonizer.harmonize(pixels, mask).image
        answer = client.post("/v1/harmonize", files={"composite": png(pixels), "mask": grey(mask)})
        if answer.status_code != 200 or not np.array_equal(decode(answer.content).pixels, expected):
            mistakes.append(seed)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mistakes == []


def test_what_the_library_warns_of_goes_to_the_client_whom_it_concerns(client, noise, square):
    whole, part = grey(np.full_like(square, 255)), grey(square)
    answers = {}

    def ask(name, mask):
        answers[name] = client.post("/v1/harmonize", files={"composite": png(noise), "mask": mask})

    threads = [threading.Thread(target=ask, args=pair) for pair in (("whole", whole), ("part", part), ("again", whole))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "covers the whole picture" in answers["whole"].headers["harmonizer-warning"]
    assert answers["again"].headers["harmonizer-warning"] == answers["whole"].headers["harmonizer-warning"]
    assert "harmonizer-warning" not in answers["part"].headers


def test_what_is_hidden_steers_nothing_here_either(client, noise, square):
    alpha = np.full_like(square, 255)
    alpha[:, :20] = 0
    answers = []
    for filling in (0, 255):
        pixels = noise.copy()
        pixels[:, :20] = filling
        answer = client.post("/v1/harmonize", files={"composite": png(pixels, alpha), "mask": grey(square)})
        answers.append(decode(answer.content).pixels[:, 20:])
    np.testing.assert_array_equal(*answers)


def test_the_colours_of_a_picture_are_enough_to_measure_a_changed_edit(client, noise, square, harmonizer):
    files = {"composite": png(noise), "mask": grey(square)}
    edit = client.post("/v1/harmonize", files=files, headers=JSON).text
    colours = client.post("/v1/colours", files=files).content
    rows = np.frombuffer(colours, np.float32).reshape(-1, 5)
    assert (rows[:, 3].sum(), rows[:, 4].sum()) == (noise[..., 0].size, (square > 0).sum())
    theta = {"brightness": 0.3, "contrast": -0.2}
    sent = {"edit": edit, "options": json.dumps({"theta": theta})}
    table = client.post("/v1/grade", files={"colours": colours}, data=sent, params={"size": 17}).content
    _, changed = jobs.apply(edits.loads(edit), noise, square, theta)
    expected = changed.bake_lut(17).transpose(2, 1, 0, 3) * 255
    assert np.abs(np.frombuffer(table, np.uint8).reshape(expected.shape) - expected).max() < 1


def test_a_preview_has_the_values_of_the_picture_and_the_mask_as_alpha(client, noise, square):
    answer = client.post("/v1/preview", files={"composite": png(noise), "mask": grey(square)})
    picture = decode(answer.content)
    np.testing.assert_array_equal(picture.pixels, noise)
    np.testing.assert_array_equal(picture.alpha, square)
    small = client.post("/v1/preview", files={"composite": png(noise), "mask": grey(square)}, params={"side": 25})
    assert decode(small.content).pixels.shape == (20, 25, 3)


@pytest.mark.parametrize("colours", [b"", b"x" * 21, np.full(5, np.nan, np.float32).tobytes(), bytes(20)])
def test_colours_that_are_none(client, noise, square, colours):
    edit = client.post("/v1/harmonize", files={"composite": png(noise), "mask": grey(square)}, headers=JSON).text
    answer = client.post("/v1/grade", files={"colours": colours}, data={"edit": edit})
    assert answer.status_code == 422
    assert "colours" in answer.json()["error"]


def test_the_page_is_at_the_root_and_asks_for_nothing_elsewhere(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for name in ("studio.css", "studio.js", "api.js", "stage.js", "canvas/view.js", "edit/sliders.js"):
        text = client.get(f"/studio/{name}").text
        assert text
        assert "http" not in text.replace("http://www.w3.org", "")
    assert client.get("/studio/../app.py").status_code == 404
