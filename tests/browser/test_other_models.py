"""Models that return pictures, or only numbers; bundles that are bare; suites that are large."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.browser.bundles import LOOKS, rule, write_bundle
from tests.browser.conftest import DESKTOP, PHONE, Opened

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement
from penstock.bundle.verdict_record import Verdict
from penstock.report.page import write_page

FIRST = "LSE-D is 7.9, as it must be ≤ 9; margin not compared: there is no baseline (first release)"


def _measured(path: Path, shift: float) -> Bundle:
    path.mkdir(parents=True)
    bundle = Bundle(path)
    bundle.write_measurements(
        Measurement(case=f"photo-{n}", metric="sad", value=3.0 + n * shift, slices=["hair"]) for n in range(4)
    )
    return bundle


def _verdict(**more: object) -> Verdict:
    sad = rule("sad", "fail", "sad rose from 3 to 4, more than the allowed +0.2", "no more than +0.2 over the baseline")
    sad = sad.model_copy(update={"baseline": 3.0, "candidate": 4.0, "change": 1.0, "interval": (0.5, 1.5)})
    return Verdict.model_validate({"verdict": "fail", "baseline": "old", "level": 0.05, "rules": [sad]} | more)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_pictures_stand_side_by_side(tmp_path: Path, opened: Callable[..., Opened], size: tuple[int, int]) -> None:
    candidate, baseline = _measured(tmp_path / "new", 1.0), _measured(tmp_path / "old", 0.1)
    for bundle in (candidate, baseline):
        calls = []
        for n in range(4):
            output = f"outputs/photo-{n}/matte.png"
            (bundle.path / output).parent.mkdir(parents=True)
            cv2.imwrite(str(bundle.path / output), np.full((90, 160), 60 * n, np.uint8))
            calls.append(Invocation(case=f"photo-{n}", status="ok", output=output))
        bundle.write_invocations(calls)
    write_page(candidate, baseline, _verdict(), tmp_path / "page")
    page = opened(tmp_path / "page" / "index.html", size=size).page
    page.wait_for_function("() => [...document.images].map((image) => image.naturalWidth).join() === '160,160'")
    assert page.locator("#viewer-name").inner_text() == "photo-3"
    assert page.locator(".transport").is_hidden()
    assert page.locator(".timeline").is_hidden()
    assert page.locator(".closeup").count() == 0
    assert page.locator(".forest").count() == 2  # a metric of one's own: which way is worse stands in its limit
    page.keyboard.press("n")
    assert page.locator("#viewer-name").inner_text() == "photo-2"


def test_numbers_alone_are_enough(tmp_path: Path, opened: Callable[..., Opened]) -> None:
    candidate, baseline = _measured(tmp_path / "new", 1.0), _measured(tmp_path / "old", 0.1)
    write_page(candidate, baseline, _verdict(), tmp_path / "page")
    page = opened(tmp_path / "page" / "index.html").page
    assert page.locator("h1").inner_text().split() == ["new", "rejected"]
    assert page.locator(".worst li b").first.inner_text() == "photo-3"
    assert page.locator("#numbers tr").count() == 1
    assert page.locator(".side").first.is_hidden()
    assert page.locator(".transport").is_hidden()


def test_values_of_the_suite_alone_are_enough(tmp_path: Path, opened: Callable[..., Opened]) -> None:
    bundle = Bundle(tmp_path / "new")
    bundle.path.mkdir()
    bundle.write_measurements([Measurement(case="*", metric="fid", value=0.2)])
    write_page(bundle, None, _verdict(rules=[rule("fid", "pass", "FID is 0.2", "≤ 1")], verdict="pass"), tmp_path / "p")
    page = opened(tmp_path / "p" / "index.html").page
    assert page.locator("#viewer").count() == 0
    assert "There are no single cases." in page.locator(".worst").inner_text()


def test_a_first_release_is_not_compared(tmp_path: Path, opened: Callable[..., Opened]) -> None:
    candidate = write_bundle(tmp_path / "new", "1.0.0", LOOKS[:2], candidate=True, frames=20)
    bounds = rule("lse_d", "pass", FIRST, "≤ 9, no more than +5 % over the baseline", n=2)
    nothing = rule("jitter", "pass", "not compared: there is no baseline", "no more than +5 % over the baseline", n=2)
    parts = [(bounds, "margin"), (nothing, "rule")]
    rules = [found.model_copy(update={"not_compared": part}) for found, part in parts]
    verdict = Verdict(verdict="pass", baseline=None, level=0.05, rules=rules)
    write_page(candidate, None, verdict, candidate.report)
    page = opened(candidate.report / "index.html").page
    assert "no baseline: this is the first release" in page.locator("header").inner_text()
    assert page.locator("h2").first.inner_text() == (
        "1 rule holds its bounds (margin not compared), 1 not compared: there is no baseline"
    )
    assert page.locator(".reasons .chip").all_inner_texts() == [
        "not compared (no baseline)",
        "bounds held, margin not compared",
    ]
    assert page.locator("video").count() == 1
    assert page.locator(".side.baseline").is_hidden()
    page.keyboard.press("b")
    assert page.locator(".candidate .sounding").is_visible()


def test_two_hundred_cases_load_two_videos_at_a_time(tmp_path: Path, opened: Callable[..., Opened]) -> None:
    looks = [
        replace(LOOKS[1], name=f"case-{n:03}", slices=(f"slice-{n % 7}",), after=7.0 + n / 100) for n in range(200)
    ]
    sides = []
    for candidate in (True, False):
        first = write_bundle(tmp_path / str(candidate), "1.1.0", looks[:1], candidate=candidate, frames=20)
        video = (first.path / "outputs/case-000/output.mp4").read_bytes()
        calls = []
        for look in looks:
            output = f"outputs/{look.name}/output.mp4"
            (first.path / output).parent.mkdir(parents=True, exist_ok=True)
            (first.path / output).write_bytes(video)
            calls.append(Invocation(case=look.name, status="ok", output=output))
        first.write_invocations(calls)
        first.write_measurements(
            Measurement(case=k.name, metric="lse_d", value=(k.after or 0) if candidate else 7.0, slices=list(k.slices))
            for k in looks
        )
        sides.append(first)
    write_page(sides[0], sides[1], _verdict(rules=[rule("lse_d", "fail", "LSE-D rose", "≤ 7.5")]), tmp_path / "page")
    page = opened(tmp_path / "page" / "index.html").page
    assert page.locator(".cases tbody tr").count() == 200
    assert page.locator(".worst li b").all_inner_texts() == [f"case-{n}" for n in (199, 198, 197, 196, 195)]
    assert page.locator("video").count() == 2
    page.locator("#filter").fill("slice-3 case-1")
    assert page.locator("#filtered").inner_text() == "15 of 200"
    assert page.locator(".cases tbody tr:visible").count() == 15
    page.keyboard.press("n")
    assert page.locator("#filter").input_value().endswith("n")
