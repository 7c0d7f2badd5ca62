"""Write the page that people read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import recorded
from penstock.evaluation.case_workers import two_at_a_time
from penstock.notices.pull_request import write_beside_page
from penstock.report.page import write_report
from penstock.report.pictures import draw_pictures
from penstock.steps.entrypoint import run_step, shorten, workspace


@dataclass(frozen=True)
class Arguments:
    """Write report/index.html, summary.md, pull-request.md, junit.xml and pictures/worst.png."""

    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    baseline: Path = workspace("the baseline's bundle; empty for a first release")


RESULTS: tuple[str, ...] = ("summary",)


def step(arguments: Arguments) -> dict[str, str]:
    """Put verdict, metrics, cases and videos on one page."""
    bundle = Bundle(arguments.bundle)
    released = Bundle(arguments.baseline)
    with recorded(bundle, "report") as note:
        before = released if released.run_file.exists() else None
        pictures = draw_pictures(bundle, before, arguments.source)
        summary = write_report(bundle, before, arguments.source, each=two_at_a_time, pictures=pictures)
        write_beside_page(bundle)
        note.note = "report/index.html"
    return {"summary": shorten(summary, 750)}


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-report``."""
    return run_step("report", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
