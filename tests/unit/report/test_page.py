"""The report: verdict first, worst case first, hostile text inert, one file."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement, RuleResult, Source, Verdict
from penstock.bundle.steps import begin
from penstock.report import page
from penstock.report.message import message
from penstock.report.page import reproduce, write_report
from penstock.report.summary import plain

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
    """Counts scripts and collects what the page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_is_one_file_with_the_verdict_and_the_worst_case_first(pair: tuple[Bundle, Bundle]) -> None:
    candidate, baseline = pair
    summary = write_report(candidate, baseline)
    html = (candidate.report / "index.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(html)
    assert tags.scripts == 1
    assert all(load.startswith("data:") for load in tags.loads)
    assert (
        html.index("rejected")
        < html.index('id="rules"')
        < html.index('id="metrics"')
        < html.index('id="cases"')
        < html.index('id="ran"')
    )
    assert re.findall(r'aria-label="case (\w+)"', html) == ["dead", "bad", "good"]
    assert html.index("LSE-D rose") < html.index('id="rules"')
    assert html.count("<video") == 5
    assert html.count("no video</div>") == 1
    assert summary.startswith("## sonic-lite 1: rejected")
    assert "<script>" not in summary


def test_a_first_release_says_that_there_was_no_baseline(pair: tuple[Bundle, Bundle]) -> None:
    candidate, _ = pair
    candidate.write_verdict(candidate.verdict().model_copy(update={"baseline": None}))
    assert "no baseline" in write_report(candidate, None)
    assert "first release" in (candidate.report / "index.html").read_text(encoding="utf-8")


def test_large_videos_stay_beside_the_page(pair: tuple[Bundle, Bundle], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "EMBED_BYTES", 10)
    candidate, baseline = pair
    write_report(candidate, baseline)
    tags = Tags()
    tags.feed((candidate.report / "index.html").read_text(encoding="utf-8"))
    files = [load for load in tags.loads if not load.startswith("data:")]
    assert len(files) == 5
    assert all((candidate.report / load).resolve().is_file() for load in files)


def test_the_command_reproduces_the_run(pair: tuple[Bundle, Bundle]) -> None:
    assert (
        reproduce(pair[0].run())
        == f"penstock run release --repo 'https://git.example.org/a b.git' --revision {'c' * 40}"
    )


def test_messages_also_speak_of_a_broken_run(pair: tuple[Bundle, Bundle], tmp_path: Path) -> None:
    assert message(pair[0], "Succeeded")[0] == "sonic-lite 1: rejected"
    assert "broke" in message(pair[1], "Failed")[0]
    assert "broke before" in message(Bundle(tmp_path / "nothing"), "Failed")[0]


def test_plain_text_cannot_leave_a_table() -> None:
    assert plain("a|b\n[x](y) <b>") == "a\\|b \\[x\\](y) \\<b\\>"
