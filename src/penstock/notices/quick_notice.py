"""What people are told of a run on the track verify: in a message, in the comment below a pull request, as a status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Run
from penstock.bundle.verdict_record import Verdict
from penstock.gating.short_suite import looks_worse
from penstock.gating.wording import tally
from penstock.notices.notice import NoticeLink, Tone
from penstock.report.cases import CaseRow, case_rows, criterion
from penstock.report.old_verdicts import read_verdict
from penstock.report.quick_run import quick_remarks
from penstock.report.run_records import read_side
from penstock.report.summary import WORDS, plain, rule_name, stops

if TYPE_CHECKING:
    from penstock.notices.commit_status import State

FILES = "files"
"""The link that leads to the bundle's own files: what people look at is below it."""
PICTURE = "report/pictures/worst"
"""The composed picture of the worst case, without its suffix, if the step *report* has made one."""
_PICTURES = (".png", ".jpg", ".webp", ".gif")


@dataclass(frozen=True)
class QuickWords:
    """How a run stands, and why: the words of a message."""

    why: str
    tone: Tone
    needs_you: bool


def quick_told(verdict: Verdict) -> QuickWords:
    """A verdict on a commit that is not released, in words: what stops it, and what to do."""
    stopping = [rule for rule in verdict.rules if stops(rule)]
    against = f", compared with {verdict.baseline}" if verdict.baseline else ""
    remarks = " ".join(quick_remarks(verdict))
    if verdict.verdict == "pass":
        return QuickWords(f"{tally(verdict.rules)}{against}. {remarks or 'Nothing to do.'}", "success", needs_you=False)
    if verdict.verdict == "fail":
        return QuickWords(f"Correct it and push again. {remarks}".strip(), "failure", needs_you=False)
    if not verdict.rules:
        return QuickWords(f"No rule could be asked. {remarks}", "warning", needs_you=not verdict.cases)
    open_rules = f"{len(stopping)} rule{'s are' if len(stopping) != 1 else ' is'} undecided{against}"
    if verdict.cases:
        worse = bool(looks_worse(verdict))
        return QuickWords(f"{open_rules}. {remarks}", "warning" if worse else "info", needs_you=worse)
    todo = "Add cases to the suite, or waive the rule."
    return QuickWords(f"{open_rules}. {todo} {remarks}".strip(), "warning", needs_you=True)


def quick_state(run: Run, verdict: Verdict) -> tuple[State, str]:
    """The verdict as a commit's status, and why in one line.

    What a short run leaves open is no failure: it has shown nothing worse.
    """
    stopping = [rule for rule in verdict.rules if stops(rule)]
    names = ", ".join(rule_name(rule) for rule in stopping if rule.verdict == verdict.verdict)
    looser = "; by a weaker policy" if verdict.weakened else ""
    if verdict.verdict == "pass":
        words = tally(verdict.rules)
        against = f", against {verdict.baseline}" if verdict.baseline else f"; {verdict.uncompared}"
        return "success", f"{WORDS[verdict.verdict]}: {words}{against}{looser}"
    if verdict.verdict == "fail":
        return "failure", f"{WORDS[verdict.verdict]}: {names}"
    if verdict.cases and (worse := looks_worse(verdict)):
        looks = ", ".join(rule_name(rule) for rule in worse)
        return "failure", f"looks worse by {looks}; the full suite can tell: /penstock verify full"
    if verdict.cases and not verdict.rules:
        return (
            "failure",
            f"no rule could be asked of '{verdict.cases}' cases; the full suite can: /penstock verify full",
        )
    if verdict.cases:
        cases = run.suite.cases if run.suite is not None else 0
        return "success", f"nothing worse shown on {cases} '{verdict.cases}' cases{looser}; undecided: {names}"
    return "failure", f"undecided: {names or 'no rule could be asked'}"


def worst_lines(
    bundle: Bundle, baseline: Path | None, links: Sequence[NoticeLink], picture: NoticeLink | None = None
) -> list[str]:
    """Markdown about the worst case: its name, the number that tells, its picture and its videos as far as there are
    links to the bundle's files. Of an accepted commit the case that gained least.

    Args:
        bundle: the run's.
        baseline: the released model's bundle, if it was brought.
        links: the one that is called ``files`` leads to the bundle.
        picture: where its picture is had without a login; ``None``: with the other files.
    """
    verdict = read_verdict(bundle)
    released = read_side(Bundle(baseline)) if baseline is not None and Bundle(baseline).run_file.exists() else None
    side = read_side(bundle)
    if released is not None and not (baseline and Bundle(baseline).measurements_file.exists()):
        released = None
    fell = [rule for rule in verdict.rules if stops(rule) and rule.verdict == verdict.verdict] or verdict.rules
    rows = case_rows(side, released.of_cases(side.calls) if released else None, [criterion(rule) for rule in fell])
    if not rows:
        return []
    worst = rows[0]
    called = "A case to look at" if verdict.verdict == "pass" or worst.worst <= 0 else "Worst case"
    lines = [f"{called}: **{plain(worst.name)}**{_number(worst)}"]
    home = next((link.url.rstrip("/") for link in links if link.label == FILES), "")
    if shown_at := picture_url(bundle, home, picture):
        lines.append(f"![{plain(worst.name)}](<{shown_at}>)")
    if home:
        call = side.calls.get(worst.name)
        shown = [f"[{plain(Path(path).name)}](<{home}/{quote(path)}>)" for path in (call.outputs if call else [])[:4]]
        if shown:
            lines.append(f"This commit's answer: {', '.join(shown)}")
    return ["", *(part for line in lines for part in (line, ""))]


def link_line(links: Sequence[NoticeLink]) -> str:
    """The links of the comment in one line of Markdown; empty without any."""
    return " · ".join(f"[{plain(link.label)}](<{link.url}>)" for link in links)


def _number(worst: CaseRow) -> str:
    found = worst.number_of(worst.telling) if worst.telling else None
    if found is None:
        return f": {plain(worst.error[:300])}" if worst.error else ""
    before = f", released {found.baseline}, {found.change}" if found.change else ""
    unit = f" {found.unit}" if found.unit else ""
    return f": {plain(found.title)} {plain(f'{found.candidate}{unit}{before}')}"


def picture_url(bundle: Bundle, home: str, picture: NoticeLink | None) -> str:
    """Where the worst case's picture is seen; empty: there is none, or no link leads to it.

    Args:
        bundle: the run's.
        home: the address of its files; empty: none is known.
        picture: the address of the picture itself, which goes before.
    """
    for suffix in _PICTURES:
        path = bundle.path / f"{PICTURE}{suffix}"
        if path.is_file() and not path.is_symlink():
            below = f"{home}/{quote(PICTURE + suffix)}" if home else ""
            return picture.url if picture is not None else below
    return ""
