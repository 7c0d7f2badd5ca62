"""What came of a run of our own pipelines: the verdict, what was published or why not, the page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.failures import first_failure
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.foundation.errors import ExitCode
from penstock.tekton.run_json import PipelineRunResult

PUBLISH = "publish"
BEFORE_THE_MODEL = frozenset(
    {"clone", "check", "weights", "build", "plan", "clone-released", "weights-released", "notify", "enforce"}
)
"""Tasks that have put nothing to a model: a run that ended with exit 2 in them was refused at its start."""


@dataclass(frozen=True)
class RunEnd:
    """How a run ended. ``--json`` has it beside the status of the PipelineRun."""

    verdict: str | None
    """``pass``, ``fail``, ``inconclusive``; ``None``: it did not come that far."""
    published: str | None
    """The version that is published."""
    reason: str
    """Why nothing is published, if a release was wanted."""
    bundle: str | None
    report: str | None


def run_end(ended: PipelineRunResult, folder: Path, code: ExitCode) -> RunEnd:
    """What came of a run in ``folder``."""
    bundle = Bundle(folder / "bundle")
    page = bundle.report / "index.html"
    verdict = verdict_of(bundle)
    published = None
    if verdict is not None and any(
        record.pipeline_task == PUBLISH and record.status == "True" for record in ended.task_runs
    ):
        run = bundle.run()
        published = run.source.version if run.source is not None else run.run_id
    return RunEnd(
        verdict=verdict.verdict if verdict is not None else None,
        published=published,
        reason="" if published is not None else _reason(ended, bundle, verdict, code),
        bundle=str(bundle.path) if bundle.run_file.exists() else None,
        report=str(page) if page.exists() else None,
    )


def verdict_of(bundle: Bundle) -> Verdict | None:
    """The verdict, if the run came that far."""
    from penstock.report.old_verdicts import read_verdict

    return read_verdict(bundle) if bundle.verdict_file.exists() else None


def _reason(ended: PipelineRunResult, bundle: Bundle, verdict: Verdict | None, code: ExitCode) -> str:
    if code in (ExitCode.REJECTED, ExitCode.INCONCLUSIVE) and verdict is not None:
        deciding = deciding_rules(verdict)
        others = len(deciding) - 1
        more = f" (and {others} more rule{'s' if others > 1 else ''})" if others > 0 else ""
        return f"{told(deciding[0])}{more}" if deciding else ""
    if code == ExitCode.OK:
        return ""
    _, why = first_broken(ended, bundle)
    return why or ended.message


def deciding_rules(verdict: Verdict) -> list[RuleResult]:
    """The rules that made the verdict what it is."""
    return [rule for rule in verdict.rules if rule.blocks and rule.verdict == verdict.verdict]


def first_broken(ended: PipelineRunResult, bundle: Bundle) -> tuple[str, str]:
    """The step that broke first, and what it said; empty if no step did."""
    failure = first_failure(bundle)
    if failure is not None:
        return failure.step, failure.error
    failed = [record for record in ended.task_runs if record.status == "False"]
    first = min(failed, key=lambda record: record.finished, default=None)
    return (first.pipeline_task, first.message) if first is not None else ("", "")


def told(rule: RuleResult) -> str:
    """A rule's reason, with the slice and the stand-in that it is about: ``LSE-D (stand-in) rose from …``.

    In one line: it may quote a model.
    """
    from penstock.gating.wording import needed_words
    from penstock.report.summary import rule_name

    reason = f" {rule.predicate}{needed_words(rule.needed, rule.metric)}" if rule.predicate else f": {rule.reason}"
    return " ".join(f"{rule_name(rule)}{reason}".split())


def refused_at_start(ended: PipelineRunResult, code: ExitCode) -> bool:
    """Whether nothing was put to the model, and nothing can come of going on: the contract, a parameter is wrong."""
    before = {record.pipeline_task for record in ended.task_runs} <= BEFORE_THE_MODEL
    return ended.refused or (code == ExitCode.USAGE and before)
