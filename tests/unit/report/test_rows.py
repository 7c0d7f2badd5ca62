"""Rules that fell stand first."""

from __future__ import annotations

from pathlib import Path

from tests.unit.report.case_values import bundle, result

from penstock.bundle.verdict_record import Verdict
from penstock.report.rows import metric_rows
from penstock.report.run_records import read_side


def test_how_far_references_differ_stands_beside_the_bounds(tmp_path: Path) -> None:
    side = read_side(bundle(tmp_path / "new", {"a": {"sad": 7.0}}))
    rule = result(metric="sad", limit="≤ 8", reference_floor=0.25)
    (row,) = metric_rows(side, None, Verdict(verdict="pass", level=0.05, rules=[rule]), None)
    assert row.limit == "≤ 8 (the references differ by 0.250)"


def test_rules_that_fell_stand_first_and_other_metrics_last(tmp_path: Path) -> None:
    side = read_side(bundle(tmp_path / "new", {"a": {"lse_d": 7.0, "own": 1.0, "jitter": 1.0}}))
    rules = [
        result(metric="jitter", verdict="pass", reason="fine"),
        result(reason="LSE-D rose; about 30 cases would settle it", needed=30, verdict="inconclusive"),
    ]
    rows = metric_rows(side, None, Verdict(verdict="fail", level=0.05, rules=rules), None)
    assert [(row.name, row.state) for row in rows] == [("LSE-D", "inconclusive"), ("jitter", "pass"), ("own", "")]
    assert rows[0].brief == "rose"
    assert rows[0].reason.endswith("would settle it")
    assert rows[0].needed == 30


def test_latencies_under_load_are_taken_over_requests(tmp_path: Path) -> None:
    side = read_side(bundle(tmp_path / "new", {"*": {"load_p95_ms_at_10": 7.0, "throughput": 5.0}}))
    rules = [result(metric="load_p95_ms_at_10", n=100), result(metric="throughput")]
    rows = metric_rows(side, None, Verdict(verdict="fail", level=0.05, rules=rules), None)
    assert [(row.name, row.n, row.over) for row in rows] == [
        ("P95 under load at 10 a second", 100, "requests"),
        ("throughput", 1, "cases"),
    ]
    assert "95% of the requests" in rows[0].meaning
