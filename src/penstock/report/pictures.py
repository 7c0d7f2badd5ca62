"""The composed pictures of a run, for people who do not open its page: ``report/pictures/``."""

from __future__ import annotations

import functools
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from penstock.bundle.directory import Bundle
from penstock.bundle.models import WHOLE_SUITE
from penstock.bundle.verdict_record import Verdict
from penstock.families.family import View
from penstock.foundation.errors import UsageError
from penstock.foundation.files import replacing
from penstock.foundation.handles import discard_tree
from penstock.report.case_files import SuiteFiles, suite_files
from penstock.report.cases import CaseRow, case_rows, criterion
from penstock.report.contact_sheets import SHEET_CASES, THUMB, contact_sheet, sheets_of
from penstock.report.exhibits import Exhibit, exhibit
from penstock.report.media import Medium, media_of, plain_name
from penstock.report.moving_pair import moving_pair
from penstock.report.old_verdicts import read_verdict
from penstock.report.page import view_of
from penstock.report.picture_board import fitted, mark_boxes, png_within
from penstock.report.picture_files import FOLDER, MAX_WORST_BYTES, MOVING, SHEETS, WORST, DrawnPicture, pictures_dir
from penstock.report.run_records import Side, read_side
from penstock.report.series import Series, read_series
from penstock.report.summary import title
from penstock.report.worst_board import BoardWords, worst_board
from penstock.report.worst_case import WorstCase, worst_case

log = logging.getLogger(__name__)
LEAST_WIDTH = 600
SHEET_QUALITY = 85


def draw_pictures(bundle: Bundle, baseline: Bundle | None, source: Path | None = None) -> list[DrawnPicture]:
    """Write the worst case, its worst seconds if it is a video, and a contact sheet of all cases and of each slice.

    Nothing is written where no case has an answer that can be seen. The same bundles give the same bytes.

    Args:
        bundle: a bundle with a verdict.
        baseline: the bundle that it was compared with, if there was one.
        source: the model's repository with the suite; ``None``: it is not at hand.

    Raises:
        UsageError: the bundle has no verdict or no measurements; the suite is not valid.
        WorldError: the disk is full.
    """
    discard_tree(pictures_dir(bundle))
    verdict = read_verdict(bundle)
    candidate, before = read_side(bundle), read_side(baseline) if baseline else None
    worst = worst_case(candidate, before, verdict)
    if worst is None:
        return []
    run = _PicturedRun(candidate, before, verdict, suite_files(bundle, source) if source is not None else None)
    return [*run.worst(worst), *run.sheets()]


@dataclass(frozen=True)
class _PicturedRun:
    """What all pictures of one run are made of."""

    candidate: Side
    baseline: Side | None
    verdict: Verdict
    files: SuiteFiles | None

    @property
    def _sides(self) -> dict[str, Side]:
        return (
            {"baseline": self.baseline, "candidate": self.candidate} if self.baseline else {"candidate": self.candidate}
        )

    @property
    def _versions(self) -> dict[str, str]:
        return {side: of.name for side, of in self._sides.items()}

    @functools.cached_property
    def _view(self) -> View:
        return view_of(self.candidate.run)

    def worst(self, worst: WorstCase) -> list[DrawnPicture]:
        """The worst case, and its worst seconds."""
        name = worst.case.name
        series = self._series([name])[name]
        metric = worst.number.metric if worst.number is not None else ""
        shown = exhibit(name, metric, worst.answers, self._view, series, self.files)
        words = BoardWords(
            title(self.candidate.run, self.verdict),
            self.verdict.verdict,
            self._versions,
            len({found.case for found in self.candidate.measurements} - {WHOLE_SUITE}),
        )
        found = [
            self._write(
                WORST,
                f"the worst case, {name}",
                png_within(worst_board(worst, shown, words), MAX_WORST_BYTES, LEAST_WIDTH),
            )
        ]
        moving = self._moving(worst, shown, series)
        return [*found, self._write(MOVING, "its worst seconds, moving", moving)] if moving else found

    def _moving(self, worst: WorstCase, shown: Exhibit, series: dict[str, Series]) -> bytes:
        """Of the sides whose video could be read."""
        if shown.moment is None:
            return b""
        videos = {
            side: worst.answers[side].path for side, picture in shown.whole.items() if not isinstance(picture, str)
        }
        words = {"baseline": "before", "candidate": "after"}
        captions = {side: f"{words[side]}: {version}" for side, version in self._versions.items()}
        try:
            return moving_pair(videos, captions, shown.moment, self._view, series) if videos else b""
        except UsageError as error:  # damaged behind the frame that could be read
            log.warning("case '%s': %s", worst.case.name, error)
            return b""

    def sheets(self) -> list[DrawnPicture]:
        """The contact sheets."""
        ranked = case_rows(self.candidate, self.baseline, [criterion(rule) for rule in self.verdict.rules])
        names = [case.name for case in ranked[:SHEET_CASES]]
        media = {side: media_of(of.bundle, names) for side, of in self._sides.items()}
        series = self._series(names)
        rows = {case.name: case for case in ranked}

        @functools.cache
        def thumbs(name: str) -> dict[str, Image.Image | str]:
            answers = {side: found[name] for side, found in media.items() if name in found}
            return self._thumbs(rows[name], answers, series[name])

        found = []
        for number, sheet in enumerate(sheets_of(ranked, self.baseline is not None)):
            image = contact_sheet(sheet, title(self.candidate.run, self.verdict), self._versions, thumbs)
            label = f"{sheet.name or 'all cases'} ({sheet.of} cases)"
            name = f"{SHEETS}/{number:02}-{plain_name(sheet.name or 'all-cases')}.jpg"
            found.append(self._write(name, label, _jpeg(image)))
        return found

    def _thumbs(
        self, case: CaseRow, answers: Mapping[str, Medium], series: dict[str, Series]
    ) -> dict[str, Image.Image | str]:
        # pictures are shown as they came: what a painter makes of them besides takes long, and is in the page
        painted = self._view.stills is not None and any(still.over for still in self._view.stills.of_answer)
        is_video = any(answer.kind == "video" for answer in answers.values())
        view = self._view if painted or is_video else View()
        shown = exhibit(case.name, case.telling or case.changed, answers, view, series, self.files, quick=True)
        found: dict[str, Image.Image | str] = {}
        for side, picture in shown.whole.items():
            found[side] = picture if isinstance(picture, str) else fitted(picture, THUMB, THUMB)
            small = found[side]
            if side in shown.marks and not isinstance(small, str):
                mark_boxes(small, shown.marks[side], labels=False)
        return found

    def _series(self, names: Sequence[str]) -> dict[str, dict[str, Series]]:
        """Case → side → what is known of its video."""
        known = {side: read_series(of.bundle, names, self._view) for side, of in self._sides.items()}
        return {name: {side: found[name] for side, found in known.items() if name in found} for name in names}

    def _write(self, name: str, label: str, content: bytes) -> DrawnPicture:
        with replacing(pictures_dir(self.candidate.bundle) / name) as temporary:
            temporary.write_bytes(content)
        return DrawnPicture(label, f"{FOLDER}/{name}")


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=SHEET_QUALITY, optimize=True)
    return out.getvalue()
