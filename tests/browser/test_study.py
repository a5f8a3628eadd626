"""A study in a real browser: two participants at once, and a server that is killed in between."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

sys.path.append(str(Path(__file__).parents[1] / "study"))

from small_study import FILTERS, METHODS, write_study
from studio_process import Studio
from studio_steps import SHOWN

from harmonizer.study.store import Store
from harmonizer.study.study import DATABASE
from harmonizer.study.tasks import Kind


@pytest.fixture
def studio(tmp_path):
    studio = Studio(write_study(tmp_path / "study", composites=2, comparisons=1))
    studio.start()
    yield studio
    studio.process.kill()
    studio.process.wait()
    studio.process.stderr.close()


@contextmanager
def participant(browser, url, width=1280, scheme="light"):
    """A page in a browser of its own, on which nothing may go wrong unseen, and which asks nobody else."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    mistakes = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("request", lambda request: request.url.startswith((url, "blob:", "data:")) or mistakes.append(request.url))
    page.goto(url)
    yield page
    context.close()
    assert mistakes == []


def start(page):
    page.get_by_role("button", name="Start").click()
    wait_for(page, 1)


def wait_for(page, number, total=5):
    """Wait until that task can be answered."""
    page.get_by_text(f"{number} of {total}", exact=True).wait_for()
    page.locator("#adjust:visible, #compare:visible").wait_for()


def fill(page, theta, importance):
    for name in FILTERS:
        field = page.get_by_role("spinbutton", name=f"theta of {name}")
        field.fill(str(theta))
        field.press("Enter")
        page.get_by_role("group", name=name).get_by_label(str(importance), exact=True).check()


def following(page):
    page.get_by_role("button", name="Next").click()


def read(folder):
    """The answers by participant: adjustments, and the results that were chosen."""
    with Store(folder / DATABASE) as store:
        found = {}
        for answer in store.answers(Kind.adjust):
            found.setdefault(answer.task.participant, ([], []))[0].append(answer.values)
        for answer in store.answers(Kind.compare):
            question = answer.task.question
            chosen = question.first if answer.values["choice"] == "first" else question.second
            found.setdefault(answer.task.participant, ([], []))[1].append(chosen)
    return found


def test_two_participants_at_once(browser, studio):
    with participant(browser, studio.url) as one, participant(browser, studio.url) as other:
        start(one)
        start(other)
        for number in (1, 2):  # in turns
            for page, theta, importance in ((one, 0.25, 5), (other, -0.5, 2)):
                fill(page, theta, importance)
            for page in (one, other):
                following(page)
                wait_for(page, number + 1)
        for number in (3, 4, 5):
            one.keyboard.press("1")
            other.get_by_role("button", name="The second picture").click()
            if number < 5:
                wait_for(one, number + 1)
                wait_for(other, number + 1)
        for page in (one, other):
            page.get_by_text("That was the last one.").wait_for()
        ids = [page.evaluate("localStorage.getItem('harmonizer-participant')") for page in (one, other)]
    answers = read(studio.folder)
    assert set(answers) == set(ids)
    for each, theta, importance in zip(ids, (0.25, -0.5), (5, 2), strict=True):
        adjusted, chosen = answers[each]
        assert (
            adjusted == [{"theta": dict.fromkeys(FILTERS, theta), "importance": dict.fromkeys(FILTERS, importance)}] * 2
        )
        assert len(chosen) == 3


def test_a_server_that_is_killed_in_the_middle(browser, studio):
    with participant(browser, studio.url) as one, participant(browser, studio.url) as other:
        for page in (one, other):
            start(page)
        fill(one, 0.25, 3)
        following(one)
        wait_for(one, 2)
        fill(one, 0.75, 4)
        fill(other, -0.5, 1)
        studio.kill()
        for page in (one, other):
            following(page)
            page.get_by_role("alert").filter(has_text="does not answer").wait_for()
        studio.start()
        one.get_by_role("button", name="Try again").click()  # the answer that was not stored
        wait_for(one, 3)
        other.reload()  # and who loses it answers again
        wait_for(other, 1)
        fill(other, -0.25, 2)
        following(other)
        wait_for(other, 2)
        ids = [page.evaluate("localStorage.getItem('harmonizer-participant')") for page in (one, other)]
        one.keyboard.press("ArrowLeft")
        wait_for(one, 4)
        studio.kill()
        one.keyboard.press("2")
        one.get_by_role("alert").filter(has_text="does not answer").wait_for()
        studio.start()
        one.keyboard.press("1")  # a changed mind, in place of trying again
        wait_for(one, 5)
    answers = read(studio.folder)
    assert [each["theta"]["contrast"] for each in answers[ids[0]][0]] == [0.25, 0.75]
    assert [each["theta"]["contrast"] for each in answers[ids[1]][0]] == [-0.25]
    assert len(answers[ids[0]][1]) == 2


