"""Media in the page while they fit, else beside it; nothing outside the bundle."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement, RuleResult, Source, Verdict
from penstock.bundle.steps import begin
from penstock.foundation.errors import UsageError
from penstock.report.page import write_page

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


def sources(page_file: Path) -> list[str]:
    _, tags = read(page_file)
    media = [medium for case in json.loads(tags.data) for medium in case["media"].values()]
    return [medium["source"] for medium in media if not medium["embedded"]]


def test_large_videos_stay_beside_the_page(pair: tuple[Bundle, Bundle]) -> None:
    candidate, baseline = pair
    write_page(candidate, baseline, candidate.verdict(), candidate.report, embed_bytes=10)
    files = sources(candidate.report / "index.html")
    assert len(files) == 5
    assert all((candidate.report / load).resolve().is_file() for load in files)
    assert (candidate.report / files[1]).read_bytes().endswith(b"new")
    assert (candidate.report / files[0]).read_bytes().endswith(b"old")


def test_the_worst_cases_videos_are_in_the_page_while_they_fit(pair: tuple[Bundle, Bundle]) -> None:
    candidate, baseline = pair
    size = (candidate.outputs / "bad" / "output.mp4").stat().st_size
    write_page(candidate, baseline, candidate.verdict(), candidate.report, embed_bytes=3 * size)
    _, tags = read(candidate.report / "index.html")
    embedded = {case["name"]: [m["embedded"] for m in case["media"].values()] for case in json.loads(tags.data)}
    assert embedded == {"dead": [True], "bad": [True, True], "good": [False, False]}


def test_names_of_cases_cannot_leave_the_page_s_folder(tmp_path: Path) -> None:
    name = "../../../outside"
    bundle = Bundle(tmp_path / "in" / "b")
    bundle.path.mkdir(parents=True)
    (bundle.path / "v.mp4").write_bytes(b"v")
    bundle.write_measurements([Measurement(case=name, metric="lse_d", value=1.0)])
    bundle.write_invocations([Invocation(case=name, status="ok", output="v.mp4")])
    verdict = Verdict(verdict="pass", baseline=None, level=0.05, rules=[])
    write_page(bundle, bundle, verdict, tmp_path / "in" / "page", embed_bytes=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
    assert sources(tmp_path / "in" / "page" / "index.html") == [
        "media/candidate/0000-_________outside.mp4",
        "media/baseline/0000-_________outside.mp4",
    ]


def test_an_output_outside_the_bundle_is_refused(pair: tuple[Bundle, Bundle], tmp_path: Path) -> None:
    candidate, baseline = pair
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    candidate.write_invocations([Invocation(case="good", status="ok", output="../secret.mp4")])
    with pytest.raises(UsageError, match="leaves"):
        write_page(candidate, baseline, candidate.verdict(), candidate.report)
    assert not (candidate.report / "index.html").exists()
