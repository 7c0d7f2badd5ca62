"""The picture of the worst case: what a tired person understands in five seconds."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from penstock.report.cases import NO_VALUE
from penstock.report.exhibits import Exhibit, FrameCourse, Moment
from penstock.report.picture_board import BLUE, KINDS, LINE, PAPER, Board, fitted, mark_boxes, ring, rows_of
from penstock.report.picture_text import AMBER, FAINT, GREEN, INK, RED, Colour, clipped, width_of, wrapped
from penstock.report.still_pictures import MAX_WORDS, Picture
from penstock.report.worst_case import WorstCase

WIDTH = 1000
MARGIN, GAP = 28, 24
PANEL_WIDTH = (WIDTH - 2 * MARGIN - GAP) // 2
HEAD_HEIGHT = 68
"""Of a side's name and value."""
WHOLE_HEIGHT, DETAIL_HEIGHT = 400, 230
REASON_HEIGHT = 200
LANE_HEIGHT = 96
PALE = (150, 155, 165)
COLOURS: dict[str, Colour] = {"pass": GREEN, "fail": RED, "inconclusive": AMBER}
SIDES = {"baseline": "before", "candidate": "after"}


@dataclass(frozen=True)
class BoardWords:
    """What stands around the pictures."""

    title: str
    """``sonic-lite 1.1.0: rejected``."""
    verdict: str
    """``pass``, ``fail`` or ``inconclusive``."""
    versions: dict[str, str]
    """Side → its version."""
    cases: int
    """How many the run has."""


def worst_board(worst: WorstCase, shown: Exhibit, words: BoardWords) -> Image.Image:
    """Title and rule above, both sides below their values in the middle, the case and the limit below."""
    sides = [side for side in SIDES if side in words.versions]
    sentence = wrapped(worst.sentence, 21, WIDTH - 2 * MARGIN, 2)
    panels = {side: _panel(worst, shown, side, len(sides)) for side in sides}
    tall = max(panel.height for panel in panels.values())
    top = 70 + 29 * len(sentence) + 14
    lane = _lane(shown.course, shown.moment) if shown.course is not None and shown.moment is not None else None
    below = top + HEAD_HEIGHT + tall + (lane.height + 8 if lane is not None else 0)
    foot = wrapped(_foot(worst, shown, words.cases), 17, WIDTH - 2 * MARGIN, 2)
    board = Board(WIDTH, below + 30 + 24 * len(foot))
    board.bar(COLOURS[words.verdict], 8)
    board.text((MARGIN, 24), clipped(words.title, 30, WIDTH - 2 * MARGIN), 30, COLOURS[words.verdict], bold=True)
    for number, line in enumerate(sentence):
        board.text((MARGIN, 70 + 29 * number), line, 21)
    for number, side in enumerate(sides):
        left = MARGIN + number * (PANEL_WIDTH + GAP)
        name = f"{SIDES[side]}: {words.versions[side]}" if len(sides) > 1 else words.versions[side]
        board.text((left, top), clipped(name, 18, PANEL_WIDTH), 18, FAINT)
        _value(board, worst, side, (left, top + 25), alarming=words.verdict != "pass")
        board.image.paste(panels[side], (left, top + HEAD_HEIGHT))
    for number, line in enumerate(foot):
        board.text((MARGIN, below + 12 + 24 * number), line, 17, FAINT)
    if lane is not None:
        board.image.paste(lane, (MARGIN, top + HEAD_HEIGHT + tall + 8))
    return board.image


def _lane(course: FrameCourse, moment: Moment) -> Image.Image:
    """The series over time: the baseline's grey, the candidate's blue, a red line at the moment that is shown."""
    width = WIDTH - 2 * MARGIN
    board = Board(width, LANE_HEIGHT)
    board.draw.rectangle((0, 0, width - 1, LANE_HEIGHT - 1), outline=LINE)
    values = [value for side in course.sides.values() for value in side if value is not None]
    low, high = min(values), max(values)
    frames = max(len(side) + course.shift for side in course.sides.values())

    def at(frame: int, value: float) -> tuple[float, float]:
        share = (value - low) / (high - low) if high > low else 0.5
        return 4 + (width - 8) * frame / max(1, frames - 1), LANE_HEIGHT - 8 - (LANE_HEIGHT - 34) * share

    place = at(moment.frame, low)[0]
    board.draw.line((place, 0, place, LANE_HEIGHT), fill=RED, width=2)
    for side, colour in (("baseline", PALE), ("candidate", BLUE)):
        points = [
            at(frame + course.shift, value)
            for frame, value in enumerate(course.sides.get(side, ()))
            if value is not None
        ]
        if len(points) > 1:
            board.draw.line(points, fill=colour, width=3 if side == "candidate" else 2)
    name = (
        f"{course.title} over time: grey before, blue after" if len(course.sides) > 1 else f"{course.title} over time"
    )
    board.text((8, 4), name, 15, FAINT)
    return board.image