def pixels(page):
    """The picture as it is shown, (H, W, 3)."""
    found = page.evaluate(SHOWN)
    return np.array(found["pixels"], np.uint8).reshape(found["height"], found["width"], 4)[..., :3].astype(int)


def test_the_picture_begins_unchanged_and_follows_the_sliders(browser, studio):
    with participant(browser, studio.url) as page:
        start(page)
        assert json.loads(page.locator("#canvas").get_attribute("data-shown")) == dict.fromkeys(FILTERS, 0)
        before = pixels(page)
        assert before.shape == (24, 32, 3)
        slider = page.get_by_role("slider", name="brightness")
        assert slider.input_value() == "0"
        slider.fill("0.5")
        page.wait_for_function("JSON.parse(document.getElementById('canvas').dataset.shown).brightness === 0.5")
        after = pixels(page)
        assert (after[6:18, 8:24] > before[6:18, 8:24]).all()
        outside = np.ones((24, 32), bool)
        outside[6:18, 8:24] = False
        np.testing.assert_array_equal(after[outside], before[outside])
        page.locator("#divider").fill("100")
        np.testing.assert_allclose(pixels(page), before, atol=1)


def test_every_filter_must_be_rated(browser, studio):
    with participant(browser, studio.url) as page:
        start(page)
        page.get_by_role("group", name="brightness").get_by_label("3", exact=True).check()
        following(page)
        assert page.evaluate("document.querySelector('#adjustment').checkValidity()") is False
        assert page.get_by_text("1 of 5", exact=True).is_visible()
    assert read(studio.folder) == {}


def test_nothing_on_the_page_names_a_method(browser, studio):
    with participant(browser, studio.url) as page:
        answers = []
        page.on("response", lambda answer: answers.append(answer) if "/v1/" in answer.url else None)
        start(page)
        for number in (1, 2):
            fill(page, 0, 3)
            following(page)
            wait_for(page, number + 1)
        sizes = page.evaluate("[...document.querySelectorAll('.pair img')].map((each) => each.naturalWidth)")
        assert sizes == [32, 32]
        texts = [page.content(), *(f"{answer.url} {answer.all_headers()}" for answer in answers)]
        texts += [answer.text() for answer in answers if "json" in answer.headers["content-type"]]
        assert not [name for name in (*METHODS, "dog0", "cat0") for text in texts if name in text]


def test_a_participant_whom_the_study_does_not_know_begins_anew(browser, studio):
    with participant(browser, studio.url) as page:
        page.evaluate("localStorage.setItem('harmonizer-participant', 'of-another-study')")
        page.reload()
        start(page)
        assert page.evaluate("localStorage.getItem('harmonizer-participant')") != "of-another-study"


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_window_and_every_control_has_a_name(browser, studio, width, scheme):
    with participant(browser, studio.url, width, scheme) as page:
        page.get_by_role("button", name="Start").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        start(page)
        for number in range(1, 4):
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for control in page.locator("input, button").all():
                if control.is_visible():
                    name = control.evaluate(
                        "(each) => each.ariaLabel || each.labels?.[0]?.textContent || each.textContent"
                    )
                    assert name.strip(), control.evaluate("(each) => each.outerHTML")
            if number < 3:
                fill(page, 0.1, 3)
                following(page)
                wait_for(page, number + 1)
        boxes = [each.bounding_box() for each in page.locator(".pair button").all()]
        beside = boxes[0]["y"] == boxes[1]["y"]
        assert beside == (width == 1280)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_of_its_pages(browser, studio, scheme):
    with participant(browser, studio.url, scheme=scheme) as page:

        def check():
            found = Axe().run(page).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []

        page.locator("#welcome:visible").wait_for()
        check()
        start(page)
        check()
        for number in (1, 2):
            fill(page, 0.1, 3)
            following(page)
            wait_for(page, number + 1)
        check()
