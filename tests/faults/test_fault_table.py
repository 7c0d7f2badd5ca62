"""What the fault tables say, and when they say that a fault got through."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.fault_table import BETTER, GOOD, FaultTable, Judged, markdown, missed, section_of
from tests.unit.report.case_values import result

TABLE = FaultTable(
    model="small",
    stopped_by={"v1.0.1-bad": "mae (hair)", "v1.0.2-drift": "export", "v1.0.3-slow": "load_p95_ms"},
    falls_back=frozenset({"v1.0.2-drift"}),
    slice="hair",
    slices={"v1.0.3-slow": "fast"},
)
GOOD_ONE = Judged("pass", (result(metric="mae", slice="hair", verdict="pass"),))
WARNING = result(metric="export", severity="warn")
JUDGED = {
    GOOD: GOOD_ONE,
    "v1.0.1-bad": Judged("fail", (result(metric="mae", slice="hair"), result(metric="page", verdict="pass"))),
    "v1.0.2-drift": Judged("pass", (WARNING,), use_onnx=False),
    "v1.0.3-slow": Judged("fail", (result(metric="load_p95_ms"),)),
    BETTER: GOOD_ONE,
}


def test_the_table_says_what_fell() -> None:
    lines = markdown(TABLE, JUDGED).splitlines()
    assert lines[0] == "| release | mae (hair) | export | load_p95_ms |"
    assert lines[2] == "| v1.0.0 |  | – | – |"
    assert lines[3] == "| v1.0.1-bad | **fell** | – | – |"
    assert lines[4] == "| v1.0.2-drift | – | **fell** | – |"
    assert lines[7:] == ["", "Held in all of them: page."]
    assert "Held" not in markdown(TABLE, {"v1.0.2-drift": JUDGED["v1.0.2-drift"]})


def test_nothing_is_missed_where_each_fault_meets_its_rule() -> None:
    assert missed(TABLE, JUDGED) == []


def test_a_fault_that_another_rule_stops_is_missed() -> None:
    judged = JUDGED | {"v1.0.1-bad": Judged("fail", (result(metric="mae"), result(metric="grad")))}
    assert missed(TABLE, judged) == ["v1.0.1-bad is fail, and grad, mae fell: not mae (hair)"]


def test_a_rule_that_only_warns_stops_nothing() -> None:
    advisory = Judged("fail", (result(metric="mae", slice="hair", advisory=True), result(metric="grad")))
    assert missed(TABLE, JUDGED | {"v1.0.1-bad": advisory}) == ["v1.0.1-bad is fail, and grad fell: not mae (hair)"]


def test_a_release_without_a_verdict_is_missed() -> None:
    judged = JUDGED | {"v1.0.3-slow": Judged("without a verdict: no such file"), BETTER: Judged("inconclusive")}
    assert missed(TABLE, judged) == [
        "v1.1.0 is inconclusive: not accepted",
        "v1.0.3-slow is without a verdict: no such file, and no rule fell: not load_p95_ms",
    ]


def test_one_that_falls_back_must_be_published_with_its_trained_weights() -> None:
    computes = JUDGED | {"v1.0.2-drift": replace(JUDGED["v1.0.2-drift"], use_onnx=True)}
    assert missed(TABLE, computes) == ["v1.0.2-drift computes with its ONNX"]
    stopped = JUDGED | {"v1.0.2-drift": Judged("fail", (WARNING,), use_onnx=False)}
    assert missed(TABLE, stopped) == ["v1.0.2-drift is fail, and export fell: not export"]


def test_the_good_ones_are_judged_over_each_slice_and_asked_for_everything_once() -> None:
    assert TABLE.parts == {
        "hair": (GOOD, "v1.0.1-bad", "v1.0.2-drift", BETTER),
        "fast": (GOOD, "v1.0.3-slow", BETTER),
    }
    assert TABLE.sections(GOOD, "hair") == {"page", "export", "interface", "load"}
    assert TABLE.sections(BETTER, "fast") == frozenset()
    assert TABLE.sections("v1.0.1-bad", "hair") == frozenset()
    assert TABLE.sections("v1.0.2-drift", "hair") == {"export"}
    assert TABLE.sections("v1.0.3-slow", "fast") == {"load"}


def test_a_release_over_two_slices_is_accepted_if_it_is_over_both() -> None:
    both = GOOD_ONE.beside(Judged("fail", (result(metric="mae", slice="hair"), result(metric="grad", verdict="pass"))))
    assert (both.word, both.states) == ("fail", {"mae (hair)": "fell", "grad": ""})
    assert JUDGED["v1.0.1-bad"].beside(GOOD_ONE).word == "fail"
    assert GOOD_ONE.beside(GOOD_ONE).word == "pass"


def test_a_rule_at_another_rate_needs_the_load_too() -> None:
    names = ("load_p95_ms_at_10", "throughput", "page", "export", "mae (hair)", "mae_at_10")
    assert [section_of(name) for name in names] == ["load", "load", "page", "export", None, None]
