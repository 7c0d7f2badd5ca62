"""The verdict in a few lines of Markdown: for a pull request, a terminal, a chat message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from penstock.bundle.models import Run
from penstock.bundle.verdict_record import MeasuredAgain, RuleResult, Verdict, WaiverRecord
from penstock.contract.arithmetic import arithmetic_in
from penstock.families.registry import find_metric, is_stand_in
from penstock.foundation.errors import printable
from penstock.gating.wording import needed_words, tally
from penstock.releases.quick_track import VERIFY
from penstock.report.cases import number, shown
from penstock.report.quick_run import quick_remarks

WORDS = {"pass": "accepted", "fail": "rejected", "inconclusive": "inconclusive"}
MAX_CHARACTERS = 65_536
"""What a comment on GitHub may hold."""
CUT_NOTE = "*Cut here: the whole of it is in `report/index.html` and `verdict.json` of the run.*\n"
INVISIBLE = "\u200b"
"""A space of no width: it takes a text apart that a forge would take for a name, a number or an address."""
_REFERENCE = re.compile(
    r"(?<![A-Za-z0-9])(@|GH-)(?=\w)|(@)(?=\w)(?!sha256:)|([#&%$~!])(?=\w)|(://)|(?<![A-Za-z0-9])(www)(?=\.)",
    re.IGNORECASE,
)
_BLOCK = re.compile(r"^(\d+(?=[.)](?:\s|$))|(?=#|[-+](?:\s|$)|[-=][\s=-]*$))")
"""What makes a line a heading, a rule, or an item of a list."""
FORMATTING = re.compile(r"[\\`*<>\[\]|~!]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#?\w+;)")
"""What marks up text. An underscore within a word stays: names have them, and nothing takes it for more."""


def title(run: Run, verdict: Verdict) -> str:
    """``sonic-lite 1.1.0: rejected``."""
    version = run.source.version if run.source else run.run_id
    return f"{f'{run.model} {version}'.strip()}: {WORDS[verdict.verdict]}"


def markdown_summary(run: Run, verdict: Verdict) -> str:
    """The verdict, its failing rules in words, waivers and warnings, and all rules as a table.

    At most :data:`MAX_CHARACTERS`; what is longer is cut at a line, and says so.
    """
    lines = [f"## {plain(title(run, verdict))}", "", *notes_lines(run)]
    told = [rule for rule in verdict.rules if rule.verdict != "pass" or rule.waiver is not None]
    lines += [_bullet(rule) for rule in sorted(told, key=lambda rule: (not stops(rule), rule.verdict == "pass"))]
    if run.track == VERIFY:
        lines += [f"- {plain(said)}" for said in quick_remarks(verdict)]
    elif verdict.baseline is None:
        counted = f": {tally(verdict.rules)}" if verdict.verdict == "pass" else ""
        lines.append(f"- First release: there is no baseline to compare with{counted}.")
    if verdict.measured_again is not None:
        lines.append(f"- {plain(measured_again_words(verdict.measured_again))}.")
    header = ("rule", "baseline", "candidate", "change", "interval", "limit", "verdict")
    lines += ["", f"| {' | '.join(header)} |", "|---|---:|---:|---:|---:|---|---|"]
    for rule in verdict.rules:
        cells = (rule_name(rule), *rule_numbers(rule), rule_interval(rule), rule.limit, _with_needed(rule))
        lines.append("| " + " | ".join(plain(cell) for cell in cells) + " |")
    return cut("\n".join(lines) + "\n")


def notes_lines(run: Run) -> list[str]:
    """The release notes, which weights the run was given in place of its commit's, and that its export is not used."""
    lines = [f"Release notes: {plain(run.notes)}", ""] if run.notes else []
    if given := run.given_weights:
        what = f"Weights given: {given.path} sha256:{given.sha256}, in place of sha256:{given.replaces}."
        lines += [plain(what), ""]
    if run.use_onnx is False:
        lines += ["Computed with its trained weights (`use_onnx=false`): the exported file is not used.", ""]
    return lines


def _bullet(rule: RuleResult) -> str:
    """Why a rule is broken, or who waived it although it holds."""
    word = "" if stops(rule) else f" ({rule_verdict(rule)})"
    waived = f" *{plain(waiver_words(rule.waiver))}*" if rule.waiver is not None else ""
    reason = f"{rule.predicate}{needed_words(rule.needed, rule.metric)}" if rule.predicate else rule.reason
    return f"- **{plain(rule_name(rule))}**{word}: {plain(reason)}{waived}"


def cut(text: str, limit: int = MAX_CHARACTERS) -> str:
    """``text``, or as many whole lines of it as ``limit`` characters hold beside a note that it was cut."""
    if len(text) <= limit:
        return text
    end = text.rfind("\n", 0, limit - len(CUT_NOTE) - 2)
    return f"{text[: max(end, 0)]}\n\n{CUT_NOTE}"


