"""A video's series by frame: checked, for the file may be edited."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement, RuleResult, Source, Verdict
from penstock.bundle.steps import begin
from penstock.report.page import write_report

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


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '"x"', '{"fps": NaN}', '{"sync_distance": 7, "jitter": {}, "sound": [], "face": [1]}', "[" * 9999],
)
def test_frames_that_cannot_be_read_are_left_out(pair: tuple[Bundle, Bundle], content: str) -> None:
    candidate, baseline = pair
    (candidate.outputs / "bad" / "frames.json").write_text(content, encoding="utf-8")
    candidate.update_run(candidate.run().model_copy(update={"family": "talking-head"}))
    write_report(candidate, baseline)
    _, tags = read(candidate.report / "index.html")
    (frames,) = (case["frames"]["candidate"] for case in json.loads(tags.data) if case["name"] == "bad")
    nothing = ({"sync": [], "jitter": []}, [], None)
    assert frames is None or (frames["lanes"], frames["sound"], frames["box"]) == nothing
