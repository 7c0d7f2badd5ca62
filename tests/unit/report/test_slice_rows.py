"""The table of slices in words, and on the page."""

from __future__ import annotations

from pathlib import Path

from tests.unit.report.case_values import judged

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement, Resamples, Run
from penstock.gating.by_slice import by_slice
from penstock.gating.measurements import MeasurementSource
from penstock.report.page import write_report
from penstock.report.slice_rows import slice_section

NAMES = [f"case-{place:02}" for place in range(8)]
HAIR = ("hair", "<b>\x1b")


def measured(**metrics: list[float]) -> list[Measurement]:
    return [
        Measurement(case=case, metric=metric, value=value, slices=list(HAIR) if place < 6 else [])
        for metric, numbers in metrics.items()
        for place, (case, value) in enumerate(zip(NAMES, numbers, strict=True))
    ]


IOU = [0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.5, 0.5]
BEFORE = measured(iou=IOU, mae=[0.010] * 8, sad=[1.0] * 8)
AFTER = measured(
    iou=[value + 0.01 + 0.001 * (place % 2) for place, value in enumerate(IOU)],
    mae=[0.012, 0.013] * 4,
    sad=[1.0] * 8,
)


def test_shares_are_in_percent_and_their_changes_in_points() -> None:
    table = by_slice(
        MeasurementSource("new", AFTER), MeasurementSource("old", BEFORE), ["iou", "mae", "sad"], level=0.05
    )
    assert table is not None
    section = slice_section(table)
    assert [(head.title, head.unit, head.better) for head in section.heads] == [
        ("IoU", "%", "higher is better"),
        ("MAE", "", "lower is better"),
        ("SAD", "", "lower is better"),
    ]
    assert [(line.name, line.cases, line.share) for line in section.lines] == [
        ("all cases", 8, "100 %"),
        ("<b>\x1b", 6, "75 %"),
        ("hair", 6, "75 %"),
    ]
    iou, mae, sad = section.lines[2].cells
    assert (iou.mean, iou.change, iou.standing) == ("93.55", "+1.05", "better")
    assert iou.change_interval == "+1.00 … +1.10"
    assert (mae.mean, mae.change, mae.standing) == ("0.01250", "+0.00250", "worse")
    assert (sad.mean, sad.change, sad.change_interval, sad.standing) == ("1.000", "+0.000", "+0.000 … +0.000", "same")
    assert section.in_points
    assert section.compared


def test_what_is_missing_is_said_in_the_cell() -> None:
    lost = Measurement(case=NAMES[0], metric="iou", value=None, slices=["hair"], error="no answer")
    idle = Measurement(case=NAMES[0], metric="mae", value=None, applies=False, slices=["hair"], error="a clip")
    table = by_slice(
        MeasurementSource("new", [lost, idle, *(one for one in AFTER if one.case != NAMES[0])]),
        None,
        ["iou", "mae"],
        level=0.05,
    )
    assert table is not None
    iou, mae = slice_section(table).lines[2].cells
    assert (iou.mean, iou.interval, iou.note) == ("–", "", "no value for 'case-00' (no answer)")
    assert mae.note == "of 5 cases"
    assert (iou.change, iou.standing) == ("", "")


def page(folder: Path, family: str, rules: list[dict[str, object]]) -> str:
    sides = []
    for name, values in (("new", AFTER), ("old", BEFORE)):
        bundle = Bundle(folder / name)
        bundle.update_run(Run(penstock="0.1.0", run_id=name, model="m", family=family))
        bundle.write_measurements(values)
        sides.append(bundle)
    sides[0].write_verdict(judged(rules, BEFORE, AFTER))
    write_report(*sides)
    return (sides[0].report / "index.html").read_text(encoding="utf-8")


def test_the_page_has_the_family_s_columns_against_the_released_model(tmp_path: Path) -> None:
    html = page(tmp_path, "matting", [{"metric": "sad", "max": 3}])
    section = html.partition('<h2 id="slices">')[2].partition("</section>")[0]
    assert '<th scope="col">IoU <small>%</small><br><small>higher is better</small></th>' in section
    assert "SAD" not in section
    assert '<td class="better" data-label="IoU %" >' in section
    assert "<em>+1.05 better</em> <small>+1.00 … +1.10</small>" in section
    assert '<td class="worse" data-label="MAE" >' in section
    assert "<bdi>&lt;b&gt;\\x1b</bdi>" in section
    assert "<small>75 %</small>" in section
    assert "from <bdi>old</bdi>" in section


def test_a_family_that_names_none_has_the_metrics_of_its_rules(tmp_path: Path) -> None:
    html = page(tmp_path, "", [{"metric": "sad", "max": 3}, {"metric": "mae", "slice": "hair", "max": 3}])
    section = html.partition('<h2 id="slices">')[2].partition("</section>")[0]
    assert [name for name in ("IoU", "SAD", "MAE") if f'<th scope="col">{name}' in section] == ["SAD", "MAE"]


def test_a_value_of_a_whole_slice_is_of_all_its_cases() -> None:
    drawn = Resamples(cases=5, key="k", values=[0.1, 0.2, 0.3])  # of five people: that is no count of cases
    errors = [Measurement(case="*", metric="eer", value=0.2, slice=name, resamples=drawn) for name in (None, "hair")]
    lost = Measurement(case="*", metric="eer", value=None, slice="<b>\x1b", error="no two good images of one person")
    table = by_slice(MeasurementSource("new", [*AFTER, *errors, lost]), None, ["eer", "iou"], level=0.05)
    assert table is not None
    cells = {line.name: line.cells[0] for line in slice_section(table).lines}
    assert (cells["hair"].mean, cells["hair"].note) == ("20.00", "")
    assert cells["hair"].interval
    assert (cells["<b>\x1b"].mean, cells["<b>\x1b"].note) == ("–", "no value: no two good images of one person")
