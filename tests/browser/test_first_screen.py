"""What a reviewer sees without scrolling, on a desk and on a phone, by day and by night, and on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.browser.bundles import mixed_verdict, rule
from tests.browser.conftest import DESKTOP, PHONE, Opened

from penstock.bundle.directory import Bundle
from penstock.report.page import write_page

INSIDE = """(selector) => [...document.querySelectorAll(selector)].map((element) => {
  const box = element.getBoundingClientRect();
  return box.width > 0 && box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
})"""
SCHEMES = ("light", "dark")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_verdict_rules_and_worst_cases_need_no_scrolling(
    report: Path, opened: Callable[..., Opened], size: tuple[int, int], scheme: str
) -> None:
    page = opened(report, size=size, scheme=scheme).page
    assert page.locator("h1").inner_text() == "sonic-lite 1.1.0 rejected"
    assert page.evaluate(INSIDE, "h1 strong, .counts") == [True, True]
    assert page.evaluate(INSIDE, ".reasons li") == [True] * 5
    assert page.evaluate(INSIDE, ".worst li") == [True] * 5
    assert page.locator(".worst li b").all_inner_texts()[:3] == ["emil-german", "bela-fast", "carla-slow"]
    assert "8 cases" not in page.locator("header").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def test_what_stops_the_release_comes_first_and_says_why(report: Path, opened: Callable[..., Opened]) -> None:
    page = opened(report).page
    rules = page.locator(".reasons li")
    assert rules.locator(".chip").all_inner_texts() == ["failed", "failed", "inconclusive", "waived", "advisory"]
    assert "more than the allowed +5 %" in rules.nth(0).inner_text()
    assert "waiver expired on 2026-01-31 by Bo: until the new suite is there" in rules.nth(1).inner_text()
    assert "about 46 cases would settle it" in rules.nth(2).inner_text()
    assert "waived until 2026-12-31 by Ada: new microphone" in rules.nth(3).inner_text()
    counts = " ".join(page.locator(".counts").inner_text().split())
    assert counts == "2 failed 1 inconclusive 1 waived 1 advisory 1 held"


def test_fourteen_fallen_rules_still_fit_on_the_first_screen(
    pair: tuple[Bundle, Bundle], tmp_path: Path, opened: Callable[..., Opened]
) -> None:
    many = [rule(f"own_{n}", "fail", f"own_{n} rose by a lot, " * 9, "≤ 1") for n in range(20)]
    write_page(*pair, mixed_verdict().model_copy(update={"rules": many}), tmp_path)
    page = opened(tmp_path / "index.html").page
    assert page.evaluate(INSIDE, ".reasons li") == [True] * 14
    assert page.locator(".more").inner_text() == "6 more in the table"
    assert page.evaluate(INSIDE, ".worst li") == [True] * 5
    assert page.locator("table.metrics .chip.fail").count() == 20


def test_the_interval_is_drawn_against_the_margin(report: Path, opened: Callable[..., Opened]) -> None:
    page = opened(report).page
    drawing = page.locator(".reasons .forest").nth(0)
    at = {name: float(drawing.locator(f".{name}").get_attribute("x1") or "") for name in ("zero", "margin", "interval")}
    end = float(drawing.locator(".interval").get_attribute("x2") or "")
    point = float(drawing.locator(".point").get_attribute("cx") or "")
    # 0, the margin 0.365, the interval 0.55 to 1.45 around 1.0: worse is to the right
    assert at["zero"] < at["margin"] < at["interval"] < point < end
    assert (at["margin"] - at["zero"]) / (point - at["zero"]) == pytest.approx(0.365, abs=0.01)
    assert (end - at["zero"]) / (point - at["zero"]) == pytest.approx(1.45, abs=0.01)
    assert "interval +0.55 to +1.45" in (drawing.get_attribute("aria-label") or "")


def test_the_course_over_the_last_releases_shows_its_gap(report: Path, opened: Callable[..., Opened]) -> None:
    page = opened(report).page
    line = page.locator("#rule-2 .trend")
    assert line.locator(".gap").count() == 1
    assert line.locator(".other").count() == 1  # another extractor
    assert line.locator("circle").count() == 8
    assert (line.get_attribute("aria-label") or "").endswith("0.7.0: 7.300; this run: 8.300")
    page.locator(".past summary").click()
    row = page.locator(".past tbody tr", has_text="LSE-D")
    values = " ".join(row.locator("td").all_inner_texts())
    assert values == "8.100* 7.900 8.000 – 7.600 7.400 7.500 7.300 –"
    assert "0.3.0: its bundle cannot be read" in page.locator(".past").inner_text()


def test_it_prints_with_the_frames_that_are_shown(report: Path, tmp_path: Path, opened: Callable[..., Opened]) -> None:
    page = opened(report, fragment="#case-2").page
    paper = tmp_path / "report.pdf"
    page.pdf(path=str(paper), format="A4")
    assert paper.read_bytes().startswith(b"%PDF-")
    assert paper.stat().st_size > 20_000
    assert page.locator(".screen .still").count() == 2
    page.emulate_media(media="print")
    assert page.locator(".transport").is_hidden()
    assert page.locator(".screen .still").first.is_visible()
    assert page.locator(".screen video").first.is_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
