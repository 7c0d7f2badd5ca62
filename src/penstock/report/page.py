"""``report/index.html``: one page that a person reads, in one file that works from a mail attachment."""

from __future__ import annotations

import base64
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Run
from penstock.files import disk_errors, inside, replacing, write_text
from penstock.report.cases import CaseRow, case_rows, suite_numbers
from penstock.report.summary import markdown_summary, rule_name, rule_numbers, rule_verdict

EMBED_BYTES = 48 << 20
"""Videos are put into the page up to this size in all; beyond it they stay files beside it."""
VIDEO_TYPES = {".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime", ".mkv": "video/x-matroska"}


@dataclass(frozen=True)
class CaseMedia:
    """Where the page finds a case's two videos; empty where there is none."""

    candidate: str
    baseline: str


def write_report(bundle: Bundle, baseline: Bundle | None) -> str:
    """Write ``report/index.html`` and ``report/summary.md``; returns the summary.

    Args:
        bundle: a bundle with a verdict.
        baseline: the bundle that it was compared with, if there was one.

    Raises:
        UsageError: the bundle has no verdict or no measurements.
        WorldError: the disk is full.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    run, verdict = bundle.run(), bundle.verdict()
    cases = case_rows(bundle, baseline, verdict)
    media = _media(bundle, baseline, cases)
    environment = Environment(
        loader=PackageLoader("penstock.report", "."),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(rule_name=rule_name, rule_numbers=rule_numbers, rule_verdict=rule_verdict)
    page = environment.get_template("page.html.j2").render(
        run=run,
        verdict=verdict,
        rules=sorted(verdict.rules, key=lambda rule: (rule.verdict == "pass", rule.severity == "warn")),
        failing=[rule for rule in verdict.rules if rule.verdict != "pass"],
        numbers=suite_numbers(bundle, baseline),
        cases=cases,
        media=media,
        baseline=baseline.run() if baseline else None,
        facts=facts(run),
        command=reproduce(run),
    )
    summary = markdown_summary(run, verdict)
    write_text(bundle.report / "summary.md", summary)
    write_text(bundle.report / "index.html", page)
    return summary


def _media(bundle: Bundle, baseline: Bundle | None, cases: list[CaseRow]) -> dict[str, CaseMedia]:
    """Data URIs while they fit, else files: ours where they are, the baseline's copied beside the page."""
    mine, theirs = _videos(bundle), _videos(baseline) if baseline else {}
    total = sum(path.stat().st_size for videos in (mine, theirs) for path in videos.values())
    embed = total <= EMBED_BYTES
    media = {}
    for case in cases:
        candidate, before = mine.get(case.name), theirs.get(case.name)
        beside = f"baseline/{case.name}{before.suffix}" if before else ""
        if before and not embed:
            _copy(before, bundle.report / beside)
        media[case.name] = CaseMedia(
            candidate=_source(candidate, f"../{candidate.relative_to(bundle.path).as_posix()}", embed)
            if candidate
            else "",
            baseline=_source(before, beside, embed) if before else "",
        )
    return media


def _videos(bundle: Bundle) -> dict[str, Path]:
    """Case → the video that came back, where one did. The path is held inside the bundle: the record may be edited."""
    videos = {}
    for call in bundle.invocations() if bundle.invocations_file.exists() else []:
        if call.status == "ok" and call.output is not None:
            path = inside(bundle.path, call.output, where=f"{bundle.invocations_file}: {call.case}")
            if path.is_file() and path.suffix in VIDEO_TYPES:
                videos[call.case] = path
    return videos


def _source(path: Path, relative: str, embed: bool) -> str:
    return (
        f"data:{VIDEO_TYPES[path.suffix]};base64," + base64.b64encode(path.read_bytes()).decode() if embed else relative
    )


def _copy(source: Path, target: Path) -> None:
    with disk_errors(target), replacing(target) as temporary:
        temporary.write_bytes(source.read_bytes())


def facts(run: Run) -> list[tuple[str, str]]:
    """What ran, as the page's last table shows it."""
    rows: list[tuple[str, Any]] = [
        ("run", run.run_id),
        ("track", run.track),
        ("model", run.model),
        ("Penstock", run.penstock),
    ]
    if run.source:
        rows += [
            ("repository", run.source.url),
            ("revision", run.source.revision),
            ("commit", run.source.commit),
            ("committed", run.source.committer_date),
            ("version", run.source.version),
        ]
    rows += [(f"weights {weights.path}", f"sha256:{weights.sha256}") for weights in run.weights]
    if run.image:
        rows.append(
            (
                "image" if run.image.kind == "image" else "process, source tree",
                f"{run.image.url} {run.image.digest}".strip(),
            )
        )
    if run.suite:
        rows.append(("suite", f"{run.suite.cases} cases, sha256:{run.suite.digest}"))
    rows += [(f"extractor, {role}", name) for role, name in run.extractors.items()]
    if run.machine:
        machine = run.machine
        rows += [
            (
                "machine",
                f"{machine.processor}, {machine.cores} cores, {machine.memory_bytes / 2**30:.0f} GiB, "
                f"{machine.gpu or 'no GPU'}",
            ),
            ("system", f"{machine.system}, Python {machine.python}"),
            ("versions", ", ".join(f"{name} {version}" for name, version in machine.versions.items())),
        ]
    rows += [
        (f"step {step.name}", f"{step.seconds:.2f} s, {step.status}{', ' + step.note if step.note else ''}")
        for step in run.steps
    ]
    return [(label, str(value)) for label, value in rows]


def reproduce(run: Run) -> str:
    """The command that runs this again."""
    if run.source is None:
        return ""
    return shlex.join(["penstock", "run", run.track, "--repo", run.source.url, "--revision", run.source.commit])
