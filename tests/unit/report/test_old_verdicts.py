"""A rule has its limits as numbers; an old one's are read from its words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.report.case_values import BEFORE, judged, values

from penstock.bundle.directory import Bundle
from penstock.bundle.verdict_record import RuleResult
from penstock.families.registry import find_metric
from penstock.report.old_verdicts import completed, read_verdict

NUMBERS = ("minimum", "maximum", "worst", "margin", "better")


@pytest.mark.parametrize(
    ("rule", "bounds", "margin", "better"),
    [
        ({"metric": "lse_d", "max": 9.0, "margin": "5%"}, (None, 9.0, None), 0.05 * 7.115, "lower"),
        ({"metric": "lse_d", "margin": 0.25, "worst": 12}, (None, None, 12.0), 0.25, "lower"),
        ({"metric": "lse_c", "min": 1.5, "max": 20, "margin": 1e-7}, (1.5, 20.0, None), 1e-7, "higher"),
        ({"metric": "latency", "max": 2, "margin": 0.5}, (None, 2.0, None), 0.5, "lower"),
        ({"metric": "own", "direction": "higher", "margin": "2.5 %"}, (None, None, None), 0.025 * 7.115, "higher"),
        ({"metric": "own", "direction": "lower", "margin": 0}, (None, None, None), 0.0, "lower"),
        ({"metric": "av_offset", "min": -1, "max": 1}, (-1.0, 1.0, None), None, None),
    ],
)
def test_a_rule_has_its_limits_as_numbers_and_an_old_one_s_are_read_from_its_words(
    rule: dict[str, object], bounds: tuple[float | None, ...], margin: float | None, better: str | None
) -> None:
    metric = str(rule["metric"])
    verdict = judged([rule], values(metric, BEFORE), values(metric, [value + 0.01 for value in BEFORE]))
    found = verdict.rules[0]
    old = RuleResult.model_validate(found.model_dump(exclude={"predicate", *NUMBERS}))
    for one in (found, completed(old)):
        assert (one.minimum, one.maximum, one.worst) == bounds
        assert one.margin == (pytest.approx(margin) if margin is not None else None)
        assert one.better == better
        assert one.predicate == found.predicate
    known = find_metric(metric)
    assert found.reason.startswith(f"{known.title if known else metric} {found.predicate}")


def test_an_old_bundle_s_verdict_gets_its_numbers_when_it_is_read(tmp_path: Path) -> None:
    path = Bundle(tmp_path)
    rule: dict[str, object] = {"metric": "lse_d", "slice": None, "verdict": "inconclusive", "n": 8, "needed": 40}
    rule |= {"interval": [-0.1, 0.9]}
    rule |= {"reason": "LSE-D rose from 7 to 7.4; 8 cases leave it open; about 40 cases would settle it"}
    rule |= {"baseline": 7.0, "candidate": 7.4, "change": 0.4, "limit": "≤ 9, no more than +5 % over the baseline"}
    content = {"schema_version": 1, "verdict": "inconclusive", "level": 0.05, "rules": [rule]}
    path.verdict_file.write_text(json.dumps(content), encoding="utf-8")
    (found,) = read_verdict(path).rules
    assert (found.maximum, found.minimum, found.better) == (9.0, None, "lower")
    assert found.margin == pytest.approx(0.35)
    assert found.predicate == "rose from 7 to 7.4; 8 cases leave it open"
    path.write_verdict(judged([{"metric": "own", "max": 9, "min": 1}], [], values("own", [3.0])))
    assert read_verdict(path) == path.verdict()
