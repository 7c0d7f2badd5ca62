"""The comment on a pull request: one a model and track, found by a mark that nobody sees, and replaced in place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Run
from penstock.bundle.verdict_record import Verdict
from penstock.foundation.files import write_text
from penstock.notices.message import message
from penstock.notices.notice import NoticeLink
from penstock.notices.quick_notice import link_line, picture_url, worst_lines
from penstock.releases.quick_track import VERIFY
from penstock.report.junit import write_junit
from penstock.report.old_verdicts import read_verdict
from penstock.report.summary import MAX_CHARACTERS, cut, markdown_summary, plain

MAX_BESIDE = 12_000
"""What the worst case and the links may take of a comment."""
_NAME = re.compile(r"[^A-Za-z0-9._-]")


def marker(run: Run) -> str:
    """``<!-- penstock: MODEL TRACK -->``: the first line of the comment, which no forge shows.

    On the track verify ``<!-- penstock: verify -->``: a run that broke before its model's name was known has the same.
    """
    if run.track == VERIFY:
        return f"<!-- penstock: {VERIFY} -->"
    model, track = (_NAME.sub("-", word)[:100] for word in (run.model or "model", run.track))
    return f"<!-- penstock: {model} {track} -->"


def pull_request_markdown(run: Run, verdict: Verdict) -> str:
    """The comment for a run with a verdict: the summary, and which commit and runs it is about."""
    return _comment(run, markdown_summary(run, verdict), verdict)


def comment_text(
    bundle: Bundle,
    status: str = "",
    *,
    links: Sequence[NoticeLink] = (),
    baseline: Path | None = None,
    picture: NoticeLink | None = None,
) -> str:
    """The comment for a run as far as it came, with or without a verdict.

    Args:
        bundle: the run's bundle, with a ``run.json``.
        status: Tekton's aggregate status of the tasks, or empty.
        links: where to look; on the track verify they stand below the summary, with those to the worst case's files.
        baseline: the released model's bundle, if it was brought.
        picture: where the worst case's picture is had without a login: the forge, or who reads the comment, gets it.
    """
    run = bundle.run()
    if bundle.verdict_file.exists() and status != "Failed":
        verdict = read_verdict(bundle)
        summary = markdown_summary(run, verdict)
        if run.track == VERIFY:
            beside = "\n".join([*worst_lines(bundle, baseline, links, picture), link_line(links), ""])
        else:
            shown_at = picture_url(bundle, "", picture)
            beside = f"\n![Worst case](<{shown_at}>)\n" if shown_at else ""
        return _comment(run, cut(summary, MAX_CHARACTERS - MAX_BESIDE) + beside[:MAX_BESIDE], verdict)
    said = message(bundle, status)
    return _comment(run, f"## {plain(said.what)}\n\n{plain(said.why)}\n", None)


def write_beside_page(bundle: Bundle) -> None:
    """Write ``report/pull-request.md`` and ``report/junit.xml``.

    Raises:
        UsageError: the bundle has no verdict.
        WorldError: the disk is full.
    """
    run, verdict = bundle.run(), read_verdict(bundle)
    write_text(bundle.report / "pull-request.md", pull_request_markdown(run, verdict))
    write_junit(verdict, bundle.report / "junit.xml", run=run)


def _comment(run: Run, body: str, verdict: Verdict | None) -> str:
    words = [f"run {run.run_id}"]
    if run.source is not None:
        words.insert(0, f"commit {run.source.commit[:12]}")
    if run.suite is not None:
        words.append(f"{run.suite.cases} cases")
    if verdict is not None and verdict.baseline is not None:
        words.append(f"baseline {verdict.baseline}")
    if verdict is not None:
        words.append(f"level {verdict.level:g}")
    head = f"{marker(run)}\n"
    foot = f"\n<sub>{plain(', '.join(word[:200] for word in words))}. Penstock {plain(run.penstock[:50])}</sub>\n"
    return head + cut(body, MAX_CHARACTERS - len(head) - len(foot)) + foot
