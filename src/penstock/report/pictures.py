"""The composed pictures of a run, for people who do not open its page: ``report/pictures/``."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import WHOLE_SUITE
from penstock.foundation.files import replacing
from penstock.foundation.handles import discard_tree
from penstock.report.case_files import suite_files
from penstock.report.exhibits import exhibit
from penstock.report.old_verdicts import read_verdict
from penstock.report.page import view_of
from penstock.report.picture_board import png_within
from penstock.report.picture_files import MAX_WORST_BYTES, WORST, pictures_dir
from penstock.report.run_records import read_side
from penstock.report.series import read_series
from penstock.report.summary import title
from penstock.report.worst_board import BoardWords, worst_board
from penstock.report.worst_case import worst_case

LEAST_WIDTH = 600


def draw_pictures(bundle: Bundle, baseline: Bundle | None, source: Path | None = None) -> None:
    """Write ``report/pictures/worst.png``; nothing where no case has an answer that can be seen.

    The same bundles give the same bytes.

    Args:
        bundle: a bundle with a verdict.
        baseline: the bundle that it was compared with, if there was one.
        source: the model's repository with the suite; ``None``: it is not at hand.

    Raises:
        UsageError: the bundle has no verdict or no measurements; the suite is not valid.
        WorldError: the disk is full.
    """
    folder = pictures_dir(bundle)
    discard_tree(folder)
    verdict = read_verdict(bundle)
    candidate, before = read_side(bundle), read_side(baseline) if baseline else None
    worst = worst_case(candidate, before, verdict)
    if worst is None:
        return
    view = view_of(candidate.run)
    name = worst.case.name
    sides = {"baseline": before, "candidate": candidate}
    series = {
        side: found[name]
        for side, of in sides.items()
        if of and name in (found := read_series(of.bundle, [name], view))
    }
    files = suite_files(bundle, source) if source is not None else None
    metric = worst.number.metric if worst.number is not None else ""
    shown = exhibit(name, metric, worst.answers, view, series, files)
    words = BoardWords(
        title(candidate.run, verdict),
        verdict.verdict,
        {side: of.name for side, of in sides.items() if of},
        len({found.case for found in candidate.measurements} - {WHOLE_SUITE}),
    )
    content = png_within(worst_board(worst, shown, words), MAX_WORST_BYTES, LEAST_WIDTH)
    with replacing(folder / WORST) as temporary:
        temporary.write_bytes(content)
