"""A service under load, in a real browser: charts that can be read on a phone, errors as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.browser.conftest import DESKTOP, PHONE, Opened
from tests.browser.test_accessible import CONTRAST, NAMELESS, USABLE
from tests.browser.test_whole_suite import OVERLAPS
from tests.unit.report.load_parts import load_part

from penstock.bundle.directory import Bundle
from penstock.bundle.load_record import write_load_part
from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import Verdict
from penstock.report.page import write_page


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a service that leaks and loses requests, beside one that does not."""
    folder = tmp_path_factory.mktemp("loaded")
    sides = []
    for name, leak, lost in (("new", 0.2, (60, 150)), ("old", 0.0, ())):
        bundle = Bundle(folder / name)
        bundle.path.mkdir()
        for part in ("1/2", "2/2"):
            write_load_part(bundle, load_part(part, leak=leak, lost=lost))
        bundle.write_measurements([Measurement(case="*", metric="throughput", value=9.0)])
        sides.append(bundle)
    verdict = Verdict.model_validate({"verdict": "pass", "baseline": "old", "level": 0.05, "rules": []})
    write_page(sides[0], sides[1], verdict, folder / "page")
    return folder / "page" / "index.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_charts_can_be_read(loaded: Path, opened: Callable[..., Opened], size: tuple[int, int], scheme: str) -> None:
    page = opened(loaded, size=size, scheme=scheme).page
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(NAMELESS, USABLE) == []
    charts = page.locator(".load .chart")
    assert charts.count() == 3
    for chart in charts.all():
        assert not chart.evaluate(OVERLAPS), chart.get_attribute("aria-label")
        outside = chart.evaluate(
            "(chart) => [...chart.querySelectorAll('text')].map((text) => text.getBoundingClientRect())"
            ".filter((box) => box.left < 0 || box.right > innerWidth).length"
        )
        assert outside == 0
        assert chart.evaluate("(chart) => getComputedStyle(chart.querySelector('text')).fontSize") == "11px"
    assert page.locator(".load .legend span").all_inner_texts() == ["candidate", "old"]


def test_growth_and_lost_requests_are_seen_and_said(loaded: Path, opened: Callable[..., Opened]) -> None:
    page = opened(loaded).page
    kinds = (
        page.locator(".load .chart")
        .nth(2)
        .locator("polyline")
        .evaluate_all("(all) => all.map((line) => line.getAttribute('class'))")
    )
    assert (
        kinds == ["candidate", "candidate", "baseline", "baseline"] + ["candidate slope"] * 2 + ["baseline slope"] * 2
    )
    marks = page.locator(".load .lost-request")
    assert marks.count() == 4
    axis, mark = page.locator(".load .chart svg[viewBox]").first.bounding_box(), marks.first.bounding_box()
    assert axis is not None
    assert mark is not None
    assert mark["y"] >= axis["y"] + axis["height"], "below the lines, not over them"
    facts = page.locator(".load .facts").inner_text()
    assert "4 of 400 requests" in facts
    assert "the released model's: " in facts
    assert "500 <Internal>" in facts