def _foot(worst: WorstCase, shown: Exhibit, cases: int) -> str:
    """``case bela-fast, the worst of 40, at 1.60 s; limit: ≤ 9``."""
    moment = f", at {shown.moment.seconds:.2f} s" if shown.moment is not None else ""
    of_all = f", the worst of {cases}" if cases > 1 else ""
    limit = f"; limit of the mean: {worst.limit}" if worst.limit else ""
    return f"case {worst.case.name}{of_all}{moment}{limit}"


def _panel(worst: WorstCase, shown: Exhibit, side: str, sides: int) -> Image.Image:
    """One side: its picture, the enlarged part, what it says, its value."""
    width = PANEL_WIDTH if sides > 1 else WIDTH - 2 * MARGIN
    whole = shown.whole.get(side)
    parts: list[Image.Image] = []
    if whole is None or isinstance(whole, str):
        blank = Board(width, REASON_HEIGHT)
        blank.reason((0, 0, width, REASON_HEIGHT), whole or _why_none(worst, side))
        parts.append(blank.image)
    else:
        picture = fitted(whole, width, WHOLE_HEIGHT)
        if side in shown.marks:
            mark_boxes(picture, shown.marks[side])
        if shown.spot is not None:
            ring(picture, shown.spot)
        parts.append(_framed(picture))
    if side in shown.detail:
        parts.append(_detail(shown.detail[side], shown.part, width))
    if side in shown.marks:
        parts.append(_said(shown, side, width))
    panel = Board(width, sum(part.height for part in parts) + 10 * (len(parts) - 1)).image
    top = 0
    for part in parts:
        panel.paste(part, (0, top))
        top += part.height + 10
    return panel


def _framed(picture: Image.Image) -> Image.Image:
    board = Board(picture.width, picture.height)
    board.lay(picture, (0, 0))
    return board.image


def _detail(part: Picture, name: str, width: int) -> Image.Image:
    picture = fitted(part, width, DETAIL_HEIGHT)
    board = Board(picture.width, picture.height)
    board.lay(picture, (0, 0))
    board.draw.rectangle((0, 0, width_of(name, 15) + 14, 23), fill=PAPER)
    board.text((7, 3), name, 15, FAINT)
    return board.image


def _said(shown: Exhibit, side: str, width: int) -> Image.Image:
    words = [(word.text, KINDS[word.kind]) for word in shown.marks[side].words[:MAX_WORDS]]
    rows = rows_of(words, 18, width, 4)
    board = Board(width, max(1, 26 * len(rows)))
    for number, row in enumerate(rows):
        for text, colour, left in row:
            board.text((left, 26 * number), text, 18, colour)
    return board.image


def _why_none(worst: WorstCase, side: str) -> str:
    if side == "candidate" and worst.case.status != "ok":
        return f"no answer: {worst.case.error or worst.case.status}"
    return "no answer"


def _value(board: Board, worst: WorstCase, side: str, at: tuple[int, int], *, alarming: bool) -> None:
    """``LSE-D 9.90``, and of the candidate how it changed, as large as fits."""
    number = worst.number
    value = NO_VALUE if number is None else number.candidate if side == "candidate" else number.baseline
    if number is None or (value == NO_VALUE and side == "baseline"):
        return
    unit = f" {number.unit}" if number.unit and value != NO_VALUE else ""
    said = f"{number.title}: no value" if value == NO_VALUE else f"{number.title} {value}{unit}"
    change = number.change if side == "candidate" and number.candidate != number.baseline else ""
    sizes = ((28, 20), (24, 18), (20, 16), (17, 15))
    large, small = next(
        (pair for pair in sizes if width_of(said, pair[0]) + 14 + width_of(change, pair[1]) <= PANEL_WIDTH), sizes[-1]
    )
    colour = RED if alarming and side == "candidate" and worst.case.worsened(number) else INK
    x, y = at
    board.text((x, y + 28 - large), clipped(said, large, PANEL_WIDTH), large, colour, bold=side == "candidate")
    if change:
        board.text((x + width_of(said, large) + 14, y + 28 - small), change, small, colour)
