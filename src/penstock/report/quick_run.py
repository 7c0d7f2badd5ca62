"""What a reader must know of a verdict on a commit that is not released: which cases, and what was left out."""

from __future__ import annotations

from penstock.bundle.verdict_record import NotAsked, Verdict, Weakened
from penstock.gating.short_suite import looks_worse
from penstock.report.cases import number

MAX_NAMED = 8


def quick_remarks(verdict: Verdict) -> list[str]:
    """Plain sentences, the shortest way to what the verdict does not say. For the track verify alone."""
    said = []
    if verdict.cases:
        said.append(f"A short run: only the cases '{verdict.cases}', against the same cases of the current release.")
    if verdict.cases and verdict.verdict == "inconclusive":
        names = ", ".join(number(rule.metric, None, None).title for rule in looks_worse(verdict))
        shown = f"It looks worse by {names}" if names else "Nothing worse was shown on these few cases"
        said.append(f"{shown}; the full suite decides it (/penstock verify full).")
    if verdict.uncompared:
        said.append(f"{verdict.uncompared[0].upper()}{verdict.uncompared[1:]}.")
    if verdict.weakened:
        said.append(f"Its policy asks less than that of the current release: {weakened_words(verdict)}.")
    if verdict.not_asked:
        said.append(f"Not asked, as the release will be: {not_asked_words(verdict)}.")
    return said


def not_asked_words(verdict: Verdict) -> str:
    """``FID, KID (a value of the whole suite); web page (only a release tries it)``."""
    reasons: dict[str, list[str]] = {}
    for left in verdict.not_asked:
        reasons.setdefault(left.why, []).append(_named(left))
    parts = []
    for why, names in reasons.items():
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        parts.append(f"{', '.join(names[:MAX_NAMED])}{more} ({why})")
    return "; ".join(parts)


def weakened_words(verdict: Verdict) -> str:
    """``LSE-D: max 9 became 12; KID (fast): only warns``."""
    said = [f"{_named(one)}: {one.what}" if one.metric is not None else one.what for one in verdict.weakened]
    more = f"; and {len(said) - MAX_NAMED} more" if len(said) > MAX_NAMED else ""
    return f"{'; '.join(said[:MAX_NAMED])}{more}"


def _named(left: NotAsked | Weakened) -> str:
    title = number(left.metric or "", None, None).title
    return f"{title} ({left.slice})" if left.slice else title
