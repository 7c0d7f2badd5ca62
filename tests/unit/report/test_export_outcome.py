"""The report and the summary say what came of a model's exported file; whatever it said is inert there."""

from __future__ import annotations

import pytest
from tests.unit.bundle.test_export_record import RECORD
from tests.unit.report.read_pages import read

from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import ComparedCase, ExporterRecord, ExportRecord, WorstValue, write_export_record
from penstock.foundation.errors import UsageError
from penstock.report.export_outcome import export_outcome
from penstock.report.page import write_report

WORST = {
    "mae": WorstValue(value=0.0123456, limit=0.005, case="c<1>"),
    "edge_max": WorstValue(value=0, limit=1, case="x"),
}


def outcome(bundle: Bundle, **changes: object) -> ExportRecord:
    (bundle.path / "export").mkdir(exist_ok=True)
    record = RECORD.model_copy(update=changes)
    write_export_record(bundle, record)
    return record


def test_a_bundle_without_an_export_has_no_such_part(pair: tuple[Bundle, Bundle]) -> None:
    summary = write_report(*pair)
    html, _ = read(pair[0].report / "index.html")
    assert export_outcome(pair[0]) is None
    assert 'id="exported"' not in html
    assert "use_onnx" not in summary + html


def test_one_that_is_not_used_says_why_and_what_the_model_is_told(pair: tuple[Bundle, Bundle]) -> None:
    fault = "<script>alert(1)</script>\x1b[2J"
    cases = [ComparedCase(case=f"c{at}", values={"mae": 0.01}, fault=fault) for at in range(12)]
    cases.append(ComparedCase(case="a", values={"mae": 0.02}, fault=fault))
    outcome(
        pair[0], cases=cases, worst=WORST, fault="mae \u202e<img src=x>", seconds={"trained": 3.21, "exported": 1.0}
    )
    summary = write_report(*pair)
    html, tags = read(pair[0].report / "index.html")
    part = html[html.index('id="exported"') : html.index('id="ran"')]
    assert '<span class="chip fail">not used</span>' in part
    assert "USE_ONNX=false" in part
    assert "&lt;img src=x&gt;" in part
    assert "\u202e" not in part
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[2J" in part
    assert "and 8 more" in part
    assert part.index("<bdi>a</bdi>") < part.index("<bdi>c0</bdi>"), "the furthest first"
    assert "0.01235; the limit is 0.005 (<bdi>c&lt;1&gt;</bdi>)" in part
    assert "c&lt;1&gt;" in part
    assert "13 cases compared; the exporter wrote another file than the released one in 1.0 s; " in part
    assert "3.2 s with the trained weights; 1.0 s with the exported file" in part
    assert tags.running == 1, "nothing of it runs"
    assert "Computed with its trained weights (`use_onnx=false`): the exported file is not used." in summary
    assert "false: the trained weights" in html


def test_one_that_is_used(pair: tuple[Bundle, Bundle]) -> None:
    same = ExporterRecord(argv=["x"], seconds=2.0, same=True)
    cases = [ComparedCase(case="a"), ComparedCase(case="b", failed=True, fault="with both: it crashed")]
    outcome(pair[0], use_onnx=True, fault=None, exporter=same, cases=cases)
    shown = export_outcome(pair[0])
    assert shown is not None
    assert (shown.told, shown.more) == ("USE_ONNX=true", 0)
    assert (
        shown.facts == "1 cases compared; 1 answered with neither; the exporter wrote the released file again in 2.0 s"
    )
    assert "use_onnx=false" not in write_report(*pair)


def test_the_cases_over_a_limit_are_listed_before_any_other_and_the_furthest_first(pair: tuple[Bundle, Bundle]) -> None:
    neither = [ComparedCase(case=f"n{at}", failed=True, fault="with both: it crashed") for at in range(6)]
    over = [
        ComparedCase(case="little", values={"mae": 0.006, "edge_max": 0.0}, fault="mae"),
        ComparedCase(case="far", values={"mae": 0.06, "edge_max": 0.0}, fault="mae"),
        ComparedCase(case="nothing allowed", values={"mae": 0.0, "edge_max": 0.001}, fault="edge_max"),
    ]
    worst = {
        "mae": WorstValue(value=0.06, limit=0.005, case="far"),
        "edge_max": WorstValue(value=0.001, limit=0, case="nothing allowed"),
    }
    outcome(pair[0], cases=[*neither, *over], worst=worst, fault="mae")
    shown = export_outcome(pair[0])
    assert shown is not None
    assert [case for case, _ in shown.faults] == ["nothing allowed", "far", "little"]
    assert (shown.more, shown.facts.partition(";")[0]) == (0, "3 cases compared")


def test_an_exporter_that_failed(pair: tuple[Bundle, Bundle]) -> None:
    outcome(pair[0], exporter=ExporterRecord(argv=["x"], seconds=2.0, fault="it hangs"))
    shown = export_outcome(pair[0])
    assert shown is not None
    assert "the exporter failed after 2.0 s" in shown.facts


def test_a_record_that_is_broken_is_told(pair: tuple[Bundle, Bundle]) -> None:
    outcome(pair[0])
    (pair[0].path / "export" / "export.json").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match=r"export\.json"):
        export_outcome(pair[0])