def rule_title(rule: RuleResult) -> str:
    """``LSE-D``, ``LSE-D (fast-speech)``; a rule of the platform's floor says so: ``LSE-D (floor)``."""
    return _named(rule)


def rule_name(rule: RuleResult) -> str:
    """The title, and that its numbers are those of a stand-in: ``LSE-D (fast-speech, stand-in)``."""
    return _named(rule, *(["stand-in"] if is_stand_in(rule.extractor) else []))


def _named(rule: RuleResult, *more: str) -> str:
    told = [word for word in (rule.slice, "floor" if rule.origin == "floor" else None, *more) if word]
    title = number(rule.metric, None, None).title
    return f"{title} ({', '.join(told)})" if told else title


def rule_numbers(rule: RuleResult) -> tuple[str, str, str]:
    """Baseline, candidate and change as people read them."""
    change = number(rule.metric, rule.candidate, rule.baseline).change
    return shown(rule.metric, rule.baseline), shown(rule.metric, rule.candidate), change or "–"


def rule_interval(rule: RuleResult) -> str:
    """The bounds of the change: ``-0.121 … +0.310``; a dash where there are none."""
    if rule.interval is None:
        return "–"
    return interval_words(rule.metric, rule.interval)


def interval_words(metric: str, interval: tuple[float, float]) -> str:
    """``-0.121 … +0.310``, with the metric's digits."""
    known = find_metric(metric)
    shape = f"+.{known.digits}f" if known else "+.4g"
    return " … ".join(f"{bound:{shape}}" for bound in interval)


def stops(rule: RuleResult) -> bool:
    """Whether this rule keeps the release back: broken, made to block, not advisory, and not waived today."""
    return rule.verdict != "pass" and rule.blocks


def rule_state(rule: RuleResult) -> str:
    """The verdict as one word, also a CSS class.

    Of a broken rule that stops nothing, why it does not: ``waived``, ``warning`` or ``advisory``. Of one without a
    baseline, what was not compared: ``bounds-only`` or ``not-compared``.
    """
    if rule.verdict == "pass":
        return {None: "pass", "margin": "bounds-only", "rule": "not-compared"}[rule.not_compared]
    if stops(rule):
        return rule.verdict
    if rule.waived:
        return "waived"
    return "advisory" if rule.advisory else "warning"


def rule_verdict(rule: RuleResult) -> str:
    """:func:`rule_state` in words."""
    state = rule_state(rule)
    return {"bounds-only": "pass (margin not compared)", "not-compared": "not compared (no baseline)"}.get(state, state)


def waiver_words(waiver: WaiverRecord) -> str:
    """``waived until 2026-12-31 by Ada: the new codec is worth it``."""
    until = (
        f"the waiver expired on {waiver.expires} and no longer counts, by"
        if waiver.expired
        else (f"waived until {waiver.expires} by")
    )
    return f"{until} {waiver.author}: {waiver.reason}"


def measured_again_words(again: MeasuredAgain) -> str:
    """``FID and KID of the baseline were measured again, …``, and why."""
    titles = _listed(number(metric, None, None).title for metric in again.metrics)
    return (
        f"{titles} of the baseline were measured again, from its archived outputs: "
        f"they are stored in {_arithmetic(again.stored)}, and the candidate's are in {_arithmetic(again.measured)}"
    )


def _arithmetic(labels: Mapping[str, str]) -> str:
    """``f32``; of several networks all that there are."""
    return _listed(sorted({arithmetic_in(label) for label in labels.values()}))


def _listed(words: Iterable[str]) -> str:
    """``FID, KID and LSE-D``."""
    *first, last = [*words] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _with_needed(rule: RuleResult) -> str:
    """The verdict, and of an inconclusive one how many cases would settle it."""
    verdict = rule_verdict(rule)
    return f"{verdict} ({rule.n} cases, {rule.needed} would settle it)" if rule.needed is not None else verdict


def plain(text: str) -> str:
    """Text that cannot break out of a Markdown table or become a heading, a list, a link, a mail address, an image,
    HTML, or a name that is notified.

    Control characters are written out, so that none can turn the reading direction round or hide what stands there.
    """
    words = printable(" ".join(text.split()))
    for character in "\\`*_[]<>|!~":
        words = words.replace(character, "\\" + character)
    words = _BLOCK.sub(r"\1\\", words)
    return unlinked(words)


def bare(text: str) -> str:
    """One line with nothing in it that a mail, a chat or a forge formats, links or notifies, and no escape to be seen.

    For titles: some services show them as they are, others put them into HTML or Markdown of their own.
    """
    return unlinked(FORMATTING.sub("?", printable(" ".join(text.split()))))


def unlinked(text: str) -> str:
    """``text`` with an invisible space in each name that is notified, each number of an issue and each address."""
    return _REFERENCE.sub(lambda found: found[0] + INVISIBLE, text)
