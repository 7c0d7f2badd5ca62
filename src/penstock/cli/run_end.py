"""The end of a run of our own pipelines, as a person wants it: the verdict, what was published or why not, the page."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.bundle.directory import Bundle
from penstock.bundle.failures import first_failure
from penstock.bundle.models import RuleResult, Verdict
from penstock.foundation.errors import ExitCode, PenstockError

if TYPE_CHECKING:
    from rich.console import Console

    from penstock.tekton.run_json import PipelineRunResult

PUBLISH = "publish"
BEFORE_THE_MODEL = frozenset(
    {"clone", "check", "weights", "build", "plan", "clone-released", "weights-released", "notify", "enforce"}
)
"""Tasks that have put nothing to a model: a run that ended with exit 2 in them was refused at its start."""


@dataclass(frozen=True)
class Ending:
    """How a run ended. ``--json`` has it beside the status of the PipelineRun."""

    verdict: str | None
    """``pass``, ``fail``, ``inconclusive``; ``None``: it did not come that far."""
    published: str | None
    """The version that is published."""
    reason: str
    """Why nothing is published, if a release was wanted."""
    bundle: str | None
    report: str | None


def ending(ended: PipelineRunResult, folder: Path, code: ExitCode) -> Ending:
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
    return Ending(
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
        deciding = _deciding(verdict)
        others = len(deciding) - 1
        more = f" (and {others} more rule{'s' if others > 1 else ''})" if others > 0 else ""
        return f"{told(deciding[0])}{more}" if deciding else ""
    if code == ExitCode.OK:
        return ""
    _, why = _broke(ended, bundle)
    return why or ended.message


def _deciding(verdict: Verdict) -> list[RuleResult]:
    """The rules that made the verdict what it is."""
    return [rule for rule in verdict.rules if rule.blocks and rule.verdict == verdict.verdict]


def _broke(ended: PipelineRunResult, bundle: Bundle) -> tuple[str, str]:
    """The step that broke first, and what it said; empty if no step did."""
    failure = first_failure(bundle)
    if failure is not None:
        return failure.step, failure.error
    failed = [record for record in ended.task_runs if record.status == "False"]
    first = min(failed, key=lambda record: record.finished, default=None)
    return (first.pipeline_task, first.message) if first is not None else ("", "")


def told(rule: RuleResult) -> str:
    """A rule's reason, with the slice and the stand-in that it is about: ``LSE-D (stand-in) rose from …``."""
    from penstock.gating.wording import needed_words
    from penstock.report.summary import rule_name

    if not rule.predicate:
        return f"{rule_name(rule)}: {rule.reason}"
    return f"{rule_name(rule)} {rule.predicate}{needed_words(rule.needed)}"


def sentence(ended: PipelineRunResult, folder: Path, code: ExitCode, end: Ending) -> str:
    """``sonic-lite 1.1.0: rejected. Not published: LSE-D rose from … Report: runs/…/index.html``."""
    from penstock.report.summary import WORDS

    bundle = Bundle(folder / "bundle")
    if end.verdict is not None and code in (ExitCode.OK, ExitCode.REJECTED, ExitCode.INCONCLUSIVE):
        word = WORDS[end.verdict]
    elif code == ExitCode.OK:
        word = "verified"
    else:
        step, _ = _broke(ended, bundle)
        word = "refused" if ended.refused else f"stopped in the step {step}" if step else "stopped"
        if end.verdict is not None:
            word = f"{WORDS[end.verdict]}, but {word}"
    parts = [f"{subject(bundle, ended.name)}: {word}"]
    if end.published is not None:
        parts.append(f"Published as {end.published}")
    elif code == ExitCode.OK:
        parts.append("Nothing is published on this track")
    else:
        last = end.reason.rstrip().splitlines()[-1] if end.reason else ""
        parts.append(f"Not published: {last.rstrip('.')}" if last else "Not published")
    if end.report is not None:
        parts.append(f"Report: {shortest(Path(end.report))}")
    return ". ".join(parts)


def subject(bundle: Bundle, name: str) -> str:
    """``sonic-lite 1.1.0``, or the run's name while that is not known."""
    try:
        run = bundle.run()
    except PenstockError:
        return name
    version = run.source.version if run.source is not None else ""
    return f"{run.model} {version}".strip() if run.model else name


def shortest(path: Path) -> str:
    """The path as it is short to type from here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def as_json(end: Ending) -> dict[str, str | None]:
    """For ``--json``."""
    return asdict(end)


def refused_at_start(ended: PipelineRunResult, code: ExitCode) -> bool:
    """Whether nothing was put to the model, and nothing can come of going on: the contract, a parameter is wrong."""
    before = {record.pipeline_task for record in ended.task_runs} <= BEFORE_THE_MODEL
    return ended.refused or (code == ExitCode.USAGE and before)


def show(console: Console, ended: PipelineRunResult, folder: Path, code: ExitCode, end: Ending) -> None:
    """The rules as a table, what is to be said of them beside the first reason, and the one line."""
    from rich.text import Text

    from penstock.cli.gate import STYLES, verdict_table
    from penstock.foundation.errors import printable
    from penstock.report.summary import rule_verdict

    verdict = verdict_of(Bundle(folder / "bundle"))
    if verdict is not None:
        console.print(verdict_table(verdict), soft_wrap=False)
        in_the_line = _deciding(verdict)[:1] if code in (ExitCode.REJECTED, ExitCode.INCONCLUSIVE) else []
        for rule in verdict.rules:
            if rule.verdict != "pass" and not any(rule is one for one in in_the_line):
                console.print(Text(printable(f"{rule_verdict(rule)}: {told(rule)}")))
    line = Text(printable(sentence(ended, folder, code, end)))
    if verdict is not None:
        line.stylize(STYLES[verdict.verdict], 0, line.plain.find("."))
    console.print(line)
