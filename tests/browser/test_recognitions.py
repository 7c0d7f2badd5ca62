"""What was recognised, over the picture: boxes where they are, labels in their own script, hostile ones as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.browser.answer_bundles import SIGN, WRONG_LABEL, write_recognition_pair
from tests.browser.conftest import DESKTOP, PHONE, Opened
from tests.browser.test_accessible import CONTRAST, NAMELESS, USABLE

from penstock.report.page import write_report

RED = """(image) => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const place = image.getBoundingClientRect();
  let [left, top, right, bottom] = [1, 1, 0, 0];
  for (let at = 0; at < data.length; at += 4) {
    if (data[at] < 180 || data[at + 1] > 100) continue;
    const [x, y] = [((at / 4) % canvas.width) / canvas.width, Math.floor(at / 4 / canvas.width) / canvas.height];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  }
  const [across, down] = [(x) => place.left + x * place.width, (y) => place.top + y * place.height];
  return [across(left), down(top), across(right), down(bottom)];
}"""
"""Where the red sign stands on the screen, off the picture's pixels."""
CUT = """() => [...document.querySelectorAll('.frame')].flatMap((frame) => {
  const around = frame.getBoundingClientRect();
  return [...frame.querySelectorAll('.box-label')].map((label) => label.getBoundingClientRect())
    .filter((box) => box.left < around.left - 1 || box.right > around.right + 1 || box.top < around.top - 1)
    .map((box) => [box.left - around.left, box.right - around.right, box.top - around.top]);
})"""


@pytest.fixture(scope="module")
def recognised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a pair of bundles."""
    candidate, baseline, source = write_recognition_pair(tmp_path_factory.mktemp("recognised"))
    write_report(candidate, baseline, source)
    return candidate.report / "index.html"


def open_case(page: Page, name: str) -> None:
    page.locator("table.cases a", has_text=name).first.click()
    page.wait_for_function(
        "(name) => document.querySelector('#viewer-name').textContent === name"
        " && [...document.querySelectorAll('.stills img')].every((image) => image.complete && image.naturalWidth)",
        arg=name,
    )


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_boxes_stand_where_the_objects_are(
    recognised: Path, opened: Callable[..., Opened], size: tuple[int, int]
) -> None:
    page = opened(recognised, size=size).page
    open_case(page, "shop")
    for side in ("baseline", "candidate"):
        frame = page.locator(f".frame.{side}")
        sign = frame.locator("img").evaluate(RED)
        box = frame.locator("rect.right").bounding_box()
        assert box is not None
        told = [box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]]
        scale = frame.locator("img").evaluate("(image) => image.clientWidth / image.naturalWidth")
        assert told == pytest.approx(sign, abs=2 * scale + 2)
        assert box["width"] == pytest.approx(SIGN[2] * scale, abs=3)
    # in the small picture, too
    small = page.locator(".sheet li.candidate .marked").first
    sign = small.locator("img").bounding_box()
    box = small.locator("rect.right").bounding_box()
    assert sign is not None
    assert box is not None
    shown = min(sign["width"] / 320, sign["height"] / 240)
    assert box["width"] == pytest.approx(SIGN[2] * shown, abs=3)
    assert page.evaluate(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def test_letters_are_the_browsers_and_hostile_labels_are_text(recognised: Path, opened: Callable[..., Opened]) -> None:
    page = opened(recognised).page
    open_case(page, "shop")
    labels = page.locator(".frame.candidate .box-label")
    assert labels.all_inner_texts() == ["超市 0.93", f"{WRONG_LABEL} 0.61"]
    assert page.locator(".frame.candidate .box-label.wrong").get_attribute("title") == f"{WRONG_LABEL} 0.61"
    words = page.locator(".still-words.candidate li")
    assert words.all_inner_texts() == ["超市 0.93", f"{WRONG_LABEL} 0.61", "text: 超布"]
    assert [each.get_attribute("class") for each in words.all()] == ["right", "wrong", "wrong"]
    assert page.locator(".still-words.baseline li.right").all_inner_texts() == ["超市 0.93", "text: 超市"]
    assert page.evaluate(NAMELESS, USABLE) == []
    assert page.locator("[name=ground]").count() == 0, "there is nothing to lay a background behind"


def test_what_is_missed_or_broken_is_said(recognised: Path, opened: Callable[..., Opened]) -> None:
    page = opened(recognised).page
    open_case(page, "edge")
    assert "missed: 超市" in page.locator(".still-words.candidate").inner_text()
    open_case(page, "dead")
    assert "'objects' is text, not a list" in page.locator(".still-words.candidate").inner_text()
    assert page.locator(".frame.candidate rect").count() == 0


def test_keys_and_zoom(recognised: Path, opened: Callable[..., Opened]) -> None:
    page = opened(recognised).page
    open_case(page, "shop")
    page.keyboard.press("1")  # no background here, and no error
    page.keyboard.press("v")
    page.keyboard.press("v")
    assert page.locator("input[name=still]:checked").get_attribute("value") == "truth"
    assert page.locator(".frame.candidate .box-label").all_inner_texts() == ["超市"]
    page.keyboard.press("v")
    page.keyboard.press("z")
    height = page.locator(".frame.candidate .box-label.wrong").bounding_box()
    assert height is not None
    assert 10 < height["height"] < 30, "letters do not grow with the picture"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out(recognised: Path, opened: Callable[..., Opened], scheme: str) -> None:
    page = opened(recognised, scheme=scheme).page
    open_case(page, "shop")
    assert page.evaluate(CONTRAST) == []
