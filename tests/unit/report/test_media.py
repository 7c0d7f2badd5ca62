"""Media in the page while they fit, else beside it; nothing outside the bundle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.report.read_pages import read, sources

from penstock.bundle.directory import Bundle
from penstock.bundle.models import CallRecord, Invocation, Measurement
from penstock.bundle.verdict_record import Verdict
from penstock.foundation.errors import UsageError
from penstock.report.media import media_of
from penstock.report.page import write_page


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


def test_the_one_call_of_a_case_may_have_a_name(tmp_path: Path) -> None:
    """A contract may have several calls of which a case is put to one."""
    bundle = Bundle(tmp_path)
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text("{}")

    def record(name: str) -> CallRecord:
        started = "2026-01-01T00:00:00.000+00:00"
        return CallRecord(name=name, status="ok", latency_s=0.1, output=f"{name}.json", started=started)

    one = Invocation(case="one", status="ok", calls=[record("a")])
    two = Invocation(case="two", status="ok", calls=[record("a"), record("b")])
    bundle.write_invocations([one, two])
    assert {case: medium.path.name for case, medium in media_of(bundle, ["one", "two"]).items()} == {"one": "a.json"}
