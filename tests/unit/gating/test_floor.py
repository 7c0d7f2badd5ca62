"""The platform's floor: judged beside the policy, and out of its reach."""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.gating.floor_verdicts import EASY, judge, values
from tests.unit.report.verdicts import RUN

from penstock.bundle.estimates import RatingCount, StandardError
from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import Verdict
from penstock.cli.app import main
from penstock.gating.floor import read_floor
from penstock.gating.gate import headline
from penstock.report.summary import markdown_summary, rule_name


def test_both_are_judged_and_the_floor_decides() -> None:
    found = judge({"rules": [{"metric": "lse_d", "max": 8.0}]}, {"rules": [EASY]}, values("lse_d", 9.0, 9.0))
    assert [(rule.origin, rule.verdict) for rule in found.rules] == [("policy", "pass"), ("floor", "fail")]
    assert found.verdict == "fail"
    assert headline(found) == "fail: LSE-D is 9, above the maximum of 8 (a rule of the platform's floor)"
    assert found.floor is not None
    assert (found.floor.sha256, found.floor.level, found.floor.min_cases) == ("0" * 64, 0.05, 1)


def test_no_waiver_severity_or_level_of_the_repository_reaches_it() -> None:
    waiver = {"metric": "lse_d", "reason": "x", "author": "eve", "expires": datetime.date(2099, 1, 1)}
    own = {"rules": [{"metric": "lse_d", "max": 8.0, "severity": "warn"}], "waivers": [waiver], "level": 0.4}
    found = judge({"level": 0.01, "rules": [{"metric": "lse_d", "max": 8.0}]}, own, values("lse_d", 9.0, 9.0))
    ours, floor = found.rules
    assert (ours.blocks, floor.blocks, floor.waiver, found.verdict) == (False, True, None, "fail")
    assert (found.level, found.floor.level if found.floor else None) == (0.4, 0.01)


def test_its_margins_are_held_at_its_own_level() -> None:
    """A change that a level of 0.4 lets through, and 0.001 does not."""
    before = values("lse_d", *[8.0] * 8)
    after = values("lse_d", *[8.0 + 0.1 * (number % 3) for number in range(8)])
    rule = {"metric": "lse_d", "margin": 0.12}
    found = judge({"level": 0.001, "rules": [rule]}, {"level": 0.4, "rules": [rule]}, after, before)
    assert [rule.verdict for rule in found.rules] == ["pass", "inconclusive"]
    assert found.verdict == "inconclusive"


def test_a_small_slice_is_no_way_out() -> None:
    """The repository's own rule over it only warns."""
    before = values("lse_d", *[8.0] * 6, slices=("hair",))
    after = values("lse_d", *[9.0 + number / 100 for number in range(6)], slices=("hair",))
    rule = {"metric": "lse_d", "slice": "hair", "margin": 0.1}
    ours, floor = judge({"rules": [rule]}, {"rules": [rule]}, after, before).rules
    assert (ours.verdict, ours.advisory, ours.blocks) == ("fail", True, False)
    assert (floor.verdict, floor.advisory, floor.blocks) == ("fail", False, True)


def test_what_the_suite_does_not_measure_is_missing() -> None:
    rules = [{"metric": "fid", "max": 50.0}, {"metric": "lse_d", "slice": "hair", "max": 9.0}]
    found = judge({"rules": rules}, {"rules": [EASY]}, values("lse_d", 1.0))
    assert [rule.verdict for rule in found.rules] == ["pass", "fail", "fail"]
    assert "missing: the candidate has no value of FID" in found.rules[1].reason


