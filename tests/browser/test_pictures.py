"""The page leads to the pictures beside it, and a browser shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.browser.bundles import LOOKS, mixed_verdict, write_bundle
from tests.browser.conftest import PHONE, Opened

from penstock.report.page import write_report
from penstock.report.pictures import draw_pictures


def test_the_pictures_are_linked_and_shown(tmp_path: Path, opened: Callable[..., Opened]) -> None:
    candidate = write_bundle(tmp_path / "candidate", "1.1.0", LOOKS[:3], candidate=True)
    baseline = write_bundle(tmp_path / "baseline", "1.0.0", LOOKS[:3], candidate=False)
    candidate.write_verdict(mixed_verdict())
    drawn = draw_pictures(candidate, baseline)
    write_report(candidate, baseline, pictures=drawn)
    page = opened(candidate.report / "index.html", size=PHONE).page
    links = page.locator(".pictures a")
    assert links.count() == len(drawn) >= 4
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for path in [picture.path for picture in drawn[:3]]:
        shown = opened(candidate.report / path, ready=False).page
        assert shown.evaluate("document.images[0].decode().then(() => document.images[0].naturalWidth)") > 300
