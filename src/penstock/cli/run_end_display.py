"""What a person sees of the end of a run: the verdict, what was published or why not, the page, and how to go on."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import ExitCode, PenstockError
from penstock.local_run.run_end import RunEnd, deciding_rules, first_broken, run_end, told, verdict_of
from penstock.local_run.run_folder import link_of

if TYPE_CHECKING:
    from rich.console import Console

    from penstock.local_run.requested_run import FinishedRun
    from penstock.tekton.run_json import PipelineRunResult


def show_end(finished: FinishedRun, *, as_json: bool) -> None:
    """The verdict, what was published, and where the report is; for any other pipeline its end and its results."""
    from rich.console import Console

    from penstock.cli.gate import PLAIN_WIDTH

    ended, folder, code = finished.ended, finished.folder, finished.code
    shown = link_of(folder) if link_of(folder).exists() else folder
    end = run_end(ended, shown, code) if finished.track else None
    if as_json:
        content = ended.to_json() | {"exitCode": int(code)} | (asdict(end) if end is not None else {})
        sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        return
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    if end is not None:
        show(console, ended, shown, code, end)
    else:
        for key, value in ended.results:
            console.print(f"{key}: {value if isinstance(value, str) else json.dumps(value)}", markup=False)
        console.print(f"{ended.name}: {ended.reason}: {ended.message}", markup=False)
    if finished.go_on:
        console.print(finished.go_on, markup=False)


def show(console: Console, ended: PipelineRunResult, folder: Path, code: ExitCode, end: RunEnd) -> None:
    """The rules as a table, what is to be said of them beside the first reason, and the one line."""
    from rich.text import Text

    from penstock.cli.gate import STYLES, verdict_table
    from penstock.foundation.errors import one_line
    from penstock.report.summary import rule_verdict

    verdict = verdict_of(Bundle(folder / "bundle"))
    if verdict is not None:
        console.print(verdict_table(verdict), soft_wrap=False)
        in_the_line = deciding_rules(verdict)[:1] if code in (ExitCode.REJECTED, ExitCode.INCONCLUSIVE) else []
        for rule in verdict.rules:
            if rule.verdict != "pass" and not any(rule is one for one in in_the_line):
                console.print(Text(one_line(f"{rule_verdict(rule)}: {told(rule)}")))
    line = Text(one_line(sentence(ended, folder, code, end)))
    if verdict is not None:
        line.stylize(STYLES[verdict.verdict], 0, line.plain.find("."))
    console.print(line)


def sentence(ended: PipelineRunResult, folder: Path, code: ExitCode, end: RunEnd) -> str:
    """``sonic-lite 1.1.0: rejected. Not published: LSE-D rose from … Report: runs/…/index.html``."""
    from penstock.report.summary import WORDS

    bundle = Bundle(folder / "bundle")
    if end.verdict is not None and code in (ExitCode.OK, ExitCode.REJECTED, ExitCode.INCONCLUSIVE):
        word = WORDS[end.verdict]
    elif code == ExitCode.OK:
        word = "verified"
    else:
        step, _ = first_broken(ended, bundle)
        word = "refused" if ended.refused else f"stopped in the step {step}" if step else "stopped"
        if end.verdict is not None:
            word = f"{WORDS[end.verdict]}, but {word}"
    parts = [f"{subject(bundle, ended.name)}: {word}"]
    if end.published is not None:
        target = bundle.run().target
        waits = f", not current yet: 'penstock promote' brings it to its target '{target}'" if target else ""
        parts.append(f"Published as {end.published}{waits}")
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
