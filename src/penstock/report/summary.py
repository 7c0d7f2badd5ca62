"""The verdict in a few lines of Markdown: for a pull request, a terminal, a chat message."""

from __future__ import annotations

from penstock.bundle.models import RuleResult, Run, Verdict
from penstock.report.cases import number, shown

WORDS = {"pass": "accepted", "fail": "rejected", "inconclusive": "inconclusive"}


def title(run: Run, verdict: Verdict) -> str:
    """``sonic-lite 1.1.0: rejected``."""
    version = run.source.version if run.source else run.run_id
    return f"{run.model} {version}: {WORDS[verdict.verdict]}"


def markdown_summary(run: Run, verdict: Verdict) -> str:
    """The verdict, its failing rules in words, and all rules as a table."""
    lines = [f"## {plain(title(run, verdict))}", ""]
    lines += [
        f"- **{plain(rule_name(rule))}**: {plain(rule.reason)}" for rule in verdict.rules if rule.verdict != "pass"
    ]
    if verdict.baseline is None:
        lines.append("- There was no baseline: this is the first release.")
    lines += ["", "| rule | baseline | candidate | change | limit | verdict |", "|---|---:|---:|---:|---|---|"]
    for rule in verdict.rules:
        cells = (rule_name(rule), *rule_numbers(rule), rule.limit, rule_verdict(rule))
        lines.append("| " + " | ".join(plain(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def rule_name(rule: RuleResult) -> str:
    """``LSE-D`` or ``LSE-D (fast-speech)``."""
    name = number(rule.metric, None, None).title
    return f"{name} ({rule.slice})" if rule.slice else name


def rule_numbers(rule: RuleResult) -> tuple[str, str, str]:
    """Baseline, candidate and change as people read them."""
    change = number(rule.metric, rule.candidate, rule.baseline).change
    return shown(rule.metric, rule.baseline), shown(rule.metric, rule.candidate), change or "–"


def rule_verdict(rule: RuleResult) -> str:
    """The verdict; a warning that fell is called a warning, because it blocks nothing."""
    return "warning" if rule.severity == "warn" and rule.verdict != "pass" else rule.verdict


def plain(text: str) -> str:
    """Text that cannot break out of a Markdown table or become a link, an image or HTML."""
    for character in "\\`*_[]<>|!":
        text = text.replace(character, "\\" + character)
    return " ".join(text.split())
