"""Contact sheets: which there are, and what is on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from penstock.report.cases import CaseRow, number
from penstock.report.contact_sheets import MOST_CASES, MOST_SLICES, SHEET_CASES, SheetOf, contact_sheet, sheets_of
from penstock.report.picture_text import RED

VERSIONS = {"baseline": "1.0.0", "candidate": "1.1.0"}


def row(name: str, *slices: str, status: str = "ok", before: float | None = 7.0, after: float | None = 8.0) -> CaseRow:
    value = number("lse_d", after, before)
    worse = (after or 99.0) - (before or 0.0)
    return CaseRow(name, list(slices), status, "", [value], worse, "lse_d" if worse > 0 else "", worse, "lse_d")


def test_all_cases_and_the_slices_that_are_not_all_of_them() -> None:
    rows = [row("a", "all", "fast"), row("b", "all", "fast"), row("c", "all", "slow"), row("d", "all")]
    found = [(sheet.name, [case.name for case in sheet.cases], sheet.of) for sheet in sheets_of(rows, sides=True)]
    assert found == [("", ["a", "b", "c", "d"], 4), ("fast", ["a", "b"], 2)]


def test_what_only_the_baseline_has_is_there_if_it_is_compared() -> None:
    rows = [row("a"), row("b"), row("gone", status="missing")]
    assert [len(sheet.cases) for sheet in sheets_of(rows, sides=True)] == [3]
    assert [len(sheet.cases) for sheet in sheets_of(rows, sides=False)] == [2]


def test_large_suites_are_cut_at_their_worst() -> None:
    rows = [row(f"case-{n}", f"s{n % 20}") for n in range(200)]
    sheets = sheets_of(rows, sides=True)
    assert len(sheets) == 1 + MOST_SLICES
    assert [case.name for case in sheets[0].cases] == [f"case-{n}" for n in range(MOST_CASES)]
    shown = {case.name for sheet in sheets for case in sheet.cases}
    assert shown <= {f"case-{n}" for n in range(SHEET_CASES)}


@pytest.mark.parametrize(("after", "alarming"), [(9.0, True), (6.0, False), (None, True)])
def test_a_case_with_its_values(after: float | None, alarming: bool) -> None:
    asked = []

    def thumbs(name: str) -> dict[str, Image.Image | str]:
        asked.append(name)
        return {"baseline": Image.new("RGB", (100, 60), (0, 0, 250)), "candidate": "the video ends in the middle"}

    sheet = SheetOf("fast\u202e", [row("a", after=after)], 12)
    pixels = np.asarray(contact_sheet(sheet, "sonic 1.1.0: rejected", VERSIONS, thumbs))
    assert asked == ["a"]
    assert int((pixels == (0, 0, 250)).all(axis=2).sum()) == 6_000
    assert bool((pixels == RED).all(axis=2).any()) == alarming


def test_a_value_that_stayed_alarms_nobody_though_another_moved() -> None:
    case = replace(row("a", after=7.0), change=3.0, changed="lse_c", telling="lse_d")
    pixels = np.asarray(contact_sheet(SheetOf("", [case], 1), "", VERSIONS, lambda _: {}))
    assert not (pixels == RED).all(axis=2).any()


def test_each_row_has_its_room() -> None:
    heights = [
        contact_sheet(SheetOf("", [row(f"c{n}") for n in range(count)], count), "", VERSIONS, lambda _: {}).height
        for count in (1, 4, 5)
    ]
    assert heights[0] == heights[1] < heights[2]
