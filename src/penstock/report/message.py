"""The message that tells people how a run ended."""

from __future__ import annotations

import shutil

from penstock.bundle.directory import Bundle
from penstock.bundle.failures import first_failure
from penstock.gating.wording import tally
from penstock.report.summary import markdown_summary, title

NEARLY_NOTHING_BYTES = 1 << 20
"""With less than that no step can write its files."""
LEFT_NO_WORD = "left no word: its pod was deleted or evicted, or could not start, or its log says more."


def message(bundle: Bundle, status: str) -> tuple[str, str]:
    """Title and body, also for a run that broke before it had a verdict.

    Args:
        bundle: the run's bundle, as far as it came.
        status: Tekton's aggregate status of the tasks (``Succeeded``, ``Failed``, ``Completed``, ``None``), or empty.
    """
    if status == "Failed":
        return _broken(bundle)
    if not bundle.run_file.exists():
        return (
            "Penstock: the run ended before the repository was cloned",
            f"Status of the tasks: {status or 'unknown'}.",
        )
    run = bundle.run()
    if bundle.verdict_file.exists():
        verdict = bundle.verdict()
        return title(run, verdict), markdown_summary(run, verdict)
    name = f"{run.model} " if run.model else ""
    ended = "finished" if run.track == "verify" and status in ("Succeeded", "Completed") else "broke"
    return (
        f"{name}{run.track} run {run.run_id} {ended}",
        f"{_last_step(bundle)} Status of the tasks: {status or 'unknown'}.",
    )


def headline(bundle: Bundle, status: str) -> str:
    """The message in one line: the verdict, or which step broke and why."""
    first, body = message(bundle, status)
    if status == "Failed":
        return f"{first}: {' '.join(body.split())}"
    verdict = bundle.verdict() if bundle.verdict_file.exists() else None
    if verdict is not None and verdict.verdict == "pass" and any(rule.not_compared for rule in verdict.rules):
        return f"{first} (first release: {tally(verdict.rules)})"
    return first


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


def _is_full(bundle: Bundle) -> bool:
    try:
        return shutil.disk_usage(bundle.path).free < NEARLY_NOTHING_BYTES
    except OSError:
        return False
