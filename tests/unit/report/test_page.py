"""The report: verdict first, worst case first, hostile text inert, one file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.unit.report.verdicts import FIRST

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement, RuleResult, Source, Verdict
from penstock.bundle.steps import begin
from penstock.notices.message import headline
from penstock.report.page import write_page, write_report

HOSTILE = "</script><script>alert(1)</script>|`*"


def rule(metric: str, verdict: str, reason: str = "fine") -> RuleResult:
    return RuleResult(
        metric=metric,
        slice=None,
        verdict=verdict,
        reason=reason,
        baseline=7.9,
        candidate=9.26,
        change=1.36,
        interval=None,
        limit="≤ 9",
        n=2,
    )


def make_bundle(path: Path, run_id: str, lse_d: dict[str, float | None]) -> Bundle:
    bundle = Bundle(path)
    run = begin(bundle, run_id=run_id, track="release")
    source = Source(
        url="https://git.example.org/a b.git",
        revision="v1",
        commit="c" * 40,
        committer_date="2026-01-01",
        version="1",
        tree="t",
    )
    bundle.update_run(run.model_copy(update={"model": "sonic-lite", "source": source}))
    bundle.write_measurements(
        [Measurement(case=case, metric="lse_d", value=value, slices=[HOSTILE]) for case, value in lse_d.items()]
    )
    calls = [
        Invocation(case=case, status="ok", output=f"outputs/{case}/output.mp4")
        if value is not None
        else Invocation(case=case, status="failed", error=HOSTILE)
        for case, value in lse_d.items()
    ]
    bundle.write_invocations(calls)
    for case, value in lse_d.items():
        if value is not None:
            (bundle.outputs / case).mkdir(parents=True)
            (bundle.outputs / case / "output.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + run_id.encode())
    return bundle


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Bundle, Bundle]:
    candidate = make_bundle(tmp_path / "candidate", "new", {"good": 8.0, "bad": 9.9, "dead": None})
    baseline = make_bundle(tmp_path / "baseline", "old", {"good": 8.1, "bad": 8.0, "dead": 8.0})
    rules = [rule("fid", "pass"), rule("lse_d", "fail", f"LSE-D rose {HOSTILE}")]
    candidate.write_verdict(Verdict(verdict="fail", baseline="old", candidate="new", level=0.05, rules=rules))
    return candidate, baseline


class Tags(HTMLParser):
    """Counts scripts and collects what the page would load, and the data of its script."""

    def __init__(self) -> None:
        super().__init__()
        self.running = 0
        self.loads: list[str] = []
        self.data = ""
        self._in_data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.running += tag == "script" and "type" not in known
        self._in_data = known.get("id") == "data"
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action", "poster")]

    def handle_data(self, data: str) -> None:
        self.data += data if self._in_data else ""


def read(page_file: Path) -> tuple[str, Tags]:
    html = page_file.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(html)
    return html, tags


def test_the_page_is_one_file_with_the_verdict_and_the_worst_case_first(pair: tuple[Bundle, Bundle]) -> None:
    candidate, baseline = pair
    summary = write_report(candidate, baseline)
    html, tags = read(candidate.report / "index.html")
    assert tags.running == 1
    assert all(load.startswith(("data:", "#")) for load in tags.loads)
    places = ["rejected", 'id="why"', 'id="worst"', 'id="viewer"', 'id="metrics"', 'id="cases"', 'id="ran"']
    assert [html.index(place) for place in places] == sorted(html.index(place) for place in places)
    cases = json.loads(tags.data)
    assert [case["name"] for case in cases] == ["dead", "bad", "good"]
    assert html.index('<p title="LSE-D rose ') < html.index('id="worst"')
    assert [sorted(case["media"]) for case in cases] == [
        ["baseline"],
        ["baseline", "candidate"],
        ["baseline", "candidate"],
    ]
    assert html.count('<script type="text/plain"') == 5
    assert len(list(candidate.report.iterdir())) == 2
    assert summary.startswith("## sonic-lite 1: rejected")
    assert "<script>" not in summary


def test_only_our_own_script_may_run(pair: tuple[Bundle, Bundle]) -> None:
    write_report(*pair)
    html, _ = read(pair[0].report / "index.html")
    script = html[html.rindex("<script>") + len("<script>") :].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    assert f"script-src &#39;sha256-{digest}&#39;;" in policy[1]
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe" not in policy[1]
    assert "http" not in policy[1]
    assert " style=" not in html
    assert not re.search(r"\son[a-z]+=", html.split("<script")[0])


def test_a_first_release_says_that_there_was_no_baseline(pair: tuple[Bundle, Bundle]) -> None:
    candidate, _ = pair
    candidate.write_verdict(candidate.verdict().model_copy(update={"baseline": None}))
    assert "no baseline" in write_report(candidate, None)
    assert "first release" in (candidate.report / "index.html").read_text(encoding="utf-8")


def test_a_margin_without_a_baseline_is_not_said_to_hold(pair: tuple[Bundle, Bundle]) -> None:
    candidate, _ = pair
    candidate.write_verdict(FIRST)
    write_report(candidate, None)
    html = (candidate.report / "index.html").read_text(encoding="utf-8")
    heading = "1 rule holds, 1 holds its bounds (margin not compared), 2 not compared: there is no baseline"
    assert f'<h2 id="why">{heading}</h2>' in html
    assert "Every rule holds" not in html
    table = html[html.index('<table class="metrics">') : html.index('id="cases"')]
    chips = re.findall(r'<span class="chip ([a-z-]*)">([^<]*)</span>', table)
    assert chips == [
        ("not-compared", "not compared (no baseline)"),
        ("not-compared", "not compared (no baseline)"),
        ("bounds-only", "bounds held, margin not compared"),
        ("pass", "held"),
    ]
    said = headline(candidate, "Succeeded")
    assert said.endswith(
        "accepted (first release: 1 rule holds, 1 holds its bounds (margin not compared), 2 not compared)"
    )


def test_where_all_was_compared_every_rule_holds(pair: tuple[Bundle, Bundle]) -> None:
    candidate, baseline = pair
    candidate.write_verdict(Verdict(verdict="pass", baseline="old", level=0.05, rules=[rule("lse_d", "pass")]))
    write_report(candidate, baseline)
    assert '<h2 id="why">Every rule holds</h2>' in (candidate.report / "index.html").read_text(encoding="utf-8")
    assert headline(candidate, "Succeeded").endswith("accepted")


def sources(page_file: Path) -> list[str]:
    _, tags = read(page_file)
    media = [medium for case in json.loads(tags.data) for medium in case["media"].values()]
    return [medium["source"] for medium in media if not medium["embedded"]]


def test_a_page_elsewhere_brings_its_media_along(pair: tuple[Bundle, Bundle], tmp_path: Path) -> None:
    candidate, baseline = pair
    target = tmp_path / "elsewhere" / "page"
    write_page(candidate, baseline, candidate.verdict(), target, embed_bytes=0)
    files = sources(target / "index.html")
    assert files == [
        "media/baseline/0000-dead.mp4",
        "media/candidate/0001-bad.mp4",
        "media/baseline/0001-bad.mp4",
        "media/candidate/0002-good.mp4",
        "media/baseline/0002-good.mp4",
    ]
    shutil.rmtree(candidate.path)
    shutil.rmtree(baseline.path)
    assert all((target / load).read_bytes().startswith(b"\x00\x00\x00\x18ftyp") for load in files)


def test_a_second_report_replaces_the_first(pair: tuple[Bundle, Bundle]) -> None:
    candidate, baseline = pair
    for _ in range(2):
        write_page(candidate, baseline, candidate.verdict(), candidate.report, embed_bytes=0)
    names = sorted(path.name for path in candidate.report.rglob("*") if path.is_file())
    assert names == ["0000-dead.mp4", "0001-bad.mp4", "0002-good.mp4", "index.html"]


def test_a_history_that_cannot_be_read_is_a_note(pair: tuple[Bundle, Bundle]) -> None:
    candidate, baseline = pair
    (candidate.path / "history.json").write_text("{}", encoding="utf-8")
    write_report(candidate, baseline)
    assert "history.json: not a valid record" in (candidate.report / "index.html").read_text(encoding="utf-8")
