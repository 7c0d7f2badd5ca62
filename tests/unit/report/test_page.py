"""The report: verdict first, worst case first, hostile text inert, one file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

from tests.unit.report.judged_pairs import rule
from tests.unit.report.read_pages import read, sources
from tests.unit.report.verdicts import FIRST

from penstock.bundle.directory import Bundle
from penstock.bundle.verdict_record import Verdict
from penstock.notices.message import headline
from penstock.report.page import write_page, write_report


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