@pytest.mark.parametrize(("least", "verdict"), [(3, "pass"), (4, "fail")])
def test_the_least_number_of_cases(least: int, verdict: str) -> None:
    candidate = [*values("lse_d", 1.0, 1.0, 1.0), Measurement(case="*", metric="fid", value=9.0)]
    rules = [{"metric": "lse_d", "max": 9.0}, {"metric": "fid", "max": 50.0}]
    for cases in ((), ("case-0", "case-1", "case-2")):
        found = judge({"min_cases": least, "rules": rules}, {"rules": [EASY]}, candidate, cases=cases)
        assert [rule.verdict for rule in found.rules] == ["pass", verdict, verdict]
        assert found.rules[1].limit == f"≤ 9, at least {least} cases"
    if verdict == "fail":
        said = "3 cases, fewer than the 4 that the platform's floor asks for (a rule of the platform's floor)"
        assert said in found.rules[2].reason
    own = judge({"min_cases": 9, "rules": [rules[0] | {"min_cases": 2}]}, {"rules": [EASY]}, candidate)
    assert own.verdict == "pass", "a rule's own number goes before"


def test_ratings_are_no_cases() -> None:
    count = RatingCount(counted=200, raters=8, cases=3)
    error = StandardError(error=0.05, freedom=11)
    rated = Measurement(case="*", metric="preference", value=0.5, standard_error=error, ratings=count)
    suite = values("lse_d", 1.0, 1.0, 1.0)
    rules = [{"metric": "preference", "min": 0.35}]
    for least, verdict in ((3, "pass"), (4, "fail")):
        found = judge({"min_cases": least, "rules": rules}, {"rules": [EASY]}, [*suite, rated], suite)
        assert found.rules[1].verdict == verdict
    assert "3 cases, fewer than the 4" in found.rules[1].reason


@pytest.mark.parametrize("rule", [{"metric": "preference", "min": 0.35}, {"metric": "drift", "max": 0.1}])
def test_a_first_release_has_nothing_to_compare_with(rule: dict[str, Any]) -> None:
    found = judge({"min_cases": 3, "rules": [rule]}, {"rules": [EASY]}, values("lse_d", 1.0, 1.0, 1.0))
    assert (found.verdict, found.rules[1].verdict) == ("pass", "pass")
    assert "there is no baseline" in found.rules[1].reason


def test_the_report_shows_both() -> None:
    found = judge(
        {"rules": [{"metric": "lse_d", "max": 8.0}, {"metric": "lse_d", "slice": "hair", "max": 8.0}]},
        {"rules": [EASY]},
        values("lse_d", 9.0, slices=("hair",)),
    )
    assert [rule_name(rule) for rule in found.rules] == ["LSE-D", "LSE-D (floor)", "LSE-D (hair, floor)"]
    text = markdown_summary(RUN, found)
    assert "| LSE-D | " in text
    assert "| LSE-D (floor) | " in text


def test_a_verdict_of_an_older_version_has_none() -> None:
    old = judge({"rules": [EASY]}, {"rules": [EASY]}, values("lse_d", 1.0)).model_dump(mode="json")
    old.pop("floor")
    for rule in old["rules"]:
        rule.pop("origin")
    read = Verdict.model_validate(old)
    assert (read.floor, {rule.origin for rule in read.rules}) == (None, {"policy"})


def test_penstock_gate_takes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    candidate, policy, floor = tmp_path / "m.jsonl", tmp_path / "policy.yaml", tmp_path / "floor.yaml"
    candidate.write_text('{"case": "a", "metric": "lse_d", "value": 9.0}\n')
    policy.write_text(yaml.safe_dump({"rules": [EASY]}))
    floor.write_text(yaml.safe_dump({"rules": [{"metric": "lse_d", "max": 8.0}]}))
    base = ["gate", "--candidate", str(candidate), "--policy", str(policy)]
    assert main(base) == 0
    capsys.readouterr()
    assert main([*base, "--policy-floor", str(floor), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [rule["origin"] for rule in told["rules"]] == ["policy", "floor"]
    assert told["floor"]["sha256"] == hashlib.sha256(floor.read_bytes()).hexdigest() == read_floor(floor).sha256
