"""The message that tells people how a run ended."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import export_record
from penstock.bundle.failures import first_failure
from penstock.bundle.models import Run
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.gating.wording import needed_words, tally
from penstock.notices.notice import Notice, NoticeLink
from penstock.notices.quick_notice import quick_state, quick_told
from penstock.releases.quick_track import VERIFY
from penstock.report.old_verdicts import read_verdict
from penstock.report.summary import rule_name, rule_verdict, stops, title, waiver_words

NEARLY_NOTHING_BYTES = 1 << 20
"""With less than that no step can write its files."""
LEFT_NO_WORD = "left no word: its pod was deleted or evicted, or could not start, or its log says more."


def message(bundle: Bundle, status: str, links: Sequence[NoticeLink] = ()) -> Notice:
    """The message about a run, also about one that broke before it had a verdict.

    Args:
        bundle: the run's bundle, as far as it came.
        status: Tekton's aggregate status of the tasks (``Succeeded``, ``Failed``, ``Completed``, ``None``), or empty.
        links: where to look.
    """
    if status == "Failed":
        what, why = _broken(bundle)
        return Notice(what, why, tuple(links), tone="failure")
    if not bundle.run_file.exists():
        return Notice(
            "Penstock: the run ended before the repository was cloned",
            f"Status of the tasks: {status or 'unknown'}.",
            tone="failure",
        )
    run = bundle.run()
    if bundle.verdict_file.exists():
        return _verdict(run, read_verdict(bundle), status, links)
    name = f"{run.model} " if run.model else ""
    finished = run.track == VERIFY and status in ("Succeeded", "Completed")
    return Notice(
        f"{name}{run.track} run {run.run_id} {'finished' if finished else 'broke'}",
        f"{_last_step(bundle)} Status of the tasks: {status or 'unknown'}.{_export(bundle)}",
        tuple(links),
        tone="info" if finished else "failure",
    )


def headline(bundle: Bundle, status: str) -> str:
    """The message in one line: the verdict, or which step broke and why."""
    verdict = read_verdict(bundle) if bundle.verdict_file.exists() and status != "Failed" else None
    if verdict is None:
        said = message(bundle, status)
        return f"{said.what}: {' '.join(said.why.split())}" if status == "Failed" else said.what
    named = title(bundle.run(), verdict)
    if bundle.run().track == VERIFY:
        return f"{named.rpartition(': ')[0]}: {quick_state(bundle.run(), verdict)[1]}"
    if verdict.verdict == "pass" and any(rule.not_compared for rule in verdict.rules):
        return f"{named} (first release: {tally(verdict.rules)})"
    return named


def _verdict(run: Run, verdict: Verdict, status: str, links: Sequence[NoticeLink]) -> Notice:
    """What the gate said, and what a person has to do about it."""
    told = [rule for rule in verdict.rules if rule.verdict != "pass" or rule.waiver is not None]
    told.sort(key=lambda rule: (not stops(rule), rule.verdict == "pass"))
    # The reason for the verdict stands in the second line already.
    stopping = [rule for rule in told if stops(rule)]
    decisive = next((rule for rule in stopping if rule.verdict == verdict.verdict), None)
    details = [_rule_line(rule) for rule in told if rule is not decisive]
    if run.notes:
        details.append(f"Release notes: {run.notes}")
    what, why = title(run, verdict), ""
    if run.track == VERIFY:
        told_of = quick_told(verdict)
        why = f"{_sentence(decisive)}. " if decisive is not None else ""
        needs = ", needs you" if told_of.needs_you else ""
        return Notice(f"{what}{needs}", f"{why}{told_of.why}", tuple(links), tuple(details), told_of.tone)
    if decisive is not None:
        more = len(stopping) - 1
        others = f" {more} more {'rule does' if more == 1 else 'rules do'} not hold." if more else ""
        why = f"{_sentence(decisive)}.{others} "
    if verdict.verdict == "pass":
        # Publishing is the last step: it was carried out if no step failed.
        published = run.track == "release" and status in ("Succeeded", "Completed")
        against = f", compared with {verdict.baseline}" if verdict.baseline else ", the first release"
        return Notice(
            f"{what}{' and published' if published else ''}",
            f"{tally(verdict.rules)}{against}. {_what_is_next(run) if published else 'Nothing to do.'}",
            tuple(links), tuple(details), "success",
        )  # fmt: skip
    if verdict.verdict == "fail":
        why += "Nothing was published. Correct the model, and release it under a new version."
        return Notice(what, why, tuple(links), tuple(details), "failure")
    why += (
        "Nothing was published. Add cases to the suite, or waive the rule in the policy with your name, and run again."
    )
    return Notice(f"{what}, needs you", why, tuple(links), tuple(details), "warning")


def _what_is_next(run: Run) -> str:
    if run.target is None or run.source is None:
        return "It is the current release now."
    named = f"{run.model} {run.source.version}"
    return f"It waits for its target '{run.target}': penstock promote {named}"


def _rule_line(rule: RuleResult) -> str:
    waived = f" ({waiver_words(rule.waiver)})" if rule.waiver is not None else ""
    return f"{_sentence(rule)} [{rule_verdict(rule)}]{waived}"


def _sentence(rule: RuleResult) -> str:
    """``LSE-D (fast) rose from 7.9 to 9.3; about 40 cases would settle it``."""
    if not rule.predicate:
        return f"{rule_name(rule)}: {rule.reason}".rstrip(".")
    return f"{rule_name(rule)} {rule.predicate}{needed_words(rule.needed, rule.metric)}".rstrip(".")


def _broken(bundle: Bundle) -> tuple[str, str]:
    """A step failed, or was lost with its pod: perhaps after the verdict, and the evidence could not be stored."""
    what = "Penstock: the run"
    if bundle.run_file.exists():
        run = bundle.run()
        what = " ".join(word for word in (run.model, run.track, "run", run.run_id) if word)
    failure = first_failure(bundle)
    if failure is not None:
        return f"{what} broke in the step {failure.step}", failure.error
    if _is_full(bundle):
        return (
            f"{what} broke",
            f"The volume 'work' is full. Free space on it, or use a larger one. {_last_step(bundle)}",
        )
    if not bundle.run_file.exists():
        return "Penstock: the run broke before the repository was cloned", f"The step clone {LEFT_NO_WORD}"
    return f"{what} broke", f"{_last_step(bundle)} The one after it {LEFT_NO_WORD}"


def _last_step(bundle: Bundle) -> str:
    done = [step.name for step in bundle.run().steps] if bundle.run_file.exists() else []
    return f"The last step that finished was '{done[-1]}'." if done else "No step finished."


def _export(bundle: Bundle) -> str:
    """Of a run without a verdict: that the model's exported file would not be used, and why."""
    record = export_record(bundle)
    if record is None or record.fault is None:
        return ""
    return f" The exported file would not be used ({record.switch}=false): {record.fault}."


def _is_full(bundle: Bundle) -> bool:
    try:
        return shutil.disk_usage(bundle.path).free < NEARLY_NOTHING_BYTES
    except OSError:
        return False
