"""What a page is about: the gate's verdict, a comparison without rules, or one side's values. Told apart here alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from penstock.bundle.models import EVALUATION
from penstock.bundle.verdict_record import Verdict
from penstock.families.registry import is_timed
from penstock.gating.compare import Comparison
from penstock.gating.measured import SideMeans
from penstock.gating.wording import tally
from penstock.releases.quick_track import VERIFY
from penstock.report.cases import Criterion, criterion
from penstock.report.quick_run import quick_remarks
from penstock.report.rows import CHANGED, MetricRow, change_rows, mean_rows, metric_rows
from penstock.report.run_records import Side
from penstock.report.summary import WORDS, measured_again_words
from penstock.report.trend import Past

QUIET = ("", CHANGED, "pass", "bounds-only", "not-compared")
"""States of rows that need no explanation."""


EVALUATION_REMARK = "This is an evaluation of answers without a release: no rule was applied, nothing was published."


@dataclass(frozen=True)
class Subject:
    """What the page says of two sides, and by what it ranks their cases."""

    style: str
    """CSS class of the head: ``pass``, ``fail``, ``inconclusive`` or ``compared``."""
    word: str
    """``accepted``, ``rejected``, ``inconclusive``, ``compared`` or ``measured``."""
    judged: bool
    """Whether rules were applied."""
    heading: str
    """Above the reasons on the first screen."""
    baseline: str | None
    """Run id or path of the baseline."""
    rerun: bool
    """The baseline was run again beside the candidate."""
    measured_again: str
    """Which of the baseline's values were measured again, and why; empty: none."""
    level: float
    rows: list[MetricRow]
    criteria: list[Criterion]
    without_baseline: str = "no baseline: this is the first release"
    """What is said in the place of the baseline's name."""
    remark: str = ""
    """What a reader must know of how this came about; empty: nothing."""


def subject_of(
    about: Verdict | Comparison | SideMeans, candidate: Side, baseline: Side | None, past: Past | None
) -> Subject:
    """What a page about a verdict, a comparison or one side's values says.

    Args:
        about: the gate's answer, or what changed, or what was measured.
        candidate: the run that the page is of.
        baseline: what it is compared with, if anything.
        past: the releases before, if they are known.
    """
    if isinstance(about, Comparison):
        return _of_comparison(about, candidate, baseline, past)
    if isinstance(about, SideMeans):
        return _of_values(about, candidate)
    rows = metric_rows(candidate, baseline, about, past)
    return Subject(
        style=about.verdict,
        word=WORDS[about.verdict],
        judged=True,
        heading=_heading(rows, about),
        baseline=about.baseline,
        rerun=about.comparison == "rerun",
        measured_again=measured_again_words(about.measured_again) if about.measured_again is not None else "",
        level=about.level,
        rows=rows,
        criteria=[criterion(rule) for rule in about.rules],
        without_baseline=about.uncompared or Subject.without_baseline,
        remark=" ".join(quick_remarks(about)) if candidate.run.track == VERIFY else "",
    )


def _of_comparison(about: Comparison, candidate: Side, baseline: Side | None, past: Past | None) -> Subject:
    """Time and memory rank cases only where nothing else was measured, as in the table of ``penstock compare``."""
    telling = [found for found in about.metrics if not is_timed(found.metric)] or about.metrics
    in_slices = [found for found in about.slices if found.metric in {whole.metric for whole in telling}]
    return Subject(
        style="compared",
        word="compared",
        judged=False,
        heading="What changed",
        baseline=about.baseline,
        rerun=False,
        measured_again="",
        level=about.level,
        rows=change_rows(candidate, baseline, [*telling, *in_slices], past),
        criteria=[
            Criterion(found.metric, better=found.direction)
            for found in telling
            if found.baseline is not None or found.candidate is not None
        ],
        remark=_remark(candidate),
    )


def _of_values(about: SideMeans, candidate: Side) -> Subject:
    telling = [found for found in about.metrics if not is_timed(found.metric)] or about.metrics
    return Subject(
        style="compared",
        word="measured",
        judged=False,
        heading="What was measured",
        baseline=None,
        rerun=False,
        measured_again="",
        level=about.level,
        rows=mean_rows(candidate, [*about.metrics, *about.slices]),
        criteria=[
            Criterion(found.metric, better=found.direction)
            for found in telling
            if found.n  # one that was measured nowhere, for want of a file, would make every case the worst
        ],
        without_baseline="compared with nothing",
        remark=_remark(candidate),
    )


def _remark(candidate: Side) -> str:
    """Answers that were only evaluated are not to be taken for those of a release."""
    return EVALUATION_REMARK if candidate.run.track == EVALUATION else ""


def _heading(rows: Iterable[MetricRow], verdict: Verdict) -> str:
    """Rules that had no baseline are never said to hold."""
    if any(row.state not in QUIET for row in rows):
        return "Rules that did not hold"
    if all(rule.not_compared is None for rule in verdict.rules):
        return "Every rule holds"
    words = tally(verdict.rules)
    return f"{words[0].upper()}{words[1:]}: there is no baseline"
