"""Still pictures in a real browser: what is shown, what is behind it, the swipe, the zoom; read off the pixels."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page
from tests.browser.conftest import DESKTOP, PHONE, Opened
from tests.browser.matte_bundles import CASES, HEIGHT, SPECK, WIDTH, write_matte_pair

from penstock.bundle.directory import Bundle
from penstock.report.page import write_page, write_report

Pair = tuple[Bundle, Bundle, Path]
RED, BLUE = (200, 30, 38), (20, 90, 200)


@pytest.fixture(scope="module")
def mattes(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    pair = write_matte_pair(tmp_path_factory.mktemp("mattes"))
    write_report(*pair)
    return pair


def show(opened: Callable[..., Opened], report: Path, case: str, size: tuple[int, int] = DESKTOP) -> Opened:
    shown = opened(report / "index.html", size=size)
    shown.page.locator(".cases a", has_text=case).click()
    settled(shown.page)
    assert shown.page.locator("#viewer-name").inner_text() == case
    return shown


def settled(page: Page) -> None:
    page.wait_for_function("() => [...document.querySelectorAll('.stills img')].every((image) => image.complete)")


def at(page: Page, side: str, across: float, down: float) -> tuple[int, int, int]:
    """The colour (RGB) of a place in a side's frame, as shares of it."""
    settled(page)
    data = np.frombuffer(page.locator(f".frame.{side}").screenshot(), np.uint8)
    image: npt.NDArray[np.uint8] = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
    blue, green, red = image[int(down * image.shape[0]), int(across * image.shape[1])].tolist()
    return red, green, blue


def test_photo_both_alphas_and_errors_are_seen_at_once(mattes: Pair, opened: Callable[..., Opened]) -> None:
    page = show(opened, mattes[0].report, "glass").page
    captions = ["photo", "true alpha", "alpha, baseline", "alpha, candidate", "error, baseline", "error, candidate"]
    captions += ["edge, baseline", "edge, candidate"]
    assert page.locator(".sheet span").all_inner_texts() == captions
    widths = page.evaluate("[...document.querySelectorAll('.sheet img')].map((image) => image.naturalWidth)")
    assert widths == [WIDTH] * 8
    assert page.locator(".side, .transport, .timeline").filter(visible=True).count() == 0
    page.locator(".sheet .candidate button").nth(1).click()
    assert page.locator("input[value=error]").is_checked()
    assert at(page, "candidate", 110 / WIDTH, 52 / HEIGHT) == pytest.approx(BLUE, abs=3)  # it was cut off
    assert "red: too much" in page.locator("#still-meaning").inner_text()


def test_the_background_is_the_reader_s(mattes: Pair, opened: Callable[..., Opened], tmp_path: Path) -> None:
    page = show(opened, mattes[0].report, "shadow").page
    for key, colour in (("2", (0, 0, 0)), ("3", (255, 255, 255)), ("4", (0, 177, 64))):
        page.keyboard.press(key)
        assert at(page, "candidate", 0.02, 0.02) == colour
        assert at(page, "candidate", 110 / WIDTH, 100 / HEIGHT) == pytest.approx((235, 120, 40), abs=2)
    page.locator("#own-colour").fill("#ff00ff")
    assert at(page, "baseline", 0.02, 0.02) == (255, 0, 255)
    cv2.imwrite(str(tmp_path / "own.png"), np.full((40, 40, 3), (200, 60, 10), np.uint8))
    page.locator("#own-picture").set_input_files(tmp_path / "own.png")
    page.wait_for_timeout(200)
    assert at(page, "baseline", 0.02, 0.02) == (10, 60, 200)
    assert page.locator("input[value=picture]").is_checked()
    page.keyboard.press("1")
    assert {at(page, "candidate", x / 100, 0.02) for x in range(1, 20)} == {(200, 200, 200), (255, 255, 255)}


def test_a_swipe_shows_the_baseline_left_of_its_line(mattes: Pair, opened: Callable[..., Opened]) -> None:
    page = show(opened, mattes[0].report, "glass").page
    page.keyboard.press("2")
    page.keyboard.press("s")
    stage = page.locator(".frame.baseline").bounding_box()
    assert stage == page.locator(".frame.candidate").bounding_box()
    place = (110 / WIDTH, 52 / HEIGHT)  # the candidate has cut this off
    page.locator("#swipe-at").fill("90")
    assert at(page, "candidate", *place)[0] > 200
    page.locator("#swipe-at").fill("10")
    assert at(page, "candidate", *place) == (0, 0, 0)
    page.locator("#viewer").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#swipe-at").input_value() == "12"
    page.keyboard.press("n")
    assert page.locator("#swipe").get_attribute("aria-pressed") == "true"


def test_the_zoom_goes_to_the_worst_edge(mattes: Pair, opened: Callable[..., Opened]) -> None:
    page = show(opened, mattes[0].report, "hair").page
    page.keyboard.press("v")
    page.keyboard.press("v")
    page.keyboard.press("z")
    assert at(page, "candidate", 0.4, 0.5) == pytest.approx(RED, abs=3)
    ring = page.evaluate("[...document.querySelectorAll('.spot')].map((i) => [i.style.left, i.style.top])")
    assert ring == [["50%", "50%"]] * 2
    frame = page.locator(".frame.candidate").bounding_box()
    image = page.locator(".frame.candidate img").bounding_box()
    assert frame
    assert image
    assert image["width"] == pytest.approx(8 * frame["width"], rel=0.01)
    middle = (frame["x"] + frame["width"] / 2 - image["x"]) / image["width"] * WIDTH
    assert middle == pytest.approx(SPECK[0], abs=9)
    page.keyboard.press("Shift+ArrowRight")
    moved = page.locator(".frame.candidate img").bounding_box()
    assert moved
    assert moved["x"] < image["x"]
    page.keyboard.press("z")
    assert page.locator(".frame.candidate img").bounding_box() == frame


