"""What is known frame by frame, read from a file that anybody may have edited; and pages of large suites."""

from __future__ import annotations

import json
import os
from html.parser import HTMLParser
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement, RuleResult, Source, Verdict
from penstock.bundle.steps import begin
from penstock.families.talking_head.view import VIEW
from penstock.report import page, series
from penstock.report.page import write_page, write_report
from penstock.report.series import read_series


def line(case: object, **more: object) -> str:
    return json.dumps({"case": case, "fps": 25, "sync_distance": [7.0], "jitter": [None, 0.5, None], **more})


def test_series_of_the_cases_that_are_asked_for(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    bundle.series_file.write_text(f"{line('a')}\n{line('b', sync_distance=[8.12345])}\n{line('c')}\n", encoding="utf-8")
    found = read_series(bundle, ["b", "a", "none"], VIEW)
    assert list(found) == ["a", "b"]
    assert found["b"]["lanes"]["sync"] == [8.1235]
    assert found["a"]["lanes"]["jitter"] == [None, 0.5, None]


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"case": ["a"]}', "[" * 9999, '{"case": 1}', "\udc80"])
def test_a_line_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path, broken: str) -> None:
    bundle = Bundle(tmp_path)
    text = f"{broken}\n{line('a')}\n"
    bundle.series_file.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert list(read_series(bundle, ["a"], VIEW)) == ["a"]


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MAX_BYTES", 200)
    bundle = Bundle(tmp_path)
    bundle.series_file.write_text(f"{line('long', pad='x' * 1000)}\n{line('a')}\n", encoding="utf-8")
    assert list(read_series(bundle, ["long", "a"], VIEW)) == ["a"]


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "series.jsonl")
    assert read_series(Bundle(tmp_path), ["a"], VIEW) == {}


def test_an_old_bundle_s_series_lie_beside_the_outputs(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    (bundle.outputs / "a").mkdir(parents=True)
    (bundle.outputs / "a" / "frames.json").write_text(line("any"), encoding="utf-8")
    assert read_series(bundle, ["a", "b", "../a"], VIEW)["a"]["lanes"]["sync"] == [7.0]


def test_a_page_has_the_worst_cases_of_a_large_suite_and_says_how_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "SERIES_BYTES", 20_000)
    bundle = Bundle(tmp_path)
    cases = [f"case-{number:05}" for number in range(3000)]
    bundle.write_measurements(
        Measurement(case=case, metric="lse_d", value=9 - n / 1000) for n, case in enumerate(cases)
    )
    bundle.series_file.write_text("".join(f"{line(case)}\n" for case in cases), encoding="utf-8")
    write_page(bundle, None, Verdict(verdict="pass", level=0.05, rules=[]), bundle.report)
    html = (bundle.report / "index.html").read_text(encoding="utf-8")
    assert "The 1000 worst of 3000 cases" in html
    data = json.loads(html.split('id="data">', 1)[1].split("</script>", 1)[0])
    assert len(data) == 1000
    drawn = [case["frames"]["candidate"] is not None for case in data]
    assert drawn[0]
    assert not drawn[-1]
    assert drawn == sorted(drawn, reverse=True)


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
