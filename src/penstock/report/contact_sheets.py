"""Contact sheets: one picture of a slice, with a small before and after of each of its cases, the worst first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from penstock.report.cases import NO_VALUE, CaseRow
from penstock.report.picture_board import LINE, PANEL, Board
from penstock.report.picture_text import FAINT, INK, RED, clipped, width_of, wrapped

THUMB = 132
"""A side of the square that a small picture has."""
GAP = 4
COLUMNS = 4
MARGIN = 24
TILE_WIDTH, TILE_HEIGHT = 2 * THUMB + GAP + 20, THUMB + 66
WIDTH = 2 * MARGIN + COLUMNS * TILE_WIDTH - 20
MOST_CASES = 32
"""Of one sheet."""
MOST_SLICES = 12
"""The largest, beside the sheet of all cases."""
SHEET_CASES = 60
"""Cases that are on any sheet, the worst of all: so many answers are decoded."""

DrawThumb = Callable[[str], Mapping[str, Image.Image | str]]
"""A case's name → side → its answer, at most :data:`THUMB` pixels a side; or why there is none."""


@dataclass(frozen=True)
class SheetOf:
    """One sheet before it is drawn."""

    name: str
    """The slice; empty: all cases."""
    cases: list[CaseRow]
    """Those that it shows, the worst first."""
    of: int
    """How many the slice has."""


def sheets_of(ranked: Sequence[CaseRow], sides: bool) -> list[SheetOf]:
    """All cases, and the largest slices by name; none of a single case.

    Args:
        ranked: all cases, worst first.
        sides: whether there is a baseline: cases that only it has are shown then.
    """
    there = [case for case in ranked if sides or case.status != "missing"]
    shown = {case.name for case in there[:SHEET_CASES]}
    members: dict[str, list[CaseRow]] = {}
    for case in there:
        for name in case.slices:
            members.setdefault(name, []).append(case)
    largest = sorted(members, key=lambda name: (-len(members[name]), name))[:MOST_SLICES]
    found = [("", there), *((name, members[name]) for name in sorted(largest) if len(members[name]) < len(there))]
    sheets = [
        SheetOf(name, [case for case in cases if case.name in shown][:MOST_CASES], len(cases)) for name, cases in found
    ]
    return [sheet for sheet in sheets if sheet.of > 1 and sheet.cases]


def contact_sheet(sheet: SheetOf, title: str, versions: Mapping[str, str], thumbs: DrawThumb) -> Image.Image:
    """Draw one.

    Args:
        sheet: which cases.
        title: of the run: ``sonic-lite 1.1.0: rejected``.
        versions: side → its version, the baseline first.
        thumbs: gives a case's small pictures.
    """
    rows = -(-len(sheet.cases) // COLUMNS)
    board = Board(WIDTH, 84 + rows * TILE_HEIGHT)
    name = sheet.name or "all cases"
    left_out = f", the worst {len(sheet.cases)} of {sheet.of}" if sheet.of > len(sheet.cases) else f", {sheet.of} cases"
    board.text((MARGIN, 18), clipped(f"{name}{left_out}", 24, WIDTH - 2 * MARGIN), 24, bold=True)
    sides = " | ".join(f"{word} {versions[side]}" for side, word in _WORDS.items() if side in versions)
    board.text((MARGIN, 50), clipped(f"{title}; {sides}; the worst first", 16, WIDTH - 2 * MARGIN), 16, FAINT)
    for place, case in enumerate(sheet.cases):
        at = MARGIN + place % COLUMNS * TILE_WIDTH, 84 + place // COLUMNS * TILE_HEIGHT
        _tile(board, at, case, thumbs(case.name), list(versions))
    return board.image


_WORDS = {"baseline": "left", "candidate": "right"}


def _tile(
    board: Board, at: tuple[int, int], case: CaseRow, thumbs: Mapping[str, Image.Image | str], sides: Sequence[str]
) -> None:
    x, y = at
    for place, side in enumerate(sides):
        _thumb(board, (x + place * (THUMB + GAP), y), thumbs.get(side, "no answer"))
    number = case.number_of(case.telling or case.changed)
    said, bad = case.status if case.status != "ok" else "", case.status != "ok"
    if not said and number is not None:
        before = f"{number.baseline} → " if number.baseline != NO_VALUE else ""
        said = f"{number.title} {before}{number.candidate}"
        bad = case.worsened(number)
    wide = 2 * THUMB + GAP
    size = next((size for size in (17, 15, 13) if width_of(said, size) <= wide), 12)
    board.text((x, y + THUMB + 5), clipped(said, size, wide), size, RED if bad else INK, bold=bad)
    board.text((x, y + THUMB + 28), clipped(case.name, 14, wide), 14, FAINT)


def _thumb(board: Board, at: tuple[int, int], shown: Image.Image | str) -> None:
    """In the middle of its square; a reason in small letters."""
    x, y = at
    board.draw.rectangle((x, y, x + THUMB - 1, y + THUMB - 1), fill=PANEL, outline=LINE)
    if not isinstance(shown, str):
        board.image.paste(shown, (x + (THUMB - shown.width) // 2, y + (THUMB - shown.height) // 2))
        return
    for number, line in enumerate(wrapped(shown, 13, THUMB - 12, 6)):
        board.text((x + 6, y + 8 + 18 * number), line, 13, FAINT)
