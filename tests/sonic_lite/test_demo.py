"""The demo finds out what did not come out as it must."""

from __future__ import annotations

import json
from pathlib import Path

import demo
import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.verdict_record import Verdict

FIRST, WORSE, BETTER = demo.RELEASES


def written(out: Path, release: demo.Expected, verdict: str, baseline: str | None) -> None:
    bundle = Bundle(out / "runs" / demo.run_name(release) / "bundle")
    bundle.path.mkdir(parents=True)
    said = Verdict.model_validate(
        {"verdict": verdict, "baseline": baseline, "candidate": demo.run_name(release), "level": 0.05, "rules": []}
    )
    bundle.verdict_file.write_text(said.model_dump_json(), encoding="utf-8")


def stored(out: Path, kept: list[demo.Expected], published: list[demo.Expected], current: demo.Expected) -> None:
    places = [f"runs/{demo.MODEL}/{demo.run_name(release)}/manifest.json" for release in kept]
    places += [f"published/{demo.MODEL}/{release.tag.removeprefix('v')}.json" for release in published]
    for place in places:
        (out / "store" / place).parent.mkdir(parents=True, exist_ok=True)
        (out / "store" / place).write_text("{}", encoding="utf-8")
    pointer = out / "store" / "baselines" / f"{demo.MODEL}.json"
    pointer.parent.mkdir(parents=True)
    pointer.write_text(json.dumps({"run_id": demo.run_name(current)}), encoding="utf-8")


def test_a_changed_better_release_takes_the_place_of_the_first() -> None:
    assert [(release.tag, release.verdict, release.published) for release in demo.RELEASES] == [
        ("v1.0.0", "pass", True),
        ("v1.1.0", "fail", False),
        ("v1.2.0", "pass", True),
    ]


def test_what_is_as_it_should_be_is_no_fault(tmp_path: Path) -> None:
    written(tmp_path, BETTER, "pass", demo.run_name(FIRST))
    stored(tmp_path, kept=[FIRST, WORSE, BETTER], published=[FIRST, BETTER], current=BETTER)
    assert demo.faults_of_verdict(BETTER, FIRST, tmp_path) == []
    assert demo.faults_of_store(BETTER, FIRST, tmp_path) == []


@pytest.mark.parametrize(
    ("verdict", "baseline", "said"),
    [
        ("inconclusive", demo.run_name(FIRST), "the verdict on v1.2.0 is inconclusive, not pass"),
        ("pass", demo.run_name(WORSE), "v1.2.0 was compared with sonic-lite-v1-1-0, not with sonic-lite-v1-0-0"),
        ("pass", None, "v1.2.0 was compared with None, not with sonic-lite-v1-0-0"),
    ],
)
def test_another_verdict_or_baseline_is_a_fault(tmp_path: Path, verdict: str, baseline: str | None, said: str) -> None:
    written(tmp_path, BETTER, verdict, baseline)
    assert demo.faults_of_verdict(BETTER, FIRST, tmp_path) == [said]


def test_a_run_without_a_verdict_is_a_fault(tmp_path: Path) -> None:
    assert demo.faults_of_verdict(WORSE, FIRST, tmp_path) == ["there is no verdict on v1.1.0"]


def test_what_was_not_kept_or_published_is_a_fault(tmp_path: Path) -> None:
    stored(tmp_path, kept=[FIRST], published=[FIRST, WORSE], current=FIRST)
    assert demo.faults_of_store(BETTER, FIRST, tmp_path) == [
        "v1.2.0 was not published",
        "the evidence of v1.2.0 was not kept",
        "after v1.2.0 the current release is that of sonic-lite-v1-0-0, not of sonic-lite-v1-2-0",
    ]
    assert demo.faults_of_store(WORSE, FIRST, tmp_path)[0] == "v1.1.0 was published"