def test_an_answer_that_is_no_cutout_says_so(mattes: Pair, opened: Callable[..., Opened]) -> None:
    page = show(opened, mattes[0].report, "jpeg").page
    assert page.locator(".frame.candidate .message").inner_text() == (
        "the output is not a PNG with alpha: this is a JPEG picture, where a PNG is wanted"
    )
    assert page.locator(".frame.baseline img").is_visible()
    reasons = page.locator("#numbers .lost").all_inner_texts()
    assert sum("JPEG" in reason for reason in reasons) == 1
    assert reasons.count("as above") >= 15
    assert page.locator(".sheet .message").count() == 3


def test_a_phone_shows_the_same_and_prints(mattes: Pair, opened: Callable[..., Opened]) -> None:
    page = show(opened, mattes[0].report, "hair", PHONE).page
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    heights = (
        "() => [...document.querySelectorAll('.still-bar label span')].map((b) => b.getBoundingClientRect().height)"
    )
    assert min(page.evaluate(heights)) >= 32
    page.emulate_media(media="print")
    assert page.locator(".sheet img").first.is_visible()
    assert page.locator(".still-bar").is_hidden()


def test_pictures_beside_the_page_are_found_where_it_is_moved(
    mattes: Pair, opened: Callable[..., Opened], tmp_path: Path
) -> None:
    candidate, baseline, source = mattes
    write_page(candidate, baseline, candidate.verdict(), tmp_path / "page", source=source, embed_bytes=0)
    shutil.move(tmp_path / "page", tmp_path / "moved")
    page = show(opened, tmp_path / "moved", "glass").page
    assert page.locator(".sheet img").count() == 8
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")


def test_without_the_suite_the_answers_are_shown(mattes: Pair, opened: Callable[..., Opened], tmp_path: Path) -> None:
    candidate, baseline, _ = mattes
    write_page(candidate, baseline, candidate.verdict(), tmp_path / "page")
    page = show(opened, tmp_path / "page", "hair").page
    assert page.locator(".frame.candidate img").is_visible()
    assert page.locator(".sheet .message").first.inner_text() == "the suite's files are not at hand"


def test_slices_stand_beside_each_other_on_every_width_and_in_print(
    mattes: Pair, opened: Callable[..., Opened]
) -> None:
    page = opened(mattes[0].report / "index.html").page
    assert page.locator(".slices tbody th").all_inner_texts() == ["all cases", *sorted((*CASES, "smoke"))]
    assert page.locator(".slices thead th").nth(2).inner_text().split() == ["IoU", "%", "higher", "is", "better"]
    cell = page.locator(".slices tbody tr").nth(1).locator("td").nth(1)
    assert cell.get_attribute("data-label") == "IoU %"
    assert float(cell.locator("b").inner_text()) == pytest.approx(90, abs=10)
    assert cell.locator("em").inner_text().endswith(" open")  # one case
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1000})  # A4
    assert page.locator(".slices thead").is_visible()
    phone = opened(mattes[0].report / "index.html", size=PHONE).page
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert phone.locator(".slices thead").is_hidden()
    shown = phone.evaluate("getComputedStyle(document.querySelector('.slices td:nth-of-type(2)'), '::before').content")
    assert shown.startswith('"IoU %')


def test_before_and_after_by_slice_leads_to_the_case(mattes: Pair, opened: Callable[..., Opened]) -> None:
    page = opened(mattes[0].report / "index.html").page
    # the candidate's answer to `jpeg` is none, so that there is no pair of it
    assert page.locator(".scenes h3 bdi").all_inner_texts() == ["glass", "hair", "shadow", "smoke"]
    assert page.locator(".scenes h3 small").all_inner_texts()[-1] == "3 of 4 cases"
    hair = page.locator(".scenes ul").nth(1).locator("img")
    assert hair.evaluate_all("(images) => images.map((i) => [i.className, i.naturalWidth, i.naturalHeight])") == [
        ["baseline checks", WIDTH, HEIGHT],
        ["candidate checks", WIDTH, HEIGHT],
    ]
    hair.nth(1).scroll_into_view_if_needed()
    data = np.frombuffer(hair.nth(1).screenshot(), np.uint8)
    image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    box = hair.nth(1).bounding_box()
    assert box
    scale = min(box["width"] / WIDTH, (box["height"] - 3) / HEIGHT)
    corner = (box["width"] - scale * WIDTH) / 2, (box["height"] - 3 - scale * HEIGHT) / 2
    across, down = (int(start + scale * place) for start, place in zip(corner, SPECK, strict=True))
    blue, _, red = image[down, across].tolist()
    assert blue > red  # a piece of the wall, where the checks are grey
    assert image[int(corner[1]) + 3, int(corner[0]) + 3].tolist() in ([200] * 3, [255] * 3)
    hair.nth(0).click()
    assert page.locator("#viewer-name").inner_text() == "hair"
    page.emulate_media(media="print")
    assert hair.nth(0).is_visible()
    phone = opened(mattes[0].report / "index.html", size=PHONE).page
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    shown = phone.locator(".scenes img").first.bounding_box()
    assert shown
    assert shown["width"] > 150
