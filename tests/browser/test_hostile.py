"""Everything in a bundle is somebody else's: none of it runs, loads, or breaks out of where it is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.browser.bundles import rule, write_video
from tests.browser.conftest import PHONE, Opened

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement, Run, Source, StepRecord
from penstock.bundle.verdict_record import Verdict, WaiverRecord
from penstock.report.page import write_report

EVIL = (
    "</script><script>window.pwned=1</script>",
    "</title></style><img src=x onerror=window.pwned=1>",
    "\"' onmouseover=window.pwned=1 x='",
    "<!--<script>",
    "javascript:window.pwned=1",
    "{{ 7*7 }}${7*7}",
    "https://evil.example/x.png",
    "\u2028\u2029\u202egnp.exe\x00\x1b[31m",
)
ALL = "".join(EVIL)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A candidate and a baseline in which every text is an attack."""
    folder = tmp_path_factory.mktemp("hostile")
    candidate, baseline = _bundle(folder / "candidate"), _bundle(folder / "baseline")
    waiver = WaiverRecord(reason=ALL, author=ALL, expires=ALL)
    rules = [rule(text or "x", "fail", ALL, ALL, slice=ALL, waiver=waiver, change=1.0, baseline=1.0) for text in EVIL]
    rules.append(rule("lse_d", "inconclusive", ALL, "no more than +5 % over the baseline", needed=9, interval=(-1, 2)))
    candidate.write_verdict(Verdict(verdict="fail", baseline=ALL, candidate=ALL, level=0.05, rules=rules))
    past = {"schema_version": 1, "model": ALL, "note": ALL}
    value = {"mean": 7.0, "n": 1, "slices": {ALL: 1.0}}
    past["releases"] = [
        {"run_id": ALL, "version": ALL, "time": ALL, "note": ALL, "metrics": {"lse_d": value, ALL: value}}
    ]
    (candidate.path / "history.json").write_text(json.dumps(past), encoding="utf-8")
    write_report(candidate, baseline)
    return candidate.report / "index.html"


def _bundle(path: Path) -> Bundle:
    bundle = Bundle(path)
    path.mkdir(parents=True)
    source = Source(url=EVIL[4], revision=ALL, commit=ALL, committer_date=ALL, version=ALL, tree=ALL)
    step = StepRecord(name=ALL, status="done", started=ALL, seconds=1, note=ALL)
    run = Run(penstock=ALL, run_id=ALL, track=ALL, model=ALL, family=ALL, source=source)
    bundle.update_run(run.model_copy(update={"steps": [step], "extractors": {ALL: ALL}}))
    outputs = ['"><img src=x onerror=window.pwned=1>.mp4', "page.html", "picture.svg", "not a picture.png", "cut.mp4"]
    calls = []
    for number, name in enumerate(EVIL):
        file = outputs[number % len(outputs)]
        output = bundle.outputs / str(number) / file
        output.parent.mkdir(parents=True)
        if number == 0:
            write_video(output, frames=20)
        else:
            output.write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='window.pwned=1'/>", encoding="utf-8")
        calls.append(Invocation(case=name, status="ok", output=f"outputs/{number}/{file}"))
    calls.append(Invocation(case="../../../etc/passwd", status="failed", error=ALL))
    bundle.write_invocations(calls)
    bundle.write_measurements(
        Measurement(case=call.case, metric=metric, value=7.0 + n, unit=ALL, slices=[ALL], extractor=ALL, error=ALL)
        for n, call in enumerate(calls)
        for metric in ("lse_d", ALL)
    )
    frames = {"fps": ALL, "sync_distance": [1, ALL, None, [1]], "jitter": {"a": 1}, "sound": ALL, "face": [ALL] * 4}
    (bundle.outputs / "0" / "frames.json").write_text(json.dumps(frames), encoding="utf-8")
    return bundle


@pytest.mark.parametrize("size", [(1280, 800), PHONE], ids=["desk", "phone"])
def test_nothing_of_it_runs_or_is_loaded(hostile: Path, opened: Callable[..., Opened], size: tuple[int, int]) -> None:
    shown = opened(hostile, size=size, ready=False)
    page = shown.page
    page.wait_for_function("() => document.querySelector('#viewer-name').textContent !== ''")
    for number in range(9):
        page.evaluate("(number) => document.querySelectorAll('.cases a')[number].click()", number)
        page.wait_for_function(
            "() => [...document.querySelectorAll('video, img')].every((m) => m.complete || m.readyState >= 1)"
        )
    page.locator(".past summary").click()
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.scripts.length") == 3 + page.locator("script[type='text/plain']").count()
    assert page.locator("body iframe, body object, body embed, body base, body form, body link").count() == 0
    assert page.evaluate("[...document.querySelectorAll('a')].every((a) => a.getAttribute('href').startsWith('#'))")
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert page.locator("h1").inner_text().endswith("rejected")
    # what turns the direction of a line, or drives a terminal, is shown as what it is
    assert "\u202e" not in page.locator("body").inner_text()
    assert "\\u202e" in page.locator("body").inner_text()


def test_even_a_script_that_got_in_would_not_run(hostile: Path, opened: Callable[..., Opened]) -> None:
    shown = opened(hostile, ready=False)
    shown.may_say = "Content Security Policy|TrustedScript|Trusted Type|requires 'Trusted"
    page = shown.page
    page.evaluate(
        """() => {
        const script = document.createElement('script');
        try { script.textContent = 'window.pwned = 1'; document.body.append(script); } catch { window.refused = 1; }
        const frame = document.createElement('iframe');
        frame.src = 'https://evil.example/';
        document.body.append(frame);
        const picture = new Image();
        picture.src = 'https://evil.example/x.png';
        fetch('https://evil.example/').catch(() => 0);
        }"""
    )
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    assert [url for url in shown.asked if "evil" in url] == []
